// The page of the search: Sphinx's own search (searchtools.js), with the book's ranking and
// with snippets in which formulas are readable.

import { rank, words } from "./ranking.js";

/* global Search, Stemmer, stopwords */

const INDEX = new URL("search-sections.js", document.currentScript.src).href;
const LEFT_OUT = ".headerlink, .eqno, script, style, [data-figure], .copybtn, .cell_input, h1, h2, h3";
const OF_CODE = /^(code|experiments)\//;

export function startSearch() {
  if (typeof Search === "undefined") return; // another page
  const ready = new Promise((done) => {
    const script = document.createElement("script");
    script.onload = script.onerror = done;
    script.src = INDEX;
    document.head.append(script);
  });
  const { query, _performSearch: plain } = Search;
  Search.query = (text) => ready.then(() => query(text));
  Search._performSearch = (text, ...rest) => {
    const others = plain(text, ...rest);
    return window.SECTIONS ? together(text, others) : others;
  };
  Search.htmlToText = readable;
}

/** The sections by rank, behind the first what the glossary says; then files of code. */
function together(text, others) {
  const stemmer = new Stemmer();
  const typed = words(text).filter((word) => !stopwords.includes(word));
  const found = rank(window.SECTIONS, typed.map((word) => stemmer.stemWord(word)));
  const { docnames, titles, filenames } = Search._index;
  const results = found.map(({ page, anchor, heading, score }) => {
    const at = docnames.indexOf(page);
    const title = anchor ? `${titles[at]} › ${heading}` : titles[at];
    return [page, title, anchor && `#${anchor}`, null, score, filenames[at]];
  });
  const terms = others.filter(([page, , anchor]) => page.endsWith("/glossary") && anchor);
  const code = others.filter(([page]) => OF_CODE.test(page));
  const [first, ...rest] = results;
  const best = first ? [first, ...terms.reverse().slice(0, 2), ...rest] : terms.reverse();
  // The last one is shown first.
  return [...code.slice(-10), ...best.reverse()];
}

/** The text of a page, or of what has an anchor there, for a snippet. */
function readable(html, anchor) {
  const page = new DOMParser().parseFromString(html, "text/html");
  const main = page.querySelector("article") ?? page.body;
  const part = (anchor && page.getElementById(anchor.slice(1))) || main;
  part.querySelectorAll(LEFT_OUT).forEach((element) => element.remove());
  part.querySelectorAll(".math").forEach((formula) => {
    formula.textContent = formulaAsText(formula.textContent);
  });
  return part.textContent.replace(/\s+/g, " ").trim();
}

const SIGNS = {
  sqrt: "√", times: "×", cdot: "·", infty: "∞", sum: "Σ", top: "ᵀ", sigma: "σ", alpha: "α",
  beta: "β", varepsilon: "ε", theta: "θ", pi: "π", partial: "∂", propto: "∝", approx: "≈",
  leq: "≤", geq: "≥", le: "≤", ge: "≥", in: "∈", to: "→", dots: "…", ldots: "…",
};

/** Write a formula as one would type it: \(\sqrt{d_k}\) is √d_k. */
export function formulaAsText(latex) {
  return latex
    .replace(/^\s*\\[([]|\\[)\]]\s*$/g, "")
    .replace(/\\(?:begin|end)\{\w+\}|\\(?:left|right|big|Big|displaystyle|label\{[^}]*\})(?![a-zA-Z])/g, "")
    .replace(/\\(?:text|mathrm|operatorname|mathbf|mathcal)\*?\{([^{}]*)\}/g, "$1")
    .replace(/\\d?t?frac\{((?:[^{}]|\{[^{}]*\})*)\}\{((?:[^{}]|\{[^{}]*\})*)\}/g, "($1) / ($2)")
    .replace(/\\([a-zA-Z]+)/g, (_, name) => SIGNS[name] ?? (/^(log|exp|max|min|tanh|sin|cos)$/.test(name) ? name : " "))
    .replace(/\\[,;:!\\ ]|[{}&$]/g, " ")
    .replace(/\s+/g, " ")
    .replace(/√ /g, "√")
    .trim();
}
