"""What `--true-count` states: the totals a portal shows for exports that were cut, matched to the files they are of."""

from __future__ import annotations

import glob
import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING

from estimator.errors import UsageError

if TYPE_CHECKING:
    from estimator.folder import InputFile, TenantFolder

#: Totals by file; None is the one file that was cut.
TrueCounts = Mapping[str | None, int]

_OPTION = "--true-count"
_NUMBER = re.compile(r"[1-9]\d*|[1-9]\d{0,2}(,\d{3})+")


def parse(options: Sequence[str]) -> dict[str | None, int]:
    """The totals that options such as `150000` and `audit.csv=150,000` state.

    Raises:
        UsageError: one is no number, or two are of the same file.
    """
    counts: dict[str | None, int] = {}
    for option in options:
        file, equals, number = option.rpartition("=")
        if not _NUMBER.fullmatch(number) or (equals and not file):
            raise UsageError(
                f"{_OPTION} {option}: {number!r} is no count of records" if number else f"{_OPTION} {option}: no count",
                expected="the total the portal shows, such as 150000, or FILE=150000 where several files are given",
            )
        key = file if equals else None
        if key in counts:
            raise UsageError(
                f"{_OPTION} {option}: a second total {'without a file' if key is None else 'of the same file'}",
                expected="one total for each file that was cut",
                mend="Say which file each is of: FILE=N.",
            )
        counts[key] = int(number.replace(",", ""))
    return counts


def refuse_strangers(counts: TrueCounts, paths: Sequence[str]) -> None:
    """Refuse totals of files that the inputs cannot hold, before an hour of reading; `audit` judges them exactly.

    Args:
        counts: totals by file: as given, as shown, or its bare name.
        paths: the inputs: files, folders and globs.

    Raises:
        UsageError: a file is not among the inputs.
    """
    for file in counts:
        if file is not None and not any(_holds(path, file) for path in paths):
            raise _unknown(file, paths)


def of_folder(counts: TrueCounts, folder: TenantFolder) -> dict[str | None, int]:
    """Totals by the path of each audit export of a tenant folder.

    Args:
        counts: totals by file: below the folder (`audit/may.csv`), its path, or its bare name where only one has it; a
            zip's member after its zip.
        folder: the tenant folder.

    Raises:
        UsageError: a file is no audit export of the folder.
    """
    found: dict[str | None, int] = {}
    for name, count in counts.items():
        found[None if name is None else _path_of(name, folder.audit_files)] = count
    return found


def _path_of(name: str, files: Sequence[InputFile]) -> str:
    """What a name means among the audit exports of a tenant folder, as a path."""
    for file in files:
        for whole in (file.shown, str(file.path)):
            member = _member(whole, name)
            if member is not None:
                return f"{file.path}{member}"
    alike = [file for file in files if file.path.name == name]
    if len(alike) != 1:
        raise _unknown(name, [file.shown for file in files])
    return str(alike[0].path)


def _member(whole: str, name: str) -> str | None:
    """What stands after `whole` in a name: '' for the file itself, `/member` for what is in a zip; else None."""
    if name == whole:
        return ""
    return name[len(whole) :] if name.startswith(f"{whole}/") else None


def _holds(path: str, file: str) -> bool:
    if _member(path.rstrip("/"), file) is not None or Path(path).name == file:
        return True
    bare = "/" not in file
    if glob.has_magic(path):  # it may match folders and zips
        return bare or any(fnmatch(str(one), path) for one in (Path(file), *Path(file).parents))
    return bare and next(Path(path).rglob(glob.escape(file)), None) is not None


def _unknown(file: str, known: Sequence[str]) -> UsageError:
    near = get_close_matches(file, known, n=1)
    shown = ", ".join(known[:5]) + (f" and {len(known) - 5} more" if len(known) > 5 else "")
    return UsageError(
        f"{_OPTION} {file}=…: there is no such file among the inputs",
        expected=f"one of {shown}" if known else "an audit export",
        mend=f"Did you mean {near[0]!r}?" if near else None,
    )
