"""One audit record a line: what collectors of the Management Activity API write, and Splunk's raw events."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import TextIO

from estimator.audit.shape import (
    MAX_RECORD_CHARS,
    Candidate,
    Head,
    Shape,
    ShapeKind,
    duckdb_compression,
    is_record_text,
)

#: What JSON calls white space; a record's bytes are counted without it at either end.
_WHITE = " \t\r\n"
_TWO_ON_A_LINE = re.compile(r"\}\s*\{")


def _claims(head: Head) -> bool:
    found = islice(_lines(io.StringIO(head.text.lstrip("\ufeff"), newline="\n")), 50)
    return any(is_record_text(one.text) for one in found)


def _relation(shape: Shape) -> str | None:
    if shape.encoding != "utf-8":  # DuckDB refuses a byte order mark here
        return None
    return (
        f"SELECT json::VARCHAR AS text FROM read_ndjson_objects($path, compression = '{duckdb_compression(shape)}',"
        " hive_partitioning = false)"
    )


def _candidates(text: TextIO, _shape: Shape) -> Iterator[Candidate]:
    return _lines(text)


def _lines(text: TextIO) -> Iterator[Candidate]:
    number = 0
    while line := text.readline(MAX_RECORD_CHARS):
        number += 1
        for one in _objects(line.strip(_WHITE)):
            yield Candidate(f"line {number}", one)


def _objects(line: str) -> list[str]:
    """The objects of a line: where a line break was lost there are two."""
    if not line:
        return []
    if not _TWO_ON_A_LINE.search(line):
        return [line]
    decoder, found, at = json.JSONDecoder(), [], 0
    while at < len(line):
        try:
            _, end = decoder.raw_decode(line, at)
        except (ValueError, RecursionError):
            return [line]
        found.append(line[at:end])
        at = end + len(line[end:]) - len(line[end:].lstrip(_WHITE))
    return found


AUDIT_JSONL = ShapeKind(
    kind="audit-jsonl",
    title="audit records, one JSON object a line",
    claims=_claims,
    relation=_relation,
    candidates=_candidates,
    newline="\n",
)
