"""Many small files are read together, and come to what they come to one by one."""

from __future__ import annotations

import gzip
from pathlib import Path

import pandas as pd
from audit_exports import as_array, as_csv, as_jsonl, record, write

from estimator.audit import batches, reduce
from estimator.audit.doctor import Digest
from estimator.audit.reduce import _reduce, keep_books


def blobs(folder: Path) -> list[Path]:
    paths = []
    for n in range(40):
        records = [record(10 * n + i, UserId=f"u{n % 3}@c.de") for i in range(3)]
        content = as_array(records) if n % 2 else as_jsonl(records)
        if n in (7, 20):
            content = content.replace(b'"Id"', b'"Id', 1)
        if n == 30:
            content = gzip.compress(content)
        if n == 31:
            content = gzip.compress(content)[:-4]
        paths.append(write(folder / f"blob{n:02}", content))
    paths.append(write(folder / "odd", b"no export"))
    paths.append(write(folder / "table", as_csv([record(0), record(9_999)])))
    return paths


def test_together_they_come_to_what_they_come_to_one_by_one(tmp_path: Path) -> None:
    paths = blobs(tmp_path)
    together, one_by_one = reduce(paths), _reduce(paths, fast=False)
    pd.testing.assert_frame_equal(together.table, one_by_one.table)
    pd.testing.assert_frame_equal(together.hours, one_by_one.hours)
    assert together.files == one_by_one.files
    assert together.rejects == one_by_one.rejects
    assert together.findings == one_by_one.findings
    assert (together.read, together.rejected, together.duplicates) == (122, 3, 1)


def test_batches_may_be_full(tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    paths = blobs(tmp_path)
    whole = reduce(paths)
    monkeypatch.setattr(batches, "_FILES", 3)
    pd.testing.assert_frame_equal(reduce(paths).table, whole.table)


def test_the_digest_of_the_engine_is_that_of_the_tables(tmp_path: Path) -> None:
    with keep_books(blobs(tmp_path)) as books:
        assert books.engine.digest() == Digest.of(books.engine.table(), books.engine.hours())
