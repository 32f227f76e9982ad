// Python, as the page sees it: a worker that takes the source of a cell and sends
// back outputs. worker.js is the other end of the conversation.

/** The reader pressed Stop. */
export class Stopped extends Error {}

/** Python could not be started, or broke down. */
export class Failed extends Error {}

export class Python {
  #worker = null;
  #ready = false;
  #runs = new Map();
  #number = 0;

  /**
   * @param address where the worker's script is
   * @param onprogress called with a text such as "Loading NumPy", and without one
   *   when Python is ready, or has loaded what a cell needs
   */
  constructor(address, onprogress) {
    this.address = address;
    this.onprogress = onprogress;
  }

  get isReady() {
    return this.#ready;
  }

  /**
   * Run a cell; the first run starts Python.
   *
   * Returns a promise of `{ok, milliseconds, bound}`: the time, and the names that the
   * cell bound. Both are missing if a file that the cell needs did not come. It rejects
   * with Stopped or Failed.
   */
  run(cell, source, onoutput) {
    this.#worker ??= this.#start();
    const run = ++this.#number;
    return new Promise((resolve, reject) => {
      this.#runs.set(run, { resolve, reject, onoutput });
      this.#worker.postMessage({ type: "run", run, cell, source });
    });
  }

  /**
   * End Python, and every run with it.
   *
   * A worker that is busy hears nothing, and interrupting it from here would need
   * headers that a plain file server does not send. So it is thrown away.
   */
  stop(reason = new Stopped()) {
    this.#worker?.terminate();
    this.#worker = null;
    this.#ready = false;
    const runs = [...this.#runs.values()];
    this.#runs.clear();
    for (const { reject } of runs) reject(reason);
  }

  #start() {
    const worker = new Worker(this.address, { type: "module" });
    worker.onmessage = ({ data }) => {
      // What a worker said before it was ended may still arrive afterwards.
      if (worker === this.#worker) this.#receive(data);
    };
    // The script is missing, or the browser ran out of memory.
    worker.onerror = (event) => {
      event.preventDefault();
      if (worker === this.#worker) this.#fail(event.message ?? "");
    };
    return worker;
  }

  #fail(text) {
    const what = this.#ready ? "Python had to end." : "Python could not start.";
    this.stop(new Failed(`${what} ${text}`.trim()));
  }

  #receive(message) {
    const run = this.#runs.get(message.run);
    if (message.type === "progress") {
      this.onprogress(message.text);
    } else if (message.type === "ready") {
      this.#ready = true;
      this.onprogress();
    } else if (message.type === "failed") {
      this.#fail(message.text);
    } else if (message.type === "output") {
      run?.onoutput(message.output);
    } else if (message.type === "done") {
      this.#runs.delete(message.run);
      run?.resolve(message);
    }
  }
}
