"""The tenant folder: every file in it, taken for what its content says it is."""

from __future__ import annotations

import hashlib
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from estimator import audit, inventory
from estimator.audit.opening import HEAD_BYTES
from estimator.audit.shapes import all_shapes
from estimator.audit.sources import Source, expand, is_archive, is_document, localise, walk
from estimator.errors import TenantFolderError
from estimator.findings import Finding
from estimator.inventory.layout import is_workbook

EXPECTED = (
    "a mailbox or licence export, licence totals, a usage report, audit settings (each as CSV, JSON or XLSX), an audit "
    "export ("
    + "; ".join(shape.title for shape in all_shapes())
    + "; as CSV, JSON, XLSX or Parquet, plain, gzip, zstd or in a zip), or a scenario (TOML)"
)

#: Files that are told by their end, so that their beginning does not do.
_WHOLE = (b"PK\x03\x04", b"PAR1")


@dataclass(frozen=True)
class InputFile:
    """One file of the tenant folder.

    Attributes:
        path: where it is.
        shown: its path below the tenant folder, as messages and outputs name it.
        kind: what it was taken for (`inventory.INVENTORY_KINDS`, `audit-…`, `scenario`), of a zip archive what the
            first known file in it was taken for; `unknown` is refused, `document` and `usage-report` are passed over.
    """

    path: Path
    shown: str
    kind: str

    def sha256(self) -> str:
        """The SHA-256 of the file as it stands, in hex."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True)
class TenantFolder:
    """The files of a tenant folder in path order.

    Attributes:
        root: the folder.
        files: its files.
        faults: what is in it and no file that can be read (a link to nowhere, or back to a folder above it): its path
            below the folder, and why.
    """

    root: Path
    files: tuple[InputFile, ...]
    faults: tuple[tuple[str, str], ...] = ()

    def of_kind(self, *kinds: str) -> list[InputFile]:
        """The files taken for one of `kinds`."""
        return [file for file in self.files if file.kind in kinds]

    @property
    def audit_files(self) -> list[InputFile]:
        """The audit exports, and the zip archives of such."""
        return [file for file in self.files if file.kind.startswith("audit-")]

    def findings(self) -> list[Finding]:
        """What is refused, and `file_not_used` for each report that is known and not needed.

        Refused are files of no known shape (`file_not_recognised`) and what cannot be read (`file_refused`).
        """
        refused = [
            Finding(
                "file_refused",
                "error",
                f"{shown}: {why}. It was not read. Take it out of the folder, or put the file itself there.",
                shown,
            )
            for shown, why in self.faults
        ]
        refused += [
            Finding(
                "file_not_recognised",
                "error",
                f"{file.shown}: {_fault(file)}; expected {EXPECTED}. Export it again, or take it out of the folder.",
                file.shown,
            )
            for file in self.of_kind("unknown")
        ]
        return refused + [
            Finding(
                "file_not_used",
                "info",
                f"{file.shown}: a usage report that nothing is forecast from; only email activity, mailbox usage and "
                "Teams activity are read.",
                file.shown,
            )
            for file in self.of_kind("usage-report")
        ]


def read_folder(root: Path) -> TenantFolder:
    """List and recognise the files of a tenant folder and its subfolders; links are followed, hidden files passed over.

    Raises:
        TenantFolderError: there is no such folder, nothing in it, or a file in it cannot be read.
    """
    if not root.is_dir():
        raise TenantFolderError(
            "there is no such folder" if not root.exists() else "is a file",
            path=root,
            expected="the folder that holds the tenant's exports",
        )
    files: list[InputFile] = []
    faults: list[tuple[str, str]] = []
    for path, shown, problem in walk(root):
        if problem:
            faults.append((shown, problem))
            continue
        try:
            files.append(InputFile(path, shown, _kind(path)))
        except OSError as error:
            raise TenantFolderError(f"cannot be read: {error.strerror or error}", path=path) from error
    if not files and not faults:
        raise TenantFolderError("the folder is empty", path=root, expected="at least a mailbox and a licence inventory")
    return TenantFolder(root, tuple(files), tuple(faults))


def _fault(file: InputFile) -> str:
    if file.path.stat().st_size < 16 and file.path.read_bytes().strip() in (b"", b"[]", b"{}", b"\xef\xbb\xbf"):
        return "the file is empty: it holds no record and no header"
    if is_archive(file.path):
        return f"no file of a known shape can be read from the zip archive{_why_of_archive(file.path)}"
    return "the file has no known shape and was not read"


def _kind(path: Path) -> str:
    if is_document(path.name):
        return "document"
    if path.suffix.lower() == ".toml":
        return "scenario"
    if is_archive(path):
        return _kind_of_archive(path)
    # Telling a workbook means reading it whole, and the large ones are audit exports.
    shape = audit.recognise(path) if is_workbook(path) else None
    taken_for = inventory.recognise(path) if shape is None else None
    if taken_for is not None:
        return taken_for
    shape = shape or audit.recognise(path)
    return shape.kind if shape is not None else "unknown"


def _kind_of_archive(path: Path) -> str:
    """The kind of the first member that is an audit export; inventories are few and small, and wanted unpacked."""
    with tempfile.TemporaryDirectory(prefix="siem-estimator-") as folder:
        spill = Path(folder)
        for member in expand([path], spill):
            if member.problem:
                continue
            copy = _start_of(member, spill)
            shape = audit.recognise(copy)
            copy.unlink()
            if shape is not None:
                return shape.kind
    return "unknown"


def _start_of(member: Source, spill: Path) -> Path:
    """A copy of as much of an archive's member as tells what it is."""
    try:
        with zipfile.ZipFile(member.path) as archive, archive.open(member.member) as packed:
            start = packed.read(HEAD_BYTES)
    except OSError:
        raise
    except Exception:  # whatever zipfile and its codecs say of a damaged archive: as much of it as there is
        return localise(member, spill).path
    if start.startswith(_WHOLE):
        return localise(member, spill).path
    copy = spill / "start"
    copy.write_bytes(start)
    return copy


def _why_of_archive(path: Path) -> str:
    """What is wrong with an archive, or with the first file in it that cannot be read, in brackets; '' for nothing."""
    with tempfile.TemporaryDirectory(prefix="siem-estimator-") as folder:
        problem = next((one for one in expand([path], Path(folder)) if one.problem), None)
    if problem is None:
        return ""
    return f" ({problem.shown.removeprefix(f'{path}/') if problem.member else 'it'} {problem.problem})"
