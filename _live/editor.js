// The editor of a cell: CodeMirror 6 with what a cell of twenty lines needs.
// It looks like the printed code: the font and the colours are the site's.

import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { pythonLanguage } from "@codemirror/lang-python";
import {
  bracketMatching,
  HighlightStyle,
  indentOnInput,
  indentUnit,
  syntaxHighlighting,
} from "@codemirror/language";
import { EditorState } from "@codemirror/state";
import { EditorView, keymap } from "@codemirror/view";
import { tags } from "@lezer/highlight";

// The classes that Pygments gives to the printed code, so that the site's style
// sheets colour both, in either theme.
const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.bool, tags.null], class: "k" },
  { tag: [tags.operator, tags.derefOperator], class: "o" },
  { tag: tags.operatorKeyword, class: "ow" },
  { tag: tags.comment, class: "c1" },
  { tag: [tags.string, tags.special(tags.string)], class: "s2" },
  { tag: tags.number, class: "mi" },
  { tag: tags.function(tags.definition(tags.variableName)), class: "nf" },
  { tag: tags.definition(tags.className), class: "nc" },
  { tag: tags.meta, class: "nd" },
]);

const look = EditorView.theme({
  "&": { backgroundColor: "transparent" },
  "&.cm-focused": { outline: "none" }, // live.css draws the ring
  ".cm-scroller": { fontFamily: "inherit", lineHeight: "inherit", overflow: "auto" },
  ".cm-content": { padding: "0", caretColor: "currentColor" },
  ".cm-line": { padding: "0" },
  "&.cm-focused .cm-matchingBracket": {
    backgroundColor: "color-mix(in srgb, currentColor 18%, transparent)",
  },
  "&.cm-focused .cm-nonmatchingBracket": { backgroundColor: "transparent" },
});

/**
 * Make an editor in an element.
 *
 * @param parent the element
 * @param source the text to begin with
 * @param label, describedBy what a screen reader says
 * @param onchange called with the text whenever it changes
 * @param onrun called for Shift+Enter and Ctrl+Enter
 */
export function edit({ parent, source, label, describedBy, onchange, onrun }) {
  const run = () => {
    onrun();
    return true;
  };
  const extensions = [
    keymap.of([
      { key: "Shift-Enter", run },
      { key: "Mod-Enter", run },
      // Tab indents; the view lets go of the next Tab after Escape.
      ...[indentWithTab, ...historyKeymap, ...defaultKeymap],
    ]),
    history(),
    indentUnit.of("    "),
    indentOnInput(),
    bracketMatching(),
    pythonLanguage,
    syntaxHighlighting(colours),
    look,
    EditorView.contentAttributes.of({
      "aria-label": label,
      "aria-describedby": describedBy,
      tabindex: "0",
    }),
    EditorView.updateListener.of((update) => {
      if (update.docChanged) onchange(update.state.doc.toString());
    }),
  ];
  const view = new EditorView({ state: EditorState.create({ doc: source, extensions }), parent });
  // Sphinx listens to the whole page for "/" (search) and other keys.
  view.dom.addEventListener("keydown", (event) => event.stopPropagation());
  return {
    /** Take the focus, with [from, to] selected, or with the dots that wait for an answer. */
    focus(place) {
      const [anchor, head] = place ?? dots(view.state.doc.toString());
      const last = view.state.doc.length;
      const selection = { anchor: Math.min(anchor, last), head: Math.min(head, last) };
      view.dispatch({ selection, scrollIntoView: true });
      view.focus();
    },
    destroy: () => view.destroy(),
  };
}

function dots(text) {
  const found = /^[ \t]*\.\.\./m.exec(text);
  if (!found) return [0, 0];
  const end = found.index + found[0].length;
  return [end - 3, end];
}
