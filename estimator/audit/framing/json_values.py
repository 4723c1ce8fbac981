"""JSON: one object a line, one array, and documents of any other kind (pages with `value`, pretty-printed, tables).

A record's bytes are those of its text between its braces, both included, as it stands in the file; where it stands
over several lines, without the white space (`meaning.py`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TextIO

from estimator.audit.framing import Opened
from estimator.audit.shape import MAX_RECORD_CHARS, TOO_LONG, Candidate, Shape, Unit, duckdb_compression

#: What JSON calls white space; a record's bytes are counted without it at either end.
_WHITE = " \t\r\n"
_TWO_ON_A_LINE = re.compile(r"\}\s*\{")
_CHUNK_CHARS = 1 << 20
_BETWEEN = re.compile(r"[\s,\[\]\ufeff]*")
_OBJECT = re.compile(r'\{\s*"')

#: Names under which APIs wrap a list of rows: OData, Splunk, Azure Event Hubs' exports, Defender.
_LISTS = ("value", "results", "Results", "records", "Records")
# Possessive throughout (`*+`): what does not match is given up at once, whatever a file is made of.
_STRING = r'"(?:[^"\\]|\\.)*+"'
_SCALAR = rf"(?>{_STRING}|[-+.\w]++)"
_FLAT_OBJECT = r"\{[^{}]*+\}"
_FLAT = rf"(?>{_SCALAR}|{_FLAT_OBJECT}|\[(?:\s*+(?>{_SCALAR}|{_FLAT_OBJECT})\s*+,?+)*+\s*+\])"
_PAIRS = rf"(?:{_STRING}\s*+:\s*+{_FLAT}\s*+,\s*+){{0,20}}"
#: `{"@odata.context":"…","value":[`, `{"took":3,"hits":{"total":{…},"hits":[`: what follows are rows.
_OPENS = re.compile(
    rf'\{{\s*+{_PAIRS}(?:"hits"\s*+:\s*+\{{\s*+{_PAIRS}"hits"|"(?:{"|".join(_LISTS)}|tables)")\s*+:\s*+\[', re.DOTALL
)
#: `{"name":"PrimaryResult","columns":[{"name":"TenantId","type":"string"}],"rows":[`: what follows are cells.
_TABLE = re.compile(
    rf'\{{\s*+{_PAIRS}"(?:columns|fields)"\s*+:\s*+(?P<header>\[[^\[\]]*+\])\s*+,\s*+{_PAIRS}"(?:rows|values)"\s*+:\s*+\[',
    re.DOTALL,
)
#: The end of either, `],"@odata.nextLink":"…"}`; outside of any a brace too many.
_CLOSES = re.compile(rf"(?:{_STRING}\s*+:\s*+{_FLAT}\s*+,?+\s*+){{0,20}}\}}", re.DOTALL)
_BRACE = re.compile(r"\}")
_BETWEEN_CELLS = re.compile(r"[\s,]*")
_NEXT_CELLS = re.compile(r"\]\s*,\s*(?=\[)")
#: How far such a beginning or end may reach.
_ENVELOPE_CHARS = 64 << 10
#: Braces looked at for the next record after a damaged one; a record has some ten, and the next one is near.
_TRIES = 2_000


class JsonLines:
    """One object a line: what collectors write, and what SIEMs export."""

    def relation(self, shape: Shape) -> str | None:
        """See `Framing`."""
        if not shape.encoding.startswith("utf-8"):
            return None
        # Lines as a table of one column, without delimiter or quote: a fifth cheaper than DuckDB's reader of lines of
        # JSON, which parses each only to have it parsed again for its fields.
        return (
            r"SELECT CASE WHEN starts_with(line, '{') AND ends_with(line, '}') THEN line ELSE trim(line, e' \t\r') END"
            " AS text FROM read_csv($path, header = false, delim = e'\x01', quote = '',"
            " escape = '', auto_detect = false, hive_partitioning = false, max_line_size = 2000000,"
            f" buffer_size = 16000000, compression = '{duckdb_compression(shape)}', columns = {{'line': 'VARCHAR'}})"
            " WHERE text <> ''"
        )

    def candidates(self, opened: Opened) -> Iterator[Candidate]:
        """See `Framing`."""
        with opened.text("\n") as text:
            yield from lines(text)


def lines(text: TextIO) -> Iterator[Candidate]:
    """What stands on each line; of a line beyond all measure, that there is one."""
    number = 0
    while line := text.readline(MAX_RECORD_CHARS):
        number += 1
        if len(line) >= MAX_RECORD_CHARS and not line.endswith("\n"):
            while line and not line.endswith("\n"):
                line = text.readline(MAX_RECORD_CHARS)
            yield Candidate(f"line {number}", "", fault=TOO_LONG)
            continue
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


class JsonArray:
    """One array of objects: a content blob of the Management Activity API, or several saved together."""

    def relation(self, shape: Shape) -> str | None:
        """See `Framing`."""
        if not shape.encoding.startswith("utf-8"):
            return None
        return (
            "SELECT json::VARCHAR AS text FROM read_json_objects($path, format = 'array',"
            f" compression = '{duckdb_compression(shape)}', hive_partitioning = false)"
        )

    def candidates(self, opened: Opened) -> Iterator[Candidate]:
        """See `Framing`."""
        with opened.text("") as text:
            yield from values(text, claimed_by(opened.shape))


class JsonDocuments:
    """Pages, pretty-printed objects, and tables of columns and rows: read by Python alone."""

    def relation(self, shape: Shape) -> str | None:
        """None: DuckDB would have to hold a page whole."""
        return None

    def candidates(self, opened: Opened) -> Iterator[Candidate]:
        """See `Framing`."""
        with opened.text("") as text:
            number = 0
            for one in values(text, claimed_by(opened.shape)):
                rows = pages(one.text)
                if rows is None:
                    number += 1
                    yield Candidate(f"record {number}", one.text)
                    continue
                for row in rows:
                    number += 1
                    yield Candidate(f"record {number}", json.dumps(row, ensure_ascii=False, separators=(",", ":")))


def claimed_by(shape: Shape) -> Callable[[Any], bool]:
    """Whether a JSON value is what the shape is made of."""

    def claimed(value: Any) -> bool:
        for name in shape.wrapper.split(".") if shape.wrapper else ():
            value = value.get(name) if isinstance(value, dict) else None
        return isinstance(value, dict) and shape.recogniser.claims(Unit(value))

    return claimed


def pages(text: str) -> list[Any] | None:
    """The rows of a JSON document that is a page or table of them; None where it is none.

    Pages: a list under `value`, `results` or `records`; Elasticsearch's `hits.hits`. Tables: `tables` with `columns`
    and `rows` (Log Analytics), `columns` with `values` (Elasticsearch's ES|QL), `fields` with `rows` (Splunk's
    json_rows).
    """
    if not text.startswith("{"):
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return rows_of(value)


def rows_of(value: Any) -> list[Any] | None:
    """See `pages`, of a parsed value."""
    if not isinstance(value, dict):
        return None
    hits = value.get("hits")
    if isinstance(hits, dict) and isinstance(hits.get("hits"), list):
        return list(hits["hits"])
    if isinstance(value.get("tables"), list):
        return [row for table in value["tables"] for row in (_rows(table, "columns", "rows") or [])]
    for names, cells in (("columns", "values"), ("fields", "rows"), ("columns", "rows")):
        found = _rows(value, names, cells)
        if found is not None:
            return found
    for name in _LISTS:
        listed = value.get(name)
        if isinstance(listed, list) and all(isinstance(one, dict) for one in listed) and name in value:
            return list(listed)
    return None


def _rows(table: Any, names: str, cells: str) -> list[Any] | None:
    if not isinstance(table, Mapping) or not isinstance(table.get(names), list):
        return None
    if not isinstance(table.get(cells), list):
        return None
    header = [str(one.get("name")) if isinstance(one, Mapping) else str(one) for one in table[names]]
    return [
        dict(zip(header, row, strict=True)) if isinstance(row, list) and len(row) == len(header) else row
        for row in table[cells]
    ]


class _Window:
    """The part of the text from the element being read on."""

    def __init__(self, text: TextIO) -> None:
        self._source = text
        self.text = ""
        self.ended = False

    def grow(self, chars: int = _CHUNK_CHARS) -> None:
        """Read on; `ended` when there is no more."""
        chunk = self._source.read(max(chars, _CHUNK_CHARS))
        self.ended = not chunk
        self.text += chunk

    def drop(self, count: int) -> None:
        """Forget what has been read."""
        self.text = self.text[count:]


def values(source: TextIO, claimed: Callable[[Any], bool]) -> Iterator[Candidate]:
    """Every value; what is damaged runs to where the next one begins that is `claimed`. Envelopes are passed over."""
    decoder, window, number, at = json.JSONDecoder(), _Window(source), 0, 0
    depth, header = 0, None
    while True:
        at = _end_of_match(_BETWEEN if header is None else _BETWEEN_CELLS, window.text, at)
        if len(window.text) - at < _ENVELOPE_CHARS and not window.ended:
            window.drop(at)
            at = 0
            window.grow()
            continue
        if at == len(window.text):
            return
        if header is not None and window.text[at] == "]":
            header = None
            continue
        if header is None:
            opens = _TABLE.match(window.text, at) or _OPENS.match(window.text, at)
            if opens:
                header = _header(opens.groupdict().get("header"))
                at, depth = opens.end(), depth + 1
                continue
            after = _end_of_match(_CLOSES if depth else _BRACE, window.text, at)
            if after > at:
                at, depth = after, max(depth - 1, 0)
                continue
        try:
            value, end = decoder.raw_decode(window.text, at)
            cut = end == len(window.text)  # a number may go on
            if header is not None and not isinstance(value, list):
                end, cut = -1, False
        except json.JSONDecodeError as error:
            end, cut = -1, _may_be_cut(error, window.text)
        except (ValueError, RecursionError):
            end, cut = -1, False
        if cut and not window.ended and len(window.text) - at < MAX_RECORD_CHARS:
            window.drop(at)
            at = 0
            window.grow(len(window.text))  # doubling: what is long is not parsed again for each chunk
            continue
        if header is not None:
            number += 1
            if end < 0:
                following = _NEXT_CELLS.search(window.text, at)
                end = following.end() if following else len(window.text)
                yield _candidate(number, window.text, at, end)
            else:
                yield Candidate(f"record {number}", _as_object(header, value))
            at = end
            continue
        number += 1
        if end < 0:
            window.drop(at)
            at = 0
            end = _next_claimed(decoder, window, claimed)
        yield _candidate(number, window.text, at, end)
        at = end


def _candidate(number: int, text: str, at: int, end: int) -> Candidate:
    """What stands between two places; of what is beyond all measure, that there is something."""
    if end - at >= MAX_RECORD_CHARS:
        return Candidate(f"record {number}", "", fault=TOO_LONG)
    return Candidate(f"record {number}", text[at:end].rstrip(", \t\r\n"))


def _header(text: str | None) -> list[str] | None:
    """The names of a table's columns, where a table begins."""
    if text is None:
        return None
    try:
        return [str(one.get("name")) if isinstance(one, Mapping) else str(one) for one in json.loads(text)]
    except (ValueError, RecursionError):
        return []


def _as_object(header: list[str], cells: Any) -> str:
    """A row of a table as an object; as it is where it has another number of cells."""
    row = dict(zip(header, cells, strict=True)) if len(cells) == len(header) else cells
    return json.dumps(row, ensure_ascii=False, separators=(",", ":"))


def _end_of_match(pattern: re.Pattern[str], text: str, at: int) -> int:
    match = pattern.match(text, at)
    return match.end() if match else at


def _may_be_cut(error: json.JSONDecodeError, text: str) -> bool:
    """Whether more text could mend the error: it lies at the very end, or a string is still open."""
    return error.msg.startswith("Unterminated string") or error.pos >= len(text) - 16


def _next_claimed(decoder: json.JSONDecoder, window: _Window, claimed: Callable[[Any], bool]) -> int:
    """Where, after the damaged value the window begins with, the next whole claimed one begins; else the text's end."""
    searched, tried = 1, 0
    while True:
        for match in _OBJECT.finditer(window.text, searched):
            tried += 1
            if tried > _TRIES:  # made so that each brace costs a walk through all that follow
                while not window.ended and len(window.text) < 2 * MAX_RECORD_CHARS:
                    window.grow()
                return len(window.text)
            # A part of the text: the decoder's errors count the lines of all of it.
            part = window.text[match.start() : match.start() + _CHUNK_CHARS]
            try:
                value, _ = decoder.raw_decode(part)
            except (ValueError, RecursionError):
                continue
            if claimed(value):
                return match.start()
        if window.ended or len(window.text) >= 2 * MAX_RECORD_CHARS:
            return len(window.text)
        # A record cut by the window's end is looked at again; one is seldom above a chunk.
        searched = max(1, len(window.text) - _CHUNK_CHARS)
        window.grow()
