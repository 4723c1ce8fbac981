"""The files an administrator would export from the tenant, byte for byte the same for the same spec."""

from __future__ import annotations

from pathlib import Path

from .audit_files import audit_files, rows
from .licence_files import licence_files
from .mailbox_files import mailbox_files
from .settings_files import settings_files
from .tenant import Tenant
from .usage_files import usage_files

__all__ = ["rows", "write"]


def write(tenant: Tenant, folder: Path, *, counts_only: bool = False) -> None:
    """Write the tenant's exports into a folder, in the shapes that its spec asks for (`Exports`).

    Args:
        tenant: The tenant.
        folder: Made if it is not there; files of the same names are replaced, others left alone.
        counts_only: Write audit records with the few fields that counting needs: much smaller, and faster to make.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for files in (
        mailbox_files(tenant),
        licence_files(tenant),
        usage_files(tenant),
        settings_files(tenant),
        audit_files(tenant, counts_only=counts_only),
    ):
        for name, content in files.items():
            (folder / name).write_bytes(content)
