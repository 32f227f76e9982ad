// Which cell runs when: one after the other, and a cell's needs before it.

import { Stopped } from "./python.js";

const START = "Starting Python: 9 MB, once per visit";
const START_AGAIN = "Starting Python again";

export class Runs {
  #python;
  #cells;
  #announce;
  #starting; // what to say while Python starts
  #waiting = []; // jobs: {cell, plan}; a plan is all that one press of a button asked for
  #current = null;
  #ran = new Set(); // since Python started
  #start = START; // what to say while Python starts
  #changed = false; // has a cell with the reader's own text run since then?

  constructor(cells, python, announce, starting) {
    this.#cells = cells;
    this.#python = python;
    this.#announce = announce;
    this.#starting = starting;
  }

  /** Is the cell running, or waiting for its turn? */
  holds(cell) {
    return [this.#current, ...this.#waiting].some((job) => job?.cell === cell);
  }

  /** The cells a cell needs that have not run since Python started. */
  missing(cell) {
    const needed = this.#cells.filter(({ id }) => cell.needs.includes(id));
    return needed.filter((other) => !this.#ran.has(other.id) && !this.holds(other));
  }

  /** All cells above a cell that have not run. */
  missingAbove(cell) {
    const above = this.#cells.slice(0, this.#cells.indexOf(cell));
    return above.filter((other) => !this.#ran.has(other.id) && !this.holds(other));
  }

  /** Run cells in order; when one fails, the ones after it do not run. */
  add(cells) {
    const plan = { target: cells.at(-1) };
    for (const cell of cells) {
      if (this.holds(cell)) continue;
      this.#waiting.push({ cell, plan });
      cell.wait(this.#current?.cell ?? this.#waiting[0].cell);
    }
    if (!this.#current) this.#work();
  }

  /** Stop a cell: the one that runs, or one that waits, with its plan. */
  stop(cell) {
    const job = [this.#current, ...this.#waiting].find((one) => one?.cell === cell);
    if (job === undefined || job.over) return;
    if (job.plan === this.#current.plan) this.#python.stop();
    else this.#drop(this.#waiting.filter(({ plan }) => plan === job.plan));
  }

  /** What Python says while it loads. */
  progress(text) {
    if (!this.#current) return;
    const whole = text && !this.#python.isReady ? `${this.#start}. ${text}` : text;
    this.#current.cell.progress(whole);
    this.#tellTarget(whole);
    if (this.#python.isReady) this.#start = START_AGAIN;
  }

  /** The reader looks at the cell whose button was pressed: say there what goes on. */
  #tellTarget(text) {
    const { cell, plan } = this.#current;
    if (cell !== plan.target) plan.target.waitFor(cell, text);
  }

  async #work() {
    while ((this.#current = this.#waiting.shift() ?? null)) {
      await this.#run(this.#current);
    }
  }

  async #run(job) {
    const { cell, plan } = job;
    this.#changed ||= cell.isChanged;
    const text = this.#python.isReady ? "" : this.#start;
    cell.begin(text, this.#changed);
    if (text) this.#announce(text);
    this.#tellTarget(text);
    try {
      const result = await this.#python.run(cell.id, cell.source, (output) => cell.add(output));
      job.over = true; // nothing to stop any more
      await cell.finish(result);
      if (result.ok) this.#succeeded(cell, plan);
      else this.#failed(cell, plan);
    } catch (reason) {
      this.#ended(cell, reason);
    }
  }

  #succeeded(cell, plan) {
    this.#ran.add(cell.id);
    if (cell === plan.target) this.#announce(cell.summary);
  }

  #failed(cell, plan) {
    this.#ran.delete(cell.id);
    const rest = this.#waiting.filter((job) => job.plan === plan);
    this.#drop(rest, cell);
    const consequence = rest.length ? ` Cell ${plan.target.number} did not run.` : "";
    this.#announce(`Cell ${cell.number}: ${cell.error}.${consequence}`);
  }

  /** Python is gone: stopped, or broken. */
  #ended(cell, reason) {
    this.#ran.clear();
    this.#changed = false;
    const stopped = reason instanceof Stopped;
    const text = stopped
      ? "Stopped. Python starts afresh at the next Run; cells above have to run again."
      : `${reason.message} Press ${cell.verb} to try again.`;
    cell.stop(text, stopped ? "stopped" : "error");
    this.#drop(this.#waiting);
    this.#announce(text);
  }

  #drop(jobs, culprit) {
    this.#waiting = this.#waiting.filter((job) => !jobs.includes(job));
    for (const { cell } of jobs) cell.leave(culprit);
  }
}
