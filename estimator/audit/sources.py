"""From what was named (files, folders, globs, archives, standard input) to the files that are read, none lost."""

from __future__ import annotations

import glob
import os
import re
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

from estimator.audit.opening import BOMB_FREE_BYTES, GuardedReader, is_bomb

#: Zip files that are documents of their own and no archives of exports.
_DOCUMENT_MEMBERS = ("[Content_Types].xml", "mimetype", "META-INF/")
_ARCHIVES_WITHIN = (".zip", ".7z", ".rar", ".tar", ".tgz")
#: What people keep beside their exports and that is never one: passed over by name below folders and in archives.
_DOCUMENT_SUFFIXES = {
    *(".md", ".rst", ".rtf", ".doc", ".docx", ".ppt", ".pptx", ".pdf", ".htm", ".html"),
    *(".ps1", ".psm1", ".kql", ".spl", ".esql", ".png", ".svg", ".jpg", ".jpeg", ".gif"),
}
#: A .txt may well be an export, unless it says that it is not.
_DOCUMENT_TEXTS = ("readme", "read me", "licence", "license", "notes", "notice", "changelog")
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Source:
    """One thing to read.

    Attributes:
        shown: its name for messages: the path as given, or `archive.zip/member`.
        path: the file on disk: itself, or the archive it is in.
        member: the member's name, of an archive; '' otherwise.
        problem: why it cannot be read; '' where nothing is known against it.
        size: bytes on disk (compressed, of a member).
    """

    shown: str
    path: Path
    member: str = ""
    problem: str = ""
    size: int = 0


@dataclass(frozen=True)
class Local:
    """A source as a file of its own.

    Attributes:
        path: the file, or a copy of the archive's member.
        damage: what was found wrong while copying; the copy ends there.
    """

    path: Path
    damage: str | None = None


def expand(paths: Sequence[Path | str], spill: Path) -> Iterator[Source]:
    """Every file among `paths`: folders with all below them, globs, the members of zip archives, `-` for stdin.

    Inside folders and archives, documents and files with a leading dot are passed over; what is named itself never is.
    What cannot be read comes with its problem.

    Args:
        paths: as given.
        spill: folder for a copy of standard input.
    """
    for given in paths:
        text = str(given)
        if text == "-":
            yield _stdin(spill)
            continue
        path = Path(given)
        if not path.exists() and glob.has_magic(text):
            matches = sorted(glob.glob(text, recursive=True))  # noqa: PTH207 - a pattern may be absolute
            if not matches:
                yield Source(text, path, problem="no file matches it")
            for match in matches:
                yield from _below(Path(match), match)
            continue
        yield from _below(path, text)


def _below(path: Path, shown: str) -> Iterator[Source]:
    if not path.is_dir():
        yield from _members(path, shown)
        return
    for file, name, problem in walk(path):
        shown_below = os.path.join(shown, name)  # noqa: PTH118 - `./a` stays `./a`, as it was given
        if problem:
            yield Source(shown_below, file, problem=problem)
        elif not is_document(name):
            yield from _members(file, shown_below)


def is_document(name: str) -> bool:
    """Whether a file below a folder or in an archive is, by its name, a document that is kept beside exports."""
    path = PurePosixPath(name)
    suffix = path.suffix.lower()
    return suffix in _DOCUMENT_SUFFIXES or (suffix == ".txt" and path.stem.lower().startswith(_DOCUMENT_TEXTS))


def _is_hidden(name: str) -> bool:
    """Whether a part of a name begins with a dot: what macOS puts beside each file (`.DS_Store`, `._x`), for one.

    `..` begins none: a member `..\\evil.jsonl` is read like any other, as it is never written under its own name.
    """
    return any(part[:1] == "." and part[1:2] not in ("", ".") for part in re.split(r"[/\\]", name))


def walk(root: Path) -> Iterator[tuple[Path, str, str]]:
    """Every file below a folder in path order, links followed, each folder entered once.

    Yields:
        the file, its path below `root` with slashes, and why it cannot be read ('' otherwise): a link that leads back
        to a folder above it, or to nowhere.
    """
    yield from _walk(root, "", {_identity(root)})


def _identity(folder: Path) -> tuple[int, int]:
    status = folder.stat()
    return status.st_dev, status.st_ino


def _walk(folder: Path, prefix: str, above: set[tuple[int, int]]) -> Iterator[tuple[Path, str, str]]:
    try:
        entries = sorted(folder.iterdir(), key=lambda one: one.name)
    except OSError as error:
        yield folder, prefix.rstrip("/") or ".", f"cannot be read: {error.strerror or error}"
        return
    for entry in entries:
        if _is_hidden(entry.name):
            continue
        name = prefix + entry.name
        try:
            if entry.is_dir():
                identity = _identity(entry)
                if identity in above:
                    yield entry, name, "is a link to a folder above it, which is being read already"
                else:
                    yield from _walk(entry, f"{name}/", above | {identity})
            elif entry.is_file():
                yield entry, name, ""
            else:
                yield entry, name, "is no file" if entry.exists() else "is a link to nowhere"
        except OSError as error:
            yield entry, name, f"cannot be read: {error.strerror or error}"


def _members(path: Path, shown: str) -> Iterator[Source]:
    try:
        size = path.stat().st_size
        archive = is_archive(path)
    except OSError as error:
        yield Source(shown, path, problem=f"cannot be read: {error.strerror or error}")
        return
    if not archive:
        yield Source(shown, path, size=size)
        return
    try:
        with zipfile.ZipFile(path) as archived:
            members = [member for member in archived.infolist() if not member.filename.endswith("/")]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        yield Source(shown, path, problem=f"is a damaged zip archive: {error}", size=size)
        return
    exports = [m for m in members if not is_document(m.filename) and not _is_hidden(m.filename)]
    if not exports:
        inside = "with nothing but documents" if members else "without a file"
        yield Source(shown, path, problem=f"is a zip archive {inside} in it", size=size)
    for member in exports:
        name = f"{shown}/{member.filename}"
        yield Source(name, path, member.filename, _fault(member), member.compress_size)


def _fault(member: zipfile.ZipInfo) -> str:
    if not member.filename:
        return "has no name"
    if member.flag_bits & 0x1:
        return "is encrypted; unpack the archive first"
    if member.filename.lower().endswith(_ARCHIVES_WITHIN):
        return "is an archive within an archive; unpack it first"
    if is_bomb(member.compress_size, member.file_size):
        return f"would grow from {member.compress_size:,} bytes to {member.file_size:,}: a zip bomb; it is not read"
    return ""


def is_archive(path: Path) -> bool:
    """Whether a file is a zip archive of files, and not a workbook or another document in a zip's clothes."""
    with path.open("rb") as file:
        if file.read(4) not in (b"PK\x03\x04", b"PK\x05\x06"):
            return False
    try:
        with zipfile.ZipFile(path) as archived:
            return not any(name.startswith(_DOCUMENT_MEMBERS) for name in archived.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return True


def localise(source: Source, spill: Path, told: Callable[[int], None] | None = None) -> Local:
    """The source as a file of its own; a member of an archive is copied out under a name of ours, not the archive's.

    Raises:
        OSError: it cannot be read.
    """
    if not source.member:
        return Local(source.path)
    handle, name = tempfile.mkstemp(dir=spill, suffix=".member")
    written = 0
    with os.fdopen(handle, "wb") as copy:
        try:
            with zipfile.ZipFile(source.path) as archived, archived.open(source.member) as packed:
                guard = GuardedReader(cast(BinaryIO, packed), None)
                buffer = memoryview(bytearray(_CHUNK))
                while count := guard.readinto(buffer):
                    copy.write(buffer[:count])
                    written += count
                    # The directory of an archive may lie about sizes.
                    if written > BOMB_FREE_BYTES and is_bomb(source.size, written):
                        return Local(Path(name), f"{source.size:,} compressed bytes grew to {written:,}: a zip bomb")
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError) as error:
            return Local(Path(name), f"the archive is damaged here ({error})")
    if told:
        told(source.size)
    return Local(Path(name), guard.damage)


def _stdin(spill: Path) -> Source:
    handle, name = tempfile.mkstemp(dir=spill, suffix=".stdin")
    with os.fdopen(handle, "wb") as copy:
        shutil.copyfileobj(sys.stdin.buffer, copy, _CHUNK)
        size = copy.tell()
    return Source("-", Path(name), size=size)
