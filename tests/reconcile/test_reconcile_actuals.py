"""What came: billed volume in its shapes, rows that are refused, days that are not whole, and folders."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

from estimator.errors import AuditExportError
from estimator.reconcile import ReconcileError
from estimator.reconcile.actuals import Actuals, is_billed, read_actuals
from tests.conftest import mailboxes_csv
from tests.reconcile.conftest import FEED, MAIL, STREAM, Write, january, sample

JAN = dt.date(2027, 1, 4)


def codes(found: Actuals) -> list[str]:
    return [finding.code for finding in found.findings]


def test_units_and_names(billed: Write, tmp_path: Path) -> None:
    """GB, GiB and bytes; the stream's name or the feed's id, in any case; a day with a time."""
    gb = read_actuals([billed(f"2027-01-04,{STREAM},1.5", name="a.csv")])
    gib = read_actuals([billed(f"2027-01-04,{FEED.upper()},1", header="Date,Feed,GiB", name="b.csv")])
    size = read_actuals([billed(f"2027-01-04T00:00:00Z;{STREAM};1500000000", header="day;stream;bytes", name="c.csv")])
    (tmp_path / "d.json").write_text(json.dumps([{"day": "2027-01-04", "feed": FEED, "gb": 1.5, "events": 900}]))
    as_json = read_actuals([tmp_path / "d.json"])

    assert gb.series[0].by_day == {JAN: 1.5}
    assert gib.series[0].by_day == {JAN: pytest.approx(1.073741824)}
    assert size.series[0].by_day == {JAN: 1.5}
    assert {one.measure: one.by_day for one in as_json.series} == {"gb": {JAN: 1.5}, "events": {JAN: 900.0}}
    # Whether GB are GiB is a doubt of the first alone.
    assert ["gb_or_gib" in codes(one) for one in (gb, gib, size)] == [True, False, False]
    assert gb.files[0].kind == "billed-usage"


def test_tiers_of_a_stream_are_added_up(billed: Write) -> None:
    found = read_actuals([billed("2027-01-04,OfficeActivity,1", "2027-01-04,OfficeActivity@lake,2")])
    assert found.series[0].feed == "sentinel-officeactivity"
    assert found.series[0].by_day == {JAN: 3.0}


def test_bad_rows_cost_themselves_and_are_told_with_their_place(billed: Write) -> None:
    rows = (
        f"2027-01-04,{STREAM},1,",
        f"04.01.2027,{STREAM},1,",
        f'2027-01-05,{STREAM},"1,5",',
        f"2027-01-06,{STREAM},-1,",
        f"2027-01-07,{STREAM},nan,",
        "2027-01-08,,1,",
        f"2027-01-04,{STREAM},2,",
        f"2027-01-09,{STREAM},1,MailItemsAccessed",
    )
    found = read_actuals([billed(*rows, header="day,stream,gb,operation")])

    assert found.series[0].by_day == {JAN: 1.0}
    (finding,) = [one for one in found.findings if one.code == "rows_rejected"]
    assert "7 of 8 rows" in finding.message
    assert "line 3: the day '04.01.2027' is not written as 2027-01-31" in finding.message
    assert "line 4: gb '1,5' is not a number of 0 or more" in finding.message
    assert "line 7: neither stream" in finding.message
    assert "line 8" not in finding.message  # the first five are shown
    assert found.files[0].rows == 8


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (f"2027-01-04,{STREAM},2,", "day, stream and operation are those of line 2 already"),
        (f"2027-01-09,{STREAM},1,Send", "the operation 'Send' is not Workload/Operation"),
        ("2027-01-08,,1,", "neither stream nor feed is named"),
    ],
)
def test_why_a_row_is_refused(billed: Write, row: str, words: str) -> None:
    found = read_actuals([billed(f"2027-01-04,{STREAM},1,", row, header="day,stream,gb,operation")])
    assert any(words in finding.message for finding in found.findings)


def test_other_streams_are_told_and_not_counted(billed: Write) -> None:
    found = read_actuals([billed(f"2027-01-04,{STREAM},1", "2027-01-04,Syslog,7", "2027-01-05,Syslog,8")])
    assert len(found.series) == 1
    assert any("Syslog 15 GB" in one.message for one in found.findings if one.code == "actuals_other_stream")


def test_a_last_day_that_was_not_over_is_left_out(billed: Write) -> None:
    """Monday 18 January after two whole weeks holds a tenth of a weekday."""
    weekend = {2, 3, 9, 10, 16, 17}
    days = [f"2027-01-{d:02d},{STREAM},{0.2 if d in weekend else 1.0}" for d in range(4, 18)]
    found = read_actuals([billed(*days, f"2027-01-18,{STREAM},0.1")])
    assert dt.date(2027, 1, 18) not in found.series[0].by_day
    assert "actuals_partial_day" in codes(found)
    # A quiet weekend is none, nor a quiet day in the middle.
    quiet = read_actuals([billed(*days[:5], f"2027-01-09,{STREAM},0.01", name="q.csv")])
    assert len(quiet.series[0].by_day) == 6
    middle = read_actuals([billed(*days[:2], f"2027-01-06,{STREAM},0.01", *days[3:], name="m.csv")])
    assert len(middle.series[0].by_day) == 14


def test_days_without_a_row_are_not_known(billed: Write) -> None:
    found = read_actuals([billed(*january(last=5), *january(first=8, last=12))])
    assert "actuals_gap_days" in codes(found)
    assert len(found.series[0].by_day) == 10


def test_files_without_a_volume_are_refused_and_told(billed: Write, tmp_path: Path) -> None:
    both = billed(f"2027-01-04,{STREAM},1,1", header="day,stream,gb,gib", name="both.csv")
    with pytest.raises(AuditExportError, match="has the volumes gb and gib"):
        read_actuals([both])
    found = read_actuals([both, billed(*january())])
    assert ("file_refused", "error") in [(f.code, f.severity) for f in found.findings]


def test_a_missing_file_and_a_forecast_given_twice(forecast: Write, tmp_path: Path) -> None:
    with pytest.raises(AuditExportError, match="there is no such file"):
        read_actuals([tmp_path / "none.csv"])
    with pytest.raises(ReconcileError, match="is a result of siem-estimator"):
        read_actuals([forecast()])


def test_an_audit_sample_and_what_is_left_of_a_folder(billed: Write, tmp_path: Path) -> None:
    folder = tmp_path / "later"
    folder.mkdir()
    sample(folder / "audit.jsonl", 10, 12, range(4, 18))
    billed(*january(), name="later/billed.csv")
    (folder / "mailboxes.csv").write_text(mailboxes_csv())
    found = read_actuals([folder])

    assert {(one.source, one.operation, one.feed) for one in found.series} == {
        ("audit-sample", MAIL, None), ("billed-usage", None, FEED)
    }  # fmt: skip
    assert sum(found.series[0].by_day.values()) == 10 * 12 * 14
    assert found.mailboxes[MAIL]["subject"].nunique() == 10
    assert any("mailboxes.csv" in f.message for f in found.findings if f.code == "file_not_used")


def test_audit_counts_are_no_billed_volume(tmp_path: Path) -> None:
    counts = tmp_path / "counts.csv"
    counts.write_text("day,subject,operation,events,bytes\n2027-01-04,ann@contoso.example,Send,3,3000\n")
    assert not is_billed(counts)
    assert not is_billed(tmp_path / "none")
