// Predictions that are kept. In the box *Predict* a blank of underscores, set as code, becomes
// a field, and a paragraph with circles or boxes becomes choices:
//
//     *market* will have `____` times the weight of *to*.
//     Typically: ○ about 1 ○ about 8 ○ about 64.           (one of them)
//     These still know it: ☐ sines ☐ learned rows.          (any number of them)
//
// They are counted through the page, from 1. A cell with the tag `guess-1` measures the first:
// above what it prints stands what the reader has said. With the tag `guess-1-bold` it stands
// below, together with what the cell prints in bold, one thing for each blank.
// CONTRIBUTING.md says how to write one.

import { keep, recall, watch } from "./memory.js";

const BLANK = /^_{2,}$/;
const SIGN = /[○☐]/;
const THANKS = "Kept in this browser. You will meet it again where it is measured.";
const NOT_KEPT = "This browser keeps nothing, so remember it yourself.";

export function startGuesses(page) {
  const boxes = document.querySelectorAll("article .admonition.predict");
  const quoted = new Map(); // cell -> how many of its bold texts have been quoted
  const guesses = [...boxes].flatMap(questionsIn).map((question, i) => {
    const guess = SIGN.test(question.textContent)
      ? new Choice(question, page, i + 1)
      : new Blank(question, page, i + 1);
    guess.put(quoted);
    guess.show();
    return guess;
  });
  watch((kind) => ["guess", "all"].includes(kind) && guesses.forEach((guess) => guess.show()));
}

function questionsIn(box) {
  return [...box.querySelectorAll("p, li")].filter(
    (text) =>
      !text.querySelector("p, li") &&
      (SIGN.test(text.textContent) || [...text.querySelectorAll("code")].some(isBlank)),
  );
}

const isBlank = (code) => BLANK.test(code.textContent);

/** A question with an answer that is kept, and the place where it comes back. */
class Guess {
  constructor(question, page, number) {
    this.name = `${page} ${number}`;
    this.id = `guess-${number}`;
    this.question = question;
    this.recalled = document.createElement("p");
    this.recalled.className = "recalled";
    this.note = document.createElement("p");
    this.note.className = "guess-note";
    this.note.setAttribute("role", "status");
    this.place = document.querySelector(`.cell:is(.tag_${this.id}, .tag_${this.id}-bold)`);
    this.measured = [];
  }

  /** Put the answer above what the cell prints, or below it if that is quoted. */
  put(quoted) {
    const outputs = this.place?.querySelector(".cell_output");
    if (!outputs) return;
    if (this.place.matches(`.tag_${this.id}`)) return void outputs.before(this.recalled);
    const before = quoted.get(this.place) ?? 0;
    const after = before + (this.fields?.length ?? 1); // one for each blank
    quoted.set(this.place, after);
    this.measured = [...outputs.querySelectorAll("strong")].slice(before, after);
    this.place.append(this.recalled);
  }

  answered() {
    const answer = this.read();
    const kept = keep("guess", this.name, answer.length > 0 ? answer : null);
    this.note.textContent = kept ? (answer.length > 0 ? THANKS : "Forgotten.") : NOT_KEPT;
    this.tell(answer);
  }

  show() {
    const answer = recall("guess", this.name) ?? [];
    this.write(answer);
    this.tell(answer);
  }

  tell(answer) {
    this.recalled.hidden = answer.length === 0;
    if (answer.length === 0) return;
    this.recalled.replaceChildren("You predicted: ", ...this.said(answer), " ");
    if (this.measured.length === 0) return;
    const copies = this.measured.map((text) => text.cloneNode(true));
    const parts = copies.flatMap((copy, i) => [i > 0 ? "; " : "", copy]);
    this.recalled.append("Measured: ", ...parts, ".");
  }
}

/** A sentence with blanks. */
class Blank extends Guess {
  constructor(question, page, number) {
    super(question, page, number);
    const copy = question.cloneNode(true);
    copy.querySelectorAll("code").forEach((code) => isBlank(code) && code.replaceWith("blank"));
    const name = copy.textContent.trim().replace(/\s+/g, " ");
    this.sentence = question.cloneNode(true);
    this.fields = [...question.querySelectorAll("code")].filter(isBlank).map((code) => {
      const field = document.createElement("input");
      field.type = "text";
      field.className = "guess";
      field.size = Math.max(code.textContent.length, 4);
      field.maxLength = 80;
      field.autocomplete = "off";
      field.setAttribute("aria-label", `Your prediction: ${name}`);
      field.addEventListener("change", () => this.answered());
      code.replaceWith(field);
      return field;
    });
    if (question.matches("li")) question.append(this.note);
    else question.after(this.note);
  }

  read() {
    const answer = this.fields.map((field) => field.value.trim());
    return answer.some(Boolean) ? answer : [];
  }

  write(answer) {
    this.fields.forEach((field, i) => (field.value = answer[i] ?? ""));
  }

  /** The sentence with the answers in it. */
  said(answer) {
    const whole = this.sentence.cloneNode(true);
    [...whole.querySelectorAll("code")].filter(isBlank).forEach((code, i) => {
      const said = document.createElement("b");
      said.textContent = answer[i] || "…";
      code.replaceWith(said);
    });
    return whole.childNodes;
  }
}

/** A question with circles, of which one is chosen, or boxes. */
class Choice extends Guess {
  constructor(question, page, number) {
    super(question, page, number);
    const one = question.textContent.includes("○");
    const [asked, ...choices] = split(question);
    const set = document.createElement("fieldset");
    set.className = "guess";
    const legend = document.createElement("legend");
    legend.append(...asked);
    set.append(legend);
    this.buttons = choices.map((nodes) => {
      const button = document.createElement("input");
      button.type = one ? "radio" : "checkbox";
      button.name = this.id;
      button.addEventListener("change", () => this.answered());
      const label = document.createElement("label");
      label.append(button, " ", ...nodes);
      button.value = label.textContent.trim().replace(/[.;,]$/, "");
      set.append(label);
      return button;
    });
    this.asked = legend.textContent.trim();
    set.append(this.note);
    question.replaceChildren();
    if (question.matches("li")) question.append(set);
    else question.replaceWith(set);
  }

  read() {
    return this.buttons.filter((button) => button.checked).map((button) => button.value);
  }

  write(answer) {
    for (const button of this.buttons) button.checked = answer.includes(button.value);
  }

  said(answer) {
    const said = document.createElement("b");
    said.textContent = answer.join(", ");
    return [this.asked ? `${this.asked} ` : "", said, "."];
  }
}

/** Cut a paragraph at its circles or boxes: first the question, then each choice, as nodes. */
function split(question) {
  const parts = [[]];
  for (const node of [...question.childNodes]) {
    if (node.nodeType !== Node.TEXT_NODE) {
      parts.at(-1).push(node);
      continue;
    }
    node.textContent.split(SIGN).forEach((text, i) => {
      if (i > 0) parts.push([]);
      const plain = i > 0 ? text.replace(/^\s+/, "") : text;
      if (plain) parts.at(-1).push(plain);
    });
  }
  return parts;
}
