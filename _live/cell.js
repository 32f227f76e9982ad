// One live cell: its code, its buttons, what it says. The printed code stays as it
// is until the reader edits it. Which cell runs when is decided in runs.js.

import { load, make, setText, show } from "./dom.js";
import { Outputs, verdictOf } from "./outputs.js";

const TICK = 500; // milliseconds
const SLOW = 5000; // after which a cell says how long it has been running
const LONG = 20_000; // after which it says what to do about it

export class Cell {
  #store;
  #handlers;
  #code; // the printed code's block
  #printed; // its text
  #typed; // the reader's text, if it is another
  #checked = null; // what the checker of an exercise said, {verdict, source}
  #ran = null; // the text of the last run, if there was one
  #undo = null; // what Reset took away
  #editor = null;
  #offer = null;
  #before; // the state before the cell was queued
  #began;
  #clock;
  #progress;
  #isTraining = false; // does a figure grow while the cell runs?

  /**
   * @param element the cell's div
   * @param number its number on the page, by which it is called
   * @param store where the reader's text is kept
   * @param handlers {onpress(cell), onsteer(cell, what), onkept(), announce(text)}: the
   *   button was pressed; a training is to "pause", "play" or "step"; the store changed;
   *   something to tell a screen reader
   */
  constructor(element, number, store, handlers) {
    this.element = element;
    this.number = number;
    this.#store = store;
    this.#handlers = handlers;
    this.id = element.dataset.cell;
    element.dataset.number = number;
    element.liveOutputs = [];
    const listed = (text = "") => text.split(" ").filter(Boolean);
    this.needs = listed(element.dataset.needs);
    this.makes = listed(element.dataset.makes);
    this.changes = listed(element.dataset.changes);
    this.reads = JSON.parse(element.dataset.reads ?? "{}"); // name -> ids of its makers
    this.isSetUp = /setup$|-setup/.test(this.id);
    // A folded solution calls the checker too, but leaves nothing to answer.
    this.isExercise =
      element.dataset.exercise === "yes" && !element.matches("[class*='tag_hide-cell']");

    const input = element.querySelector(".cell_input");
    this.#code = input.querySelector(".highlight");
    this.#printed = this.#code.querySelector("pre").textContent.trimEnd();
    this.outputs = new Outputs(element);
    this.#build(input);
    this.state = "idle";
    const { typed, verdict } = store.get(this.id);
    this.#setTyped(typed);
    if (this.isChanged && verdict) this.#showOldVerdict(verdict);
    this.#refresh();
  }

  get state() {
    return this.element.dataset.state;
  }

  set state(state) {
    this.element.dataset.state = state;
  }

  get isBusy() {
    return this.state === "queued" || this.state === "running";
  }

  get source() {
    return this.#typed ?? this.#printed;
  }

  get verb() {
    if (this.isExercise) return "Check";
    return this.#trains ? "Train" : "Run";
  }

  /** Does it train a model while the reader watches (attention.widgets.watch)? */
  get #trains() {
    return /\bwatch\(/.test(this.source);
  }

  /** Does the reader's text differ from the printed code? */
  get isChanged() {
    return this.#typed !== undefined;
  }

  /** What the checker said of the text that is there now. */
  get #verdict() {
    return this.#checked?.source === this.source ? this.#checked.verdict : "";
  }

  get isSolved() {
    return verdictOf(this.#verdict) === "right";
  }

  /** A link to this cell, for what is said at another. */
  get link() {
    return make("a", { href: `#${this.element.id}` }, `Cell ${this.number}`);
  }

  /** What a screen reader hears when the cell has finished. */
  get summary() {
    return `Cell ${this.number} finished. ${this.#verdict}`.trim();
  }

  /** What went wrong in the last run. */
  get error() {
    const { name, message } = this.outputs.raw.find(({ kind }) => kind === "error") ?? {};
    return name ? `Error: ${name}: ${message.split("\n")[0]}` : "It did not finish";
  }

  /** Does Reset have anything to do? */
  get isTouched() {
    return this.isChanged || this.#editor !== null || this.state !== "idle";
  }

  // ----------------------------------------------------------------- a run

  wait(behind) {
    this.#before = this.state;
    this.state = "queued";
    this.closeOffer();
    this.waitFor(behind);
    this.#refresh();
  }

  /** Say what goes on elsewhere before this cell can run. */
  waitFor(cell, text) {
    this.say(text || (cell === this ? "" : `Waiting for cell ${cell.number}`));
  }

  /** The cell does not run after all. */
  leave(...why) {
    this.state = this.#before;
    this.say(...why);
    this.#refresh();
  }

  begin(text, changed) {
    this.state = "running";
    delete this.element.dataset.runMs;
    this.#undo = null;
    this.#ran = this.source;
    this.#began = performance.now();
    this.#progress = text;
    this.#clock = setInterval(() => this.#tick(), TICK);
    this.outputs.begin(changed);
    this.element.liveOutputs = this.outputs.raw;
    this.say(text);
    this.#refresh();
  }

  add(output) {
    this.#isTraining ||= output.kind === "live";
    this.outputs.add(output);
  }

  /** Python says what it is doing, or, without a text, that it is ready. */
  progress(text = "") {
    this.#progress = text;
    if (!text) this.#began = performance.now();
    this.say(text);
  }

  #tick() {
    const milliseconds = performance.now() - this.#began;
    const text = this.#progress || (this.#isTraining ? "Training" : "Running");
    if (milliseconds < SLOW) return this.say(text);
    const isLong = milliseconds >= LONG && !this.#isTraining;
    const advice = isLong ? ". If you think it will never end, press Stop." : "";
    this.say(`${text} (${Math.floor(milliseconds / 1000)} s)${advice}`);
  }

  async finish({ ok, stopped, milliseconds }) {
    clearInterval(this.#clock);
    this.#isTraining = false;
    // A cell for which something could not be loaded took no time: it did not run.
    const note = milliseconds === undefined ? "" : `run in your browser, ${readable(milliseconds)}`;
    const how = ok ? (stopped ? "stopped" : "done") : "error";
    await this.outputs.finish(stopped ? `stopped, ${note}` : note || "not run", how);
    this.state = how;
    if (note) this.element.dataset.runMs = milliseconds;
    // Where nothing is printed, the buttons' line says that it ran.
    this.say(this.outputs.raw.length > 0 ? "" : note.replace("run", "Run"));
    if (this.isExercise) this.#keepVerdict();
    this.#refresh();
  }

  /** Python ended before the cell did. */
  stop(text, state) {
    clearInterval(this.#clock);
    this.#isTraining = false;
    this.outputs.stop();
    this.state = state;
    this.say(text);
    this.#refresh();
  }

  // ------------------------------------------------------- the reader's text

  /** Put an editor in place of the code, `selection` being [from, to] in the text. */
  async edit(selection) {
    if (this.#editor) return this.#editor.focus(selection);
    const asked = document.activeElement;
    this.say("Loading the editor");
    try {
      const { edit } = await load("editor.mjs");
      this.say();
      if (this.#editor) return;
      this.#editor = edit({
        parent: this.editorBox,
        source: this.source,
        label: `Code of cell ${this.number}`,
        describedBy: this.keys.id,
        onchange: (text) => this.#change(text),
        onrun: () => this.#run(),
      });
    } catch {
      return this.say("The editor could not be loaded. Are you offline? Please try again.");
    }
    this.#undo = null;
    // Do not take the focus from a reader who has gone on.
    const stayed = [asked, document.body].includes(document.activeElement);
    this.#refresh();
    if (stayed) this.#editor.focus(selection);
  }

  #change(text) {
    this.#setTyped(text);
    this.#keep();
    this.#refresh();
  }

  #setTyped(text) {
    this.#typed = text === undefined || text.trimEnd() === this.#printed ? undefined : text;
    this.typedPre.textContent = this.#typed ?? "";
  }

  #keep() {
    const typed = this.#typed;
    const verdict = this.isChanged && this.#verdict ? this.#verdict : undefined;
    const kept = this.#store.set(this.id, { typed, verdict });
    setText(this.yours, kept ? "Your version" : "Your version, not kept when you leave");
    this.#handlers.onkept();
  }

  #keepVerdict() {
    this.#checked = { verdict: this.outputs.verdict, source: this.#ran };
    // Another tab may have kept another text: that one was not checked.
    if (this.#store.get(this.id).typed === this.#typed) this.#keep();
  }

  /** Another tab has kept another text. An editor that is open here keeps its own. */
  follow() {
    if (this.#editor) return;
    const { typed, verdict } = this.#store.get(this.id);
    this.#undo = null;
    this.#setTyped(typed);
    this.#checked = verdict ? { verdict, source: this.source } : null;
    this.#handlers.onkept();
    this.#refresh();
  }

  /** A verdict that was given on an earlier visit, in place of "not started". */
  #showOldVerdict(verdict) {
    this.#checked = { verdict, source: this.source };
    this.#ran = this.source;
    this.outputs.begin(true);
    this.outputs.add({ kind: "result", data: { "text/plain": verdict }, metadata: {} });
    this.outputs.finish("checked before");
  }

  /** Back to the printed code and output. */
  reset() {
    this.#undo = this.isChanged ? { typed: this.#typed, verdict: this.#verdict } : null;
    this.#editor?.destroy();
    this.#editor = null;
    this.#setTyped(undefined);
    this.#checked = this.#ran = null;
    this.outputs.reset();
    this.element.liveOutputs = [];
    delete this.element.dataset.runMs;
    this.state = "idle";
    this.closeOffer();
    if (this.#undo) this.#keep();
    this.say();
    this.#refresh();
  }

  /** Take a reset back. */
  undo() {
    if (!this.#undo) return;
    const { typed, verdict } = this.#undo;
    this.#undo = null;
    this.#setTyped(typed);
    if (verdict) this.#showOldVerdict(verdict);
    this.#keep();
    this.#refresh();
  }

  // ---------------------------------------------------------------- what is shown

  press() {
    if (!this.#offer) return this.#handlers.onpress(this);
    this.closeOffer();
    this.#handlers.announce("Closed. Nothing was run.");
  }

  /** Shift+Enter runs, and never stops: pressed twice, it would cost all that was computed. */
  #run() {
    if (!this.isBusy) this.press();
  }

  /** Say something beside the buttons. */
  say(...what) {
    this.status.replaceChildren(...what);
  }

  /** Ask what to do about cells above: `choices` are pairs of a text and an action. */
  offer(question, choices) {
    const back = document.activeElement;
    const answer = (action) => {
      this.closeOffer();
      action();
      (back.isConnected && back !== document.body ? back : this.runButton).focus();
    };
    const id = `${this.keys.id}-offer`;
    const buttons = choices.map(([text, action]) =>
      make("button", { type: "button", class: "live-button", onclick: () => answer(action) }, text),
    );
    this.#offer = make(
      "div",
      { class: "live-offer", role: "group", "aria-labelledby": id },
      make("p", { id }, question),
      ...buttons,
    );
    this.#offer.addEventListener("keydown", (event) => {
      if (event.key === "Escape") answer(() => {});
    });
    this.bar.after(this.#offer);
    this.runButton.setAttribute("aria-expanded", "true");
    buttons[0].focus();
  }

  closeOffer() {
    if (this.#offer?.contains(document.activeElement)) this.runButton.focus();
    this.#offer?.remove();
    this.#offer = null;
    this.runButton.removeAttribute("aria-expanded");
  }

  #build(input) {
    const button = (kind, onclick) =>
      make("button", { type: "button", class: `live-button live-${kind}`, onclick });
    // The second click of a double click would stop what the first one has started.
    this.runButton = button("run", ({ detail }) => detail < 2 && this.press());
    this.editButton = button("edit", () => this.edit());
    this.resetButton = button("reset", () => (this.#undo ? this.undo() : this.reset()));
    this.yours = make("span", { class: "live-yours" }, "Your version");
    const sign = make("span", { "aria-hidden": "true" }, "✓ ");
    this.solved = make("span", { class: "live-solved" }, sign, "Solved");
    this.status = make("span", { class: "live-status" });
    const keys = "Shift+Enter runs. Tab indents; Escape, then Tab leaves.";
    this.keys = make("span", { class: "live-keys", id: `live-keys-${this.number}` }, keys);
    const first = [this.runButton, this.editButton];
    this.bar = make(
      "div",
      { class: "live-bar" },
      ...(this.isExercise ? first.reverse() : first),
      this.yours,
      this.resetButton,
      this.solved,
      this.status,
      this.keys,
    );
    this.typedPre = make("pre");
    this.typedBox = make("div", { class: "highlight live-own" }, this.typedPre);
    this.editorBox = make("div", { class: "highlight live-own live-editor" });
    this.#code.after(this.typedBox, this.editorBox);
    input.append(this.bar);
    this.element.id ||= `live-cell-${this.number}`;
    this.element.classList.add("live-cell");
    this.element.classList.toggle("live-exercise", this.isExercise);
    // Nor does a key that is held down press a button again and again.
    this.element.addEventListener("keydown", (event) => {
      if (event.repeat && event.key === "Enter" && event.target.closest("button")) {
        event.preventDefault();
      }
    });
    // What is pressed in a figure that is trained here (training-lab.js).
    this.element.addEventListener("training", ({ detail }) => {
      if (!["train", "stop"].includes(detail)) this.#handlers.onsteer(this, detail);
      else if (this.isBusy === (detail === "stop")) this.press();
    });
    this.#listen(this.#code.querySelector("pre"));
    this.#listen(this.typedPre);
  }

  /** A double click on the code edits it, and so does Enter on code with the focus. */
  #listen(pre) {
    pre.addEventListener("dblclick", () => this.edit(selectionIn(pre)));
    pre.addEventListener("click", () => {
      // An exercise waits to be answered: one click is enough, except to select.
      if (!this.isExercise || !getSelection().isCollapsed) return;
      this.edit(this.isChanged ? selectionIn(pre) : undefined);
    });
    pre.addEventListener("keydown", (event) => {
      // On a link in the code Enter follows the link.
      if (event.key !== "Enter" || event.target.closest("a")) return;
      event.preventDefault();
      if (!event.shiftKey) this.edit();
      else if (!event.repeat) this.#run();
    });
  }

  /** Bring buttons and code in line with the state. */
  #refresh() {
    const editing = this.#editor !== null;
    this.#code.classList.toggle("live-away", editing || this.isChanged);
    this.typedBox.hidden = editing || !this.isChanged;
    this.editorBox.hidden = !editing;

    // Run and Stop are one button: the focus stays on it.
    this.#label(this.runButton, this.isBusy ? "Stop" : this.verb);
    this.runButton.classList.toggle("live-stop", this.isBusy);
    const answer = this.isChanged ? "Edit your answer" : "Write your answer";
    this.#label(this.editButton, this.isExercise ? answer : "Edit");
    this.#label(this.resetButton, this.#undo ? "Undo reset" : "Reset");
    this.outputs.isOther = this.#ran !== null && this.#ran !== this.source;
    this.yours.hidden = !this.isChanged;
    this.solved.hidden = !this.isSolved;
    this.element.toggleAttribute("data-solved", this.isSolved);
    for (const lab of this.#trains ? this.element.querySelectorAll("training-lab") : []) {
      lab.dataset.trains = this.isBusy ? "stop" : "train";
    }
    show(this.editButton, !editing, this.runButton);
    const resettable = this.#undo !== null || (this.isTouched && !this.isBusy);
    show(this.resetButton, resettable, this.runButton);
  }

  #label(button, text) {
    setText(button, text);
    const comma = text.includes(" ") ? "," : "";
    button.setAttribute("aria-label", `${text}${comma} cell ${this.number}`);
  }
}

function readable(milliseconds) {
  if (milliseconds < 1000) return `${Math.max(1, Math.round(milliseconds))} ms`;
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

/** What is selected in the code, as positions in its text. */
function selectionIn(pre) {
  const selection = getSelection();
  if (selection.rangeCount === 0) return undefined;
  const { startContainer, startOffset, endContainer, endOffset } = selection.getRangeAt(0);
  if (!pre.contains(startContainer)) return undefined;
  const range = document.createRange();
  range.setStart(pre, 0);
  range.setEnd(startContainer, startOffset);
  const from = range.toString().length;
  if (!pre.contains(endContainer)) return [from, from];
  range.setEnd(endContainer, endOffset);
  return [from, range.toString().length];
}
