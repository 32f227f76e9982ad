// Python in the page: Pyodide in a worker, which runs one cell after the other.
//
// The page sends {type: "run", run, cell, source}; the first run starts Python. Back
// come "progress", "ready" and "failed", and for each run "output"s and "done". What a
// cell does and shows is the business of runner.py. A figure that runs a model here sends
// `files` along and gets the one that it `takes`.
//
// A cell that trains a model may be watched: it runs a little at a time (runner.py,
// `go_on`), and in between the page is heard: {type: "steer", what}, with "pause", "play",
// "step" (one frame) or "stop". That it can be steered, "watched" says.

// Files that the build makes carry the version of the build that this script carries.
// Pyodide's scripts and its .wasm come as they are; they change with their folder only.
const PYODIDE = new URL("../pyodide/", import.meta.url);
const { search } = new URL(import.meta.url);
const live = (name) => new URL(name + search, import.meta.url);
const packed = (name) => new URL(name + search, PYODIDE);

// In Pyodide's file system. Cells run where the notebooks are.
const LIBRARY = "/book/library";
const CHAPTERS = "/book/chapters";
const EXPERIMENTS = "/book/experiments";

// matplotlib lists these among its needs, but draws without them: they are for PDF
// files and for time zones.
const NOT_NEEDED = ["fonttools", "pytz"];

// --------------------------------------------------------------------- fetching

const plainFetch = self.fetch;
const WASM = "application/wasm";

/** A file did not come; the message is for the reader. */
class Missing extends Error {}

const nameOf = (address) => new URL(address).pathname.split("/").at(-1);

function noAnswer(address) {
  return new Missing(`${nameOf(address)} did not arrive. Is there a connection to the site?`);
}

async function get(address) {
  const response = await plainFetch(address).catch(() => {
    throw noAnswer(address);
  });
  if (!response.ok) throw new Missing(`The site has no ${nameOf(address)} (${response.status}).`);
  // Some servers do not know this type, and the browser compiles nothing else.
  const { body, headers, url } = response;
  if (!nameOf(url).endsWith(".wasm") || headers.get("Content-Type") === WASM) return response;
  return new Response(body, { headers: { "Content-Type": WASM } });
}

async function read(address, how) {
  const response = await get(address);
  return response[how]().catch(() => {
    throw noAnswer(address);
  });
}

/** A response that is all there, unless it is compiled while it comes. */
async function whole(address) {
  return nameOf(address).endsWith(".wasm") ? get(address) : new Response(await bytes(address));
}

const bytes = (address) => read(address, "arrayBuffer");
const json = (address) => read(address, "json");
const text = (address) => read(address, "text");

function script(address) {
  return import(address.href).catch(() => {
    throw noAnswer(address);
  });
}

// ------------------------------------------------------------------ the packages

/** What can be loaded: Pyodide's packages, our wheels, the files of experiments. */
class Library {
  #packages; // by name, as Pyodide lists them
  #manifest; // what the book adds
  #here = new Set();

  constructor({ packages }, manifest) {
    this.#packages = packages;
    this.#manifest = manifest;
    this.onDemand = ["matplotlib", ...Object.keys(manifest.on_import)];
  }

  /** Fetch NumPy and the book's own wheels: what every chapter needs. */
  async fetchFirst() {
    const [numpy, ours] = await Promise.all([
      this.fetch("numpy"),
      Promise.all(this.#manifest.wheels.map((file) => bytes(live(file)))),
    ]);
    return [...numpy, ...ours];
  }

  /** Fetch a package, and those it needs, unless they are here. */
  async fetch(name) {
    const ours = this.#manifest.on_import[name]?.map((file) => live(file));
    const names = ours ? [name] : this.#withNeeds(name);
    const addresses = ours ?? names.map((one) => packed(this.#packages[one].file_name));
    const wheels = await Promise.all(addresses.map(bytes));
    names.forEach((one) => this.#here.add(one));
    return wheels;
  }

  has(name) {
    return this.#here.has(name);
  }

  /** Fetch the files a cell opens, as [name, content]; their names stand in its source. */
  async fetchExperiments(source) {
    const wanted = (name) => source.includes(name) && !this.#here.has(name);
    const files = this.#manifest.experiments.filter(wanted).map(async (name) => {
      const content = await bytes(live(`experiments/${name}`));
      this.#here.add(name);
      return [name, new Uint8Array(content)];
    });
    return Promise.all(files);
  }

  #withNeeds(name, found = new Set()) {
    if (this.#here.has(name) || found.has(name) || NOT_NEEDED.includes(name)) return [...found];
    found.add(name);
    this.#packages[name].depends.forEach((other) => this.#withNeeds(other, found));
    return [...found];
  }
}

// ------------------------------------------------------- steering what is watched

const TURN = 0.05; // seconds of training from one look at the page's wishes to the next

/** What the page wants of the cell that is watched. */
class Steering {
  #paused = false;
  #steps = 0;
  #wake = () => {};
  #channel = new MessageChannel();
  isStopped = false;

  take(what) {
    if (what === "stop") this.isStopped = true;
    if (what === "step") this.#steps += 1;
    if (what === "pause" || what === "step") this.#paused = true;
    if (what === "play") this.#paused = false;
    this.#wake();
  }

  /** Wait until training may go on; gives the seconds it may go on for, 0 being one frame. */
  async turn() {
    await this.#messages();
    while (this.#paused && this.#steps === 0 && !this.isStopped) {
      await new Promise((wake) => {
        this.#wake = wake;
      });
    }
    if (!this.#paused) return TURN;
    this.#steps = Math.max(0, this.#steps - 1);
    return 0;
  }

  /** Let in what the page has sent; a timer would wait longer. */
  #messages() {
    return new Promise((done) => {
      this.#channel.port1.onmessage = done;
      this.#channel.port2.postMessage(null);
    });
  }
}

let steering = new Steering(); // of the cell that runs

// ------------------------------------------------------------------------ Python

/** Python with the book's library, and the session in which the cells of a page run. */
class Python {
  #pyodide;
  #library;
  #runner;
  #session;
  #run; // the number of the run that is going on

  static async start() {
    const python = new Python();
    const lock = json(packed("pyodide-lock.json"));
    const manifest = json(live("manifest.json"));
    const library = Promise.all([lock, manifest]).then((both) => new Library(...both));
    // All files are asked for at once. Getting Python ready takes longest.
    const files = Promise.all([
      library,
      text(live("runner.py")),
      library.then((one) => one.fetchFirst()),
    ]);
    progress("Loading Python …");
    const started = startPyodide(lock);
    await Promise.race([started, files.then(() => started)]); // whichever fails first
    progress("Loading NumPy …");
    python.#prepare(await started, ...(await files));
    return python;
  }

  #prepare(pyodide, library, runner, wheels) {
    this.#pyodide = pyodide;
    this.#library = library;
    for (const folder of [LIBRARY, CHAPTERS, EXPERIMENTS]) pyodide.FS.mkdirTree(folder);
    pyodide.FS.chdir(CHAPTERS);
    pyodide.FS.writeFile(`${LIBRARY}/runner.py`, runner);
    this.#unpack(wheels);
    this.#runner = pyodide.pyimport("runner");
    this.#session = this.#runner.start((output) =>
      postMessage({ type: "output", run: this.#run, output: JSON.parse(output) }),
    );
  }

  /** Run a cell; says whether it went to its end, how long it took and what it bound. */
  async run({ run, cell, source, files, takes, narrow }) {
    this.#run = run;
    this.#session.is_narrow = narrow;
    for (const [path, content] of files) this.#pyodide.FS.writeFile(path, content);
    try {
      await this.#load(source);
    } catch (error) {
      if (!(error instanceof Missing)) throw error;
      const { message } = error;
      const output = { kind: "error", name: "Not loaded", message, traceback: "" };
      postMessage({ type: "output", run, output });
      return { ok: false }; // it took no time: it did not run
    }
    steering = new Steering();
    const { stopped, milliseconds } = await this.#course(run, cell, source);
    const { succeeded: ok, bound } = this.#session;
    const taken = this.#take(takes);
    return { ok, stopped, milliseconds, bound: bound.split(" ").filter(Boolean), taken };
  }

  #take(path) {
    const { FS } = this.#pyodide;
    return path && FS.analyzePath(path).exists ? FS.readFile(path) : undefined;
  }

  /** Let a cell run, a little at a time if it is watched. Waiting does not count as time. */
  async #course(run, cell, source) {
    let began = performance.now();
    let milliseconds = 0;
    const pause = () => (milliseconds += performance.now() - began);
    let goesOn = this.#session.begin(cell, source);
    pause();
    if (goesOn) postMessage({ type: "watched", run });
    while (goesOn) {
      const seconds = await steering.turn();
      began = performance.now();
      if (steering.isStopped) break;
      goesOn = this.#session.go_on(seconds);
      pause();
    }
    if (goesOn) this.#session.stop();
    return { stopped: goesOn, milliseconds };
  }

  /** Load what a cell is going to import and to open. */
  async #load(source) {
    const needed = this.#runner.needs(source, this.#library.onDemand);
    const names = needed.toJs().filter((name) => !this.#library.has(name));
    needed.destroy();
    for (const name of names) {
      progress(`Loading ${name} …`);
      this.#unpack(await this.#library.fetch(name));
    }
    for (const [name, content] of await this.#library.fetchExperiments(source)) {
      this.#pyodide.FS.writeFile(`${EXPERIMENTS}/${name}`, content);
    }
    if (names.length > 0) progress(""); // the run itself begins
  }

  // Pyodide's own loadPackage would compile every part of a package that is written
  // in C. From here a part is compiled when it is imported, if it ever is.
  #unpack(wheels) {
    for (const wheel of wheels) {
      this.#pyodide.unpackArchive(wheel, "wheel", { extractDir: LIBRARY });
    }
    this.#pyodide.runPython("import importlib; importlib.invalidate_caches()");
  }
}

/** Start Pyodide itself. It waits for ever for a file that does not come; this does not. */
async function startPyodide(lock) {
  const factory = script(new URL("pyodide.asm.mjs", PYODIDE));
  factory.catch(() => {}); // it is heard of where the factory is used
  const { instantiateStreaming } = WebAssembly;
  const failure = new Promise((_, reject) => {
    const watched = (promise) => {
      promise.catch(reject);
      return promise;
    };
    self.fetch = (address) => watched(whole(address));
    WebAssembly.instantiateStreaming = (...given) =>
      watched(instantiateStreaming.apply(WebAssembly, given));
  });
  try {
    const { loadPyodide } = await script(new URL("pyodide.mjs", PYODIDE));
    const pyodide = loadPyodide({
      indexURL: PYODIDE.href,
      lockFileContents: lock,
      packageBaseUrl: PYODIDE.href,
      stdLibURL: packed("python_stdlib.zip").href,
      createPyodideModule: async (settings) => (await factory).default(settings),
      env: { PYTHONPATH: LIBRARY },
    });
    return await Promise.race([pyodide, failure]);
  } finally {
    self.fetch = plainFetch;
    WebAssembly.instantiateStreaming = instantiateStreaming;
  }
}

// ------------------------------------------------------- the talk with the page

let python = null; // a promise, once Python was asked for

function progress(text) {
  postMessage({ type: "progress", text });
}

async function started() {
  if (python) return python;
  const began = performance.now();
  python = Python.start();
  await python;
  postMessage({ type: "ready", milliseconds: performance.now() - began });
  return python;
}

async function answer(job) {
  try {
    const running = await started();
    postMessage({ type: "done", run: job.run, ...(await running.run(job)) });
  } catch (error) {
    // Not an error of a cell's: those are outputs. The next run starts anew.
    python = null;
    postMessage({ type: "failed", text: explain(error) });
  }
}

function explain(error) {
  if (error instanceof Missing) return error.message;
  if (error instanceof RangeError) return "The cell went deeper than the browser's stack.";
  const last = error.message.trim().split("\n").at(-1); // of a traceback, what went wrong
  return last.replace(/[^.!?]$/, "$&.");
}

let last = Promise.resolve();

onmessage = ({ data }) => {
  if (data.type === "steer") steering.take(data.what);
  else last = last.then(() => answer(data));
};
