"""The verb `measure`: audit exports to counts, and the counts to a file where one is asked for.

`audit.measure` counts; here stands what must hold around it: nonsense is refused before anything is read, and nothing
is written unless all went well.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from estimator import audit
from estimator.errors import AuditExportError, OutputError, UsageError
from estimator.true_counts import refuse_strangers

if TYPE_CHECKING:
    from estimator.audit import Measured
    from estimator.progress import Bytes

#: What stands for standard input.
_STDIN = "-"

OUT_SUFFIXES = (".csv", ".parquet", ".json")


def measure(
    paths: Sequence[Path | str],
    *,
    engine: str = "duckdb",
    master: str | None = None,
    memory: str = "1GB",
    threads: int | None = None,
    out: Path | str | None = None,
    true_counts: Mapping[str | None, int] | None = None,
    strict: bool = False,
    progress: Bytes | None = None,
) -> Measured:
    """Count what audit exports hold.

    Args:
        paths: files, folders and globs; `-` is standard input.
        engine: `duckdb` or `spark`.
        master: Spark's master; only with `spark`.
        memory: the engine's memory limit.
        threads: at most so many; None for one a core.
        out: a .csv, .parquet or .json file for the counts (`tables.REDUCTION`); written whole or not at all.
        true_counts: the portal's total of exports that were cut, by file; None is the one that was cut.
        strict: whether a file that is refused stops the run; then nothing is written.
        progress: told the file, the bytes read and the bytes to read.

    Raises:
        AuditExportError: there is no readable record, or with `strict` a file was refused.
        UsageError: the options do not fit together, or Spark is not installed.
        OutputError: `out` cannot be written.
    """
    _engine(engine, master)
    target = None if out is None else Path(out)
    if target is not None:
        _writable(target)
    given = [str(path) for path in paths]
    refuse_strangers(true_counts or {}, given)
    _piped(given)
    with _held_back(target) as written:
        measured = audit.measure(
            given,
            engine=engine,
            master=master,
            memory=memory,
            threads=threads,
            out=written,
            true_counts=true_counts,
            progress=progress,
        )
        if target is not None:
            _no_export(target, measured)
        if strict:
            for finding in measured.findings:
                if finding.severity == "error":
                    raise AuditExportError(finding.message)
    return measured


def _engine(engine: str, master: str | None) -> None:
    if engine == "spark":
        if find_spec("pyspark") is None:
            raise UsageError(
                "--engine spark: Spark is not installed here",
                mend="pip install 'siem-estimator[spark]', and Java 17 or newer; or leave the option out.",
            )
    elif master is not None:
        raise UsageError("--master is for --engine spark", mend="Add --engine spark, or leave it out.")


def _piped(given: Sequence[str]) -> None:
    if given.count(_STDIN) > 1:
        raise UsageError("'-' is given twice; standard input can be read once")
    if _STDIN in given and (sys.stdin is None or sys.stdin.isatty()):
        raise UsageError(
            "'-' stands for standard input, and nothing is piped into it",
            mend="For example: zcat audit.jsonl.gz | siem-estimator measure -",
        )


def _writable(out: Path) -> None:
    """Refuse a file that cannot be written before an hour of reading, not after it."""
    if out.suffix.lower() not in OUT_SUFFIXES:
        raise UsageError(f"--out {out}: {out.suffix or 'no ending'} is no format", expected=" or ".join(OUT_SUFFIXES))
    if not out.parent.is_dir() or out.is_dir():
        raise OutputError(
            "cannot be written: " + ("it is a folder" if out.is_dir() else "there is no such folder"),
            path=out,
            mend="Name a file in a folder that exists and is writable.",
        )


def _no_export(out: Path, measured: Measured) -> None:
    """Refuse to replace an export by its counts; counts of an earlier run may be replaced."""
    for file in measured.files:
        if not file.counts and out.exists() and file.path.exists() and out.samefile(file.path):
            raise OutputError(
                "is one of the exports that were read, and its records would be lost",
                path=out,
                mend="Name another file for the counts.",
            )


@contextmanager
def _held_back(out: Path | None) -> Iterator[Path | None]:
    """A name to write to; what is there becomes `out` once all has gone well."""
    if out is None:
        yield None
        return
    try:
        aside = tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.")
    except OSError as error:
        raise _unwritable(error, out) from error
    with aside as folder:
        written = Path(folder) / out.name
        yield written
        try:
            written.replace(out)
        except OSError as error:
            raise _unwritable(error, out) from error


def _unwritable(error: OSError, out: Path) -> OutputError:
    return OutputError(
        f"cannot be written: {error.strerror}", path=out, mend="Name a folder that exists and is writable."
    )
