"""Parquet: what lakes and notebooks write. A damaged file cannot be read in part; a bad cell costs its row."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from estimator.audit.framing import Opened
from estimator.audit.framing.csv_rows import first_of_each
from estimator.audit.shape import Candidate, Shape, TableLayout, duckdb_path, sql_text

MAGIC = b"PAR1"
_BATCH = 2_048


def columns(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    """The columns of a Parquet file and its first rows, as text.

    Raises:
        ValueError: it is damaged.
    """
    import duckdb

    with duckdb.connect() as db:
        try:
            found = db.execute("SELECT * FROM read_parquet($path) LIMIT 200", {"path": duckdb_path(path)})
            names = [column[0] for column in found.description or []]
            layout = TableLayout(tuple(names), None)
            rows = db.execute(f"SELECT {_row(layout)} FROM {_FILE} LIMIT 200", {"path": duckdb_path(path)}).fetchall()
        except duckdb.Error as error:
            raise ValueError(str(error).partition("\n")[0]) from error
    import json

    return names, [{k: v or "" for k, v in json.loads(row).items()} for (row,) in rows]


_FILE = "read_parquet($path, hive_partitioning = false)"


def _cell(name: str) -> str:
    quoted = '"' + name.replace('"', '""') + '"'
    # A nested column is its JSON; a text stays itself.
    return (
        f"CASE WHEN typeof({quoted}) = 'VARCHAR' THEN CAST({quoted} AS VARCHAR)"
        f" ELSE trim(to_json({quoted})::VARCHAR, '\"') END"
    )


def _row(layout: TableLayout, spelled: tuple[str, ...] | None = None) -> str:
    pairs = ", ".join(
        f"{sql_text(name)}, {_cell((spelled or layout.names)[i])}" for i, name in first_of_each(layout.names)
    )
    return f"json_object({pairs})::VARCHAR"


class ParquetRows:
    """See the module. The layout's `headers` hold the columns as the file spells them."""

    def _text(self, layout: TableLayout) -> str:
        spelled = layout.headers[0][1]
        return _cell(spelled[layout.cell]) if layout.cell is not None else _row(layout, spelled)

    def relation(self, shape: Shape) -> str | None:
        """See `Framing`."""
        assert shape.table is not None
        return f"SELECT {self._text(shape.table)} AS text FROM {_FILE}"

    def candidates(self, opened: Opened) -> Iterator[Candidate]:
        """See `Framing`."""
        import duckdb

        layout = opened.shape.table
        assert layout is not None
        row = _row(layout, layout.headers[0][1])
        with duckdb.connect(config={"threads": 1}) as db:
            number = 0
            try:
                found = db.execute(
                    f"SELECT coalesce({self._text(layout)}, ''), {row} FROM {_FILE}", {"path": duckdb_path(opened.path)}
                )
                while batch := found.fetchmany(_BATCH):
                    for text, whole in batch:
                        number += 1
                        yield Candidate(f"row {number}", text, whole)
            except duckdb.Error as error:
                opened.damage = f"the Parquet file is damaged ({str(error).partition(chr(10))[0]})"
