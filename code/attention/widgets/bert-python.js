// A BERT in the page: its weights are fetched, a Python of its own is started, and sentences
// are looked at there, in NumPy. The code that runs is `attention.pretrained.numpy_bert`.

import { fetchFile } from "./weights-file.js";

// In the file system of the page's Python.
const WEIGHTS = "/book/minilm.safetensors";
const MAPS = "/book/maps";
const START = `from attention.pretrained.numpy_bert import NumpyBert, answer
bert = NumpyBert.from_file("${WEIGHTS}")`;
// A text in JSON is one in Python, too.
const look = (sentence, longest) =>
  `print(answer(bert, ${JSON.stringify(sentence)}, "${MAPS}", ${longest}))`;

/** Whether this page has a Python, and weights to fetch: their address, or null. */
export function weightsOfThePage() {
  return document.documentElement.dataset.smallWeights ?? null;
}

/** Ask the page's live code for a Python that is nobody else's; null if there is no live code. */
function newPython(onprogress) {
  let python = null;
  const take = (make) => {
    python = make(onprogress);
  };
  document.dispatchEvent(new CustomEvent("book-python", { detail: { take } }));
  return python;
}

export class BertInPython {
  /**
   * @param address of the weights
   * @param bytes how many they are
   * @param tell called with (bytes that have come, what Python is doing)
   */
  constructor(address, bytes, tell) {
    this.address = address;
    this.bytes = bytes;
    this.tell = tell;
    this.arrived = null; // when the weights had come, by performance.now()
  }

  /** Fetch the weights while Python starts, and put the model together. */
  async start() {
    let come = 0;
    let doing = "";
    const tell = () => this.tell(come, doing);
    this.python = newPython((text = "") => {
      doing = text;
      tell();
    });
    if (!this.python) throw new Error("this page has no Python");
    const started = this.run("0"); // it is asked for now, and starts while the weights come
    started.catch(() => {}); // it is heard of below
    const file = await fetchFile(this.address, this.bytes, (length) => {
      come = length;
      tell();
    });
    this.arrived = performance.now();
    await started;
    doing = "Putting the model together …";
    tell();
    await this.run(START, { files: [[WEIGHTS, new Uint8Array(file)]] });
  }

  /** Look at a sentence: its pieces, and the weights unless it is too long. */
  async look(sentence, longest) {
    const { printed, taken, milliseconds } = await this.run(look(sentence, longest), { takes: MAPS });
    const pieces = JSON.parse(printed);
    if (pieces.length > longest) return { pieces, weights: null };
    return { pieces, weights: new Float32Array(taken.slice().buffer), milliseconds };
  }

  async run(source, given = {}) {
    const printed = [];
    let wrong = null;
    const onoutput = (output) => {
      if (output.kind === "stream") printed.push(output.text);
      if (output.kind === "error") wrong = output.message || output.name;
    };
    const done = await this.python.run("bert-heads", source, onoutput, given);
    if (!done.ok) throw new Error(wrong ?? "Python did not answer");
    return { ...done, printed: printed.join("") };
  }

  end() {
    this.python?.stop();
  }
}
