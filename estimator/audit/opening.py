"""From a file's bytes to its text: compression, byte order marks and UTF-16, in one place, and never a traceback on
damage. What expands beyond reason (a zip bomb) is damage too."""

from __future__ import annotations

import gzip
import io
import lzma
import os
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import BinaryIO, TextIO, cast

import zstandard

from estimator.audit.shape import Compression, Head

#: How much of a file `recognise` looks at, in bytes after decompression. A record is seldom above 100 KB.
HEAD_BYTES = 1 << 20

#: Audit logs shrink 10 to 30 times. Beyond this, after a first stretch, a file is made to fill a disk.
BOMB_RATIO, BOMB_FREE_BYTES = 250, 64 << 20

_CHUNK = 1 << 20
_MAGIC: dict[bytes, Compression] = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_DAMAGE = (EOFError, zlib.error, lzma.LZMAError, zstandard.ZstdError, zipfile.BadZipFile, NotImplementedError)


class BombError(Exception):
    """A compressed stream grew beyond reason."""


class GuardedReader(io.RawIOBase):
    """A byte stream that ends where it is damaged, instead of failing; `damage` then says what was wrong.

    Args:
        stream: the decompressed bytes.
        packed: the compressed stream beneath, where there is one: what it has given so far bounds what may come of it.
        told: called with the number of bytes read of the file itself, as they are read.
    """

    def __init__(self, stream: BinaryIO, packed: BinaryIO | None, told: Callable[[int], None] | None = None) -> None:
        self._stream, self._packed, self._told = stream, packed, told
        self._out = self._reported = 0
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
            read = self._stream.read1 if hasattr(self._stream, "read1") else self._stream.read
            data = read(len(buffer))
        except (*_DAMAGE, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:  # the disk's; gzip and bz2 give no number
                raise
            self.damage = f"the compressed data is damaged here ({error}); what stands before it was read"
            return 0
        self._out += len(data)
        consumed = self._out if self._packed is None else self._packed.tell()
        if self._packed is not None and is_bomb(consumed, self._out):
            self.damage = _bomb(consumed, self._out)
            return 0
        if self._told and consumed > self._reported:
            self._told(consumed - self._reported)
            self._reported = consumed
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Close the file beneath too."""
        self._stream.close()
        if self._packed is not None:
            self._packed.close()
        super().close()


def is_bomb(packed: int, unpacked: int) -> bool:
    """Whether so many bytes can be no audit log that was packed into so few."""
    return unpacked > BOMB_FREE_BYTES and unpacked > BOMB_RATIO * max(packed, 1)


def _bomb(packed: int, unpacked: int) -> str:
    return f"{packed:,} compressed bytes grew to {unpacked:,}, as no audit log does: a zip bomb; the rest is not read"


def compression_of(start: bytes) -> Compression:
    """The compression of a file, by its first bytes; zip archives are no streams and are not told here."""
    return next((name for magic, name in _MAGIC.items() if start.startswith(magic)), "")


def open_bytes(path: Path, compression: Compression, told: Callable[[int], None] | None = None) -> GuardedReader:
    """The decompressed bytes of a file.

    Raises:
        OSError: it cannot be read.
    """
    file = path.open("rb")
    if not compression:
        return GuardedReader(file, None, told)
    if compression == "gzip":
        stream: BinaryIO = cast(BinaryIO, gzip.GzipFile(fileobj=file))
    else:
        stream = cast(BinaryIO, _ZstdStream(file))
    return GuardedReader(stream, file, told)


class _ZstdStream:
    """A zstd file that fails where it ends in the middle of a frame; zstandard's own reader just ends there."""

    #: Fed in small pieces, because a piece can grow thirty thousand times before anybody can look at it.
    _PIECE = 2 << 10

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._frame, self._fed = file, self._new_frame(), False
        self._data, self._given = b"", 0  # a piece may have grown to many megabytes: it is never copied whole

    @staticmethod
    def _new_frame() -> zstandard.ZstdDecompressionObj:
        return zstandard.ZstdDecompressor().decompressobj()

    def read1(self, size: int) -> bytes:
        while self._given == len(self._data):
            piece = self._file.read(self._PIECE)
            if not piece:
                if self._fed:
                    raise EOFError("the file ends within a frame")
                return b""
            parts = []
            while piece:
                parts.append(self._frame.decompress(piece))
                piece, self._fed = self._frame.unused_data, not self._frame.eof
                if self._frame.eof:
                    self._frame = self._new_frame()
            self._data, self._given = b"".join(parts), 0
        data = self._data[self._given : self._given + size]
        self._given += len(data)
        return data

    def close(self) -> None:
        self._file.close()


def read_head(path: Path) -> Head:
    """The first `HEAD_BYTES` of a file as text.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        first = file.read(4)
    compression = compression_of(first)
    with io.BufferedReader(open_bytes(path, compression)) as stream:
        start = stream.read(HEAD_BYTES)
    encoding = encoding_of(start)
    return Head(start.decode(encoding, errors="replace"), encoding, compression, first)


def encoding_of(start: bytes) -> str:
    """The encoding of a text by its first bytes: a byte order mark, or every other byte of the first few being 0."""
    if start.startswith(_UTF16):
        return "utf-16"
    if start.startswith(b"\xef\xbb\xbf"):
        return "utf-8-sig"
    few = start[:64]
    if len(few) >= 8 and not any(few[1::2]) and all(few[0::2]):
        return "utf-16-le"
    if len(few) >= 8 and not any(few[0::2]) and all(few[1::2]):
        return "utf-16-be"
    return "utf-8"


def open_text(
    path: Path,
    compression: Compression,
    encoding: str,
    newline: str,
    told: Callable[[int], None] | None = None,
) -> tuple[TextIO, GuardedReader]:
    """The file's text, and the guard that knows afterwards whether it was damaged.

    Bytes that are not UTF-8 become surrogate escapes, so that a record's length in bytes stays what it was.

    Raises:
        OSError: it cannot be read.
    """
    guard = open_bytes(path, compression, told)
    errors = "replace" if encoding.startswith("utf-16") else "surrogateescape"
    text = io.TextIOWrapper(io.BufferedReader(guard, _CHUNK), encoding=encoding, errors=errors, newline=newline)
    return text, guard


def is_whole(path: Path, compression: Compression, stop: Event) -> bool:
    """Whether a compressed file ends well: DuckDB reads past a wrong checksum without a word.

    Meant for a thread beside DuckDB (zlib lets go of the interpreter lock); gives up when `stop` is set.
    """
    with open_bytes(path, compression) as guard:
        buffer = memoryview(bytearray(_CHUNK))
        while not stop.is_set() and guard.readinto(buffer):
            pass
        return guard.damage is None


def as_utf8(path: Path, compression: Compression, encoding: str, preamble: int, folder: Path) -> Path | None:
    """A copy of a file that DuckDB can read: UTF-8 without byte order mark or lines before the header.

    Returns:
        the copy in `folder`; None where the file is damaged, so that it has to be read with care.
    """
    text, guard = open_text(path, compression, encoding, "")
    handle, name = tempfile.mkstemp(dir=folder, suffix=".utf8")
    with text, os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape", newline="") as copy:
        for _ in range(preamble):
            text.readline()
        while chunk := text.read(_CHUNK):
            copy.write(chunk.replace("\ufeff", "") if encoding.startswith("utf-16") else chunk)
    if guard.damage is None:
        return Path(name)
    Path(name).unlink()
    return None
