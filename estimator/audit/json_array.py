"""A JSON array of audit records: a content blob of the Management Activity API, or several saved together.

A record's bytes are those of its text between its braces, both included, as it stands in the file.
"""

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
    is_record,
    is_record_text,
)

_CHUNK_CHARS = 1 << 20
_BETWEEN = re.compile(r"[\s,\[\]\ufeff]*")
_OBJECT = re.compile(r'\{\s*"')


def _claims(head: Head) -> bool:
    text = head.text.lstrip("\ufeff \t\r\n")
    if not text.startswith("["):
        return False
    return any(is_record_text(one.text) for one in islice(_elements(io.StringIO(text, newline="")), 50))


def _relation(shape: Shape) -> str | None:
    if shape.encoding == "utf-16":
        return None
    return (
        "SELECT json::VARCHAR AS text FROM read_json_objects($path, format = 'array',"
        f" compression = '{duckdb_compression(shape)}', hive_partitioning = false)"
    )


def _candidates(text: TextIO, _shape: Shape) -> Iterator[Candidate]:
    return _elements(text)


class _Window:
    """The part of the text from the element being read on."""

    def __init__(self, text: TextIO) -> None:
        self._source = text
        self.text = ""
        self.ended = False

    def grow(self) -> None:
        """Read on; `ended` when there is no more."""
        chunk = self._source.read(_CHUNK_CHARS)
        self.ended = not chunk
        self.text += chunk

    def drop(self, count: int) -> None:
        """Forget what has been read."""
        self.text = self.text[count:]


def _elements(source: TextIO) -> Iterator[Candidate]:
    """Every element; what is damaged runs to where the next whole record begins."""
    decoder, window, number, at = json.JSONDecoder(), _Window(source), 0, 0
    while True:
        at = _end_of_match(_BETWEEN, window.text, at)
        if at == len(window.text):
            if window.ended:
                return
            window.drop(at)
            at = 0
            window.grow()
            continue
        try:
            _, end = decoder.raw_decode(window.text, at)
            cut = end == len(window.text)  # a number may go on
        except json.JSONDecodeError as error:
            end, cut = -1, _may_be_cut(error, window.text)
        except (ValueError, RecursionError):
            end, cut = -1, False
        if cut and not window.ended and len(window.text) - at < MAX_RECORD_CHARS:
            window.drop(at)
            at = 0
            window.grow()
            continue
        number += 1
        if end < 0:
            window.drop(at)
            at = 0
            end = _next_record(decoder, window)
        yield Candidate(f"record {number}", window.text[at:end].rstrip(", \t\r\n"))
        at = end


def _end_of_match(pattern: re.Pattern[str], text: str, at: int) -> int:
    match = pattern.match(text, at)
    return match.end() if match else at


def _may_be_cut(error: json.JSONDecodeError, text: str) -> bool:
    """Whether more text could mend the error: it lies at the very end, or a string is still open."""
    return error.msg.startswith("Unterminated string") or error.pos >= len(text) - 16


def _next_record(decoder: json.JSONDecoder, window: _Window) -> int:
    """Where, after the damaged element the window begins with, the next whole record begins; else the text's end."""
    searched = 1
    while True:
        for match in _OBJECT.finditer(window.text, searched):
            try:
                value, _ = decoder.raw_decode(window.text, match.start())
            except (ValueError, RecursionError):
                continue
            if is_record(value):
                return match.start()
        if window.ended or len(window.text) >= 2 * MAX_RECORD_CHARS:
            return len(window.text)
        # A record cut by the window's end is looked at again; one is seldom above a chunk.
        searched = max(1, len(window.text) - _CHUNK_CHARS)
        window.grow()


AUDIT_ARRAY = ShapeKind(
    kind="audit-array",
    title="audit records, JSON array",
    claims=_claims,
    relation=_relation,
    candidates=_candidates,
    newline="",
)
