"""How fast audit exports are read, beside other ways of doing the same: one run, one machine, the same files.

    python -m benchmarks.reading                        # 1 GB of CSV and 1 GB of JSONL; about six minutes
    python -m benchmarks.reading --mb 200 --rounds 5 --formats jsonl --keep DIR

prints, for each format, MB/s (10^6 bytes of the file), wall and CPU seconds and peak memory of

* this tool: `siem-estimator measure FILE --out counts.csv --format json --memory 1GB`;
* the statement: the same reduction as plain DuckDB SQL, `reduce_baseline.sql`, on two threads and 1 GB. It is frozen,
  accounts for no bad row, and is as fast as DuckDB gets here;
* pandas: `benchmarks/naive_pandas.py`, one `json.loads` a row;
* jq (JSONL only): `jq | mawk`, the record's size from `tojson`. And, without a target, jq where each line is taken as a
  text first, which is what somebody who knows jq well would write.

then whether the targets hold: 0.9 × the statement, 12 × pandas and, on JSONL, 20 × jq. Exit code 1 if one does not, or
if a contender counts other records than the tool does.

Each figure is the median over rounds in which the contenders alternate; a run is a whole process, its start and the
writing of its result included, on the same two cores for all, with the file in the page cache. The start does not grow
with the file, and on 1 GB it is a good part of the whole; so tool and statement also run on the file's first records,
and the target against the statement is for what the rest takes. The ratio of whole processes is printed beside it.
The slow ones (pandas,
jq) run once, on the whole file unless `--slow-mb` says otherwise. The file is made by `gen_ual.py`, which stands with
the statement in the folder `reference` of the one named by SIEM_ESTIMATOR_SHARED (default: `../shared` beside the
checkout). `--keep DIR` keeps the files made there, and takes them if they are there.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import re
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = Path(os.environ.get("SIEM_ESTIMATOR_SHARED", ROOT.parent / "shared")) / "reference"
MAIL = "MailItemsAccessed"
FORMATS = ("csv", "jsonl")
CORES = 2

#: By format, how many times faster than each contender the tool must be.
TARGETS = {
    "csv": {"statement": 0.9, "pandas": 12.0},
    "jsonl": {"statement": 0.9, "pandas": 12.0, "jq": 20.0},
}

#: Bytes of memory that naive pandas takes for a byte of input, and rows a piece where that is not to be had.
PANDAS_APPETITE = 9
PANDAS_ROWS = 100_000

_JQ = """\
def property($name): [.OperationProperties // [] | .[] | select(.Name == $name) | .Value][0] // "";
def row($bytes): [.CreationTime[:10], .Workload, .Operation, (.UserId | ascii_downcase),
  (.MailboxOwnerUPN // "" | ascii_downcase), property("MailAccessType"), property("IsThrottled"), .Id, $bytes] | @tsv;
"""
_JQ_RECORDS = _JQ + "row(tojson | utf8bytelength)"
_JQ_LINES = _JQ + ". as $line | fromjson | row($line | utf8bytelength)"
_AWK = """\
BEGIN { FS = OFS = "\\t"; print "day", "workload", "operation", "principal", "subject", "access_type", "throttled",
  "events", "raw_events", "bytes" }
{ key = $1 OFS $2 OFS $3 OFS $4 OFS $5 OFS $6 OFS $7; copies[key]++
  if (!seen[$8]++) { events[key]++; bytes[key] += $9 } }
END { for (key in copies) print key, events[key] + 0, copies[key], bytes[key] + 0 }"""

_TOOL = "import sys; from estimator.cli import main; sys.exit(main())"
_SQL = "import sys, duckdb; duckdb.connect().execute(open(sys.argv[1]).read())"


@dataclass(frozen=True)
class Run:
    """One run: wall and CPU seconds, peak resident memory in MB (10^6 bytes), processes of a pipe added up."""

    wall: float
    cpu: float
    rss: float


@dataclass(frozen=True)
class Counts:
    """What a contender counted: distinct records, and those of MailItemsAccessed."""

    distinct: int
    mail: int


@dataclass
class Contender:
    """One way of doing it.

    Attributes:
        name: short.
        commands: the processes of the pipe.
        result: what it counted, once it has run.
        path: the file it reads.
        slow: runs once only.
        note: what should be known of its figures.
        runs: what has been measured.
        start: the same on the file's first records; empty where that is not measured.
        starts: what has been measured of it.
    """

    name: str
    commands: list[list[str]]
    result: Callable[[], Counts]
    path: Path
    slow: bool = False
    note: str = ""
    runs: list[Run] = field(default_factory=list)
    start: list[list[str]] = field(default_factory=list)
    starts: list[Run] = field(default_factory=list)

    @property
    def mb(self) -> float:
        return self.path.stat().st_size / 1e6

    @property
    def speed(self) -> float:
        """MB/s, by the median wall time."""
        return self.mb / statistics.median(run.wall for run in self.runs)

    @property
    def start_wall(self) -> float:
        """Seconds of the start, the median; 0 where it was not measured."""
        return statistics.median(run.wall for run in self.starts) if self.starts else 0.0

    @property
    def reading_speed(self) -> float:
        """MB/s without the start."""
        return self.mb / (self.mb / self.speed - self.start_wall)


class ContenderError(Exception):
    """A contender did not run to its end; the message says which and what it said."""


def run_pipe(commands: Sequence[Sequence[str]], out: Path) -> Run:
    """Run a pipe of processes into `out`, and measure all of it.

    Raises:
        ContenderError: one of them fails.
    """
    start = time.perf_counter()
    with out.open("wb") as result, tempfile.TemporaryFile() as said:
        processes: list[subprocess.Popen[bytes]] = []
        source: IO[bytes] | None = None
        for number, command in enumerate(commands, start=1):
            sink = result if number == len(commands) else subprocess.PIPE
            process = subprocess.Popen(command, stdin=source, stdout=sink, stderr=said, cwd=ROOT)
            if source is not None:
                source.close()
            source = process.stdout
            processes.append(process)
        cpu = rss = 0.0
        for process in processes:
            # wait4 and not a sampler: the kernel's own account, of this process and of those it waited for.
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            cpu += usage.ru_utime + usage.ru_stime
            rss += usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6
        wall = time.perf_counter() - start
        failed = [
            (process, command) for process, command in zip(processes, commands, strict=True) if process.returncode
        ]
        if failed:
            said.seek(0)
            process, command = failed[0]
            raise ContenderError(
                f"exit code {process.returncode} of {shorten(command)}\n{said.read().decode(errors='replace')[-2000:]}"
            )
    return Run(wall, cpu, rss)


def shorten(command: Sequence[str]) -> str:
    """A command as it could be typed, a program of several lines given as `…`."""
    return shlex.join("…" if "\n" in part else part for part in command)


def measure_command(path: Path, out: Path, memory: str) -> list[str]:
    """This tool on one file, by this interpreter."""
    arguments = ["measure", str(path), "--out", str(out), "--format", "json", "--memory", memory]
    return [sys.executable, "-c", _TOOL, *arguments]


def measured(stdout: Path) -> Counts:
    """The counts in the JSON of `measure`.

    Raises:
        ContenderError: it is none.
    """
    try:
        found = json.loads(stdout.read_text())
    except ValueError as error:
        raise ContenderError(f"stdout of measure is not JSON: {stdout.read_text()[:200]!r}") from error
    mail = sum(row["events"] for row in found["operations"] if row["operation"] == f"Exchange/{MAIL}")
    return Counts(found["distinct"], mail)


def counted(table: Path, delimiter: str = ",") -> Counts:
    """The counts in a table of the others."""
    distinct = mail = 0
    with table.open(newline="") as rows:
        for row in csv.DictReader(rows, delimiter=delimiter):
            events = int(row["events"])
            distinct += events
            mail += events if row["operation"] == MAIL else 0
    return Counts(distinct, mail)


def statement(baseline: Path, path: Path, out: Path) -> str:
    """The baseline as its comments say it is run, written to `out` as CSV."""
    sql = baseline.read_text()
    query = sql[sql.index("WITH raw AS") :].rstrip().rstrip(";")
    if path.suffix == ".jsonl":
        query = re.sub(
            r"WITH raw AS \(.*?\n\), parsed AS",
            "WITH raw AS (\n  SELECT json AS AuditData FROM read_ndjson_objects(getvariable('src'))\n), parsed AS",
            query,
            count=1,
            flags=re.DOTALL,
        )
    return (
        f"SET threads = {CORES}; SET memory_limit = '1GB'; SET preserve_insertion_order = false;\n"
        f"SET VARIABLE src = {_sql(path)};\nCOPY (\n{query}\n) TO {_sql(out)} (FORMAT csv, HEADER);\n"
    )


def _sql(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def contenders(path: Path, slow_path: Path, folder: Path, reference: Path) -> list[Contender]:
    """All of them for one file; the slow ones on `slow_path`. Results go into `folder`."""
    out = {name: folder / f"{name}.csv" for name in ("tool", "statement", "pandas", "jq", "jq-lines")}
    script = folder / "statement.sql"
    script.write_text(statement(reference / "reduce_baseline.sql", path, out["statement"]))
    first, start_script = beginning(path, 0.05, folder, "first"), folder / "start.sql"
    start_script.write_text(statement(reference / "reduce_baseline.sql", first, folder / "start.csv"))
    stdout = {name: folder / f"{name}.stdout" for name in out}
    slow_mb = slow_path.stat().st_size / 1e6
    slice_note = "" if slow_path == path else f"on the first {slow_mb:,.0f} MB only"
    chunks = [] if available_memory() > PANDAS_APPETITE * slow_mb * 1e6 else [str(PANDAS_ROWS)]
    chunk_note = f"memory is short: {PANDAS_ROWS:,} rows at a time" if chunks else ""
    found = [
        Contender(
            "tool",
            [measure_command(path, out["tool"], "1GB")],
            lambda: measured(stdout["tool"]),
            path,
            start=[measure_command(first, folder / "start.csv", "1GB")],
        ),
        Contender(
            "statement",
            [[sys.executable, "-c", _SQL, str(script)]],
            lambda: counted(out["statement"]),
            path,
            start=[[sys.executable, "-c", _SQL, str(start_script)]],
        ),
        Contender(
            "pandas",
            [[sys.executable, "-m", "benchmarks.naive_pandas", str(slow_path), str(out["pandas"]), *chunks]],
            lambda: counted(out["pandas"]),
            slow_path,
            slow=True,
            note="; ".join(filter(None, (slice_note, chunk_note))),
        ),
    ]
    if path.suffix == ".jsonl":
        for name, program in (("jq", ["-r", _JQ_RECORDS]), ("jq-lines", ["-rR", _JQ_LINES])):
            found.append(
                Contender(
                    name,
                    [["jq", *program, str(slow_path)], [shutil.which("mawk") or "awk", _AWK]],
                    lambda name=name: counted(stdout[name], "\t"),  # type: ignore[misc]
                    slow_path,
                    slow=True,
                    note=slice_note,
                )
            )
    return found


def available_memory() -> float:
    """Bytes that can be had without swapping; infinite where the system does not say."""
    try:
        found = re.search(r"MemAvailable:\s+(\d+)", Path("/proc/meminfo").read_text())
    except OSError:
        return float("inf")
    return int(found[1]) * 1024 if found else float("inf")


def generated(generator: Path, kind: str, mb: float, folder: Path) -> Path:
    """The generator's file of a size, made unless `folder` has it."""
    path = folder / f"ual-{mb:g}mb.{kind}"
    if not path.exists():
        part = path.with_suffix(".part")
        command = [sys.executable, str(generator), "--format", kind, "--bytes", f"{mb * 1e6:.0f}", "--out", str(part)]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
        part.rename(path)
    return path


def beginning(path: Path, mb: float, folder: Path, name: str = "beginning") -> Path:
    """The records that begin in the first `mb` of a generated file (a record a line); the file if it is shorter."""
    if not mb or path.stat().st_size <= mb * 1e6:
        return path
    piece = folder / f"{name}{path.suffix}"
    left = mb * 1e6
    with path.open("rb") as source, piece.open("wb") as target:
        for line in source:
            target.write(line)
            left -= len(line)
            if left <= 0:
                break
    return piece


def warm(path: Path) -> None:
    """Bring a file into the page cache."""
    with path.open("rb") as file:
        while file.read(1 << 22):
            pass


def alternate(found: list[Contender], rounds: int, folder: Path) -> dict[str, Counts]:
    """Run all of them, the order turned round each time; by name, what each counted."""
    counts = {}
    for number in range(rounds):
        for contender in found if number % 2 == 0 else reversed(found):
            if contender.slow and number:
                continue
            contender.runs.append(run_pipe(contender.commands, folder / f"{contender.name}.stdout"))
            counts[contender.name] = contender.result()
            if contender.start:
                contender.starts.append(run_pipe(contender.start, folder / "start.stdout"))
    return counts


def verdict(kind: str, found: list[Contender]) -> list[tuple[str, float, float | None]]:
    """For each other contender: its name, how many times faster the tool is, and how many times it must be."""
    tool, *others = found
    return [
        (
            other.name,
            tool.reading_speed / other.reading_speed if other.starts else tool.speed / other.speed,
            TARGETS[kind].get(other.name),
        )
        for other in others
    ]


def report(kind: str, found: list[Contender], counts: dict[str, Counts]) -> bool:
    """Print one format's figures; whether all holds."""
    print("contender       MB  runs   MB/s  wall s  (range)         CPU s  peak MB")
    for one in found:
        walls = [run.wall for run in one.runs]
        print(
            f"{one.name:10} {one.mb:7,.0f}  {len(walls):4}  {one.speed:5.0f}  {statistics.median(walls):6.2f}  "
            f"{f'({min(walls):.2f}-{max(walls):.2f})':14}  {statistics.median(run.cpu for run in one.runs):5.1f}  "
            f"{max(run.rss for run in one.runs):7,.0f}  {one.note}".rstrip()
        )
    holds = True
    for name, ratio, target in verdict(kind, found):
        said = "no target" if target is None else f"target {target:g}: {'holds' if ratio >= target else 'MISSED'}"
        holds &= target is None or ratio >= target
        other = next(one for one in found if one.name == name)
        whole = (
            f"; whole processes {found[0].speed / other.speed:.2f} x, of which the start takes "
            f"{found[0].start_wall:.2f} s and {other.start_wall:.2f} s"
            if other.starts
            else ""
        )
        print(f"tool ÷ {name:9}  {ratio:6.2f} x   {said}{whole}")
    alike = [one.name for one in found if one.path == found[0].path]
    print(f"counted: {counts['tool'].distinct:,} distinct records, {counts['tool'].mail:,} of {MAIL}; ", end="")
    others = [name for name in alike if counts[name] != counts["tool"]]
    print("; ".join(f"{name} DIFFERS: {counts[name]}" for name in others) or f"the same by {', '.join(alike)}")
    return holds and not others


def stay_on(cores: int) -> int:
    """Keep this process and those it starts on so many cores, so that more favour nobody; how many it has."""
    if not hasattr(os, "sched_setaffinity"):
        return os.cpu_count() or 1
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
    return len(os.sched_getaffinity(0))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mb", type=float, default=1000, help="size of each file, in 10^6 bytes")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of the fast contenders")
    parser.add_argument("--formats", default=",".join(FORMATS), help="csv, jsonl or both")
    parser.add_argument("--slow-mb", type=float, default=0, help="the slow ones read only so much; 0: the whole file")
    parser.add_argument("--generator", type=Path, default=REFERENCE / "gen_ual.py", help="gen_ual.py")
    parser.add_argument("--keep", type=Path, help="folder to keep the files in, or to take them from")
    options = parser.parse_args(arguments)
    kinds = options.formats.split(",")
    if not set(kinds) <= set(FORMATS) or options.rounds < 1 or options.mb <= 0:
        parser.error(f"expected --formats of {', '.join(FORMATS)}, at least one round, and a size")
    for needed in (options.generator, REFERENCE / "reduce_baseline.sql"):
        if not needed.is_file():
            parser.error(
                f"there is no {needed}; set SIEM_ESTIMATOR_SHARED to the folder that has reference/{needed.name}"
            )
    if "jsonl" in kinds and shutil.which("jq") is None:
        parser.error("jq is not installed; install it, or ask for --formats csv")
    cores = stay_on(CORES)
    holds = True
    with tempfile.TemporaryDirectory(prefix="siem-estimator-reading-") as name:
        folder = Path(name)
        files = (options.keep or folder).absolute()
        files.mkdir(parents=True, exist_ok=True)
        for kind in kinds:
            path = generated(options.generator, kind, options.mb, files)
            found = contenders(path, beginning(path, options.slow_mb, folder), folder, REFERENCE)
            print(f"== {kind.upper()}, {path.stat().st_size / 1e6:,.0f} MB, {cores} cores")
            print(f"tool:      {shorten(found[0].commands[0])}")
            print(f"statement: {shorten(found[1].commands[0])}")
            print(
                f"           = SET threads = {CORES}; SET memory_limit = '1GB'; SET preserve_insertion_order = false; "
                f"COPY (reduce_baseline.sql) TO '{folder / 'statement.csv'}'",
                flush=True,
            )
            for one in {contender.path for contender in found}:
                warm(one)
            try:
                counts = alternate(found, options.rounds, folder)
            except ContenderError as error:
                print(f"FAILED: {error}")
                return 1
            holds &= report(kind, found, counts)
            print(flush=True)
    print("all targets hold" if holds else "NOT all targets hold")
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
