// Which cell runs when: one after the other, in the order they were asked for. What a
// cell needs is asked for together with it (page.js); if it fails, the cell does not run.

import { Names } from "./names.js";
import { Stopped } from "./python.js";

const START_AGAIN = "Starting Python again";

export class Runs {
  #python;
  #cells;
  #announce;
  #starting; // what to say while Python starts
  #waiting = []; // jobs: {cell, plan}; a plan is all that one press of a button asked for
  #current = null;
  #ran = new Set(); // since Python started
  #names = new Names();
  #working; // a promise: all jobs are done
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

  /** Has the cell run to its end since Python started? */
  hasRun(cell) {
    return this.#ran.has(cell.id);
  }

  /**
   * The cells that have to run before a cell: those it needs that have not run since
   * Python started, and those whose names have another meaning by now.
   */
  missing(cell) {
    const ids = new Set(cell.needs.filter((id) => !this.#ran.has(id)));
    const chosen = () => this.#cells.filter((one) => ids.has(one.id) && !this.holds(one));
    // What has to run reads names too, and changes some: until nothing more is lost.
    for (let before = -1; before < ids.size; ) {
      before = ids.size;
      const names = this.#namesThen();
      for (const one of [...chosen(), cell]) {
        names.lost(one).forEach((id) => ids.add(id));
        names.note(one);
      }
    }
    return chosen();
  }

  /** Those, and all other cells above a cell that have not run. */
  missingAbove(cell) {
    const missing = this.missing(cell);
    const above = this.#cells.slice(0, this.#cells.indexOf(cell));
    return above.filter(
      (other) => missing.includes(other) || (!this.hasRun(other) && !this.holds(other)),
    );
  }

  /** The names as they will be when all that was asked for has run. */
  #namesThen() {
    const names = this.#names.copy();
    for (const job of [this.#current, ...this.#waiting]) {
      if (job && !job.over) names.note(job.cell);
    }
    return names;
  }

  /** Run cells in order; when one fails, the ones after it do not run. */
  add(cells) {
    const plan = { target: cells.at(-1) };
    for (const cell of cells) {
      if (this.holds(cell)) continue;
      this.#waiting.push({ cell, plan });
      cell.wait(this.#current?.cell ?? this.#waiting[0].cell);
    }
    if (!this.#current) this.#working = this.#work();
  }

  /** Stop a cell: the one that runs, or one that waits, with its plan. */
  stop(cell) {
    const job = [this.#current, ...this.#waiting].find((one) => one?.cell === cell);
    if (job === undefined || job.over) return;
    if (job.plan === this.#current.plan) this.#python.stop();
    else this.#drop(this.#waiting.filter(({ plan }) => plan === job.plan));
  }

  /** What the reader wants of a cell that is watched while it trains. */
  steer(cell, what) {
    if (this.#current?.cell === cell) this.#python.steer(what);
  }

  /** Stop everything; tells, when it has ended, whether a cell was running. */
  async stopAll() {
    const running = this.#current && !this.#current.over;
    this.#drop(this.#waiting);
    if (running) this.#python.stop();
    await this.allDone();
    return running;
  }

  /** Wait until all that was asked for has run. */
  async allDone() {
    await this.#working;
  }

  /** What Python says while it loads. */
  progress(text) {
    if (!this.#current) return;
    const whole = text && !this.#python.isReady ? `${this.#starting}. ${text}` : text;
    this.#current.cell.progress(whole);
    this.#tellTarget(whole);
    if (this.#python.isReady) this.#starting = START_AGAIN;
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
    const text = this.#python.isReady ? "" : this.#starting;
    cell.begin(text, this.#changed);
    if (text) this.#announce(text);
    this.#tellTarget(text);
    try {
      const result = await this.#python.run(cell.id, cell.source, (output) => cell.add(output));
      job.over = true; // nothing to stop any more
      await cell.finish(result);
      if (result.ok && result.stopped) this.#halted(cell, plan, result.bound);
      else if (result.ok) this.#succeeded(cell, plan, result.bound);
      else this.#failed(cell, plan, result.bound);
    } catch (reason) {
      this.#ended(job, reason);
    }
  }

  #succeeded(cell, plan, bound) {
    this.#ran.add(cell.id);
    this.#names.note(cell, bound);
    if (cell === plan.target) this.#announce(cell.summary);
  }

  /** Stopped in good order: the cell has run, what was to come after it does not. */
  #halted(cell, plan, bound) {
    this.#ran.add(cell.id);
    this.#names.note(cell, bound);
    this.#drop(this.#waiting.filter((job) => job.plan === plan));
    this.#announce(`Cell ${cell.number} was stopped. What came until then stays.`);
  }

  #failed(cell, plan, bound) {
    this.#ran.delete(cell.id);
    if (bound) this.#names.spoil(cell, bound); // it did run
    const rest = this.#after(cell, plan);
    this.#drop(rest, () => [cell.link, " did not finish, so this cell did not run."]);
    const targets = rest.filter((job) => job.cell === job.plan.target);
    const consequences = targets.map((job) => ` Cell ${job.cell.number} did not run.`);
    this.#announce(`Cell ${cell.number}: ${cell.error}.${consequences.join("")}`);
  }

  /** The waiting jobs that make no sense when a cell has failed, in this plan and in others. */
  #after(cell, plan) {
    const lost = new Set([cell.id]);
    return this.#waiting.filter((job) => {
      const isLost =
        job.plan === plan || job.cell.needs.some((id) => lost.has(id) && !this.#ran.has(id));
      if (isLost) lost.add(job.cell.id);
      return isLost;
    });
  }

  /** Python is gone: stopped, or broken. */
  #ended({ cell, plan }, reason) {
    this.#ran.clear();
    this.#names.clear();
    this.#changed = false;
    const stopped = reason instanceof Stopped;
    const text = ({ verb }) =>
      stopped
        ? "Stopped. Python starts afresh at the next Run; cells above have to run again."
        : `${reason.message} Press ${verb} to try again.`;
    cell.stop(text(cell), stopped ? "stopped" : "error");
    // The reader looks at the cell whose button was pressed.
    this.#drop(this.#waiting, (job) => job.cell === job.plan.target && [text(job.cell)]);
    this.#announce(text(plan.target));
  }

  /** Take jobs out of the line; `why` gives what to say at the cell of each. */
  #drop(jobs, why = () => null) {
    this.#waiting = this.#waiting.filter((job) => !jobs.includes(job));
    for (const job of jobs) job.cell.leave(...(why(job) || ["Did not run."]));
  }
}
