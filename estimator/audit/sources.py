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
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

from estimator.audit.opening import BOMB_FREE_BYTES, GuardedReader, is_bomb

#: Zip files that are documents of their own and no archives of exports.
_DOCUMENT_MEMBERS = ("[Content_Types].xml", "mimetype")
_ARCHIVES_WITHIN = (".zip", ".7z", ".rar", ".tar", ".tgz")
#: What people keep beside their exports and that is never one: passed over by name below folders and in archives.
_DOCUMENT_SUFFIXES = {
    *(".md", ".rst", ".rtf", ".doc", ".docx", ".ppt", ".pptx", ".pdf", ".htm", ".html"),
    *(".ps1", ".psm1", ".kql", ".spl", ".esql", ".png", ".svg", ".jpg", ".jpeg", ".gif"),
}
#: A .txt may well be an export, unless it says that it is not.
_DOCUMENT_TEXTS = ("readme", "read me", "licence", "license", "notes", "notice", "changelog")
_CHUNK = 1 << 20

#: Folders by what they are (device and inode), and the way by which each was entered first.
Entered = dict[tuple[int, int], Path]


@dataclass(frozen=True)
class Source:
    """One thing to read.

    Attributes:
        shown: its name for messages: the path as given, or `archive.zip/member`.
        path: the file on disk: itself, or the archive it is in.
        member: the member's name, of an archive; '' otherwise.
        place: the member's place in the archive's directory: two may have one name.
        problem: why it cannot be read; '' where nothing is known against it.
        size: bytes on disk (compressed, of a member).
    """

    shown: str
    path: Path
    member: str = ""
    problem: str = ""
    size: int = 0
    place: int = 0


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
            yield from _matching(text)
            continue
        empty = True
        for source in _below(path, text, {}):
            empty = False
            yield source
        if empty:
            yield Source(text, path, problem="is a folder without a file that could be an export")


def _matching(pattern: str) -> Iterator[Source]:
    """What a pattern names: each folder once, however many ways lead to it (`**` matches every folder above a file)."""
    before, after = _at_stars(pattern)
    entered: Entered = {}
    found = False
    for match in sorted(glob.glob(before)) if before else [""]:  # noqa: PTH207 - a pattern may be absolute
        for source in _below(Path(match), match, entered, after):
            found = True
            yield source
    if not found:
        yield Source(pattern, Path(pattern), problem="no file matches it")


def _at_stars(pattern: str) -> tuple[str, tuple[str, ...]]:
    """A pattern's part before its first `**`, and the parts from there on, if there is one."""
    parts = re.split(r"[/\\]" if os.sep == "\\" else "/", pattern)
    if "**" not in parts:
        return pattern, ()
    at = parts.index("**")
    return "/".join(parts[:at]) or ("/" if at else ""), tuple(filter(None, parts[at:]))


def _is_named(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    """Whether a name below a folder, or a folder above it, matches the parts of a pattern."""
    if not pattern:
        return True
    if pattern[0] == "**":
        return any(_is_named(parts[at:], pattern[1:]) for at in range(len(parts) + 1))
    return bool(parts) and fnmatchcase(parts[0], pattern[0]) and _is_named(parts[1:], pattern[1:])


def _below(path: Path, shown: str, entered: Entered, pattern: Sequence[str] = ()) -> Iterator[Source]:
    """A file, or all below a folder; with a pattern, what of that it names."""
    if not path.is_dir():
        if not pattern:
            yield from _members(path, shown)
        return
    for file, name, problem in walk(path, entered):
        if not _is_named(name.split("/"), pattern):
            continue
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


def walk(root: Path, entered: Entered | None = None) -> Iterator[tuple[Path, str, str]]:
    """Every file below a folder in path order, links followed, each folder entered once: links that fork would
    otherwise make thousands of ways to one file.

    Args:
        root: the folder.
        entered: the folders that were entered already, of several calls; added to.

    Yields:
        the file, its path below `root` with slashes, and why it cannot be read ('' otherwise): a link that leads back
        to a folder above it, to one that is read under another name, or to nowhere.
    """
    entered = {} if entered is None else entered
    ahead = [(root, "")]
    while ahead:  # not by recursion: folders may be deeper than Python's calls
        entry, name = ahead.pop()
        try:
            if entry.is_dir():
                status = entry.stat()
                before = entered.setdefault((status.st_dev, status.st_ino), entry)
                if before is entry:
                    below = [(one, f"{name}/{one.name}".lstrip("/")) for one in entry.iterdir()]
                    below = [(one, its) for one, its in below if not _is_hidden(one.name)]
                    ahead += sorted(below, key=lambda one: one[0].name, reverse=True)
                elif entry.is_relative_to(before):
                    yield entry, name or ".", "is a link to a folder above it, which is being read already"
                else:
                    known = before.relative_to(root) if before.is_relative_to(root) else before
                    yield entry, name or ".", f"leads to a folder that is read as {known.as_posix()} already"
            elif entry.is_file():
                yield entry, name, ""
            else:
                yield entry, name, "is no file" if entry.exists() else "is a link to nowhere"
        except OSError as error:
            yield entry, name or ".", f"cannot be read: {error.strerror or error}"


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
            found = enumerate(archived.infolist())
            members = [(place, member) for place, member in found if not member.filename.endswith("/")]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        yield Source(shown, path, problem=f"is a damaged zip archive: {error}", size=size)
        return
    exports = [(p, m) for p, m in members if not is_document(m.filename) and not _is_hidden(m.filename)]
    if not exports:
        inside = "with nothing but documents" if members else "without a file"
        yield Source(shown, path, problem=f"is a zip archive {inside} in it", size=size)
    for place, member in exports:
        name = f"{shown}/{member.filename}"
        yield Source(name, path, member.filename, _fault(member), member.compress_size, place)


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
            names = archived.namelist()
            return not any(name in _DOCUMENT_MEMBERS or name.startswith("META-INF/") for name in names)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return True


def localise(source: Source, spill: Path, told: Callable[[int], None] | None = None) -> Local:
    """The source as a file of its own; a member of an archive is copied out under a name of ours, not the archive's.

    Raises:
        OSError: it cannot be read.
    """
    if not source.member:
        return Local(source.path if is_text(source.path) else _under_another_name(source.path, spill))
    handle, name = tempfile.mkstemp(dir=spill, suffix=".member")
    written = 0
    with os.fdopen(handle, "wb") as copy:
        try:
            with (
                zipfile.ZipFile(source.path) as archived,
                archived.open(archived.infolist()[source.place]) as packed,
            ):
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


def is_text(path: Path) -> bool:
    """Whether a path can be told to others than Python: names of files may be any bytes on Linux."""
    try:
        str(path.resolve()).encode()
    except UnicodeEncodeError:
        return False
    return True


def _under_another_name(path: Path, spill: Path) -> Path:
    link = Path(tempfile.mkdtemp(dir=spill)) / "file"
    link.symlink_to(path.resolve())
    return link


def _stdin(spill: Path) -> Source:
    handle, name = tempfile.mkstemp(dir=spill, suffix=".stdin")
    with os.fdopen(handle, "wb") as copy:
        shutil.copyfileobj(sys.stdin.buffer, copy, _CHUNK)
        size = copy.tell()
    return Source("-", Path(name), size=size)
