"""Real sentences in two languages: what programs of Debian say, with its French translation.

A Debian package of a program brings its messages along in French, in the files that GNU
gettext reads. The translations are those of the programs' own translators, under the
programs' licences. They are downloaded when they are asked for and stay in ``_build/``; no
text of theirs is part of the book.
"""

import gettext
import hashlib
import io
import re
import shutil
import subprocess
import sys
import tarfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from shared.logs import ROOT

FOLDER = ROOT / "_build" / "messages"
PACKAGES = (
    *("apt", "aptitude-common", "bash", "bison", "coreutils", "diffutils", "dpkg"),
    *("evolution-common", "findutils", "flex", "gawk", "gettext", "gimp-data", "git"),
    *("gnucash-common", "gnumeric-common", "gnupg-l10n", "grub-common", "inkscape"),
    *("libc-l10n", "libglib2.0-data", "libgtk-3-common", "make", "mutt", "nano"),
    *("nautilus-data", "postgresql-15", "postgresql-client-15", "procps", "psmisc"),
    *("recode", "sharutils", "subversion", "tar", "texinfo", "util-linux-locales", "wget"),
)
WORDS = (5, 20)  # of the English message
LENGTHS = ((5, 8), (9, 12), (13, 16), (17, 20))
CATALOGUE = re.compile(r"/locale/fr/LC_MESSAGES/[^/]+\.mo$")
# Two messages are near if they share so much of their words: 0 for none, 1 for all.
NEAR = 0.6


class Message(NamedTuple):
    """What a program says, in both languages."""

    english: str
    french: str

    @property
    def length(self) -> int:
        """Count the English words."""
        return len(self.english.split())


class Split(NamedTuple):
    """Messages to train on, to choose by, and to test with."""

    train: list[Message]
    validation: list[Message]
    test: list[Message]


def fetch(packages: Sequence[str] = PACKAGES, folder: Path = FOLDER) -> dict[str, str]:
    """Download packages that are not there yet.

    Returns
    -------
    files : dict
        From the name of each file, which says package and version, to its SHA-256.

    Raises
    ------
    RuntimeError
        If this is no Debian, or a package cannot be had.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    for package in packages:
        if not (found := sorted(folder.glob(f"{package}_*.deb"))):
            _download(package, folder)
            found = sorted(folder.glob(f"{package}_*.deb"))
        files[found[-1].name] = hashlib.sha256(found[-1].read_bytes()).hexdigest()
    return files


def _download(package: str, folder: Path) -> None:
    if not (apt := shutil.which("apt-get")):
        raise RuntimeError("the messages come from Debian's packages, and there is no apt-get here")
    # apt-get needs a folder that it may write to under another user's name.
    command = [apt, "download", "-q", "-o", "APT::Sandbox::User=root", package]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, encoding="utf-8")
    if done.returncode:
        raise RuntimeError(f"no package {package}: {done.stderr.strip() or done.stdout.strip()}")
    print(f"{package}: downloaded", file=sys.stderr, flush=True)


def read_package(file: Path) -> Iterator[Message]:
    """Yield all pairs of one line each from the French catalogues of a package."""
    unpacked = subprocess.run(["dpkg-deb", "--fsys-tarfile", file], capture_output=True, check=True)
    with tarfile.open(fileobj=io.BytesIO(unpacked.stdout)) as archive:
        for member in archive:
            if member.isfile() and CATALOGUE.search(member.name):
                content = archive.extractfile(member).read()
                catalogue = gettext.GNUTranslations(io.BytesIO(content))._catalog
                for english, french in catalogue.items():
                    if isinstance(english, str):  # not one of two numbers, singular and plural
                        # Before the sign \x04 stands where the message is used.
                        yield Message(english.split("\x04")[-1].strip(), french.strip())


def is_sentence(message: Message) -> bool:
    """Say whether a message is of one line, of the lengths that we want, and translated."""
    one_line = "\n" not in message.english + message.french
    lengths = WORDS[0] <= message.length <= WORDS[1] and 3 <= len(message.french.split()) <= 30
    letters = sum(letter.isalpha() for letter in message.english)
    written = letters > len(message.english) / 2
    return one_line and lengths and written and message.english != message.french


def words_of(text: str) -> frozenset[str]:
    """Take the different words of a text, without places for values (``%s``) and signs."""
    return frozenset(re.findall(r"[^\W\d_]+", re.sub(r"%\S+", " ", text.lower())))


class Nearest:
    """Finds, of some texts, the one that shares the largest part of its words with another.

    The part is that of Jaccard: words in both, divided by words in either.
    """

    def __init__(self, texts: Sequence[str]):
        sets = [words_of(text) for text in texts]
        self.sizes = np.array([len(words) for words in sets])  # (texts,)
        places = defaultdict(list)
        for number, words in enumerate(sets):
            for word in words:
                places[word].append(number)
        self.places = {word: np.array(numbers) for word, numbers in places.items()}

    def similarities(self, text: str) -> np.ndarray:
        """Compute the part of words shared with each text, (texts,)."""
        words = words_of(text)
        shared = np.zeros(len(self.sizes))  # (texts,)
        for word in words & self.places.keys():
            shared[self.places[word]] += 1
        return shared / np.maximum(self.sizes + len(words) - shared, 1)


def split(messages: Sequence[Message], held_out: int, seed: int = 0) -> Split:
    """Hold messages of each length out, and drop from the others what is near to one of them.

    Parameters
    ----------
    messages : sequence of Message
    held_out : int
        So many of each of ``LENGTHS`` for the test, and as many to choose by.
    seed : int
        Of the drawing.
    """
    order = np.random.default_rng(seed).permutation(len(messages))
    chosen: dict[str, list[int]] = {"validation": [], "test": []}
    for shortest, longest in LENGTHS:
        inside = [i for i in order if shortest <= messages[i].length <= longest]
        chosen["test"] += inside[:held_out]
        chosen["validation"] += inside[held_out : 2 * held_out]
    nearest = [Nearest([message[language] for message in messages]) for language in (0, 1)]
    near = np.zeros(len(messages), dtype=bool)  # (messages,): itself, or near to a held-out one
    for number in (*chosen["test"], *chosen["validation"]):
        for language in (0, 1):
            near |= nearest[language].similarities(messages[number][language]) >= NEAR
    train = [messages[i] for i in np.flatnonzero(~near)]
    return Split(train, *([messages[i] for i in chosen[name]] for name in ("validation", "test")))


def all_messages(files: Sequence[Path]) -> list[Message]:
    """Read packages: each English message once, in the order of the alphabet."""
    found: dict[str, str] = {}
    for file in sorted(files):
        for message in read_package(file):
            if is_sentence(message):
                found.setdefault(message.english, message.french)
    return [Message(*pair) for pair in sorted(found.items())]
