"""Every sample is told for what it is, comes to the same counts, and is read alike by both lanes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from samples import SAMPLES, TALLY, WITHOUT_ACCESS_TYPE, kind_of, read, tally

#: Read by Python alone: workbooks, JSON that is neither lines nor one array,
_SLOW = frozenset({
    # dates that the whole file has to settle.
    *("officeactivity-portal", "portal-xlsx", "records-pretty-objects", "graph-page", "graph-pages"),
    "officeactivity-api",
    *("cloudappevents-hunting-json", "cloudappevents-hub", "splunk-results", "elastic-hits", "counts-api"),
    "counts-esql",
})  # fmt: skip


@pytest.mark.parametrize("name", SAMPLES)
def test_every_sample_comes_to_the_same_counts(tmp_path: Path, name: str) -> None:
    path = SAMPLES[name](tmp_path)
    result = read(path, fast_lane=name not in _SLOW)
    (file,) = result.files
    assert file.kind == kind_of(name)
    assert (result.read, result.distinct, result.duplicates, result.rejected) == (5, 5, 0, 0)
    expected: Counter[tuple[str, str, str]] = Counter()
    for (day, operation, access), events in TALLY.items():
        expected[day, operation, "" if name in WITHOUT_ACCESS_TYPE else access] += events
    assert tally(result) == dict(expected)
    assert set(result.table["subject"]) == {
        *("ann@contoso.example", "ben@contoso.example", "https://contoso.sharepoint.example/sites/finance/", "")
    }
    assert set(result.table["workload"]) == {"Exchange", "SharePoint"}
    assert not [finding.code for finding in result.findings if finding.severity == "error"]
