"""A forecast against what came: lines, months, parts of months, and why it differs; all by hand."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from estimator.errors import UsageError
from estimator.reconcile import Line, Reconciled, ReconcileError, reconcile_forecast
from estimator.schemas import schema
from tests.reconcile.conftest import FEED, MAIL, MONTHS, STREAM, UPDATE, Write, Z, january, sample

MEDIAN_GB = 0.065  # 30,000 records of 2,000 bytes and 5,000 of 1,000 a month
MEAN = math.exp(0.02)  # of a lognormal of log-sd 0.2, by its median


def codes(found: Reconciled) -> set[str]:
    return {finding.code for finding in found.findings}


def line(found: Reconciled, operation: str | None, measure: str) -> Line:
    (one,) = [one for one in found.lines if (one.operation, one.measure) == (operation, measure)]
    return one


def test_a_month_of_billed_volume_against_the_whole_feed(forecast: Write, billed: Write) -> None:
    """GB of a stream are of all its operations; equal quantiles of the flows are added up."""
    found = reconcile_forecast(forecast(), [billed(*january(0.078 / 31))])

    (gb,) = found.lines
    assert (gb.feed, gb.operation, gb.measure, gb.source, gb.days) == (FEED, None, "gb", "billed-usage", 31)
    assert gb.forecast.p50 == pytest.approx(MEDIAN_GB)
    assert gb.forecast.p90 == pytest.approx(MEDIAN_GB * math.exp(0.2 * Z))
    assert gb.actual == pytest.approx(0.078)
    assert gb.error == pytest.approx(0.078 / (MEDIAN_GB * MEAN) - 1)
    assert gb.inside
    assert [(m.month, m.days, m.share) for m in gb.months] == [("2027-01", 31, 1.0)]
    # GB alone do not say why, and nothing says so in silence.
    assert gb.split.records is gb.split.size is gb.split.mailboxes is None
    assert "records and their size cannot be told apart" in gb.split.note
    # February alone is left of the horizon, and it moves by 1.2, shrunk.
    (month, rest) = found.recalibrated
    assert (month.month, month.start.isoformat(), month.share, rest.month) == ("2027-02", "2027-02-01", 1.0, None)
    assert gb.factor is not None
    # (With 28 days a hair less of February's spread lasts than of January's.)
    assert month.recalibrated.p50 == pytest.approx(MEDIAN_GB * 1.2**gb.factor.weight, rel=1e-3)
    assert month.recalibrated == rest.recalibrated
    jsonschema.validate(found.to_json(), schema("reconcile"), jsonschema.Draft202012Validator)


def test_outside_is_said(forecast: Write, billed: Write) -> None:
    above = reconcile_forecast(forecast(), [billed(*january(0.2 / 31))])
    below = reconcile_forecast(forecast(), [billed(*january(0.02 / 31))])

    assert [one.verdict for one in above.outside] == ["above_p90"]
    assert [one.verdict for one in below.outside] == ["below_p10"]


def test_a_part_of_a_month_has_its_days_share(forecast: Write, billed: Write) -> None:
    """4 to 10 January 2027 is a whole week: 5 weekdays, a Saturday, a Sunday; January has 21, 5 and 5."""
    found = reconcile_forecast(forecast(), [billed(*january(0.002, first=4, last=10))])

    (gb,) = found.lines
    share = (5 + 0.245 + 0.192) / (21 + 5 * 0.245 + 5 * 0.192)
    assert gb.months[0].share == pytest.approx(share)
    assert gb.forecast.p50 == pytest.approx(MEDIAN_GB * share)
    assert "part_of_month" in codes(found)
    # The rest begins after it, with what is left of January but the days before, of which nobody knows.
    first = found.recalibrated[0]
    assert (first.month, first.start.isoformat()) == ("2027-01", "2027-01-11")
    assert first.share == pytest.approx((15 + 3 * 0.245 + 3 * 0.192) / (21 + 5 * 0.245 + 5 * 0.192))


def test_holidays_count_where_a_country_is_named(forecast: Write, billed: Write) -> None:
    """New Year's Day and Martin Luther King Day: two weekdays of January weigh less."""
    path, rows = forecast(), billed(*january(0.002, first=4, last=10))
    holiday = 0.192 + 0.808 * (0.0 + 0.15 + 0.6) / 3
    whole = 19 + 2 * holiday + 5 * 0.245 + 5 * 0.192
    assert reconcile_forecast(path, [rows], country="US").lines[0].months[0].share == pytest.approx(5.437 / whole)


def test_a_difference_is_split_by_its_factors(forecast: Write, billed: Write, tmp_path: Path) -> None:
    """120 mailboxes instead of 150 with 12 records a day: 44,640 in January instead of 30,606, and 2.4 kB each."""
    audit = sample(tmp_path / "audit.jsonl", 120, 12, range(1, 32))
    rows = [f"2027-01-{day:02d},{STREAM},{MAIL},{120 * 12 * 2400 / 1e9}" for day in range(1, 32)]
    found = reconcile_forecast(forecast(), [audit, billed(*rows, header="day,stream,operation,gb")])

    events, gb = line(found, MAIL, "events"), line(found, MAIL, "gb")
    assert (events.source, gb.source) == ("audit-sample", "billed-usage")
    assert events.actual == 44_640
    ratio = 44_640 / (30_000 * MEAN)
    assert events.split.mailboxes is not None
    assert events.split.records is not None
    assert events.split.mailboxes[0] == pytest.approx(120 / 150)
    assert events.split.records[0] == pytest.approx(ratio / 0.8)
    assert events.split.size is None
    assert events.split.note == ""
    assert events.split.mailboxes[1] + events.split.records[1] == pytest.approx(44_640 - 30_000 * MEAN)
    assert gb.split.size is not None
    assert gb.split.size[0] == pytest.approx(1.2)
    parts = [part[1] for part in (gb.split.mailboxes, gb.split.records, gb.split.size) if part is not None]
    assert len(parts) == 3
    assert sum(parts) == pytest.approx(gb.actual - gb.forecast.mean)
    # All operations of the sample together: Update did not come at all.
    assert line(found, None, "events").actual == 44_640
    update = line(found, UPDATE, "events")
    assert (update.actual, update.inside, update.factor) == (0.0, False, None)
    assert "not_recalibrated" in codes(found)


def test_without_the_number_of_mailboxes_nothing_is_told_apart(forecast: Write, tmp_path: Path) -> None:
    audit = sample(tmp_path / "audit.jsonl", 120, 12, range(4, 18))
    found = reconcile_forecast(forecast(lambda made: made["scenarios"][0].pop("emitting")), [audit])

    mail = line(found, MAIL, "events")
    assert mail.split.mailboxes is None
    assert mail.split.records is not None
    assert "does not say how many mailboxes were to emit it" in mail.split.note


def test_what_flows_already_needs_no_number_of_those_that_join(forecast: Write, tmp_path: Path) -> None:
    def unchanged(made: dict[str, Any]) -> None:
        one = made["scenarios"][0]
        del one["emitting"]
        one["volume"] = [row for row in one["volume"] if row["flow"] == "already"]

    found = reconcile_forecast(forecast(unchanged), [sample(tmp_path / "audit.jsonl", 90, 12, range(4, 18))])
    split = line(found, MAIL, "events").split
    assert split.mailboxes is not None
    assert split.mailboxes[0] == pytest.approx(90 / 100)


def test_an_audit_sample_shows_the_size_of_a_record(forecast: Write, tmp_path: Path) -> None:
    audit = sample(tmp_path / "audit.jsonl", 100, 12, range(4, 18))
    mail = line(reconcile_forecast(forecast(), [audit]), MAIL, "events")

    size = len(audit.read_text().splitlines()[0])
    assert mail.record_bytes is not None
    assert mail.record_bytes[0] == pytest.approx(size, abs=30)
    assert mail.record_bytes[1] == pytest.approx(2000)


def test_gb_follow_the_events_where_none_were_billed(forecast: Write, tmp_path: Path) -> None:
    found = reconcile_forecast(forecast(), [sample(tmp_path / "audit.jsonl", 120, 12, range(1, 32))])

    rest = {(one.operation, one.measure): one for one in found.recalibrated if one.month is None}
    assert set(rest) == {(None, "events"), (None, "gb"), (MAIL, "events"), (MAIL, "gb")}
    moved = {key: one.recalibrated.p50 / one.forecast.p50 for key, one in rest.items()}
    assert moved[MAIL, "gb"] == pytest.approx(moved[MAIL, "events"])


def test_a_month_in_which_something_starts_is_doubtful(forecast: Write, billed: Write) -> None:
    def from_february(made: dict[str, Any]) -> None:
        rows = made["scenarios"][0]["volume"]
        made["scenarios"][0]["volume"] = [r for r in rows if (r["flow"], r["month"]) != ("added", "2027-01")]

    found = reconcile_forecast(forecast(from_february), [billed(*january(0.002, first=4, last=10))])
    assert "part_of_changing_month" in codes(found)
    assert "part_of_changing_month" not in codes(
        reconcile_forecast(forecast(), [billed(*january(0.002, first=4, last=10))])
    )


def test_days_outside_the_horizon_are_told_and_none_within_is_an_error(forecast: Write, billed: Write) -> None:
    before = [f"2026-12-{day},{STREAM},0.002" for day in range(10, 32)]
    found = reconcile_forecast(forecast(), [billed(*before, *january(0.002))])
    assert found.lines[0].days == 31
    assert "actuals_outside_horizon" in codes(found)

    with pytest.raises(ReconcileError, match=r"2026-12-10 to 2026-12-31, and the forecast of 2027-01-01 to 2027-02-28"):
        reconcile_forecast(forecast(), [billed(*before)])


def test_feeds_of_another_forecast(forecast: Write, billed: Write) -> None:
    other = [row.replace(STREAM, "OfficeActivity") for row in january(0.002)]
    with pytest.raises(ReconcileError, match="nothing that came is of a feed of scenario all"):
        reconcile_forecast(forecast(), [billed(*other)])
    found = reconcile_forecast(forecast(), [billed(*january(0.002), *other)])
    assert "actuals_other_feed" in codes(found)
    assert [one.feed for one in found.lines] == [FEED]


def test_operations_that_were_not_forecast_are_told(forecast: Write, tmp_path: Path) -> None:
    audit = sample(tmp_path / "audit.jsonl", 100, 12, range(4, 18), "HardDelete")
    found = reconcile_forecast(forecast(), [audit, sample(tmp_path / "b.jsonl", 100, 12, range(4, 18))])
    assert any("Exchange/HardDelete (16,800)" in f.message for f in found.findings)


def test_a_sample_of_few_mailboxes_is_doubtful(forecast: Write, tmp_path: Path) -> None:
    found = reconcile_forecast(forecast(), [sample(tmp_path / "audit.jsonl", 20, 12, range(4, 18))])
    assert "actuals_few_mailboxes" in codes(found)


def test_a_feed_connected_later_carries_nothing_before(forecast: Write, tmp_path: Path) -> None:
    """An audit sample knows no feed: of a month in which nothing was to flow it says nothing of the feed."""

    def february(made: dict[str, Any]) -> None:
        rows = made["scenarios"][0]["volume"]
        made["scenarios"][0]["volume"] = [row for row in rows if row["month"] == "2027-02"] + [
            {**row, "events": dict.fromkeys(row["events"], 0.0), "gb": dict.fromkeys(row["gb"], 0.0)}
            for row in rows
            if row["month"] == "2027-01"
        ]

    found = reconcile_forecast(forecast(february), [sample(tmp_path / "audit.jsonl", 100, 12, range(4, 18))])
    assert found.lines == []


def test_totals_of_the_file_are_taken_where_it_has_them(forecast: Write, billed: Write) -> None:
    """They were added up draw by draw, and are narrower than equal quantiles added up."""

    def total(made: dict[str, Any]) -> None:
        one = {"mean": 0.066, "p10": 0.06, "p50": 0.066, "p90": 0.07}
        made["scenarios"][0]["total"] = [
            {"feed": FEED, "flow": "already", "month": month, "events": one, "gb": one} for month in MONTHS
        ]

    found = reconcile_forecast(forecast(total), [billed(*january(0.002))])
    assert (found.lines[0].forecast.p10, found.lines[0].forecast.p90) == pytest.approx((0.06, 0.07))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda made: made.update(schema="siem-estimator/measure/1"), "has the schema 'siem-estimator/measure/1'"),
        (lambda made: made.pop("tenant"), "lacks 'tenant'"),
        (lambda made: made["scenarios"][0]["volume"][2]["events"].pop("p90"), r"volume\[2\]: lacks 'p90'"),
        (lambda made: made["scenarios"][0].update(start="soon"), "is not as the contract has it"),
        (lambda made: made["scenarios"][0]["volume"][0]["gb"].update(mean="many"), r"volume\[0\]: is not as"),
        (lambda made: made["scenarios"][0]["volume"][0]["gb"].update(mean=math.inf), "is no number"),
        (lambda made: made["scenarios"][0]["volume"][0].update(feed="pigeon"), "unknown feed 'pigeon'"),
        (lambda made: made["scenarios"][0].update(months=10**9), "1000000000 months"),
        (lambda made: made["scenarios"][0].update(start="9999-12-01"), "is not as the contract has it"),
        (lambda made: made["scenarios"][0].update(volume=[1]), "is not as the contract has it"),
        (lambda made: made.update(scenarios={}), "is not as the contract has it|has 0 scenarios"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_forecast_is_refused(forecast: Write, billed: Write, change: Any, words: str) -> None:
    with pytest.raises((ReconcileError, UsageError), match=words):
        reconcile_forecast(forecast(change), [billed(*january())])


def test_one_of_several_scenarios_must_be_named(forecast: Write, billed: Write) -> None:
    def two(made: dict[str, Any]) -> None:
        made["scenarios"].append({**made["scenarios"][0], "id": "half"})

    path = forecast(two)
    with pytest.raises(UsageError, match="--scenario with one of all, half"):
        reconcile_forecast(path, [billed(*january())])
    with pytest.raises(UsageError, match="has no scenario 'none'"):
        reconcile_forecast(path, [billed(*january())], scenario="none")
    assert reconcile_forecast(path, [billed(*january())], scenario="half").forecast.scenario == "half"
