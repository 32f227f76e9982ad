// Compile, once, what the reader's browser would compile at every start of Python.
//
//   node tools/browser_bytecode.mjs PYODIDE OUT WHEEL ...
//
// Python's library and the wheels come as source; compiling it takes longer than
// loading all the rest. This writes them anew into OUT: the modules that the book
// imports as bytecode, the others as they are, and without what no page can use
// (type stubs, headers, tests). The compiler is the Python of the page, run by Node.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [pyodideFolder, out, ...wheels] = process.argv.slice(2).map((path) => resolve(path));
const { loadPyodide } = await import(pathToFileURL(join(pyodideFolder, "pyodide.mjs")));
const python = await loadPyodide({ env: { PYTHONPATH: "/library" } });
const archives = [join(pyodideFolder, "python_stdlib.zip"), ...wheels];

for (const wheel of wheels) {
  python.unpackArchive(new Uint8Array(readFileSync(wheel)), "wheel", { extractDir: "/library" });
}
python.runPython(`
import importlib, importlib._bootstrap_external, importlib.util, io, sys, zipfile
importlib.invalidate_caches()

# What chapters, checkers and runner.py import; a figure brings in the rest.
import ast, csv, difflib, inspect, json, linecache, statistics, textwrap, tokenize, traceback
import numpy.random, jaxtyping
import matplotlib
matplotlib.use("agg")
import matplotlib.pyplot as plt
axes = plt.subplots()[1]
axes.plot([1, 2], label="$x$")
axes.imshow([[1, 2]])
axes.legend()
plt.savefig(io.BytesIO(), format="png", bbox_inches="tight")

IMPORTED = {module.__spec__.origin for module in list(sys.modules.values())
            if getattr(module, "__spec__", None) and module.__spec__.origin}
USELESS = (".pyi", ".h", ".pxd", ".pyx", ".a", ".lib", ".c", ".f", ".f90")
FOLDERS = ("/tests/", "/include/", "/sample_data/", "/f2py/")

def rewritten(archive: str, place: str) -> None:
    """Write an archive anew, at /out.zip; place is where Python sees its files."""
    with (zipfile.ZipFile(archive) as old,
          zipfile.ZipFile("/out.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as new):
        for name in old.namelist():
            if name.endswith(("/", *USELESS)) or any(folder in name for folder in FOLDERS):
                continue
            content = old.read(name)
            if name.endswith(".py") and f"{place}/{name}" in IMPORTED:
                name, content = f"{name}c", bytecode(content, f"{place}/{name}")
            # One date for all, so that the same input gives the same file.
            new.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED, 9)

def bytecode(source: bytes, path: str) -> bytes:
    """Compile a module; Python will not look whether its source has changed.

    Without docstrings, but for NumPy's, which a reader may ask for, and Pyodide's,
    which it reads itself.
    """
    keep = "/numpy/" in path or "pyodide/" in path
    code = compile(source, path, "exec", dont_inherit=True, optimize=0 if keep else 2)
    digest = importlib.util.source_hash(source)
    return importlib._bootstrap_external._code_to_hash_pyc(code, digest, checked=False)
`);

const rewritten = python.globals.get("rewritten");
const library = `/lib/python${python.runPython("'%d%d' % sys.version_info[:2]")}.zip`;
mkdirSync(out, { recursive: true });
for (const archive of archives) {
  python.FS.writeFile("/in.zip", readFileSync(archive));
  rewritten("/in.zip", archive === archives[0] ? library : "/library");
  writeFileSync(join(out, basename(archive)), python.FS.readFile("/out.zip"));
}
