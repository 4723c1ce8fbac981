"""What is named, and what of it is hostile or broken: the file is refused, or the row, and the rest is read."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import resource
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
import zstandard
from audit_exports import compact, record
from samples import EVENTS, PORTAL_COLUMNS, lines, parquet, portal_row, read, sheet_xml, table, workbook, zipped

from estimator.audit import Reduction, opening, reduce, sources
from estimator.audit.framing import csv_rows, json_values, xlsx_rows
from estimator.audit.reduce import _reduce

GOOD = lines(EVENTS).encode()
MIB = 1 << 20


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one good export."""
    root = tmp_path / "exports"
    root.mkdir()
    (root / "good.jsonl").write_bytes(GOOD)
    return root


def refusals(result: Reduction) -> dict[str, str]:
    return {
        Path(finding.path or "").name: finding.message for finding in result.findings if finding.code == "file_refused"
    }


def read_besides(folder: Path, name: str, content: bytes) -> Reduction:
    """The folder with one more file in it; the good one is always read."""
    (folder / name).write_bytes(content)
    result = reduce([folder])
    assert result.distinct >= 5
    assert result.read == result.distinct + result.duplicates + result.rejected
    return result


# --------------------------------------------------------------------------------------------- where files lie


def test_folders_globs_and_archives(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    for number, one in enumerate(EVENTS):
        place = tmp_path / ("a" if number % 2 else "a/b") / f"x[{number}].jsonl"
        place.write_text(lines([one]))
    assert reduce([tmp_path]).read == 5
    assert reduce([tmp_path / "a" / "*.jsonl"]).read == 2
    assert reduce([str(tmp_path / "**" / "*.jsonl")]).read == 5
    assert reduce([tmp_path / "a" / "x[1].jsonl"]).read == 1  # a file of that name, not a pattern


def test_links_that_fork_are_followed_once(tmp_path: Path) -> None:
    """Two links to the next folder in each of twenty: a million ways to the one file."""
    for n in range(20):
        (tmp_path / f"n{n:02}").mkdir()
        for name in ("x", "y") if n else ():
            (tmp_path / f"n{n - 1:02}" / name).symlink_to(tmp_path / f"n{n:02}")
    (tmp_path / "n19" / "a.jsonl").write_bytes(GOOD)
    result = reduce([tmp_path])
    assert (result.read, len(result.files)) == (5, 39)
    assert "leads to a folder that is read as n00/x already" in refusals(result)["n01"]


def test_folders_as_deep_as_a_path_can_be(tmp_path: Path) -> None:
    deep = tmp_path
    for _ in range(1_500):
        deep = deep / "d"
        deep.mkdir()
    (deep / "a.jsonl").write_bytes(GOOD)
    try:
        assert reduce([tmp_path]).read == 5
    finally:
        subprocess.run(["rm", "-rf", str(tmp_path / "d")], check=True)  # beyond shutil.rmtree


@pytest.mark.parametrize("pattern", ["**", "*", "**/*.jsonl", "[de]*/**", "d/../**"])
def test_a_pattern_names_each_file_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pattern: str) -> None:
    """However many of the folders above a file the pattern matches too, and whatever links lead back."""
    (tmp_path / "d" / "e").mkdir(parents=True)
    for number, folder in enumerate(("d", "d/e")):
        (tmp_path / folder / "a.jsonl").write_text(lines([EVENTS[number]]))
    (tmp_path / "d" / "loop").symlink_to(tmp_path)
    (tmp_path / "f").symlink_to(tmp_path / "d")
    monkeypatch.chdir(tmp_path)
    assert (found := reduce([pattern])).read == 2, [file.shown for file in found.files]
    assert reduce([tmp_path / pattern]).read == 2


def test_a_name_that_is_no_text(tmp_path: Path) -> None:
    """Names of files are bytes on Linux, and an old archive unpacks to any."""
    folder = tmp_path / "\udcfcbung"
    folder.mkdir()
    for name, content in {
        "\udcff.jsonl": GOOD,
        "\udcfe.csv": table([{"AuditData": compact(one)} for one in EVENTS]).encode(),
        "\udcfd.jsonl.gz": gzip.compress(GOOD),
        "\udcfc.zip": zipped({"a.jsonl": GOOD}),
        "\udcfb.xlsx": workbook({"Sheet1": [list(PORTAL_COLUMNS), *(list(portal_row(e).values()) for e in EVENTS)]}),
    }.items():
        (folder / name).write_bytes(content)
    parquet(tmp_path / "a.parquet", [portal_row(one) for one in EVENTS]).rename(folder / "\udcfa.parquet")
    result = reduce([folder])
    assert (result.read, result.distinct, refusals(result)) == (30, 5, {})


def test_standard_input() -> None:
    code = "from estimator.audit import reduce; r = reduce(['-']); print(r.read, r.files[0].shown)"
    for content in (GOOD, gzip.compress(GOOD)):
        done = subprocess.run([sys.executable, "-c", code], input=content, capture_output=True, check=True)
        assert done.stdout.decode().split() == ["5", "-"]


def test_a_directory_loop_and_links_to_nowhere(folder: Path) -> None:
    (folder / "loop").symlink_to(folder)
    (folder / "nowhere").symlink_to(folder / "missing")
    result = reduce([folder])
    assert result.read == 5
    assert set(refusals(result)) == {"loop", "nowhere"}


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read(folder: Path) -> None:
    (folder / "secret.jsonl").write_bytes(GOOD)
    (folder / "secret.jsonl").chmod(0)
    assert "cannot be read" in refusals(reduce([folder]))["secret.jsonl"]


@pytest.mark.parametrize("content", [b"", b" \r\n", b"\xef\xbb\xbf", b"\0\0\0\0"])
def test_an_empty_file(folder: Path, content: bytes) -> None:
    assert "is empty" in refusals(read_besides(folder, "a.csv", content))["a.csv"]


@pytest.mark.parametrize(
    "content",
    ["[]", "{}", '{"@odata.context":"x","value":[]}', '{"hits":{"total":0,"hits":[]}}', '{"columns":[],"rows":[]}'],
)
def test_an_answer_without_a_record(folder: Path, content: str) -> None:
    assert "holds no record" in refusals(read_besides(folder, "a.json", content.encode()))["a.json"]


def test_a_folder_without_a_file(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "without a file" in refusals(reduce([folder, tmp_path / "empty"]))["empty"]


# ------------------------------------------------------------------------------------------------- compression


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress], ids=["gzip", "zstd"])
def test_a_cut_stream_is_read_up_to_the_cut(folder: Path, pack: object) -> None:
    whole = pack(b"".join(lines([record(n, Noise=f"{n * 7919 % 100_003:x}" * 9)]).encode() for n in range(3_000)))  # type: ignore[operator]
    result = read_besides(folder, "cut", whole[: len(whole) // 2])
    assert 0 < result.distinct - 5 < 3_000
    assert result.rejected == 1
    assert "compressed data is damaged" in result.rejects[0].reason


def test_a_cut_archive(folder: Path) -> None:
    whole = zipped({"a.jsonl": GOOD * 50})
    assert "damaged zip archive" in refusals(read_besides(folder, "a.zip", whole[: len(whole) // 2]))["a.zip"]


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, zipfile.ZIP_DEFLATED])
def test_members_damaged_in_every_compression(folder: Path, method: int) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.writestr("a.jsonl", lines(record(n) for n in range(500)))
    content = bytearray(out.getvalue())
    content[300:340] = b"\xff" * 40
    result = read_besides(folder, "a.zip", bytes(content))
    assert refusals(result) or result.rejected


def test_lzma_and_bz2_members_are_read(folder: Path) -> None:
    for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        with zipfile.ZipFile(folder / f"{method}.zip", "w", method) as archive:
            archive.writestr("a.jsonl", GOOD)
    assert reduce([folder]).read == 15


@pytest.mark.parametrize("kind", ["gzip", "zstd", "zip"])
@pytest.mark.parametrize("free", [1, pytest.param(None, marks=pytest.mark.slow)], ids=["a small", "a large"])
def test_a_bomb_is_not_unpacked(folder: Path, monkeypatch: pytest.MonkeyPatch, kind: str, free: int | None) -> None:
    if free:
        for module in (opening, sources):
            monkeypatch.setattr(module, "BOMB_FREE_BYTES", free * MIB)
    blob = GOOD + b" " * ((8 if free else 400) * MIB)
    content = {
        "gzip": lambda: gzip.compress(blob, 9),
        "zstd": lambda: zstandard.compress(blob),
        "zip": lambda: zipped({"a.jsonl": blob}),
    }[kind]()
    result = read_besides(folder, "bomb", content)
    said = " ".join([*refusals(result).values(), *(reject.reason for reject in result.rejects)])
    assert "zip bomb" in said


def test_archives_in_archives_and_encrypted_members(folder: Path) -> None:
    inner = zipped({"a.jsonl": GOOD})
    locked = bytearray(zipped({"locked.jsonl": GOOD}))
    at = locked.index(b"PK\x01\x02")
    locked[6] |= 1  # the flag of the local header and of the directory
    locked[at + 8] |= 1
    (folder / "outer.zip").write_bytes(zipped({"inner.zip": inner, "b.jsonl": lines([record(99)]).encode()}))
    result = read_besides(folder, "locked.zip", bytes(locked))
    assert result.distinct == 6
    assert {name: "unpack" in message for name, message in refusals(result).items()} == {
        "inner.zip": True,
        "locked.jsonl": True,
    }


@pytest.mark.parametrize("name", ["../../evil.jsonl", "..\\evil.jsonl", "/tmp/evil.jsonl", "C:\\evil.jsonl"])
def test_paths_in_archives_lead_nowhere(folder: Path, name: str) -> None:
    before = set(folder.parent.rglob("*"))
    result = read_besides(folder, "a.zip", zipped({name: lines([record(99)]).encode()}))
    assert result.distinct == 6
    assert set(folder.parent.rglob("*")) - before == {folder / "a.zip"}
    assert not Path("/tmp/evil.jsonl").exists()


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_members_of_one_name_are_all_read(folder: Path) -> None:
    """As `zip` never makes them, and appending with a library does."""
    with zipfile.ZipFile(folder / "a.zip", "w") as archive:
        for number in (98, 99):
            archive.writestr("a.jsonl", lines([record(number)]))
    result = reduce([folder])
    assert (result.read, result.distinct) == (7, 7)


def test_an_archive_of_files_with_names_like_those_of_documents(folder: Path) -> None:
    result = read_besides(folder, "a.zip", zipped({"mimetypes.jsonl": lines([record(99)]).encode()}))
    assert result.distinct == 6


def test_only_a_single_dot_hides_a_name(tmp_path: Path) -> None:
    names = [
        "..\\a.jsonl",
        "../../b",
        "./c.jsonl",
        "..d.jsonl",
        ".DS_Store",
        "__MACOSX/._a.jsonl",
        "x\\.DS_Store",
        ".x/y",
    ]
    path = tmp_path / "a.zip"
    path.write_bytes(zipped({name: lines([record(n)]).encode() for n, name in enumerate(names)}))
    assert [file.shown for file in reduce([path]).files] == [f"{path}/{name}" for name in names[:4]]


# -------------------------------------------------------------------------------------------------- large and odd

_MEASURED = r"""
import re, sys
from pathlib import Path
from estimator.audit.reduce import _reduce
result = _reduce([sys.argv[1]], memory="256MB", fast=sys.argv[2] == "fast")
peak = int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]) // 1024
print(result.read, result.distinct, result.rejected, peak)
"""


def measured(path: Path, lane: str = "fast") -> tuple[int, int, int, int]:
    """Read, distinct, rejected, and the peak MiB of a process of its own (what getrusage tells is inherited)."""
    done = subprocess.run([sys.executable, "-c", _MEASURED, str(path), lane], capture_output=True, check=True)
    read_, distinct, rejected, peak = map(int, done.stdout.split())
    return read_, distinct, rejected, peak


def with_a_long_one(kind: str, chars: int) -> str:
    """The events with a record of so many characters among them."""
    long = compact({**record(99), "Noise": "x" * chars})
    texts = [compact(EVENTS[0]), long, *map(compact, EVENTS[1:])]
    return {
        "jsonl": lambda: "\n".join(texts),
        "csv": lambda: table([{"AuditData": one} for one in texts]),
        "array": lambda: "[" + ",\n".join(texts) + "]",
    }[kind]()


@pytest.mark.parametrize("kind", ["jsonl", "csv", "array"])
def test_a_record_longer_than_any_costs_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    for module in (csv_rows, json_values):
        monkeypatch.setattr(module, "MAX_RECORD_CHARS", MIB)
    path = tmp_path / "a"
    path.write_text(with_a_long_one(kind, 4 * MIB))
    result = _reduce([path], fast=False)
    assert (result.distinct, result.rejected >= 1, result.read == 5 + result.rejected) == (5, True, True)
    assert "as no record is" in result.rejects[0].reason


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["jsonl", "csv", "array"])
def test_a_line_of_seventy_megabytes_costs_itself(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a"
    path.write_text(with_a_long_one(kind, 70 * MIB))
    read_, distinct, rejected, peak = measured(path)
    assert (distinct, rejected >= 1, read_ == distinct + rejected) == (5, True, True)
    assert peak < 900


def test_nuls_cost_their_record(tmp_path: Path) -> None:
    result = read(tmp_path / "a.jsonl", GOOD.replace(b'"Send"', b'"Se\0nd"') + bytes(10_000))
    assert (result.distinct, result.rejected) == (4, 2)


@pytest.mark.parametrize("doctype", ["laughs", "outside"])
def test_entities_in_a_workbook_are_harmless(folder: Path, doctype: str) -> None:
    entities = {
        "laughs": '<!DOCTYPE x [<!ENTITY a "haha">'
        + "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefghi", "bcdefghij", strict=True))
        + "]>",
        "outside": '<!DOCTYPE x [<!ENTITY j SYSTEM "file:///etc/passwd">]>',
    }[doctype]
    rows = [list(PORTAL_COLUMNS), [str(cell) for cell in portal_row(record(99)).values()]]
    xml = sheet_xml([*rows, ["LAUGH"] * 8], entities).replace("LAUGH", "&j;")
    start = time.monotonic()
    result = read_besides(folder, "a.xlsx", workbook({"Sheet1": xml}))
    assert time.monotonic() - start < 5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 4 * MIB  # in KiB: no ten thousand million laughs
    assert not [row for row in result.table["principal"] if "root:" in row or "haha" in row]


def test_a_workbook_too_large_to_hold_is_refused_with_the_way_out(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xlsx_rows, "MAX_UNPACKED_BYTES", 1_000)
    book = workbook({"Sheet1": [list(PORTAL_COLUMNS), list(portal_row(EVENTS[0]).values())]})
    assert "save it as CSV" in refusals(read_besides(folder, "a.xlsx", book))["a.xlsx"]


def test_damaged_streams_of_other_kinds_are_unknown_and_no_error(folder: Path) -> None:
    for name, content in {
        "a.xz": lzma.compress(GOOD),
        "a.bz2": bz2.compress(GOOD),
        "a.7z": b"7z\xbc\xaf\x27\x1c",
    }.items():
        assert name in refusals(read_besides(folder, name, content))
