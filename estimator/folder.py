"""The tenant folder: every file in it, taken for what its content says it is."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from estimator import audit, inventory
from estimator.errors import TenantFolderError
from estimator.findings import Finding

#: Files that people keep beside their exports and that are never exports: passed over by name, and listed as such.
_DOCUMENTS = {".md", ".ps1", ".psm1", ".kql", ".spl", ".png", ".svg", ".jpg", ".pdf", ".html", ".docx", ".pptx"}

EXPECTED = (
    "a mailbox, licence or email activity export, an audit log export (Purview portal CSV, Search-UnifiedAuditLog CSV, "
    "Management Activity API JSON array or JSONL; plain or gzip), or a scenario (TOML)"
)


@dataclass(frozen=True)
class InputFile:
    """One file of the tenant folder.

    Attributes:
        path: where it is.
        shown: its path below the tenant folder, as messages and outputs name it.
        kind: what it was taken for; `unknown` is refused, `document` and `usage-report` are passed over.
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
    """The files of a tenant folder in path order."""

    root: Path
    files: tuple[InputFile, ...]

    def of_kind(self, *kinds: str) -> list[InputFile]:
        """The files taken for one of `kinds`."""
        return [file for file in self.files if file.kind in kinds]

    @property
    def audit_files(self) -> list[InputFile]:
        """The audit exports."""
        return [file for file in self.files if file.kind.startswith("audit-")]

    def findings(self) -> list[Finding]:
        """One `file_not_recognised` per refused file, one `file_not_used` per report that is known and not needed."""
        refused = [
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
                f"{file.shown}: a usage report that is not used in this version; only email activity is.",
                file.shown,
            )
            for file in self.of_kind("usage-report")
        ]


def read_folder(root: Path) -> TenantFolder:
    """List and recognise the files of a tenant folder, subfolders included. Hidden files are passed over.

    Raises:
        TenantFolderError: there is no such folder, nothing in it, or a file in it cannot be read.
    """
    if not root.is_dir():
        raise TenantFolderError(
            "there is no such folder" if not root.exists() else "is a file",
            path=root,
            expected="the folder that holds the tenant's exports",
        )
    files = []
    for path in sorted(p for p in root.rglob("*") if p.is_file()):
        relative = path.relative_to(root)
        if any(part.startswith(".") for part in relative.parts):
            continue
        try:
            kind = _kind(path)
        except OSError as error:
            raise TenantFolderError(f"cannot be read: {error.strerror or error}", path=path) from error
        files.append(InputFile(path, relative.as_posix(), kind))
    if not files:
        raise TenantFolderError("the folder is empty", path=root, expected="at least a mailbox and a licence inventory")
    return TenantFolder(root, tuple(files))


def _fault(file: InputFile) -> str:
    if file.path.stat().st_size < 16 and file.path.read_bytes().strip() in (b"", b"[]", b"{}", b"\xef\xbb\xbf"):
        return "the file is empty: it holds no record and no header"
    return "the file has no known shape and was not read"


def _kind(path: Path) -> str:
    if path.suffix.lower() in _DOCUMENTS:
        return "document"
    if path.suffix.lower() == ".toml":
        return "scenario"
    taken_for = inventory.recognise(path)
    if taken_for is not None:
        return taken_for
    shape = audit.recognise(path)
    return shape.kind if shape is not None else "unknown"
