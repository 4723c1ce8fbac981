"""What the closed books hold: the reduction and its hours as tables, in a file, and summed up for the doctor."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from estimator.audit.meaning import KEYS
from estimator.audit.shape import sql_text
from estimator.audit.sums import NAMES

if TYPE_CHECKING:
    import pandas as pd
    from duckdb import DuckDBPyConnection

    from estimator.audit.doctor.digest import Digest

#: What is written: the shape of docs/counts.md, with nothing left out.
COUNTS = (
    "day", "subject", "subject_kind", "principal", "workload", "operation", "access_type", "app_id", "throttled",
    "events", "raw_events", "items", "bytes", "size_basis", "weight",
)  # fmt: skip

SUBJECT_KIND = "CASE WHEN subject = '' THEN 'tenant' WHEN contains(subject, '://') THEN 'site' ELSE 'mailbox' END"


def table(db: DuckDBPyConnection) -> pd.DataFrame:
    """The reduction, as `tables.REDUCTION` declares it, in order of its keys."""
    from estimator.tables import REDUCTION

    order = ", ".join((*KEYS, "size_basis", "weight"))
    frame = db.execute(f"FROM reduction ORDER BY {order}").df()
    kinds = dict(db.execute(f"SELECT subject, {SUBJECT_KIND} FROM (SELECT DISTINCT subject FROM reduction)").fetchall())
    frame["subject_kind"] = frame["subject"].astype("str").map(kinds).astype("str")
    return _declared(frame.astype(dict.fromkeys((*NAMES, "size_basis"), "str")), REDUCTION, "reduce")


def digest(db: DuckDBPyConnection) -> Digest:
    """The reduction summed up for the doctor; see `doctor.Digest.of`, which comes to the same."""
    from estimator.audit.doctor.digest import Digest, busiest_of

    def sums(by: str, where: str = "TRUE") -> list[Any]:
        # By the ENUMs themselves, which is by numbers.
        named = by.replace(",", "::VARCHAR,")
        return db.execute(
            f"SELECT {named}::VARCHAR, n FROM (SELECT {by}, CAST(sum(events) AS BIGINT) AS n FROM reduction"
            f" WHERE {where} GROUP BY ALL ORDER BY ALL)"
        ).fetchall()

    principals = dict(sums("principal"))
    mine = f"principal = {sql_text(busiest_of(principals))}"
    operation = "workload, operation"
    throttled = db.execute(
        f"SELECT coalesce(sum(events), 0)::BIGINT, count(DISTINCT subject) FILTER ({SUBJECT_KIND} = 'mailbox')"
        " FROM reduction WHERE throttled"
    ).fetchall()[0]
    return Digest(
        events=sum(principals.values()),
        unsized=sum(count for basis, count in sums("size_basis") if basis == "none"),
        throttled=throttled,
        principals=principals,
        operations={(workload, name): count for workload, name, count in sums(operation)},
        busiest=(
            {(workload, name): count for workload, name, count in sums(operation, mine)},
            dict(sums("app_id", mine)),
        ),
        hours=db.execute(
            "SELECT day, hour, CAST(sum(events) AS BIGINT) FROM hours GROUP BY ALL ORDER BY ALL"
        ).fetchall(),
    )


def write(db: DuckDBPyConnection, out: Path) -> None:
    """The reduction as a .csv, .json or .parquet file, in the shape of docs/counts.md.

    Raises:
        OSError: it cannot be written.
    """
    form = {".parquet": "PARQUET", ".json": "JSON, ARRAY true"}.get(out.suffix.lower(), "CSV, HEADER")
    columns = ", ".join(SUBJECT_KIND + " AS subject_kind" if name == "subject_kind" else name for name in COUNTS)
    order = ", ".join((*KEYS, "size_basis", "weight"))
    try:
        db.execute(f"COPY (SELECT {columns} FROM reduction ORDER BY {order}) TO {sql_text(str(out))} (FORMAT {form})")
    except duckdb.IOException as error:
        raise OSError(str(error).partition("\n")[0]) from error


def hours(db: DuckDBPyConnection) -> pd.DataFrame:
    """Distinct records by UTC hour, as `tables.HOURS` declares it."""
    from estimator.tables import HOURS

    return _declared(db.execute("FROM hours ORDER BY day, hour, workload, operation").df(), HOURS, "reduce")


def _declared(frame: pd.DataFrame, table: Any, step: str) -> pd.DataFrame:
    checked: pd.DataFrame = table.check(frame[table.names].astype({"day": "datetime64[us]"}), step)
    return checked
