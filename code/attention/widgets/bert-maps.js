// Maps of all heads of a BERT: their weights in one list of numbers, where they look, and how
// they are painted.

import { cover } from "./base.js";

/** Where a piece may look, as `shares_of` in bert_heads.py has it: from the query to the key. */
export const PLACES = {
  first: { name: "the first token, [CLS]", short: "[CLS]", key: () => 0 },
  before: { name: "the token before", short: "the token before", key: (query) => query - 1 },
  itself: { name: "the token itself", short: "itself", key: (query) => query },
  after: { name: "the token after", short: "the token after", key: (query) => query + 1 },
  last: { name: "the last token, [SEP]", short: "[SEP]", key: (query, count) => count - 1 },
};

/** The weights of a sentence, (layers, heads, queries, keys) in one list. */
export class HeadMaps {
  constructor(pieces, weights) {
    this.pieces = pieces;
    this.weights = weights;
    this.count = pieces.length;
  }

  weight(head, query, key) {
    return this.weights[(head * this.count + query) * this.count + key];
  }

  /** The matrix of a head, as a list of rows; heads are counted through all layers. */
  matrix(head) {
    const { count } = this;
    const start = head * count * count;
    return Array.from({ length: count }, (_, query) =>
      [...this.weights.subarray(start + query * count, start + (query + 1) * count)]);
  }

  /** The mean weight of all pieces but the first and the last on a place. */
  share(head, place) {
    const { key } = PLACES[place];
    let sum = 0;
    for (let query = 1; query < this.count - 1; query++)
      sum += this.weight(head, query, key(query, this.count));
    return sum / (this.count - 2);
  }

  /** Paint a head, one pixel for each weight: a query in each row. The ink is red, green, blue. */
  paint(head, canvas, ink) {
    const { count } = this;
    canvas.width = canvas.height = count;
    const picture = new ImageData(count, count);
    for (let i = 0; i < count * count; i++)
      picture.data.set([...ink, 255 * cover(this.weights[head * count * count + i])], 4 * i);
    canvas.getContext("2d").putImageData(picture, 0, 0);
  }

  /** The largest difference to other weights of the same sentence. */
  apartFrom({ weights }) {
    return weights.reduce((most, x, i) => Math.max(most, Math.abs(x - this.weights[i])), 0);
  }
}

/** Put pieces together, without the marks at both ends: `as_text` in bert_heads.py. */
export function asText(pieces) {
  return pieces.slice(1, -1).join(" ").replaceAll(" ##", "").replace(/ ([.,;:!?])/g, "$1");
}

/** Call a piece by its text, and by its position too (from 1) if there are several such. */
export function labels(pieces) {
  const named = (piece) => (/[\p{L}\p{N}]/u.test(piece) ? piece : `“${piece}”`);
  const several = (piece) => pieces.indexOf(piece) !== pieces.lastIndexOf(piece);
  return pieces.map((piece, i) => named(piece) + (several(piece) ? ` (${i + 1})` : ""));
}
