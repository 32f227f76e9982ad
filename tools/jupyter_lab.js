// What JupyterLab lacks to show a chapter: citations in words, captions, hints that look like hints.
// JupyterLab takes this file as an extension (tools/jupyter_lab.py puts the citations in). Nothing
// that jupyterlab-myst has made is taken out, only hidden, and no notebook is changed.

const CITED = {};

const STYLE = `
[data-said] { font-size: 0; }
[data-said] > * { display: none; }
[data-said][data-said]::before {
  content: attr(data-said); font-size: var(--jp-content-font-size1); color: var(--jp-content-font-color1);
}
[data-said][data-said]::after { content: none; }
.book-caption, .book-caption .jp-RenderedMarkdown { color: var(--jp-content-font-color2); padding: 0; }
.book-caption { margin: 0 8px 12px 72px; }
.book-caption b { margin-right: 0.4em; float: left; line-height: var(--jp-content-line-height); }
.book-caption p { margin: 0; }
.myst details, .jp-RenderedMarkdown details {
  margin: 0.8em 0; padding: 0.2em 1em; border-left: 3px solid var(--jp-brand-color2);
  background: var(--jp-layout-color2);
}
.myst summary, .jp-RenderedMarkdown summary { cursor: pointer; font-weight: 600; }
`;

const NOT_FOUND = "[title='Citation Not Found']";

/** Write what a citation says: in brackets, or as a part of the sentence. */
function said(keys, inBrackets) {
  const parts = keys.map((key) => CITED[key]);
  if (inBrackets) return `(${parts.map(([who, year]) => `${who}, ${year}`).join("; ")})`;
  return parts.map(([who, year]) => `${who} (${year})`).join(", ");
}

/** Put the words of a citation over the key that jupyterlab-myst shows. */
function showCitations(root) {
  for (const found of root.querySelectorAll(NOT_FOUND)) {
    const group = found.closest(".cite-group") || found;
    if (group.dataset.said) continue;
    const all = group === found ? [found] : [...group.querySelectorAll(NOT_FOUND)];
    const keys = all.map((one) => one.textContent.trim());
    if (!keys.every((key) => key in CITED)) continue;
    group.dataset.said = said(keys, group.classList.contains("parenthetical"));
    group.title = keys.map((key) => CITED[key][2]).join("; ");
    for (const one of all) one.title = CITED[one.textContent.trim()][2];
  }
}

/** Tell whether a cell has shown a figure that can be explored. */
function canBeExplored(cell) {
  const outputs = cell.model.type === "code" ? cell.model.outputs.toJSON() : [];
  return outputs.some((output) => {
    const html = output.data?.["text/html"] ?? "";
    return (Array.isArray(html) ? html.join("") : html).includes("data-figure=");
  });
}

/** Put number and caption below each figure of a notebook, as on the site. */
function showCaptions(panel) {
  const chapter = /(?:^|\/)(\d\d)-[^/]+\.ipynb$/.exec(panel.context?.path ?? "");
  if (!chapter) return;
  let number = 0;
  for (const cell of panel.content.widgets) {
    const caption = cell.model.getMetadata("mystnb")?.figure?.caption;
    if (!caption && !canBeExplored(cell)) continue;
    number += 1;
    const label = `Figure ${Number(chapter[1])}.${number}`;
    const place = cell.node.querySelector(".jp-Cell-outputWrapper");
    if (!place) continue;
    const old = place.parentElement.querySelector(".book-caption");
    if (old?.dataset.label === label) continue;
    old?.remove();
    place.after(captionOf(panel, label, caption));
  }
}

function captionOf(panel, label, caption) {
  const line = document.createElement("div");
  line.className = "book-caption";
  line.dataset.label = label;
  const bold = document.createElement("b");
  bold.textContent = `${label}.`;
  line.append(bold);
  if (caption) {
    const renderer = panel.content.rendermime.createRenderer("text/markdown");
    const data = { "text/markdown": caption };
    renderer.renderModel({ data, metadata: {}, trusted: true, setData() {} });
    line.append(renderer.node);
  }
  return line;
}

const plugin = {
  id: "attention-measured:reading",
  autoStart: true,
  activate(app) {
    const style = document.createElement("style");
    style.textContent = STYLE;
    document.head.append(style);
    let waiting = false;
    const look = () => {
      waiting = false;
      showCitations(document.body);
      for (const panel of app.shell.widgets("main")) if (panel.content?.widgets) showCaptions(panel);
    };
    new MutationObserver(() => {
      if (!waiting) setTimeout(look, 100);
      waiting = true;
    }).observe(document.body, { childList: true, subtree: true });
  },
};

globalThis._JUPYTERLAB = globalThis._JUPYTERLAB || {};
globalThis._JUPYTERLAB["attention-measured"] = {
  init() {},
  get: () => Promise.resolve(() => ({ __esModule: true, default: plugin })),
};
