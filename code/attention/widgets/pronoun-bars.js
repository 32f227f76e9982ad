// How likely each of two pronouns is, as bars: in a sentence and, if it has one, its mirror.

import { decimals, make } from "./base.js";
import { asText } from "./translator-words.js";

const BEFORE = 2; // how many French words before the pronoun are shown

export class PronounBars {
  static style = `
.odds { margin: 0 0 0.6rem; }
.odds legend { padding: 0; margin-bottom: 0.3rem; }
.odds .row { display: flex; flex-wrap: wrap; gap: 0.1rem 0.7rem; align-items: center;
  padding: 0.1rem 0; border-top: 1px solid var(--border); }
.odds label { display: flex; align-items: center; gap: 0.4rem; min-width: 4.9rem; cursor: pointer;
  min-height: 1.75rem; }
.odds input { flex: none; width: 1.1rem; min-height: 1.1rem; margin: 0; }
.odds .bar { flex: 1 1 6rem; max-width: 11rem; display: flex; align-items: center; gap: 0.4rem;
  font-variant-numeric: tabular-nums; }
.odds .bar span:first-child { min-width: 1.7rem; font-weight: 600; }
.odds .track { flex: 1; height: 1rem; border: 1px solid var(--muted); contain: strict;
  background: left / var(--p) 100% no-repeat linear-gradient(var(--accent) 0 0); }
.odds .verdict { min-width: 4.6rem; }
.odds .flipped { color: var(--mark); font-weight: 700; }
@media print { .odds input { display: none; } }
`;

  /** `choose(sentence)` is called when a reader takes the other sentence. */
  constructor(pronouns, choose) {
    this.pronouns = pronouns;
    this.choose = choose;
    this.rows = [];
    this.element = make("fieldset", { class: "odds" });
  }

  /** Draw empty bars for a sentence, or for two that differ in a word or so. */
  draw(sentences) {
    if (sentences === this.sentences) return;
    this.sentences = sentences;
    const [{ french, at }] = sentences;
    this.rows = [];
    if (at < 0) {
      const names = this.pronouns.map((word) => `“${word}”`).join(" nor ");
      this.element.replaceChildren(
        make("p", { class: "muted" }, `Its translation has neither ${names}.`));
      return;
    }
    const start = Math.max(at - BEFORE, 0);
    const before = `${start ? "… " : ""}${asText(french.slice(start, at))}`;
    this.names = sentences.map(({ english }) => english.filter((word, k) =>
      sentences.some((other) => other.english[k] !== word)).join(" "));
    this.rows = sentences.map((sentence, i) => this.row(sentence, this.names[i]));
    this.element.replaceChildren(
      make("legend", {}, "Probability of the word after ", make("i", { lang: "fr" }, before)),
      ...this.rows.map(({ element }) => element));
  }

  row(sentence, name) {
    const radio = make("input", { type: "radio", name: "sentence",
      onchange: () => this.choose(sentence) });
    const bars = this.pronouns.map((word) => ({ word, number: make("span", {}),
      track: make("span", { class: "track" }) }));
    const verdict = make("span", { class: "verdict" });
    const element = make("div", { class: "row" },
      ...(name ? [make("label", {}, radio, make("span", { lang: "en" }, name))] : []),
      ...bars.map(({ word, track, number }) => make("span", { class: "bar" },
        make("span", { lang: "fr" }, word), track, number)), verdict);
    return { radio, bars, verdict, element };
  }

  /** Show runs, a list of { uncut, now }; the chosen sentence is the one above and below. */
  paint(runs, chosen, cut) {
    this.verdicts = runs.map((run) => (cut ? this.verdictOf(run) : ""));
    this.rows.forEach(({ radio, bars, verdict }, i) => {
      radio.checked = i === chosen;
      bars.forEach(({ track, number }, j) => {
        const p = runs[i].now?.odds[j] ?? 0;
        track.style.setProperty("--p", `${100 * p}%`);
        number.textContent = decimals(p);
      });
      verdict.textContent = this.verdicts[i];
      verdict.classList.toggle("flipped", this.verdicts[i].startsWith("now"));
    });
  }

  /** Tell which pronoun is the likelier, and which was. */
  verdictOf({ uncut, now }) {
    if (!uncut?.odds || !now?.odds) return "";
    const [then, today] = [uncut, now].map(({ odds }) =>
      this.pronouns[odds.indexOf(Math.max(...odds))]);
    return `${then === today ? "still" : "now"} ${today}`;
  }

  /** All verdicts in a sentence; nothing without cuts. */
  get summary() {
    return this.verdicts.map((verdict, i) =>
      verdict && (this.names[i] ? `${this.names[i]}: ${verdict}` : verdict))
      .filter(Boolean).join("; ");
  }
}
