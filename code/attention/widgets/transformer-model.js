// A trained transformer in the page: the forward pass of attention.transformer, for
// one sentence at a time and without training. It reads the file that its `save`
// wrote. A vector is a Float64Array, and a sequence a list of vectors: the weights are
// float32, the sums are exact enough to agree with torch in float64. Edges of the
// attention can be cut, as `interventions.knock_out` cuts them.

import { softmax } from "./base.js";

const [PADDING, START, END] = [0, 1, 2]; // as in attention.training
const EPSILON = 1e-5; // of LayerNorm

/**
 * Read a .safetensors file: the length of its table of contents (8 bytes), the table
 * (JSON), and the numbers. Ours has a header, a checksum and a JSON text.
 */
export function readSafetensors(buffer) {
  const start = 8 + Number(new DataView(buffer).getBigUint64(0, true));
  const text = new TextDecoder().decode(new Uint8Array(buffer, 8, start - 8));
  const { __metadata__: metadata, ...contents } = JSON.parse(text);
  const tensors = {};
  for (const [name, { dtype, shape, data_offsets: [from, to] }] of Object.entries(contents)) {
    if (dtype !== "F32") throw new Error(`${name}: expected float32, got ${dtype}`);
    // A copy: the numbers of a file need not stand where an array of floats may begin.
    tensors[name] = { shape, numbers: new Float32Array(buffer.slice(start + from, start + to)) };
  }
  const { header } = metadata;
  return { tensors, header: JSON.parse(header.slice(header.indexOf(" ") + 1)) };
}

// ------------------------------------------------------------------- arithmetic

const add = (x, y) => x.map((number, i) => number + y[i]);

/** W x + b. The file has a row of W for each number that comes out, as torch has. */
function linear({ weight, bias }, x) {
  const [rows, columns] = weight.shape;
  const y = new Float64Array(rows);
  for (let row = 0, at = 0; row < rows; row++) {
    let sum = bias ? bias.numbers[row] : 0;
    for (let column = 0; column < columns; column++) sum += weight.numbers[at++] * x[column];
    y[row] = sum;
  }
  return y;
}

function layerNorm({ gain, bias }, x) {
  const mean = x.reduce((sum, number) => sum + number, 0) / x.length;
  const variance = x.reduce((sum, number) => sum + (number - mean) ** 2, 0) / x.length;
  const scale = 1 / Math.sqrt(variance + EPSILON);
  return x.map((number, i) => gain.numbers[i] * (number - mean) * scale + bias.numbers[i]);
}

function feedForward({ W_1, W_2 }, x) {
  return linear(W_2, linear(W_1, x).map((number) => Math.max(0, number)));
}

/** Sines in the even columns, cosines in the odd ones. */
export function sinusoidalPosition(position, width) {
  return Float64Array.from({ length: width }, (_, column) => {
    const angle = position * 10_000 ** (-(column - (column % 2)) / width);
    return column % 2 ? Math.cos(angle) : Math.sin(angle);
  });
}

/**
 * What the heads say to one query, side by side, and the weights of each head.
 *
 * `forbidden`, if there are cuts, gives the keys that a head may not see, as a set. Their
 * scores are masked before the softmax; a head that may see nothing says nothing.
 */
function attend(query, { keys, values }, heads, forbidden) {
  const d_k = query.length / heads;
  const said = new Float64Array(query.length);
  const weights = [];
  for (let from = 0; from < query.length; from += d_k) {
    const cut = forbidden?.(from / d_k);
    const scores = keys.map((key, k) => {
      if (cut?.has(k)) return -Infinity;
      let score = 0;
      for (let i = from; i < from + d_k; i++) score += query[i] * key[i];
      return score / Math.sqrt(d_k);
    });
    const row = cut && keys.every((_, k) => cut.has(k)) ? scores.map(() => 0) : softmax(scores);
    values.forEach((value, key) => {
      for (let i = from; i < from + d_k; i++) said[i] += row[key] * value[i];
    });
    weights.push(row);
  }
  return { said, weights };
}

// ------------------------------------------------------------------------ model

export class Transformer {
  /** From the contents of the file that `attention.transformer.save` wrote. */
  constructor(buffer) {
    const { tensors, header } = readSafetensors(buffer);
    const { config } = header;
    // Files of the first edition have another name for it.
    const { source_symbols: symbols, source_vocab_size: size = symbols } = config;
    const translates = header.kind === "transformer" && size !== null;
    if (!translates) refuse("kind", header.kind);
    if (!["sinusoidal", "learned", "none"].includes(config.position))
      refuse("position", config.position);
    if (config.activation !== "relu") refuse("activation", config.activation);
    this.config = config;
    this.parts = nested(tensors);
  }

  embed(token, position, { tokens, positions }) {
    const { d_model } = this.config;
    const row = (table, i) => table.numbers.subarray(i * d_model, (i + 1) * d_model);
    const x = Float64Array.from(row(tokens.weight, token), (number) => number * Math.sqrt(d_model));
    if (this.config.position === "sinusoidal") return add(x, sinusoidalPosition(position, d_model));
    if (!positions) return x;
    if (position >= positions.weight.shape[0]) refuse("length", position + 1);
    return add(x, row(positions.weight, position));
  }

  /** Let a sublayer read the stream and add to it; the norm stands before it or after. */
  around({ norm }, x, sublayer) {
    if (this.config.norm === "pre") return add(x, sublayer(layerNorm(norm, x)));
    return layerNorm(norm, add(x, sublayer(x)));
  }

  /** A post-norm stack ends in the norm of its last layer. */
  finalNorm({ norm }, x) {
    return norm ? layerNorm(norm, x) : x;
  }

  /** Read a sentence: a vector for each of its tokens. */
  encode(source) {
    return this.read(source).memory;
  }

  /** The same, with the weights of the self-attention as [layer][head][query][key]. */
  read(source, cuts = null) {
    const { source_embedding, encoder } = this.parts;
    let stream = source.map((token, position) => this.embed(token, position, source_embedding));
    const weights = encoder.layers.map((layer, l) => {
      const answers = this.encoderLayer(layer, stream, cuts && ((head, query) =>
        cuts.keysOf("encoder", l, head, query)));
      stream = answers.map(({ x }) => x);
      return byHead(answers.map((answer) => answer.weights));
    });
    return { memory: stream.map((x) => this.finalNorm(encoder, x)), weights };
  }

  encoderLayer(layer, stream, forbidden) {
    const { self_attention: attention, around_self_attention, around_feed_forward } = layer;
    const reads = (x) =>
      this.config.norm === "pre" ? layerNorm(around_self_attention.norm, x) : x;
    const seen = keysAndValues(attention, stream.map(reads));
    return stream.map((x, query) => {
      let weights; // [head][key]
      x = this.around(around_self_attention, x, (read) => {
        const answer = this.ask(attention, read, seen, forbidden && ((head) =>
          forbidden(head, query)));
        ({ weights } = answer);
        return answer.said;
      });
      x = this.around(around_feed_forward, x, (read) => feedForward(layer.feed_forward, read));
      return { x, weights };
    });
  }

  ask({ W_Q, W_O }, x, seen, forbidden = null) {
    const { said, weights } = attend(linear(W_Q, x), seen, this.config.heads, forbidden);
    return { said: linear(W_O, said), weights };
  }

  /**
   * What a translation starts with: the source's keys and values, and none of its own yet.
   *
   * `cuts.keysOf(where, layer, head, query)` gives the keys that are cut from a query, as a
   * set or undefined; `where` is "encoder" or "cross", whose queries are the steps.
   */
  begin(source, cuts = null) {
    const { memory, weights } = this.read(source, cuts);
    const layers = this.parts.decoder.layers.map((layer) => ({
      written: { keys: [], values: [] },
      source: keysAndValues(layer.cross_attention, memory),
    }));
    return { length: 0, layers, cuts, encoder: weights };
  }

  /**
   * Read the token written last, and score what may follow. Keys and values of the tokens
   * before it are in `begun`: a causal model would compute the same ones again.
   */
  step(begun, token) {
    const { target_embedding, decoder, to_logits } = this.parts;
    const query = begun.length++;
    let x = this.embed(token, query, target_embedding);
    const weights = []; // [layer][head][source token]
    decoder.layers.forEach((layer, l) => {
      const { written, source } = begun.layers[l];
      x = this.around(layer.around_self_attention, x, (read) => {
        written.keys.push(linear(layer.self_attention.W_K, read));
        written.values.push(linear(layer.self_attention.W_V, read));
        return this.ask(layer.self_attention, read, written).said;
      });
      x = this.around(layer.around_cross_attention, x, (read) => {
        const answer = this.ask(layer.cross_attention, read, source, begun.cuts && ((head) =>
          begun.cuts.keysOf("cross", l, head, query)));
        weights.push(answer.weights);
        return answer.said;
      });
      x = this.around(layer.around_feed_forward, x, (read) =>
        feedForward(layer.feed_forward, read));
    });
    return { logits: linear(to_logits, this.finalNorm(decoder, x)), weights };
  }

  /**
   * Write the likeliest token at each step, until END or the largest length.
   *
   * Gives the tokens, END included, and the weights of the cross-attention as
   * [layer][head][token written][source token].
   */
  greedy(source, maxLength = 100, cuts = null) {
    const { tokens, steps } = this.write(this.begin(source, cuts), [], maxLength);
    return { tokens, weights: byLayer(steps) };
  }

  /** Go on writing after these tokens; all but the last of them have been read. */
  write(begun, tokens, maxLength) {
    const steps = [];
    while (tokens.length < maxLength && tokens.at(-1) !== END) {
      const { logits, weights } = this.step(begun, tokens.at(-1) ?? START);
      tokens = [...tokens, likeliest(logits)];
      steps.push(weights);
    }
    return { tokens, steps };
  }

  /**
   * Predict each token of a given target from those before it, as in training.
   *
   * Gives the logits of each step, the weights of the encoder's self-attention as
   * [layer][head][query][key], those of the cross-attention as `greedy` does, and `rewrite`,
   * which tells the tokens that `greedy` would have written.
   */
  follow(source, target, cuts = null) {
    const begun = this.begin(source, cuts);
    const steps = target.map((_, i) => this.step(begun, i ? target[i - 1] : START));
    return {
      logits: steps.map(({ logits }) => logits),
      encoder: begun.encoder,
      cross: byLayer(steps.map(({ weights }) => weights)),
      rewrite: (maxLength = 100) => this.rewrite(begun, steps, target, maxLength),
    };
  }

  /** As far as the likeliest tokens are the target's, the steps have been made already. */
  rewrite(begun, steps, target, maxLength) {
    const own = steps.map(({ logits }) => likeliest(logits));
    const other = own.findIndex((token, i) => token !== target[i]);
    if (other < 0) return this.write(begun, own, maxLength).tokens;
    begun.length = other + 1;
    for (const { written: { keys, values } } of begun.layers)
      keys.length = values.length = begun.length;
    return this.write(begun, own.slice(0, other + 1), maxLength).tokens;
  }
}

/** The likeliest token to write: padding and START never are. */
function likeliest(logits) {
  return logits.reduce((best, logit, token) =>
    (token !== PADDING && token !== START && logit > logits[best] ? token : best), END);
}

/** Turn [query][head] into [head][query]. */
const byHead = (rows) => rows[0].map((_, head) => rows.map((row) => row[head]));

/** Turn [step][layer][head] into [layer][head][step]. */
const byLayer = (steps) => steps[0].map((_, layer) => byHead(steps.map((step) => step[layer])));

/** The weights of a head, or the mean of all heads of the layer if `head` is null. */
export function matrixOf(weights, layer, head) {
  const heads = weights[layer];
  if (head !== null) return heads[head];
  const mean = (row, column) => heads.reduce((sum, h) => sum + h[row][column], 0) / heads.length;
  return heads[0].map((weights, row) => weights.map((_, column) => mean(row, column)));
}

function keysAndValues({ W_K, W_V }, rows) {
  return { keys: rows.map((x) => linear(W_K, x)), values: rows.map((x) => linear(W_V, x)) };
}

/** Turn {"encoder.layers.0.norm.gain": t} into {encoder: {layers: [{norm: {gain: t}}]}}. */
function nested(tensors) {
  const tree = {};
  for (const [name, tensor] of Object.entries(tensors)) {
    const path = name.split(".");
    let place = tree;
    path.forEach((key, i) => {
      if (i === path.length - 1) place[key] = tensor;
      else place = place[key] ??= /^\d+$/.test(path[i + 1]) ? [] : {};
    });
  }
  return tree;
}

function refuse(what, got) {
  throw new Error(`${what}: this page cannot compute ${got}`);
}
