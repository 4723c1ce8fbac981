"""What a record means, said once, as SQL: from the text of a row or object to the columns that the reduction counts.

Both lanes of `engine.py`, and every executor of `spark.py`, use the same statement, so they agree by construction. It
has a strict form, in which anything unreadable is an error, and a tolerant one, in which it is null.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from estimator import catalog
from estimator.audit.record_types import WORKLOADS
from estimator.audit.shape import Field, Recogniser, Shape, sql_text
from estimator.audit.shapes.counts import COLUMNS as COUNT_COLUMNS

#: The fields read of AuditData, all else is skipped. Text throughout, so that mixtures of names and numbers never
#: fail; OperationCount excepted.
_FIELDS = json.dumps(
    {
        "CreationTime": "VARCHAR",
        "Id": "VARCHAR",
        "Operation": "VARCHAR",
        "Workload": "VARCHAR",
        "UserId": "VARCHAR",
        "MailboxOwnerUPN": "VARCHAR",
        "SiteUrl": "VARCHAR",
        "ClientAppId": "VARCHAR",
        "AppId": "VARCHAR",
        "ApplicationId": "VARCHAR",
        "OperationCount": "INTEGER",
        "OperationProperties": [{"Name": "VARCHAR", "Value": "VARCHAR"}],
    }
)

# The bounds refuse `infinity`, `epoch` and .NET's year 1, which are dates to DuckDB and no day to us.
READABLE = "operation <> '' AND day BETWEEN DATE '2000-01-01' AND DATE '2199-12-31'"

#: Columns that tell records apart, in the order of the reduction; and what is counted of each record.
KEYS = ("day", "subject", "principal", "workload", "operation", "access_type", "app_id", "throttled")
MEASURES = ("hour", "items", "bytes")
RECORD_COLUMNS = ("key", "day", "hour", *KEYS[1:], "items", "bytes")
COUNT_MEASURES = ("events", "raw_events", "items", "bytes", "size_basis", "weight")

_DAY_FIRST = "try_cast(d.y || '-' || lpad(d.b, 2, '0') || '-' || lpad(d.a, 2, '0') AS DATE)"
_MONTH_FIRST = "try_cast(d.y || '-' || lpad(d.a, 2, '0') || '-' || lpad(d.b, 2, '0') AS DATE)"

MACROS = rf"""
CREATE TEMP MACRO is_upn(name) AS regexp_full_match(name, '[^@\s\\/:]+@[^@\s\\/:]+\.[^@\s\\/:]+');
CREATE TEMP MACRO property(properties, wanted) AS
  coalesce(list_filter(properties, lambda pair: pair.Name = wanted)[1].Value, '');
-- Windows PowerShell's JSON: /Date(1618327011162)/, in a nested object too.
CREATE TEMP MACRO epoch_date(moment) AS
  make_timestamp(1000 * try_cast(regexp_extract(moment, '/Date\((-?\d{{1,15}})', 1) AS BIGINT));
CREATE TEMP MACRO utc(moment) AS CASE
  WHEN length(moment) > 20 AND regexp_matches(moment, '\d[+-]\d\d(:?\d\d)?\s*$')
    THEN make_timestamp(epoch_us(try_cast(moment AS TIMESTAMPTZ)))  -- TIMESTAMP would ignore the offset
  ELSE coalesce(try_cast(moment AS TIMESTAMP), epoch_date(moment)) END;
CREATE TEMP MACRO utc_day(moment) AS coalesce(CAST(utc(moment) AS DATE), try_cast(trim(moment)[:10] AS DATE));
-- Dates of which nobody can say by themselves whether the day or the month comes first. Since ICU 72 a narrow no-break
-- space stands before AM and PM.
CREATE TEMP MACRO day_or_month_first(moment) AS regexp_extract(moment,
  '^\s*(\d{{1,2}})[/.-](\d{{1,2}})[/.-](\d{{4}})(?:,?\s+(\d{{1,2}}):\d{{2}}(?::\d{{2}})?(?:\.\d+)?[\s\x{{202f}}\x{{a0}}]*([AaPp])?)?',
  ['a', 'b', 'y', 'h', 'p']);
CREATE TEMP MACRO hour_of(d) AS CASE
  WHEN d.h = '' OR CAST(d.h AS TINYINT) > 23 THEN -1
  WHEN d.p = '' THEN CAST(d.h AS TINYINT)
  ELSE CAST(d.h AS TINYINT) % 12 + 12 * CAST(lower(d.p) = 'p' AS TINYINT) END;
CREATE TEMP MACRO month_first(d) AS {_MONTH_FIRST};
CREATE TEMP MACRO day_first(d) AS {_DAY_FIRST};
-- OperationProperties where they are no list of AuditData: a list, an object, or PowerShell's @{{Name=…; Value=…}}.
CREATE TEMP MACRO loose_property(text, wanted) AS coalesce(
  nullif(property(try(from_json(text, '[{{"Name":"VARCHAR","Value":"VARCHAR"}}]')), wanted), ''),
  CASE WHEN json_valid(text) THEN json_extract_string(text, '$.' || wanted) END,
  nullif(regexp_extract(text, 'Name=' || wanted || '; Value=(\w+)', 1), ''),
  nullif(regexp_extract(text, 'Value=(\w+); Name=' || wanted, 1), ''), '');
CREATE TEMP MACRO loose_length(text) AS
  CASE WHEN json_valid(text) AND json_type(text) = 'ARRAY' THEN json_array_length(text) ELSE 0 END;
"""


@dataclass(frozen=True)
class Statement:
    """How the rows of one file become rows of a table of the engine.

    Attributes:
        table: `records` or `counts`.
        columns: those of the table but `file`.
        readable: which rows are accepted.
    """

    table: str
    columns: tuple[str, ...]
    readable: str

    @staticmethod
    def of(shape: Shape) -> Statement:
        """The one for a shape."""
        if shape.recogniser.counts:
            columns = ("day", *KEYS[1:], *COUNT_MEASURES)
            return Statement(
                "counts",
                columns,
                f"{READABLE} AND events >= 1 AND raw_events >= events AND weight BETWEEN 1 AND 1e9"
                " AND items >= 0 AND bytes >= 0 AND greatest(raw_events, items, bytes) < 1e15",
            )
        return Statement("records", RECORD_COLUMNS, READABLE)


def select(shape: Shape, source: str, *, tolerant: bool = False, keep: str = "") -> str:
    """SQL for the columns of `Statement.of(shape)`, from a relation with a column `text`.

    Tolerant: the relation also has `number`, `place`, `row`, `fault` and `size`; what cannot be parsed is null instead
    of an error. These come along, besides `moment` and the columns by which day-first dates are told (`engine.py`).

    Args:
        shape: what the file was taken for.
        source: the relation.
        tolerant: see above.
        keep: a further column of the relation that comes along (of records).
    """
    if shape.recogniser.counts:
        return _counts(shape, source, tolerant)
    return _records(shape, source, tolerant, keep)


def _within(shape: Shape) -> str:
    """The row or object itself, from `text`."""
    return f"json_extract_string(text, {sql_text(_path(shape.wrapper))})" if shape.wrapper else "text"


def _path(dotted: str) -> str:
    return "$" + "".join(f'."{name}"' for name in dotted.split("."))


def _record(shape: Shape) -> str:
    """The AuditData JSON, from `text` and `base`."""
    if shape.table is not None and shape.table.cell is not None:
        return "text"
    found = []
    for path in shape.record:
        if path == "":
            found.append("base")
            continue
        # A name may hold the dot itself: {"event.original": …} beside {"event": {"original": …}}.
        ways = dict.fromkeys((_path(path), f'$."{path}"'))
        found += [f"json_extract_string(base, {sql_text(way)})" for way in ways]
    return found[0] if len(found) == 1 else f"coalesce({', '.join(found)})" if found else "NULL::VARCHAR"


def _records(shape: Shape, source: str, tolerant: bool, keep: str) -> str:
    has_cell = shape.table is not None and shape.table.cell is not None
    mapped = bool(shape.recogniser.fields) and (tolerant or not shape.record)
    base = "row" if has_cell and tolerant else "base"
    attempt = "try" if tolerant else ""
    parses = [f"{attempt}(from_json(record, {sql_text(_FIELDS)})) AS s" if shape.record else "NULL AS s"]
    if mapped:
        parses.append(f"{attempt}(from_json({base}, {sql_text(_structure(shape))})) AS m")
    part, kept = _columns(shape, mapped, attempt), f"{keep}," if keep else ""
    # Without a size rather than without the record: a name that stands twice in an object, say, makes no map.
    size = f"coalesce(try({_size(shape, base)}), 0)" if tolerant else _size(shape, base)
    if tolerant and _is_plain(shape):  # as it stood in the file, before it was mended for DuckDB
        size = "CASE WHEN contains(record, chr(10)) THEN coalesce(strlen(try(json(record))), size) ELSE size END"
    if shape.size_basis == "none":
        size = "0"
    sized = "CASE WHEN whole THEN bytes ELSE 0 END AS bytes" if tolerant else "bytes"
    dates = f"{part['beside']} AS beside, {part['own']} AS own, {part['whole']} AS whole,"
    along = f"text, number, place, fault, {dates}" if tolerant else ""
    # A date that may begin with its day or its month has no day yet: the whole file decides (`engine.py`).
    day = "CASE WHEN d.y <> '' THEN NULL ELSE coalesce({0}) END" if tolerant else "coalesce({0})"
    mailbox_operations = ", ".join(
        sql_text(key.removeprefix("Exchange/")) for key in catalog.mailbox_operations() if key.startswith("Exchange/")
    )
    return f"""
SELECT {"text, number, place, fault, moment, d, beside, own," if tolerant else ""} {kept} key,
  {day.format("CAST(time AS DATE), try_cast(trim(moment)[:10] AS DATE)")} AS day,
  CASE WHEN length(moment) > 10 THEN coalesce(hour(time), -1) ELSE -1 END AS hour,
  CASE WHEN owner <> '' THEN owner
       WHEN workload = 'Exchange' AND operation IN ({mailbox_operations}) THEN principal
       ELSE coalesce(site, '') END AS subject,
  principal, workload, operation, access_type, app_id, throttled, items, {sized}
FROM (SELECT *, utc(moment) AS time{", day_or_month_first(moment) AS d" if tolerant else ""} FROM (
  SELECT {along} {kept}
    coalesce(try_cast({part["id"]} AS UUID),
      CAST(md5(coalesce(nullif({part["id"]}, ''), nullif(record, ''), {base})) AS UUID)) AS key,
    {part["moment"]} AS moment,
    lower({part["owner"]}) AS owner,
    lower({part["site"]}) AS site,
    coalesce(lower({part["principal"]}), '') AS principal,
    {part["workload"]} AS workload,
    trim({part["operation"]}) AS operation,
    {part["access_type"]} AS access_type,
    {part["app_id"]} AS app_id,
    lower({part["throttled"]}) = 'true' AS throttled,
    {part["items"]} AS items,
    {size} AS bytes
  FROM (SELECT *, {", ".join(parses)}
    FROM (SELECT *, {attempt}({_record(shape)}) AS record
      FROM (SELECT *, {attempt}({_within(shape)}) AS base FROM ({source}))))))"""


def _is_plain(shape: Shape) -> bool:
    """Whether a record's bytes are those of the text that was read, as the tolerant reader measured it."""
    whole = shape.record == ("",) and not shape.wrapper
    cell = shape.table is not None and shape.table.cell is not None
    return (whole or cell) and not shape.billed


def _size(shape: Shape, base: str) -> str:
    if shape.billed:
        return f"coalesce(try_cast(json_extract_string({base}, '$._BilledSize') AS BIGINT), 0)"
    if shape.record:
        text = "record"
        if shape.kind == "audit-graph":
            # Graph adds a type beside each value that is no text; AuditData has none of them.
            text = """regexp_replace(record, '"[^"]*@odata\\.type":"[^"]*",?', '', 'g')"""
        return f"strlen({text})" if shape.framing == "jsonl" else compact_length(text)
    if shape.recogniser.size == "values":
        # Log Analytics bills the text of values, not of columns with a leading underscore, nor Type (audit_events
        # §3.3);
        # TableName is the Azure CLI's own.
        return (
            f"coalesce(CAST(list_sum(list_transform(map_entries(CAST(CAST({base} AS JSON) AS MAP(VARCHAR, VARCHAR))), "
            "lambda e: CASE WHEN e.key IN ('Type', 'TableName') OR starts_with(e.key, '_') THEN 0"
            " ELSE strlen(coalesce(e.value, ''))"
            " END)) AS BIGINT), 0)"
        )
    return compact_length(base) if shape.recogniser.size == "document" else "0"


def compact_length(text: str) -> str:
    """SQL for the bytes of a JSON text; of one over several lines without its white space, which no feed carries."""
    return f"CASE WHEN contains({text}, chr(10)) THEN strlen(json({text})) ELSE strlen({text}) END"


def _columns(shape: Shape, mapped: bool, attempt: str) -> dict[str, str]:
    """SQL for each part of a record, from the struct `s` of AuditData, or `m` of the fields that stand in."""
    plain = {
        "moment": "s.CreationTime",
        "id": "s.Id",
        "operation": "s.Operation",
        "workload": "coalesce(s.Workload, '')",
        "owner": "s.MailboxOwnerUPN",
        "site": "s.SiteUrl",
        "principal": "s.UserId",
        "access_type": "property(s.OperationProperties, 'MailAccessType')",
        "throttled": "property(s.OperationProperties, 'IsThrottled')",
        "app_id": "coalesce(nullif(s.ClientAppId, ''), nullif(s.AppId, ''), s.ApplicationId, '')",
        # Looked for only where there can be any: to parse them of every record takes a tenth of the whole.
        "items": "CASE WHEN s.OperationCount >= 1 THEN s.OperationCount"
        " WHEN s.Workload = 'Exchange' AND contains(record, '\"AffectedItems\"')"
        f" THEN greatest(coalesce({attempt}(json_array_length(record, '$.AffectedItems')), 1), 1) ELSE 1 END",
        "beside": "NULL::VARCHAR",
        "own": "NULL::DATE",
        "whole": "TRUE",
    }
    if not mapped:
        return plain
    at = _Mapped(shape)
    operation, moment, record_type = at("Operation"), at("CreationTime"), at("RecordType")
    count = f"try_cast({at('OperationCount')} AS INTEGER)"
    messages = f"len(regexp_extract_all({at('Folders')}, 'InternetMessageId'))"
    properties = at("OperationProperties") if "OperationProperties" in shape.recogniser.fields else "'[]'"
    workloads = _literal_map(WORKLOADS)
    by_operation = _literal_map(_workload_by_operation())
    stand_in = {
        "moment": moment,
        "id": at("Id"),
        "operation": operation,
        "workload": f"coalesce(nullif({at('Workload')}, ''), {by_operation}[trim({operation})],"
        f" {workloads}[{record_type}], '')",
        "owner": at("MailboxOwnerUPN"),
        "site": at("SiteUrl"),
        "principal": at("UserId"),
        "access_type": f"loose_property({properties}, 'MailAccessType')",
        "throttled": f"loose_property({properties}, 'IsThrottled')",
        "app_id": f"coalesce(nullif({at('ClientAppId')}, ''), nullif({at('AppId')}, ''), {at('ApplicationId')}, '')",
        "items": f"CASE WHEN {count} >= 1 THEN {count} ELSE greatest({messages},"
        f" loose_length({at('AffectedItems')}), 1) END",
    }
    if not shape.record:
        return {**stand_in, "beside": "NULL::VARCHAR", "own": "NULL::DATE", "whole": "TRUE"}
    # The other columns count only where they are sane themselves: a damaged row has anything in them.
    sane = f"({operation} <> '' AND (utc_day({moment}) IS NOT NULL OR day_or_month_first({moment}).y <> ''))"
    if shape.recogniser.marks:
        marks = [f"{at.path(mark)} <> ''" for mark in shape.recogniser.marks]
        sane = f"({sane} AND ({' OR '.join([*marks, f'{by_operation}[trim({operation})] IS NOT NULL'])}))"
    own = "utc_day(s.CreationTime)"
    readable = f"({own} IS NOT NULL OR day_or_month_first(s.CreationTime).y <> '')"
    whole = f"coalesce(trim(s.Operation) <> '' AND {readable}, FALSE)"
    either = {
        name: f"CASE WHEN {whole} OR NOT coalesce({sane}, FALSE) THEN {plain[name]}"
        f" ELSE coalesce(nullif({plain[name]}, ''), {stand_in[name]}) END"
        for name in stand_in
        if name not in ("items", "moment")
    }
    return {
        **either,
        "items": f"CASE WHEN {whole} THEN {plain['items']} ELSE {stand_in['items']} END",
        "moment": f"CASE WHEN {readable} OR NOT coalesce({sane}, FALSE) THEN s.CreationTime ELSE {moment} END",
        "beside": moment,
        "own": own,
        "whole": whole,
    }


class _Mapped:
    """SQL for a field by the recogniser's paths, from the struct `m` that `_structure` parses."""

    def __init__(self, shape: Shape) -> None:
        self._shape = shape

    def __call__(self, name: Field) -> str:
        found = [self.path(path) for path in self._shape.recogniser.fields.get(name, ())]
        if not found:
            return "NULL::VARCHAR"
        if len(found) == 1:
            return found[0]
        filled = ", ".join(f"nullif({one}, '')" for one in found)
        return f"coalesce({filled})"

    def path(self, path: str) -> str:
        """SQL for what stands at one path."""
        steps = [path] if self._shape.table is not None else path.split(".")
        return "m" + "".join('."' + step.replace('"', '""') + '"' for step in steps)


def _structure(shape: Shape) -> str:
    """What `from_json` is to read of a row or object: the recogniser's fields, as text."""
    tree: dict[str, Any] = {}
    for paths in (*shape.recogniser.fields.values(), shape.recogniser.marks):
        for path in paths:
            steps = [path] if shape.table is not None else path.split(".")
            at = tree
            for step in steps[:-1]:
                at = at.setdefault(step, {})
            at[steps[-1]] = "VARCHAR"
    return json.dumps(tree)


def _literal_map(values: dict[str, str]) -> str:
    return "MAP {" + ", ".join(f"{sql_text(key)}: {sql_text(value)}" for key, value in values.items()) + "}"


def _workload_by_operation() -> dict[str, str]:
    """The workload of operations that the catalogue knows in one workload only."""
    found: dict[str, set[str]] = {}
    for known in catalog.operations().values():
        for name in (known.name, *known.aliases):
            found.setdefault(name, set()).add(known.workload)
    return {name: workloads.pop() for name, workloads in found.items() if len(workloads) == 1}


def _counts(shape: Shape, source: str, tolerant: bool) -> str:
    attempt = "try" if tolerant else ""
    structure = json.dumps(dict.fromkeys(COUNT_COLUMNS, "VARCHAR"))
    also = "text, number, place, fault, moment, d, NULL::VARCHAR AS beside, NULL::DATE AS own," if tolerant else ""
    return f"""
SELECT {also} {"CASE WHEN d.y <> '' THEN NULL ELSE utc_day(moment) END" if tolerant else "utc_day(moment)"} AS day,
  {"-1 AS hour," if tolerant else ""}
  coalesce(lower(trim(c.subject)), '') AS subject, coalesce(lower(trim(c.principal)), '') AS principal,
  coalesce(nullif(trim(c.workload), ''), {_literal_map(_workload_by_operation())}[trim(c.operation)], '') AS workload,
  trim(c.operation) AS operation, coalesce(trim(c.access_type), '') AS access_type,
  coalesce(trim(c.app_id), '') AS app_id, coalesce(lower(c.throttled) IN ('true', '1'), FALSE) AS throttled,
  {_whole("events", "NULL")} AS events, {_whole("raw_events", "events")} AS raw_events,
  {_whole("items", "events")} AS items, {_whole("bytes", "0")} AS bytes,
  CASE WHEN bytes > 0 THEN coalesce(nullif(trim(c.size_basis), ''), 'none') ELSE 'none' END AS size_basis,
  CASE WHEN coalesce(trim(c.weight), '') = '' THEN 1 ELSE try_cast(c.weight AS DOUBLE) END AS weight
FROM (SELECT *, c.day AS moment{", day_or_month_first(c.day) AS d" if tolerant else ""}
  FROM (SELECT *, {attempt}(from_json(base, {sql_text(structure)})) AS c
    FROM (SELECT *, {attempt}({_within(shape)}) AS base FROM ({source}))))"""


def _whole(column: str, otherwise: str) -> str:
    """A count, however a SIEM writes one (`12`, `12.0`, `1.2E1`), and what it is where it is left out."""
    number = f"try_cast(try_cast(nullif(trim(c.{column}), '') AS DOUBLE) AS BIGINT)"
    return f"CASE WHEN coalesce(trim(c.{column}), '') = '' THEN {otherwise} ELSE {number} END"


def stand_ins(recogniser: Recogniser) -> bool:
    """Whether other columns can stand in for AuditData that is empty or redacted."""
    return bool(recogniser.fields) and bool(recogniser.record)
