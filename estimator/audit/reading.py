"""One file into the engine: as a whole by DuckDB if nothing in it is amiss, else record by record."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from estimator.audit.framing import Opened, framing_of
from estimator.audit.framing.json_values import rows_of
from estimator.audit.opening import as_utf8, is_whole, read_head
from estimator.audit.recognise import recognise
from estimator.audit.shape import Candidate, Shape
from estimator.audit.sources import Local, Source, localise
from estimator.errors import AuditExportError

if TYPE_CHECKING:
    from estimator.audit.candidates import Rejected
    from estimator.audit.engine import Engine

#: Rejected records shown per file; the counts are exact whatever it is.
SHOWN_REJECTS = 20


@dataclass
class Reading:
    """One file, read into an engine; `sha256` where it was read elsewhere, and another one is as long."""

    source: Source
    shape: Shape | None
    rejected: Rejected
    problem: str = ""
    result_count: int | None = None
    sha256: str = ""


Told = Callable[..., None]


def read_source(
    engine: Engine,
    number: int,
    source: Source,
    spill: Path,
    told: Told | None = None,
    *,
    shape: Shape | None = None,
    fast: bool = True,
) -> Reading:
    """One file into the engine: by the fast lane if that takes it whole, else by the tolerant one.

    Its `shape` is told from the file itself, where it is not known.
    """
    from estimator.audit.candidates import Rejected

    reading = Reading(source, None, Rejected(shown=SHOWN_REJECTS), source.problem)
    if source.problem:
        return reading
    try:
        local = localise(source, spill)
        shape = shape or recognise(local.path)
    except (AuditExportError, OSError) as error:
        reading.problem = error.found if isinstance(error, AuditExportError) else f"cannot be read: {error.strerror}"
        return reading
    if shape is None:
        reading.problem = local.damage or _why_unknown(local.path)
        return reading
    reading.shape = shape
    try:
        _read(engine, number, local, shape, reading.rejected, spill, told, fast=fast)
        reading.result_count = _result_count(engine, local.path, shape)
    finally:
        if source.member:
            local.path.unlink(missing_ok=True)
    return reading


def _why_unknown(path: Path) -> str:
    from estimator.audit.framing import xlsx_rows

    with path.open("rb") as file:
        start = file.read(4)
    if start == b"PK\x03\x04" and (fault := xlsx_rows.fault(path)):
        return fault
    head = read_head(path)
    text = head.text.strip("\ufeff\0 \t\r\n")
    if not text:
        return "is empty"
    with suppress(ValueError, RecursionError):
        if not (value := json.loads(text)) or rows_of(value) == []:
            return "holds no record"
    return "is not an audit export of a known shape"


def _read(
    engine: Engine,
    number: int,
    local: Local,
    shape: Shape,
    rejected: Rejected,
    spill: Path,
    told: Told | None,
    *,
    fast: bool,
) -> None:
    framing = framing_of(shape)
    if fast and local.damage is None and _load_fast(engine, number, local.path, shape, spill, told):
        return
    more = (lambda count: told(count)) if told else None
    if told:
        told(0, restart=True)
    opened = Opened(local.path, shape, more, local.damage)
    engine.load_candidates(number, shape, _until_damage(framing.candidates(opened), opened, rejected), rejected)


def _load_fast(engine: Engine, number: int, path: Path, shape: Shape, spill: Path, told: Told | None) -> bool:
    from estimator.audit.engine import UnreadableError

    framing, copy = framing_of(shape), None
    relation = framing.relation(shape)
    readable = shape
    if relation is None and shape.framing in ("csv", "jsonl", "array"):
        # What DuckDB cannot take as it stands (UTF-16, a line before the header) it can as a copy.
        table = shape.table and replace(shape.table, preamble=0)
        readable = replace(shape, compression="", encoding="utf-8", table=table)
        relation = framing.relation(readable)
        copy = relation and as_utf8(
            path, shape.compression, shape.encoding, shape.table.preamble if shape.table else 0, spill
        )
    if relation is None or (readable is not shape and copy is None):
        return False
    size, stop = path.stat().st_size, Event()
    share = (lambda part: told(int(part * size), restart=True)) if told else None
    with ThreadPoolExecutor(1) as pool:
        whole = pool.submit(is_whole, path, readable.compression, stop) if readable.compression else None
        try:
            engine.load(number, copy or path, readable, relation, share)
        except UnreadableError:
            return False
        else:
            if whole is None or whole.result():
                if told:
                    told(size, restart=True)
                return True
            engine.unload(number)
            return False
        finally:
            stop.set()
            if copy:
                copy.unlink()


def _until_damage(candidates: Iterator[Candidate], opened: Opened, rejected: Rejected) -> Iterator[Candidate]:
    """The candidates; the one in which the file's own damage begins is rejected for that, whatever it looks like."""
    last: Candidate | None = None
    for candidate in candidates:
        if last is not None:
            yield last
        last = candidate
    damage = opened.found_damage()
    if damage is not None:
        rejected.add(last.place if last else "the beginning", lambda: damage)
    elif last is not None:
        yield last


def _result_count(engine: Engine, path: Path, shape: Shape) -> int | None:
    """What the ResultCount column of Search-UnifiedAuditLog says was found, over all its sessions in the file.

    A count up to 5,000 fits one call and proves no cut; since 2026 it may just repeat -ResultSize
    (invictus-ir/Microsoft-Extractor-Suite#199).
    """
    from estimator.audit.framing.csv_rows import CsvRows

    if not shape.result_count or shape.framing != "csv" or shape.table is None:
        return None
    column = shape.table.names.index("ResultCount")
    relation = CsvRows().relation(replace(shape, billed=False, table=replace(shape.table, cell=column)))
    found = engine.tally(path, relation) if relation else None
    if not found:
        return None
    return sum(max(count, rows) if count > 5_000 else rows for count, rows in found)
