"""How rows and objects are got out of a file, once for every shape: a fast way for DuckDB, a tolerant one in Python."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TextIO

from estimator.audit.opening import GuardedReader, open_text
from estimator.audit.shape import Candidate, Shape


@dataclass
class Opened:
    """A local file about to be read tolerantly; `damage` afterwards says where its bytes ended too early.

    Attributes:
        path: the file.
        shape: what it was taken for.
        told: called with bytes of the file as they are read.
        damage: what is already known to be wrong with its end.
    """

    path: Path
    shape: Shape
    told: Callable[[int], None] | None = None
    damage: str | None = None
    _guard: GuardedReader | None = None

    def text(self, newline: str) -> TextIO:
        """Its text; `newline` as for `open`."""
        text, self._guard = open_text(self.path, self.shape.compression, self.shape.encoding, newline, self.told)
        return text

    def found_damage(self) -> str | None:
        """What was wrong with the bytes of the file, once all of it was read."""
        return self.damage or (self._guard.damage if self._guard else None)


class Framing(Protocol):
    """One way in which records lie in a file."""

    def relation(self, shape: Shape) -> str | None:
        """SQL giving the column `text`, one row or object each, from the file `$path`; it must fail on any damage.

        None where only the tolerant reader can read the file.
        """

    def candidates(self, opened: Opened) -> Iterator[Candidate]:
        """Everything that is, or should have been, a row or object; never judges what a text means, and never fails."""


def framing_of(shape: Shape) -> Framing:
    """The framing of a shape."""
    from estimator.audit.framing import csv_rows, json_values, parquet_rows, xlsx_rows

    framings: dict[str, Framing] = {
        "csv": csv_rows.CsvRows(),
        "jsonl": json_values.JsonLines(),
        "array": json_values.JsonArray(),
        "documents": json_values.JsonDocuments(),
        "xlsx": xlsx_rows.XlsxRows(),
        "parquet": parquet_rows.ParquetRows(),
    }
    return framings[shape.framing]


def over_many(relation: str) -> str:
    """A framing's relation over the list of files `$paths`, with the column `filename` besides.

    Ten thousand content blobs are ten thousand statements otherwise, each of which takes longer than it reads.
    """
    many = relation.replace("$path", "$paths", 1).replace(" AS text", " AS text, filename", 1)
    return many.replace("hive_partitioning = false", "hive_partitioning = false, filename = true", 1)
