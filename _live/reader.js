// What every page of the site does for its reader: keeps predictions, shows progress, and
// makes the snippets of the search readable. A plain script, so that it also works in a page
// that was opened from a file.

import { startGuesses } from "./guesses.js";
import { startKept } from "./kept.js";
import { startReading } from "./progress.js";
import { startSearch } from "./search.js";

const page = location.pathname.split("/").at(-1).replace(/\.html$/, "");

startGuesses(page);
startReading(page);
startKept();
startSearch();
