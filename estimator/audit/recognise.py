"""Which audit export a file is, told from its content and never from its name."""

from __future__ import annotations

from pathlib import Path

from estimator.audit.csv_export import AUDIT_CSV
from estimator.audit.json_array import AUDIT_ARRAY
from estimator.audit.jsonl import AUDIT_JSONL
from estimator.audit.opening import read_head
from estimator.audit.shape import CsvLayout, Shape, ShapeKind
from estimator.errors import AuditExportError

#: Every shape that is read, in the order in which they are asked. A new one is listed here.
KINDS: tuple[ShapeKind, ...] = (AUDIT_ARRAY, AUDIT_JSONL, AUDIT_CSV)

_BY_NAME = {kind.kind: kind for kind in KINDS}


def recognise(path: Path) -> Shape | None:
    """What audit export a file is; None if it is none. Reads the first MiB.

    Raises:
        AuditExportError: the file cannot be read at all.
    """
    try:
        head = read_head(path)
    except OSError as error:
        raise AuditExportError(f"cannot be read: {error.strerror or error}", path=path) from error
    for kind in KINDS:
        claim = kind.claims(head)
        if claim:
            layout = claim if isinstance(claim, CsvLayout) else None
            return Shape(kind.kind, kind.title, head.compressed, head.encoding, layout)
    return None


def kind_of(shape: Shape) -> ShapeKind:
    """The declaration behind a shape."""
    return _BY_NAME[shape.kind]
