"""Read numbers and texts off the bytes of a file, one after the other (the package's own)."""

import struct
from pathlib import Path
from typing import Any

from attention.report import require


class Cursor:
    """A place in the bytes of a file, which moves on by what is read.

    Numbers are little-endian, as in all the formats that are read here.

    Parameters
    ----------
    content : bytes
        Or a memory map of the file.
    source : str
        What an error should call the file.
    """

    def __init__(self, content: Any, source: str):
        self.content = memoryview(content)
        self.source = source
        self.position = 0

    def take(self, count: int) -> memoryview:
        """Take the next bytes.

        Raises
        ------
        ValueError
            If the file has fewer.
        """
        end = self.position + count
        if end > len(self.content):
            raise ValueError(
                f"{self.source}: the file is incomplete: expected at least {end} bytes, "
                f"got {len(self.content)}"
            )
        taken = self.content[self.position : end]
        self.position = end
        return taken

    def numbers(self, code: str, count: int) -> tuple:
        """Take numbers of one type, given by its letter in Python's ``struct``."""
        form = f"<{count}{code}"
        return struct.unpack(form, self.take(struct.calcsize(form)))

    def number(self, code: str) -> Any:
        """Take one number."""
        (number,) = self.numbers(code, 1)
        return number

    def text(self, count: int) -> str:
        """Take a text of that many bytes in UTF-8."""
        try:
            return bytes(self.take(count)).decode()
        except UnicodeDecodeError as error:
            raise ValueError(f"{self.source}: a text in it is no UTF-8 ({error})") from error

    @property
    def at_end(self) -> bool:
        """Whether all has been read."""
        return self.position == len(self.content)


def content_of(path: str | Path) -> bytes:
    """Read all bytes of a file.

    Raises
    ------
    ValueError
        If there is no such file.
    """
    check_file(path)
    return Path(path).read_bytes()


def check_file(path: object) -> None:
    """Refuse what is no path of an existing file."""
    good = isinstance(path, str | Path) and Path(path).is_file()
    require(good, "path", "an existing file", str(path) if isinstance(path, Path) else path)
