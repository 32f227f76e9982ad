// Markdown as the built site shows it: the same elements and classes, so that a
// sentence or a table does not change its look when the reader runs its cell.

import { Marked } from "marked";

/** Formulas go to MathJax as they are: Markdown must not touch what is in them. */
const formula = {
  name: "formula",
  level: "inline",
  start: (text) => text.indexOf("$"),
  tokenizer(text) {
    // As in MyST: no blank just inside the dollars, no digit after them.
    const match = /^(\$\$?)(?!\s)((?:\\.|[^$\\])+?)(?<!\s)\1(?!\d)/s.exec(text);
    if (!match) return undefined;
    return { type: "formula", raw: match[0], display: match[1] === "$$", source: match[2] };
  },
  renderer: ({ display, source }) =>
    display
      ? `<div class="math notranslate nohighlight">\\[${escape(source)}\\]</div>`
      : `<span class="math notranslate nohighlight">\\(${escape(source)}\\)</span>`,
};

const renderer = {
  codespan({ text }) {
    const words = escape(text).replace(/\S+/g, '<span class="pre">$&</span>');
    return `<code class="docutils literal notranslate">${words}</code>`;
  },

  link({ href, tokens }) {
    const outside = /^[a-z]+:/i.test(href);
    // On the site a chapter is a page.
    const address = outside ? href : href.replace(/\.(ipynb|md)(?=#|$)/, ".html");
    const kind = outside ? "external" : "internal";
    const text = this.parser.parseInline(tokens);
    return `<a class="reference ${kind}" href="${escape(address)}">${text}</a>`;
  },

  table({ header, rows }) {
    // The header counts as the first row.
    const [first, ...others] = [header, ...rows].map((cells, number) =>
      row(number + 1, cells.map((cell) => this.tablecell(cell))),
    );
    return `<div class="pst-scrollable-table-container"><table class="table">
<thead>${first}</thead>
<tbody>${others.join("")}</tbody></table></div>`;
  },

  tablecell({ header, tokens, text }) {
    const inside = `<p>${this.parser.parseInline(tokens)}</p>`;
    // A header with nothing to say is no header.
    if (!header || !text.trim()) return `<td>${inside}</td>`;
    return `<th class="head">${nameFormula(inside, tokens)}</th>`;
  },
};

function row(number, cells) {
  return `<tr class="row-${number % 2 ? "odd" : "even"}">${cells.join("\n")}</tr>\n`;
}

/** A header that is nothing but a formula needs a name: it reads as empty otherwise. */
function nameFormula(inside, tokens) {
  if (tokens.length !== 1 || tokens[0].type !== "formula") return inside;
  return inside.replace("<span", `<span role="math" aria-label="${escape(tokens[0].source)}"`);
}

function escape(text) {
  const names = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  return text.replace(/[&<>"]/g, (character) => names[character]);
}

/** The site sets a typographic apostrophe. */
function walkTokens(token) {
  if (token.type === "text") token.text = token.text.replace(/(?<=\w)'(?=\w)/g, "’");
}

const marked = new Marked({ renderer, walkTokens, extensions: [formula] });

/** Turn Markdown into HTML. */
export function render(text) {
  return marked.parse(text);
}
