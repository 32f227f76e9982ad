// Python, as the page sees it: a worker that takes the source of a cell and sends
// back outputs. worker.js is the other end of the conversation.

/** The reader pressed Stop. */
export class Stopped extends Error {}

/** Python could not be started, or broke down. */
export class Failed extends Error {}

const PHONE = "(max-width: 575.98px)"; // as in book.css
const GRACE = 600; // milliseconds that a cell which can be steered has to stop by itself

export class Python {
  #worker = null;
  #ready = false;
  #runs = new Map();
  #number = 0;
  #isWatched = false; // can the cell that runs be steered?
  #ending; // a timer, once it was asked to stop

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
   * Returns a promise of `{ok, stopped, milliseconds, bound}`: was it stopped in good
   * order (`stop`), the time, and the names that the cell bound. All are missing if a file
   * that the cell needs did not come. It rejects with Stopped or Failed.
   *
   * A figure may give `files`, as [path, bytes] (they are no longer its own then), to be
   * there when the cell runs, and name a file that it `takes`, whose bytes are `taken`.
   */
  run(cell, source, onoutput, { files = [], takes } = {}) {
    this.#worker ??= this.#start();
    const run = ++this.#number;
    return new Promise((resolve, reject) => {
      this.#runs.set(run, { resolve, reject, onoutput });
      const narrow = globalThis.matchMedia?.(PHONE).matches ?? false; // a worker has none
      const message = { type: "run", run, cell, source, files, takes, narrow };
      this.#worker.postMessage(message, files.map(([, content]) => content.buffer));
    });
  }

  /** What the reader wants of a cell that is watched: "pause", "play" or "step". */
  steer(what) {
    if (this.#isWatched) this.#worker.postMessage({ type: "steer", what });
  }

  /**
   * Stop what runs. A cell that is watched ends in good order, and Python goes on; asked
   * for a second time, or if it takes too long, Python ends.
   */
  stop() {
    if (!this.#isWatched || this.#ending) return this.#end(new Stopped());
    this.steer("stop");
    this.#ending = setTimeout(() => this.#end(new Stopped()), GRACE);
  }

  /**
   * End Python, and every run with it.
   *
   * A worker that is busy hears nothing, and interrupting it from here would need
   * headers that a plain file server does not send. So it is thrown away.
   */
  #end(reason) {
    this.#noLongerWatched();
    this.#worker?.terminate();
    this.#worker = null;
    this.#ready = false;
    const runs = [...this.#runs.values()];
    this.#runs.clear();
    for (const { reject } of runs) reject(reason);
  }

  #noLongerWatched() {
    clearTimeout(this.#ending);
    this.#ending = undefined;
    this.#isWatched = false;
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
    this.#end(new Failed(`${what} ${text}`.trim()));
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
    } else if (message.type === "watched") {
      this.#isWatched = run !== undefined;
    } else if (message.type === "done") {
      this.#noLongerWatched();
      this.#runs.delete(message.run);
      run?.resolve(message);
    }
  }
}
