"""Fuzzing of everything that reads a file of a tenant folder: mangled exports in, a refusal or an account out.

    python -m benchmarks.fuzz --minutes 10              # --jobs 2 for two processes
    python -m benchmarks.fuzz --seed 7 --case 1234      # one case again
    python -m benchmarks.fuzz --input FILE              # a saved input again

A case is one valid file (`fuzz_seeds.py`, and the samples of the tests), mangled: bytes flipped, cut, dropped,
repeated, spliced with another file; values and keys of another type; quotes, NULs, brackets nested to any depth,
fields of megabytes; UTF-16 and byte order marks; packed into gzip, zip and zstd up to three deep, and what is packed
mangled again, ZIP headers above all. It goes through `inventory.recognise` and the reader of what that finds,
`audit.recognise`, `folder.read_folder`, `audit.reduce` and `audit.measure`. What must hold:

* nothing is raised but a `SiemEstimatorError`, and none that calls itself our bug (exit code 70);
* read = distinct + duplicates + rejected, in all and in the parts: files, table, hours;
* at most 20 seconds and 1 GB of memory more than before;
* nothing is left behind, nothing written beside the folder for temporary files.

The cases are plain seeded mutations: case K of seed N is the same every time and needs none before it. Processes that
die or hang are told by the one that started them. Exit code 1 if anything failed; the inputs are then in `--save`.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import gzip
import io
import itertools
import json
import multiprocessing
import os
import random
import re
import shutil
import sys
import tempfile
import time
import traceback
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.fuzz_seeds import own_seeds, sample_seeds, zstd, zstd_bomb

SECONDS = 20.0
MEGABYTES = 1000.0
#: After so long without a sign of life a process is ended, and the case it was at has failed.
HANGS = 90.0
#: Address space of a process: a case that wants more fails, instead of taking the machine with it.
ADDRESS_SPACE = 16 << 30

_TOKENS = [
    *(b'"', b'""', b"\\", b'\\"', b"'", b"{", b"}", b"[", b"]", b",", b":", b";", b"\t", b"\r\n", b"\n", b"\r", b"|"),
    *(b"\0", b"\0\0\0\0", b"\xff", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\xed\xa0\x80", b"\xc0\x80", b"\x1a"),
    *(b"\\ud83d", b"\\u0000", "\u2028".encode(), "İ".encode(), "\u202e".encode(), b"\x85", b"\x0c", b"\x1b[2J"),
    *(b"null", b"true", b"NaN", b"-Infinity", b"1e999", b"-0", b"0x10", b"9" * 30, b"1" * 5000, b"-1", b"1.5", b"{}"),
    *(b"0001-01-01T00:00:00", b"9999-12-31T23:59:59.9999999Z", b"2026-02-30", b"infinity", b"/Date(9999999999999999)/"),
    *(b"2026-03-02T10:00:00+14:00", b"2026-03-02T23:59:60", b"3/12/2026 7:31:34 AM", b"31/12/2026 07:31", b"epoch"),
    *(b"[REDACTED]", b"@{Value=Bind; Name=MailAccessType}", b"System.Object[]", b"=cmd|' /C calc'!A0", b"<html>"),
    *(b"#TYPE x\r\n", b"sep=;\r\n", b'{"value":[', b"]}", b'"_raw":', b'"auditData":', b'"AuditData":"', b"AuditData"),
    *(b"'; DROP TABLE records; --", b"$path", b"%s%n", b"../../etc/passwd", b"https://example.invalid/a.csv"),
    *(b"CreationTime", b"Operation", b"RecordType", b"Workload", b"events", b"day", b"true_count"),
    *(b"<!DOCTYPE a [<!ENTITY b 'c'>]>", b"&b;", b"<f>1+1</f>"),
]  # fmt: skip
_VALUES = [
    *("null", "true", "[]", "{}", "[[]]", '[{"a":null}]', "0", "-1", "1e308", "12345678901234567890", '""', '"x"'),
    *('"2026-13-45T99:99:99"', '{"Name":1}', '[{"Name":"MailAccessType","Value":{"a":1}}]', '"[{\\"Name\\":1}]"'),
    *('"\\u0000"', '"\\ud800"', "2147483648", "9223372036854775808", '"Infinity"', "[1,[2,[3]]]", "1.0", '" "'),
]
#: A key and its value in JSON, the quotes single, doubled (CSV) or escaped (JSON in JSON).
_PAIR = re.compile(rb'((?:""|\\"|")\w{1,40}(?:""|\\"|"))\s*:\s*((?:""|\\"|")[^"\\]{0,80}(?:""|\\"|")|-?\d+|null|true)')
_SUFFIXES = (".csv", ".json", ".jsonl", ".gz", ".zip", ".zst", ".xlsx", ".parquet", ".txt", ".log", ".ndjson", "")
_STEMS = ("audit", "a [b]*?", "o'hara; --", "発注 %s", "-x", "a.csv.gz", "http:__x", "{a}")
_MEMBERS = (
    "a.csv",
    "b/c.json",
    "../evil.json",
    "/abs.csv",
    "C:\\x.csv",
    "a" * 300,
    "é\u202e.csv",
    "d/",
    "x.zip",
    ".",
    "",
)

Mutation = Callable[[random.Random, bytes, Sequence[bytes]], bytes]


def _span(dice: random.Random, data: bytes, longest: int = 400) -> tuple[int, int]:
    at = dice.randint(0, len(data))
    return at, min(len(data), at + dice.randint(0, longest))


def _flip(dice: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    mangled = bytearray(data)
    for _n in range(dice.choice((1, 1, 2, 8, 40)) if data else 0):
        mangled[dice.randrange(len(mangled))] ^= 1 << dice.randrange(8)
    return bytes(mangled)


def _overwrite(dice: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    at, end = _span(dice, data, 60)
    fill = dice.choice((b"\0", b"\xff", b" ", b'"', b"[", dice.randbytes(1)))
    return data[:at] + fill * (end - at) + data[end:]


def _cut(dice: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    at = dice.randint(0, len(data))
    return data[at:] if dice.random() < 0.2 else data[:at]


def _drop(dice: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    at, end = _span(dice, data)
    return data[:at] + data[end:]


def _insert(dice: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    at = dice.choice((0, len(data), dice.randint(0, len(data)), dice.randint(0, len(data))))
    token = dice.choice(_TOKENS) if dice.random() < 0.9 else dice.randbytes(dice.randint(1, 30))
    return data[:at] + token * dice.choice((1, 1, 1, 2, 50)) + data[at:]


def _replace(dice: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    token = dice.choice(_TOKENS[:18])
    return data.replace(token, dice.choice(_TOKENS), dice.choice((1, 1, -1)))


def _repeat(dice: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    at, end = _span(dice, data, 4000)
    return data[:end] + data[at:end] * dice.choice((1, 1, 2, 30)) + data[end:]


def _repeat_line(dice: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    rows = data.splitlines(keepends=True)
    if not rows:
        return data
    return b"".join(row * (dice.choice((1, 1, 1, 0, 2, 3)) if dice.random() < 0.4 else 1) for row in rows)


def _shuffle(dice: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    rows = data.splitlines(keepends=True)
    dice.shuffle(rows)
    return b"".join(rows)


def _splice(dice: random.Random, data: bytes, pool: Sequence[bytes]) -> bytes:
    other = dice.choice(pool)
    (at, end), (start, stop) = _span(dice, data), _span(dice, other, 4000)
    return data[:at] + other[start:stop] + data[end:]


def _append(dice: random.Random, data: bytes, pool: Sequence[bytes]) -> bytes:
    return data + dice.choice(pool)


def _value(dice: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    pairs = list(_PAIR.finditer(data))
    if not pairs:
        return data
    pair = dice.choice(pairs)
    quote = pair[1][: 1 if pair[1][:1] == b'"' and pair[1][:2] != b'""' else 2]
    value = dice.choice(_VALUES).encode().replace(b'"', quote)
    if dice.random() < 0.2:  # every value of that key
        return re.sub(re.escape(pair[1]) + rb"\s*:\s*" + re.escape(pair[2]), lambda _m: pair[1] + b":" + value, data)
    return data[: pair.start(2)] + value + data[pair.end(2) :]


def _key(dice: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    pairs = list(_PAIR.finditer(data))
    if not pairs:
        return data
    pair, other = dice.choice(pairs), dice.choice(pairs)
    new = dice.choice((other[1], pair[1].lower(), pair[1] + b" ", b'"' + b"k" * 300 + b'"'))
    return data[: pair.start(1)] + new + data[pair.end(1) :]


def _nest(dice: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    at = dice.randint(0, len(data))
    depth = dice.choice((3, 50, 1_100, 100_000)) if dice.random() < 0.95 else 600_000
    opened, closed = dice.choice(((b"[", b"]"), (b'{"a":', b"}"), (b'[{""a"":', b"}]")))
    return data[:at] + opened * depth + (closed * depth if dice.random() < 0.5 else b"") + data[at:]


def _huge(dice: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    at = dice.randint(0, len(data))
    size = dice.choice((70_000, 200_000, 2_100_000)) if dice.random() < 0.97 else 17 << 20
    return data[:at] + dice.choice((b"x", b'""', b"\\", b"\n", b"[", b",", b"\0", "発".encode())) * size + data[at:]


def _newlines(dice: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    old, new = dice.choice(
        ((b"\r\n", b"\n"), (b"\n", b"\r\n"), (b"\r\n", b"\r"), (b"\n", b""), (b",", b";"), (b"}", b"}\n"))
    )
    return data.replace(old, new)


_MANGLE: tuple[Mutation, ...] = (
    *(_flip, _overwrite, _cut, _drop, _insert, _insert, _insert, _replace, _repeat, _repeat_line, _shuffle, _splice),
    *(_append, _value, _value, _value, _value, _key, _key, _nest, _newlines),
)


def _encode(dice: random.Random, data: bytes) -> bytes:
    """The text in another encoding, or with marks it should not have."""
    text = data.decode("utf-8", "replace")
    return dice.choice(
        (
            lambda: text.encode("utf-16"),
            lambda: b"\xfe\xff" + text.encode("utf-16-be", "replace"),
            lambda: text.encode("utf-16-le"),
            lambda: b"\xef\xbb\xbf" + data,
            lambda: b"\xef\xbb\xbf\xef\xbb\xbf" + data,
            lambda: text.encode("cp1252", "replace"),
            lambda: text.encode("utf-32"),
            lambda: text.encode("utf-16")[: -dice.randint(1, 3)],
            lambda: b"\xff\xfe" + data,
        )
    )()


def _pack(dice: random.Random, data: bytes, pool: Sequence[bytes]) -> bytes:
    """The bytes inside gzip, zip or zstd."""
    kind = dice.choice(("gzip", "gzip", "members", "zip", "zip", "zip", "zstd", "zstd", "bomb"))
    if kind == "gzip":
        return gzip.compress(data, dice.choice((0, 6)), mtime=0)
    if kind == "members":
        at = dice.randint(0, len(data))
        parts = [data[:at], b"" if dice.random() < 0.3 else data[at:]]
        return b"".join(gzip.compress(part, mtime=0) for part in parts) + dice.choice((b"", b"\0" * 512, b"garbage"))
    if kind == "zstd":
        return zstd(data) + dice.choice((b"", b"", zstd(data), b"\x50\x2a\x4d\x18\x04\0\0\0skip", b"garbage"))
    if kind == "bomb" and dice.random() < 0.15:
        size = dice.choice((20, 80))
        bomb = zstd_bomb(size) if dice.random() < 0.4 else data + dice.choice((b" ", b"\n", b"[", b"\0")) * (size << 20)
        return bomb if bomb.startswith(b"\x28\xb5") else gzip.compress(bomb, 1, mtime=0)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number in range(dice.choice((0, 1, 1, 1, 2, 5))):
            member = zipfile.ZipInfo(dice.choice(_MEMBERS))
            member.external_attr = dice.choice((0, 0, 0o100644 << 16, 0o120777 << 16, 0o040755 << 16))  # link, folder
            with warnings.catch_warnings(action="ignore"):  # two members of one name are what is wanted
                archive.writestr(member, data if number == 0 else dice.choice(pool), dice.choice((0, 8, 8, 12, 14)))
    return out.getvalue()


def _mangle_zip(dice: random.Random, data: bytes) -> bytes:
    """A ZIP whose headers lie: about sizes, methods, flags, offsets, names."""
    at = [found.start() for found in re.finditer(rb"PK(?:\x01\x02|\x03\x04|\x05\x06|\x06\x06|\x06\x07)", data)]
    mangled = bytearray(data)
    for _ in range(dice.randint(1, 3) if at else 0):
        field_at = dice.choice(at) + dice.randrange(4, 48)
        width = dice.choice((1, 2, 4))
        if field_at + width <= len(mangled):
            value = dice.choice((0, 1, (1 << 8 * width) - 1, dice.getrandbits(8 * width)))
            mangled[field_at : field_at + width] = value.to_bytes(width, "little")
    return bytes(mangled)


@dataclass(frozen=True)
class Case:
    """One input: the file it was made from, its own name, its bytes."""

    source: str
    name: str
    data: bytes


def make_case(seed: int, number: int, seeds: Mapping[str, bytes]) -> Case:
    """Case `number` of a seed. The first ones are the valid files as they are."""
    names = sorted(seeds)
    if number < len(names):
        return Case(names[number], names[number], seeds[names[number]])
    dice = random.Random(f"{seed}-{number}")
    source = dice.choice(names)
    data, pool = seeds[source], list(seeds.values())
    for _ in range(dice.choice((0, 1, 1, 1, 2, 2, 3, 6))):
        data = dice.choice(_MANGLE)(dice, data, pool)
    if dice.random() < 0.03:
        data = _huge(dice, data, pool)
    if dice.random() < 0.12:
        data = _encode(dice, data)
    for _ in range(dice.choice((0, 0, 0, 0, 0, 1, 1, 1, 2, 3))):
        data = _pack(dice, data, pool)
        if dice.random() < 0.4:
            data = (_mangle_zip(dice, data) if data[:2] == b"PK" and dice.random() < 0.8
                    else dice.choice((_flip, _cut, _drop, _overwrite, _insert))(dice, data, pool))  # fmt: skip
    name = source if dice.random() < 0.5 else dice.choice(_STEMS) + dice.choice(_SUFFIXES)
    return Case(source, name, data)


class BrokenPromiseError(Exception):
    """Something that must hold does not."""


def _must(holds: bool, what: str) -> None:
    if not holds:
        raise BrokenPromiseError(what)


def check_account(result: Any) -> None:
    """What must hold of every `Reduction`.

    Raises:
        BrokenPromiseError: it does not.
    """
    numbers = (result.read, result.distinct, result.duplicates, result.rejected)
    _must(min(numbers) >= 0, f"negative: {numbers}")
    _must(result.read == sum(numbers[1:]), f"read ≠ distinct + duplicates + rejected: {numbers}")
    _must(result.read == sum(file.read for file in result.files), "read ≠ the files' own")
    _must(result.rejected == sum(file.rejected for file in result.files), "rejected ≠ the files' own")
    _must(int(result.table["events"].sum()) == result.distinct, "events of the table ≠ distinct")
    _must(int(result.table["raw_events"].sum()) == result.distinct + result.duplicates, "raw_events ≠ with copies")
    _must(int(result.hours["events"].sum()) == result.distinct, "events of the hours ≠ distinct")
    _must(len(result.rejects) <= result.rejected, "more rejects shown than there are")
    for file in result.files:
        _must(0 <= file.rejected <= file.read, f"{file.rejected} of {file.read} rejected")
        _must(file.distinct <= file.read - file.rejected, f"{file.distinct} distinct of {file.read}")
        _must((file.first is None) == (file.last is None), "a first day without a last one")
        _must(file.first is None or file.first <= file.last, "days out of order")


def check_case(case: Case, folder: Path) -> str:
    """Put a case through everything that reads files; what became of it, in a word.

    Args:
        case: the input.
        folder: empty but for the folder `tmp`, where temporary files go.

    Raises:
        BrokenPromiseError: a promise is broken.
        Exception: whatever is not caught, which is what is looked for.
    """
    from estimator import audit, inventory
    from estimator.errors import SiemEstimatorError
    from estimator.folder import read_folder
    from estimator.inventory.inventory import READERS

    tenant = folder / "tenant"
    tenant.mkdir()
    path = tenant / case.name
    path.write_bytes(case.data)

    def refusal(step: Callable[[], Any]) -> Any:
        try:
            return step()
        except SiemEstimatorError as error:
            _must(bool(str(error)), "an error without a message")
            _must(error.exit_code != 70, f"it calls itself a bug: {error}")
            return None

    kind = refusal(lambda: inventory.recognise(path))
    shape = refusal(lambda: audit.recognise(path))
    outcome = f"audit: {shape.kind}" if shape is not None else f"inventory: {kind}" if kind else "of no shape"
    if kind in READERS and refusal(lambda: READERS[kind](path, case.name)) is None and shape is None:
        outcome += ", refused"
    listed = refusal(lambda: read_folder(tenant))
    if listed is not None:
        listed.findings()
    result = refusal(lambda: audit.reduce([path], memory="512MB", threads=1))
    if result is not None:
        check_account(result)
        outcome += ", some rejected" if result.rejected else ", whole"
    elif shape is not None:
        outcome += ", refused"
    measure = getattr(audit, "measure", None)
    if measure is not None:
        short = refusal(lambda: measure([path], memory="512MB", threads=1))
        _must((short is None) == (result is None), "one of measure and reduce refuses what the other reads")
        if short is not None:
            for name in ("distinct", "duplicates", "rejected"):
                one, other = getattr(short, name), getattr(result, name)
                _must(one == other, f"{name} is {one} to measure and {other} to reduce")
    left = sorted(str(one.relative_to(folder)) for one in folder.rglob("*"))
    expected = sorted(["tenant", f"tenant/{case.name}", "tmp"])
    _must(left == expected, f"left behind: {[one for one in left if one not in expected]}")
    return outcome


@dataclass
class Failure:
    """What went wrong, told apart by `where`; the number of the case, its source and where its input was saved."""

    where: str
    said: str
    case: int
    source: str
    saved: str


@dataclass
class Account:
    """What one process did; the slowest and the largest case with seconds or MB, and its number."""

    cases: int = 0
    slowest: tuple[float, int] = (0.0, 0)
    largest: tuple[float, int] = (0.0, 0)
    outcomes: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)
    failed: int = 0


def save(case: Case, number: int, folder: Path) -> str:
    """Keep an input, under a name that is safe; where."""
    folder.mkdir(parents=True, exist_ok=True)
    name = re.sub(r"[^\w.]+", "_", case.name)
    path = folder / f"{number}-{name}"
    path.write_bytes(case.data)
    return str(path)


def _peak() -> float:
    """Peak resident memory since the last `_forget_peak`, in MB; 0 where the system does not say."""
    try:
        found = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    except OSError:
        return 0.0
    return int(found[1]) * 1024 / 1e6 if found else 0.0


def _forget_peak() -> None:
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _where(error: BaseException) -> str:
    """The kind of an error and the innermost line of ours it came through."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if f"{os.sep}estimator{os.sep}" in frame.filename] or frames
    place = f"{Path(ours[-1].filename).name}:{ours[-1].lineno} {ours[-1].name}"
    return (
        f"{type(error).__name__} at {place}"
        if not isinstance(error, BrokenPromiseError)
        else re.sub(r"\d+", "N", str(error))
    )


def try_case(case: Case, number: int, account: Account, work: Path, kept: Path) -> None:
    """Run one case in an empty folder and put what came of it into the account."""
    shutil.rmtree(work, ignore_errors=True)
    temporary = work / "tmp"
    temporary.mkdir(parents=True)
    before, tempfile.tempdir = tempfile.tempdir, str(temporary)
    _forget_peak()
    memory, start = _peak(), time.perf_counter()
    problem: tuple[str, str] | None = None
    try:
        account.outcomes[check_case(case, work)] += 1
    except Exception as error:  # anything at all: that is what is looked for
        problem = (_where(error), "".join(traceback.format_exception(error))[-4000:])
    finally:
        tempfile.tempdir = before
    took, grown = time.perf_counter() - start, _peak() - memory
    account.cases += 1
    account.slowest = max(account.slowest, (took, number))
    account.largest = max(account.largest, (grown, number))
    if problem is None and took > SECONDS:
        problem = ("too slow", f"took {took:.1f} s")
    if problem is None and grown > MEGABYTES:
        problem = ("too large", f"took {grown:,.0f} MB")
    if problem is not None:
        account.failed += 1
        if all(failure.where != problem[0] for failure in account.failures):
            account.failures.append(Failure(*problem, number, case.source, save(case, number, kept)))


def all_seeds() -> dict[str, bytes]:
    return own_seeds() | sample_seeds()


def run_cases(seed: int, numbers: Iterator[int], until: float, work: Path, kept: Path) -> Account:
    """Run cases until the clock says `until`; signs of life and the account so far go into files of `work`."""
    seeds, account = all_seeds(), Account()
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, resource.getrlimit(resource.RLIMIT_AS)[1]))
    for number in numbers:
        if time.time() >= until:
            break
        case = make_case(seed, number, seeds)
        (work / "at").write_text(str(number))
        try_case(case, number, account, work / "case", kept)
        if account.cases % 50 == 0:
            gc.collect()
        (work / "account").write_text(json.dumps(vars(account) | {"failures": [vars(one) for one in account.failures]}))
    (work / "done").touch()
    return account


def _worker(seed: int, first: int, step: int, last: int | None, until: float, work: Path, kept: Path) -> None:
    numbers = itertools.count(first, step) if last is None else iter(range(first, last, step))
    run_cases(seed, numbers, until, work, kept)


class _Process:
    """One worker as the supervisor sees it; started again after the case that ended it."""

    def __init__(
        self, seed: int, first: int, step: int, last: int | None, until: float, work: Path, kept: Path
    ) -> None:
        self._seed, self._next, self._step, self._last, self._until, self._kept = seed, first, step, last, until, kept
        self._work, self.accounts = work, list[Account]()
        self._start()

    def _start(self) -> None:
        shutil.rmtree(self._work, ignore_errors=True)
        self._work.mkdir(parents=True)
        arguments = (self._seed, self._next, self._step, self._last, self._until, self._work, self._kept)
        self._process = multiprocessing.get_context("spawn").Process(target=_worker, args=arguments, daemon=True)
        self._process.start()
        self._seen, self._case = time.time(), -1

    def _now(self) -> int:
        with contextlib.suppress(OSError, ValueError):
            return int((self._work / "at").read_text())
        return self._next

    def running(self) -> bool:
        """Whether there is more to wait for. A process that died or hangs is replaced."""
        if (now := self._now()) != self._case:
            self._case, self._seen = now, time.time()
        hangs = time.time() - self._seen > HANGS
        if self._process.is_alive() and not hangs:
            return True
        self._process.kill()
        self._process.join()
        account = self.account()
        self.accounts.append(account)
        if (self._work / "done").exists():
            return False
        case = make_case(self._seed, now, all_seeds())
        what = "it hangs" if hangs else f"the process died: exit code {self._process.exitcode}"
        account.failed += 1
        account.failures.append(Failure(what, what, now, case.source, save(case, now, self._kept)))
        self._next = now + self._step
        if len(self.accounts) > 20 or time.time() > self._until:
            return False
        self._start()
        return True

    def account(self) -> Account:
        """What the process has written so far."""
        try:
            found = json.loads((self._work / "account").read_text())
        except (OSError, ValueError):
            return Account()
        found |= {"slowest": tuple(found["slowest"]), "largest": tuple(found["largest"])}
        found["outcomes"] = Counter(found["outcomes"])
        found["failures"] = [Failure(**failure) for failure in found["failures"]]
        return Account(**found)


def added_up(accounts: Sequence[Account]) -> Account:
    total = Account()
    for one in accounts:
        total.cases += one.cases
        total.failed += one.failed
        total.slowest, total.largest = max(total.slowest, one.slowest), max(total.largest, one.largest)
        total.outcomes += one.outcomes
        known = {failure.where for failure in total.failures}
        total.failures += [failure for failure in one.failures if failure.where not in known]
    return total


def report(account: Account, seed: int, seconds: float) -> None:
    print(
        f"{account.cases:,} cases of seed {seed} in {seconds:,.0f} s ({account.cases / seconds:.1f} a second); "
        f"slowest {account.slowest[0]:.1f} s (case {account.slowest[1]}), "
        f"largest +{account.largest[0]:,.0f} MB (case {account.largest[1]})"
    )
    for outcome, count in sorted(account.outcomes.items()):
        print(f"  {count:7,}  {outcome}")
    for failure in account.failures:
        again = f"\n  again: python -m benchmarks.fuzz --seed {seed} --case {failure.case}" if failure.case >= 0 else ""
        print(f"FAILED: {failure.where}\n  made from {failure.source}; input saved as {failure.saved}{again}")
        print("  " + failure.said.rstrip().replace("\n", "\n  "))
    print(f"{account.failed:,} cases failed, in {len(account.failures)} ways" if account.failed else "no failure")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10, help="how long")
    parser.add_argument("--cases", type=int, help="at most so many cases")
    parser.add_argument("--seed", type=int, default=1, help="another seed, other cases")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--case", type=int, help="this case only, in this process")
    parser.add_argument("--input", type=Path, help="this file only, in this process")
    parser.add_argument("--save", type=Path, default=Path(tempfile.gettempdir(), "siem-estimator-fuzz"), help="folder")
    options = parser.parse_args(arguments)
    start = time.time()
    with tempfile.TemporaryDirectory(prefix="siem-estimator-fuzz-") as name:
        work = Path(name)
        if options.case is not None or options.input is not None:
            if options.input is not None:
                case = Case(str(options.input), options.input.name, options.input.read_bytes())
            else:
                case = make_case(options.seed, options.case, all_seeds())
            account = Account()
            try_case(case, -1 if options.input else options.case, account, work / "case", options.save)
        else:
            until = start + options.minutes * 60
            jobs = [
                _Process(options.seed, n, options.jobs, options.cases, until, work / str(n), options.save)
                for n in range(options.jobs)
            ]
            left, told = list(jobs), start
            while left:
                time.sleep(0.2)
                left = [job for job in left if job.running()]
                if time.time() - told > 60:
                    told = time.time()
                    so_far = added_up([one for job in jobs for one in job.accounts] + [job.account() for job in left])
                    print(f"{so_far.cases:,} cases, {so_far.failed} failed", file=sys.stderr, flush=True)
            account = added_up([one for job in jobs for one in job.accounts])
    report(account, options.seed, time.time() - start)
    return 1 if account.failed else 0


if __name__ == "__main__":
    sys.exit(main())
