// Typeset formulas without a page: reads JSON from stdin, a list of [tex, display] pairs, and
// writes a list of what each becomes. The one argument says what: "mathml" or "svg".
import { createRequire } from "node:module";
import { text } from "node:stream/consumers";

const require = createRequire(import.meta.url);
const form = process.argv[2];
const MathJax = await require("mathjax").init({
  loader: { load: ["input/tex-full", "output/svg"] },
  svg: { fontCache: "none" },
  options: { enableAssistiveMml: false },
});
const formulas = JSON.parse(await text(process.stdin));
const adaptor = MathJax.startup.adaptor;
const written = formulas.map(([tex, display]) =>
  form === "mathml"
    ? MathJax.tex2mml(tex, { display })
    : adaptor.innerHTML(MathJax.tex2svg(tex, { display })));
process.stdout.write(JSON.stringify(written));
