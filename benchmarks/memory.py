"""How much memory `measure` takes, whatever the size of the input.

    python -m benchmarks.memory --gb 1 10 --memory 512MB        # about five minutes; needs 12 GB of disk
    python -m benchmarks.memory --gb 1 --formats jsonl

prints the peak resident memory of `siem-estimator measure FILE --out counts.csv --format json --memory 512MB`, a whole
process, for one file of each size and format, and whether it is at most 1.2 GB. Exit code 1 if not, or if a record is
missing from the account.

The file: `gen_ual.py` writes ten parts of 100 MB, each with a seed of its own, that is with 5,000 users of its own over
the same fortnight. One GB is the ten of them in one file. Each further GB is the ten again with every Id another one
and every day a fortnight later, so that nothing is a copy of what stands before it and the result grows with the input
as it does in an export of ten times the days: at 10 GB 50,000 users over 20 weeks. (To generate it all would take a
core a quarter of an hour and gives as many rows.) All of it is deleted in the end.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.reading import FORMATS, REFERENCE, ContenderError, measure_command, run_pipe

PARTS = 10
LIMIT_MB = 1200.0

#: Where in a line of the generator the Id and the day of the record stand.
_ID = {"csv": slice(0, 36), "jsonl": slice(44, 80)}
_DAY = {"csv": slice(37, 47), "jsonl": slice(17, 27)}
_FORTNIGHT = 14


def parts(generator: Path, kind: str, mb: float, folder: Path) -> list[Path]:
    """The generator's ten files of a tenth of a GB each, two written at a time."""
    paths = [folder / f"part{seed}.{kind}" for seed in range(1, PARTS + 1)]
    generate = [sys.executable, str(generator), "--format", kind, "--bytes", f"{mb * 1e6:.0f}"]
    commands = [[*generate, f"--seed={seed}", f"--out={path}"] for seed, path in enumerate(paths, start=1)]
    for pair in zip(commands[::2], commands[1::2], strict=True):
        running = [subprocess.Popen(command, stderr=subprocess.DEVNULL) for command in pair]
        if any(process.wait() for process in running):
            raise ContenderError(f"the generator failed: {pair}")
    return paths


def later(lines: Iterator[bytes], kind: str, times: int) -> Iterator[bytes]:
    """The records with other Ids and so many fortnights later, each as long as it was."""
    days: dict[bytes, bytes] = {}
    mark = b"%02x" % times
    for line in lines:
        day, name = line[_DAY[kind]], line[_ID[kind]]
        if day not in days:
            moved = dt.date.fromisoformat(day.decode()) + dt.timedelta(days=_FORTNIGHT * times)
            days[day] = moved.isoformat().encode()
        yield line.replace(name, mark + name[2:]).replace(day, days[day])


def write(paths: Sequence[Path], kind: str, gb: int, target: Path) -> int:
    """One file of so many times all parts; how many records it has."""
    count = 0
    with target.open("wb", 1 << 20) as out:
        for number, (times, path) in enumerate((times, path) for times in range(gb) for path in paths):
            with path.open("rb") as lines:
                if kind == "csv":
                    header = lines.readline()
                    if number == 0:
                        out.write(header)
                for line in later(lines, kind, times) if times else lines:
                    out.write(line)
                    count += 1
    return count


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gb", type=int, nargs="+", default=[1, 10], help="sizes of the input, in whole GB")
    parser.add_argument("--memory", default="512MB", help="what measure is told")
    parser.add_argument("--formats", default=",".join(FORMATS), help="csv, jsonl or both")
    parser.add_argument("--part-mb", type=float, default=100, help="size of the ten parts; smaller: a GB is less")
    parser.add_argument("--generator", type=Path, default=REFERENCE / "gen_ual.py", help="gen_ual.py")
    parser.add_argument("--folder", type=Path, help="where to write the files; default: the one for temporary files")
    options = parser.parse_args(arguments)
    kinds = options.formats.split(",")
    if not set(kinds) <= set(FORMATS) or min(options.gb) < 1 or max(options.gb) > 255:
        parser.error(f"expected --formats of {', '.join(FORMATS)}, and sizes of 1 to 255 GB")
    if not options.generator.is_file():
        parser.error(f"there is no {options.generator}; set SIEM_ESTIMATOR_SHARED to the folder that has reference/")
    holds = True
    print("format       MB   records     rows  wall s  CPU s    MB/s  peak MB")
    for kind in kinds:
        with tempfile.TemporaryDirectory(prefix="siem-estimator-memory-", dir=options.folder) as name:
            folder = Path(name)
            out, stdout = folder / "counts.csv", folder / "stdout"
            source = parts(options.generator, kind, options.part_mb, folder)
            for gb in options.gb:
                path = folder / f"all.{kind}"
                count = write(source, kind, gb, path)
                try:
                    run = run_pipe([measure_command(path, out, options.memory)], stdout)
                except ContenderError as error:
                    print(f"FAILED: {error}")
                    return 1
                read = json.loads(stdout.read_text())["records"]
                with out.open("rb") as lines:
                    rows = sum(1 for _ in lines) - 1
                mb = path.stat().st_size / 1e6
                path.unlink()
                fits = run.rss <= LIMIT_MB
                holds &= fits and read == count
                print(
                    f"{kind:6} {mb:8,.0f} {count:9,} {rows:8,} {run.wall:7.1f} {run.cpu:6.1f} {mb / run.wall:7.0f} "
                    f"{run.rss:8,.0f}  target {LIMIT_MB:,.0f}: {'holds' if fits else 'MISSED'}"
                    + ("" if read == count else f"; {read:,} RECORDS READ"),
                    flush=True,
                )
    print("all targets hold" if holds else "NOT all targets hold")
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
