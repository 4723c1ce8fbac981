"""Sensitivity: swings and shares of variance on constructed cases, and of a sample tenant through the pipeline."""

from __future__ import annotations

import datetime as dt
import json
import math
from pathlib import Path

import numpy as np
import pytest

from estimator import pipeline
from estimator.draws import Draws, Record
from estimator.pipeline import Estimate, estimate
from estimator.report.layout import as_table
from estimator.report.sensitivity import section
from estimator.sensitivity import NotRecordedError, sensitivity_of, swings, words
from tests.conftest import Tenant

LAW_FIRM = Path(__file__).parents[1] / "sample_tenants" / "law_firm"
Z = 1.2815515655446004  # the standard normal's P90


def constructed(count: int = 20_000) -> tuple[np.ndarray, Record]:
    """1000 x lognormal(0.3) ÷ lognormal(0.1) x lognormal(0.05), the last unrecorded; two streams that do nothing."""
    record: Record = {}
    draws = Draws(count, 7, record)
    strong, weak = draws.factor(0.3, "strong"), draws.factor(0.1, "weak")
    draws.factor(0.2, "idle")
    draws.stream("idle", "too").triangular(0.5, 1, 2, count)
    unseen = Draws(count, 7).factor(0.05, "unseen")
    return 1000 * strong / weak * unseen, record


def test_shares_of_variance_are_those_it_was_made_of() -> None:
    """Log-sd 0.3, 0.1 and 0.05: variance 0.09 + 0.01 + 0.0025."""
    moved, rest = swings(*constructed())

    shares = {one.names: one.share for one in moved}
    assert set(shares) == {("strong",), ("weak",)}
    assert shares["strong",] == pytest.approx(0.09 / 0.1025, abs=0.01)
    assert shares["weak",] == pytest.approx(0.01 / 0.1025, abs=0.005)
    assert rest is not None
    assert rest.share == pytest.approx(0.0025 / 0.1025, abs=0.003)
    assert sum(shares.values()) + rest.share == pytest.approx(1, abs=0.02)


def test_a_swing_is_from_p10_to_p90_with_the_others_as_drawn() -> None:
    """`strong` at exp(-+1.28 x 0.3 - 0.045) of what the others come to: 1000 x E[1 / weak] = 1000 x exp(0.01)."""
    moved, _ = swings(*constructed())
    by = {one.names: one for one in moved}

    others = 1000 * math.exp(0.1**2)
    assert by["strong",].low == pytest.approx(others * math.exp(-Z * 0.3 - 0.045), rel=0.02)
    assert by["strong",].high == pytest.approx(others * math.exp(Z * 0.3 - 0.045), rel=0.02)
    # What lowers the output runs from small to large all the same.
    assert by["weak",].high / by["weak",].low == pytest.approx(math.exp(2 * Z * 0.1), rel=0.02)


def test_an_output_that_may_be_negative_is_taken_as_it_stands() -> None:
    """A saving of 10 +- 5 a draw and a cost of 3 +- 1: straight sums, variance 25 + 1."""
    record: Record = {}
    draws = Draws(20_000, 3, record)
    a, b = (draws.stream(name).standard_normal(draws.count) for name in "ab")
    moved, rest = swings(-10 + 5 * a + 3 + 1 * b, record)

    by = {one.names: one for one in moved}
    assert by["a",].share == pytest.approx(25 / 26, abs=0.01)
    assert by["a",].high - by["a",].low == pytest.approx(2 * Z * 5, rel=0.02)
    assert rest is not None
    assert rest.share < 1e-6


def test_numbers_of_one_name_move_together() -> None:
    """The same quantity drawn for two groups: 0.2 and 0.1, together 0.05 of variance."""
    record: Record = {}
    draws = Draws(20_000, 5, record)
    stream = draws.stream("scatter")
    x, y = stream.standard_normal(draws.count), stream.standard_normal(draws.count)
    (moved,), rest = swings(np.exp(0.2 * x + 0.1 * y), record)

    assert moved.share == pytest.approx(1, abs=1e-6)
    assert math.log(moved.high / moved.low) == pytest.approx(2 * Z * math.sqrt(0.05), rel=0.02)
    assert rest is not None
    assert rest.share < 1e-6


def test_what_never_moves_has_no_swings() -> None:
    record: Record = {}
    Draws(500, 1, record).factor(0.1, "idle")
    assert swings(np.full(500, 12.0), record) == ([], None)
    assert swings(np.zeros(500), record) == ([], None)


def test_recording_changes_no_draw() -> None:
    plain, told = Draws(400, 9), Draws(400, 9, {})
    ones = np.ones(400)
    assert np.array_equal(plain.factor(0.4, "a", "b"), told.factor(0.4, "a", "b"))
    assert np.array_equal(plain.gamma(ones, ones, "c"), told.gamma(ones, ones, "c"))
    assert np.array_equal(plain.scatter(ones, 1, 0.3, 4, "d"), told.scatter(ones, 1, 0.3, 4, "d"))
    asked = {
        "beta": (1, 2, 400), "triangular": (0, 1, 2, 400), "chisquare": (3, 400), "permutation": (40,),
        "standard_normal": ((5, 400),), "gamma": (2, 1, (400, 7)),
    }  # fmt: skip
    for name, arguments in asked.items():
        one, other = (getattr(draws.stream("e"), name)(*arguments) for draws in (plain, told))
        assert np.array_equal(one, other)
    assert told.record is not None
    # Of weeks the mean; of weights of mailboxes nothing.
    assert all(kept.shape == (400,) for kept in told.record[("e",)])
    assert len(told.record[("e",)]) == 4
    assert plain == told


def run(monkeypatch: pytest.MonkeyPatch, root: Path, record: Record | None) -> Estimate:
    monkeypatch.setattr(pipeline, "Draws", lambda count, seed, _=None: Draws(count, seed, record))
    return estimate(root, as_of=dt.date(2026, 11, 23), draws=500)


def test_recording_changes_nothing_of_an_estimate(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tenant()
    plain, told = run(monkeypatch, root, None), run(monkeypatch, root, {})

    with pytest.raises(NotRecordedError, match="not recorded"):
        sensitivity_of(plain)
    assert sensitivity_of(told)
    for one, other in zip(told.scenarios, plain.scenarios, strict=True):
        assert (one.monthly, one.horizon) == (other.monthly, other.horizon)
        for bill, same in zip(one.costs, other.costs, strict=True):
            assert np.array_equal(bill.with_, same.with_)
            assert (bill.cases, bill.lines) == (same.cases, same.lines)


def test_the_swings_of_an_estimate_account_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    told = run(monkeypatch, LAW_FIRM, {})
    found = sensitivity_of(told)
    events = [s for s in found if (s.measure, s.subject) == ("events", "sentinel-officeactivity")]
    assert [s.width for s in events] == sorted((s.width for s in events), reverse=True)
    assert sum(s.share or 0 for s in events) == pytest.approx(1, abs=0.1)
    assert "tenant" in [s.source for s in events]
    # What a feed makes of a byte moves no event, and it moves the cost of the one feed that is paid for.
    assert not [s for s in events if s.source.endswith("/ size")]
    cost = [s for s in found if s.measure == "USD"]
    assert "sentinel-cloudappevents / size" in [s.source for s in cost]
    bill = max(told.scenarios[0].costs, key=lambda one: len(one.feeds))
    assert {s.source: s.high for s in cost if s.kind == "case"} == {
        case.code: case.added.mean for case in bill.cases if case.added.mean != float(bill.added.sum(axis=0).mean())
    }
    assert cost[0].base == pytest.approx(float(bill.added.sum(axis=0).mean()))
    assert all(swing.low < swing.high for swing in found if swing.kind != "case")
    assert "What moves it: cost added, USD, sentinel-eastus" in as_table(section(found))
    json.dumps([swing.to_json() for swing in found])


def test_names_in_words() -> None:
    assert words(("Exchange/Send", "premium user", "ratio")).endswith("(Exchange/Send, premium user mailboxes)")
    assert words(("tenant",)).startswith("the tenant as a whole")
    assert words(("a", "new stream")) == "a, new stream mailboxes"
