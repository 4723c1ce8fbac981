"""From a file's bytes to its text: gzip, byte order marks and UTF-16, in one place, and never a traceback on damage."""

from __future__ import annotations

import gzip
import io
import zlib
from pathlib import Path
from threading import Event
from typing import BinaryIO, TextIO, cast

from estimator.audit.shape import Head, Shape

#: How much of a file `recognise` looks at, in bytes after decompression. A record is seldom above 100 KB.
HEAD_BYTES = 1 << 20

_CHUNK = 1 << 20
_GZIP = b"\x1f\x8b"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


class GuardedReader(io.RawIOBase):
    """A byte stream that ends where it is damaged, instead of failing; `damage` then says what was wrong."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.damage: str | None = None

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill `buffer` with what one read gives; 0 at the end or at the damage."""
        if self.damage is not None:
            return 0
        try:
            # read1: a `read` that fails half-way would take what it had gathered with it.
            data = cast(io.BufferedReader, self._stream).read1(len(buffer))
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            self.damage = f"the gzip stream is damaged here ({error}); what stands before it was read"
            return 0
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Close the file beneath too."""
        self._stream.close()
        super().close()


def read_head(path: Path) -> Head:
    """The first `HEAD_BYTES` of a file as text.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        compressed = file.read(2) == _GZIP
        file.seek(0)
        stream = cast(BinaryIO, gzip.GzipFile(fileobj=file)) if compressed else file
        start = io.BufferedReader(GuardedReader(stream)).read(HEAD_BYTES)
    if start.startswith(_UTF16):
        encoding = "utf-16"
    elif start.startswith(b"\xef\xbb\xbf"):
        encoding = "utf-8-sig"
    else:
        encoding = "utf-8"
    return Head(start.decode(encoding, errors="replace"), encoding, compressed)


def open_text(path: Path, shape: Shape, newline: str) -> tuple[TextIO, GuardedReader]:
    """The file's text, and the guard that knows afterwards whether it was damaged.

    Bytes that are not UTF-8 become surrogate escapes, so that a record's length in bytes stays what it was.

    Raises:
        OSError: it cannot be read.
    """
    file = path.open("rb")
    stream = cast(BinaryIO, gzip.GzipFile(fileobj=file)) if shape.compressed else file
    guard = GuardedReader(stream)
    errors = "replace" if shape.encoding == "utf-16" else "surrogateescape"
    text = io.TextIOWrapper(io.BufferedReader(guard, _CHUNK), encoding=shape.encoding, errors=errors, newline=newline)
    return text, guard


def gzip_is_whole(path: Path, stop: Event) -> bool:
    """Whether every member of a gzip file ends well: DuckDB reads past a wrong checksum without a word.

    Meant for a thread beside DuckDB (zlib lets go of the interpreter lock); gives up when `stop` is set.
    """
    try:
        with gzip.open(path) as stream:
            while stream.read(_CHUNK) and not stop.is_set():
                pass
    except (EOFError, zlib.error, gzip.BadGzipFile):
        return False
    return True
