// The lint of all scripts: the site's, the explorable figures' and the tools'.
// `make lint` runs it; nothing that builds or shows the book needs it.

import js from "@eslint/js";
import globals from "globals";

export default [
  { ignores: ["_build/", ".venv/", ".browser/"] },
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  js.configs.recommended,
  {
    rules: {
      "array-callback-return": "error",
      eqeqeq: ["error", "always", { null: "ignore" }],
      "no-control-regex": "off", // colours in what Python prints begin with one
      "no-else-return": "error",
      "no-implicit-coercion": "error",
      "no-promise-executor-return": "error",
      "no-self-compare": "error",
      "no-template-curly-in-string": "error",
      "no-unmodified-loop-condition": "error",
      "no-unreachable-loop": "error",
      "no-useless-rename": "error",
      "no-var": "error",
      "object-shorthand": "error",
      "prefer-const": "error",
    },
  },
  {
    files: ["_live/*.js", "code/attention/widgets/*.js", "tools/*.js"],
    languageOptions: { globals: globals.browser },
  },
  // These two do not run as modules of a page.
  { files: ["_static/*.js"], languageOptions: { sourceType: "script", globals: globals.browser } },
  { files: ["_live/worker.js"], languageOptions: { globals: globals.worker } },
  { files: ["tools/*.mjs"], languageOptions: { globals: globals.node } },
];
