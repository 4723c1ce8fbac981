"""Why a mailbox emits an operation or does not: the causes of `readiness.toml`, each with its words and its source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Literal, cast, get_args

from estimator.catalog.loader import sources
from estimator.catalog.reading import _open, _Reader
from estimator.catalog.records import Basis, Source

#: What mends a cause: the organisation's switch, AuditEnabled, the bypass of an account, the audit set, a licence; or
#: nothing.
MendKind = Literal["switch", "audit_enabled", "bypass", "set", "licence", ""]

_FIELDS = {"kind", "action", "main"}


@dataclass(frozen=True, slots=True)
class ReadinessCause:
    """One cause.

    Attributes:
        id: its stable code, which outputs carry.
        title: why, in a few words that fit any mailbox and operation.
        text: why, of one mailbox and operation; may hold `{kind}`, `{action}` and `{main}`.
        mend: what mends it.
        basis: `published` where a source says so, `assumed` where none does and this is what we take for it.
        source: id in `sources()`.
    """

    id: str
    title: str
    text: str
    mend: MendKind
    basis: Basis
    source: str


@cache
def causes() -> Mapping[str, ReadinessCause]:
    """Every cause by its id."""
    return read_causes(Path(__file__).parent / "readiness.toml", sources())


def read_causes(file: Path, known: Mapping[str, Source]) -> dict[str, ReadinessCause]:
    """The causes by id.

    Raises:
        CatalogueError: the file is malformed.
    """
    reader, _ = _open(file, known)
    found = reader.tables("causes", _cause)
    reader.done()
    return found


def _cause(reader: _Reader) -> ReadinessCause:
    title, text, mend = reader.text("title"), reader.text("text"), reader.text("mend", "")
    if unknown := {name for _, name, _, _ in Formatter().parse(text) if name is not None} - _FIELDS:
        reader.fail("text", f"found {sorted(unknown)}", "{kind}, {action} or {main}")
    if mend not in get_args(MendKind):
        reader.fail("mend", f"found {mend!r}", " | ".join(get_args(MendKind)))
    basis: Basis = reader.choice("basis", "basis")
    return ReadinessCause(reader.last, title, text, cast(MendKind, mend), basis, reader.source())
