"""What must hold for any usage: the two paths agree, and the bill bends the way money does."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pricing.bill import Terms, Usage, bill, bill_draws
from pricing.commitment import choose, compare, schedule
from pricing.errors import NoPriceError, TermsError, UsageShapeError
from pricing.plan import find_plan, parse_plan
from pricing.settle import committable_gb
from tests.pricing.helpers import GOOD, span

EAST, SPLUNK, SMALL = find_plan("sentinel-eastus"), find_plan("splunk-cloud-ingest"), parse_plan(GOOD)

#: GB in steps of a megabyte, quiet days included.
volumes = st.one_of(st.just(0), st.integers(0, 400_000)).map(lambda megabytes: megabytes / 1000)
series = st.lists(volumes, min_size=1, max_size=80)
tiers = st.sampled_from(["none", "100", "200", "best"])


def draws_of(days: int, draws: int):
    return hnp.arrays(np.float64, (days, draws), elements=volumes)


@st.composite
def courses(draw):
    """Usage of five streams over a few draws, with a past, and terms of every kind."""
    days, n = draw(st.integers(1, 70)), draw(st.integers(1, 3))
    streams = {"CloudAppEvents": draw(draws_of(days, n)), "OfficeActivity": draw(draws_of(days, n))}
    streams["EmailEvents"] = draw(draws_of(days, n))
    streams["Custom_CL"] = draw(draws_of(days, 1))[:, 0]
    streams["CloudAppEvents@lake"] = streams["EmailEvents"][::-1]
    earlier = draw(st.integers(0, 200))
    usage = Usage(
        span(draw(st.sampled_from(["2026-11-25", "2027-02-10", "2027-12-20"])), days),
        streams,
        {"CloudAppEvents": draw(draws_of(earlier, 1))[:, 0]} if earlier else {},
    )
    grant = st.integers(0, 50_000).map(lambda megabytes: Decimal(megabytes) / 1000)
    step = usage.days[draw(st.integers(0, days - 1))]
    terms = Terms(
        commitment=draw(tiers),
        retention_days=draw(st.sampled_from([None, 60, 91, 120, 365])),
        total_retention_days=draw(st.sampled_from([None, 100, 400])),
        stream_retention_days=draw(
            st.sampled_from([{}, {"EmailEvents": 200}, {"CloudAppEvents": [(step, 95)], "CloudAppEvents@lake": 30}])
        ),
        discount_percent=Decimal(draw(st.integers(0, 1000))) / 10,
        grant_gb_per_day={"m365-e5": draw(st.one_of(grant, st.lists(grant, min_size=days, max_size=days)))},
        billed_free_streams=draw(st.sampled_from([frozenset(), frozenset({"OfficeActivity"})])),
    )
    return usage, terms


def one_draw(usage: Usage, n: int) -> Usage:
    def pick(values):
        return values[:, n] if values.ndim == 2 else values

    return Usage(
        usage.days,
        {stream: pick(gb) for stream, gb in usage.gb.items()},
        {stream: pick(gb) for stream, gb in usage.earlier.items()},
    )


@settings(max_examples=60, deadline=None)
@given(courses())
def test_the_float_path_agrees_with_the_decimal_path(course) -> None:
    usage, terms = course
    drawn = bill_draws(EAST, usage, terms)
    # "best" is one choice for all draws, so each draw is refereed under that choice.
    fixed = replace(terms, commitment=drawn.commitment)
    for n in range(usage.draws or 1):
        exact = bill(EAST, one_draw(usage, n), fixed)
        assert drawn.months == list(exact.months)
        expected = [float(amount) for amount in exact.by_month().values()]
        assert drawn.total[:, n] == pytest.approx(expected, rel=1e-9, abs=1e-9)
        for meter, amount in exact.by_meter().items():
            assert drawn.amount[meter][:, n].sum() == pytest.approx(float(amount), rel=1e-9, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 800), st.data())
def test_the_float_path_agrees_on_capacity(days, data) -> None:
    pattern = data.draw(st.lists(volumes, min_size=1, max_size=30))
    gb = np.resize(np.array(pattern), days)
    # The contract starts on one day for all draws, so a day on which they all begin stands before what differs.
    quiet = np.zeros(min(data.draw(st.integers(0, 400)), days - 1))
    gb = np.concatenate([quiet, [0.001], gb])[:days]
    other = np.concatenate([quiet, [0.001], gb[len(quiet) + 1 :][::-1]])
    usage = Usage(span("2027-02-15", days), {"splunk-o365": np.column_stack([gb, other, gb * 0])})
    drawn = bill_draws(SPLUNK, usage)
    for n in range(3):
        expected = [float(amount) for amount in bill(SPLUNK, one_draw(usage, n)).by_month().values()]
        assert drawn.total[:, n] == pytest.approx(expected, rel=1e-9)


@given(series, series, st.sampled_from(["none", "100", "200"]))
def test_more_usage_never_costs_less_where_a_tier_is_fixed(gb, more, tier) -> None:
    # Not so for all-units bands, nor for "best" with a grant of tiers: there a step up can save money.
    days = span("2027-01-01", len(gb))
    extra = np.resize(np.array(more), len(gb))
    terms = Terms(commitment=tier, retention_days=120)
    lean = bill(EAST, Usage(days, {"CloudAppEvents": gb}), terms).total
    assert bill(EAST, Usage(days, {"CloudAppEvents": np.array(gb) + extra}), terms).total >= lean


@given(series)
def test_best_is_never_dearer_than_any_tier(gb) -> None:
    usage = Usage(span("2027-01-01", len(gb)), {"CloudAppEvents": gb})
    best = bill(EAST, usage, Terms(commitment="best"))
    for tier in ("none", "100", "200", "300"):
        assert best.total <= bill(EAST, usage, Terms(commitment=tier)).total


@given(series)
def test_what_is_compared_is_what_is_billed(gb) -> None:
    days = span("2026-12-01", len(gb))
    usage = Usage(days, {"CloudAppEvents": gb})
    for quote in compare(EAST, days, gb):
        assert bill(EAST, usage, Terms(commitment=quote.tier)).total == pytest.approx(quote.cost, rel=Decimal("1e-15"))


@given(series)
def test_a_tier_at_the_flat_rate_costs_the_flat_price(gb) -> None:
    # 100 GB at 400 a day is 4.00 per GB: on days at or above the tier the two are the same.
    plan = parse_plan(GOOD.replace("amount = 300", "amount = 400"))
    usage = Usage(span("2027-01-01", len(gb)), {"Paid": np.array(gb) + 100})
    assert bill(plan, usage, Terms(commitment="100")).total == bill(plan, usage).total


@given(st.lists(st.integers(5000, 9_999_000), min_size=1, max_size=40))
def test_bands_of_one_price_cost_the_flat_price(megabytes) -> None:
    flat_band = GOOD.replace("amount = 1700", "amount = 2000").replace('ingest = "flat"', 'ingest = "capacity"')
    plan = parse_plan(flat_band.replace("maximum_gb_per_day = 999", "maximum_gb_per_day = 10000"))
    gb = [value / 1000 for value in megabytes]
    ranked = sorted(gb)[-(-95 * len(gb) // 100) - 1]
    made = bill(plan, Usage(span("2027-01-01", len(gb)), {"Paid": gb}))
    assert float(made.total) == pytest.approx(np.ceil(ranked) * 2000 * len(gb) / 365)


@given(series, st.integers(0, 100_000))
def test_a_grant_lowers_ingestion_only_and_never_below_zero(gb, megabytes) -> None:
    usage = Usage(span("2027-01-01", len(gb)), {"CloudAppEvents": gb, "Custom_CL": gb}, {"CloudAppEvents": [1] * 200})
    granted = Terms(retention_days=365, grant_gb_per_day={"m365-e5": Decimal(megabytes) / 1000})
    without, with_grant = bill(EAST, usage, Terms(retention_days=365)), bill(EAST, usage, granted)
    assert all(charge.amount >= 0 for charge in with_grant.charges)
    assert with_grant.total <= without.total
    assert with_grant.by_meter().get("retention") == without.by_meter().get("retention")
    custom = [sum(c.amount for c in b.charges if c.stream == "Custom_CL") for b in (with_grant, without)]
    assert custom[0] == custom[1]


@given(series, tiers)
def test_free_streams_cost_nothing(gb, tier) -> None:
    days = span("2027-01-01", len(gb))
    paid = {"CloudAppEvents": [40.0] * len(gb)}
    terms = Terms(commitment=tier, retention_days=365)
    alone = bill(EAST, Usage(days, paid), terms).total
    assert bill(EAST, Usage(days, paid | {"OfficeActivity": gb}), terms).total == alone


@given(series, st.integers(0, 10_000), tiers)
def test_the_discount_is_taken_off_the_whole_bill(gb, basis_points, tier) -> None:
    usage = Usage(span("2027-01-01", len(gb)), {"CloudAppEvents": gb})
    percent = Decimal(basis_points) / 100
    listed = bill(EAST, usage, Terms(commitment=tier)).total
    assert bill(EAST, usage, Terms(commitment=tier, discount_percent=percent)).total == pytest.approx(
        listed * (100 - percent) / 100, rel=Decimal("1e-15"), abs=Decimal("1e-15")
    )


def test_best_weighs_the_cost_of_the_draws_and_not_of_their_mean() -> None:
    # Every day is 0 or 140 GB with even odds. The mean day of 70 GB would be cheaper on the tier (296 against 301);
    # the draws are not: the tier costs 296 or 414.40, 355.20 on average.
    days = span("2027-01-01", 40)
    gb = np.tile([0.0, 140.0], (40, 1))
    assert choose(EAST, days, gb.mean(axis=1)).tier == "100"
    assert choose(EAST, days, gb).tier == "none"
    drawn = bill_draws(EAST, Usage(days, {"CloudAppEvents": gb}), Terms(commitment="best"))
    assert drawn.commitment == "none"


def test_one_schedule_holds_for_all_draws() -> None:
    days = span("2027-01-01", 31)
    gb = np.column_stack([np.full(31, 10.0), np.full(31, 300.0)])
    drawn = bill_draws(EAST, Usage(days, {"CloudAppEvents": gb}), Terms(commitment="best"))
    assert drawn.commitment != "none"
    # The quiet draw pays for the whole tier, because it was signed before anyone knew.
    assert drawn.total[0, 0] > 31 * 10 * 4.30


def test_a_tier_is_offered_only_while_one_can_sign_up() -> None:
    gb = [45.0]
    assert compare(EAST, span("2026-12-31", 1), gb)[0].tier == "50"
    assert "50" not in {quote.tier for quote in compare(EAST, span("2027-01-01", 1), gb)}
    # Who names it may have signed before.
    kept = schedule(EAST, span("2027-01-01", 40), "50")
    assert kept.notes == ("Sign-up for tier 50 closed on 2026-12-31; priced as signed up before.",)
    with pytest.raises(NoPriceError, match="no price is in force on 2027-04-01"):
        schedule(EAST, span("2027-04-01", 10), "50")
    with pytest.raises(NoPriceError, match="no price is known on 2026-06-01"):
        schedule(EAST, span("2026-06-01", 60), "200")


def test_a_horizon_shorter_than_the_lock_says_so() -> None:
    assert schedule(EAST, span("2027-01-01", 30), "100").notes == (
        "A tier is kept for at least 31 days; only 30 of them are billed here.",
    )


def test_equal_cost_takes_the_smaller_commitment() -> None:
    assert choose(SMALL, span("2027-01-01", 40), [75.0] * 40).tier == "none"  # 75 x 4.00 = 300, the tier's price
    assert choose(SPLUNK, span("2027-01-01", 40), [75.0] * 40).tier == "none"
    assert compare(SPLUNK, span("2027-01-01", 40), [75.0] * 40) == []


def test_committable_gigabytes_are_those_left_after_grants() -> None:
    usage = Usage(span("2027-01-01", 2), {"CloudAppEvents": [3, 1], "Custom_CL": [5, 5], "OfficeActivity": [9, 9]})
    terms = Terms(grant_gb_per_day={"m365-e5": Decimal(2)})
    assert committable_gb(EAST, usage, terms)[:, 0].tolist() == [6, 5]


def test_a_grant_is_used_up_in_the_order_the_plan_names_its_streams() -> None:
    usage = Usage(span("2027-01-01", 1), {"EmailEvents": [3], "CloudAppEvents": [3]})
    made = bill(EAST, usage, Terms(grant_gb_per_day={"m365-e5": Decimal(4)}))
    assert [(c.stream, c.quantity, c.amount) for c in made.charges] == [
        ("CloudAppEvents", 3, 0),
        ("EmailEvents", 1, 0),
        ("EmailEvents", 2, Decimal("8.60")),
    ]


def test_a_price_that_changes_within_a_month_makes_two_lines() -> None:
    plan = parse_plan(
        GOOD.replace(
            'prices = [{ from = 2026-01-01, amount = 4.00, source = "list" }]',
            """prices = [
                { from = 2026-01-01, amount = 4.00, source = "list" },
                { from = 2027-01-16, amount = 5.00, source = "list" },
            ]""",
        )
    )
    usage = Usage(span("2027-01-01", 31), {"Paid": [1] * 31})
    lines = [(c.quantity, c.unit_price, c.amount) for c in bill(plan, usage).charges]
    assert lines == [(15, 4, 60), (16, 5, 80)]
    assert bill_draws(plan, usage).total.tolist() == [[140]]


def test_bytes_become_the_plans_own_gigabytes() -> None:
    days = span("2027-01-01", 2)
    assert Usage.from_bytes(EAST, days, {"CloudAppEvents": [2e9, 5e8]}).gb["CloudAppEvents"].tolist() == [2, 0.5]
    binary = parse_plan(GOOD.replace("size_basis", "gb_bytes = 1_073_741_824\nsize_basis"))
    usage = Usage.from_bytes(binary, days, {"Paid": [2**30, 2**31]}, earlier={"Paid": [2**29]})
    assert (usage.gb["Paid"].tolist(), usage.earlier["Paid"].tolist()) == ([1, 2], [0.5])


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        ({"discount_percent": Decimal(-1)}, "a discount of -1%; expected 0 to 100"),
        ({"discount_percent": Decimal(101)}, "a discount of 101%"),
        ({"discount_percent": 8.5}, "8.5; expected a finite Decimal"),
        ({"discount_percent": Decimal("NaN")}, "expected a finite Decimal"),
        ({"retention_days": -1}, "-1 days"),
        ({"grant_gb_per_day": {"m365-e5": Decimal(-1)}}, "grant_gb_per_day.m365-e5: -1 GB a day"),
        ({"grant_gb_per_day": {"m365": Decimal(1)}}, "'m365' is unknown; expected a grant of sentinel-eastus: m365-e5"),
        ({"billed_free_streams": {"OfficeActivty"}}, "Did you mean 'OfficeActivity'?"),
        ({"commitment": "150"}, "'150' is not a tier of sentinel-eastus; expected one of none, best, 50, 100"),
        ({"retention_days": 731}, "expected at most the 730 days that sentinel-eastus sells"),
    ],
)
@pytest.mark.parametrize("engine", [bill, bill_draws])
def test_terms_that_do_not_fit_are_refused(engine, terms, words) -> None:
    with pytest.raises(TermsError) as caught:
        engine(EAST, Usage(span("2027-01-01", 1), {"CloudAppEvents": [1]}), Terms(**terms))
    assert words in str(caught.value)
    assert caught.value.exit_code == 3


def test_terms_a_plan_has_no_price_for_are_refused() -> None:
    usage = Usage(span("2027-01-01", 1), {"splunk-o365": [1]})
    with pytest.raises(TermsError, match="splunk-cloud-ingest has no commitment tiers"):
        bill(SPLUNK, usage, Terms(commitment="100"))
    with pytest.raises(NoPriceError, match="no price is known for keeping more than the 90 included days"):
        bill(SPLUNK, usage, Terms(retention_days=365))
    assert bill(SPLUNK, usage, Terms(commitment="best", retention_days=90)).commitment == "none"


@pytest.mark.parametrize(
    ("days", "gb", "words"),
    [
        ([], {}, "no days"),
        ([*span("2027-01-01", 2), *span("2027-01-04", 1)], {"A": [1, 1, 1]}, "2027-01-04 follows 2027-01-02"),
        (span("2027-01-01", 2), {"A": [1]}, "A: 1 days of GB; expected 2"),
        (span("2027-01-01", 1), {"A": [-1]}, "negative, non-finite or absurd GB"),
        (span("2027-01-01", 1), {"A": [float("nan")]}, "negative, non-finite or absurd GB"),
        (span("2027-01-01", 1), {"A": [1e12]}, "negative, non-finite or absurd GB"),
        (span("2027-01-01", 1), {"A": [float("inf")]}, "negative, non-finite or absurd GB"),
        (span("2027-01-01", 1), {"A": [[[1]]]}, "an array of shape (1, 1, 1)"),
        (span("2027-01-01", 1), {"A": [[1, 2]], "B": [[1, 2, 3]]}, "streams of [2, 3] draws"),
    ],
)
def test_usage_that_is_no_usage_is_refused(days, gb, words) -> None:
    with pytest.raises(UsageShapeError) as caught:
        Usage(days, gb)
    assert words in str(caught.value)
    assert caught.value.exit_code == 70


def test_the_exact_bill_is_of_one_course() -> None:
    with pytest.raises(UsageShapeError, match="3 draws; expected one series of days a stream"):
        bill(EAST, Usage(span("2027-01-01", 1), {"A": [[1, 2, 3]]}))
    with pytest.raises(UsageShapeError, match="'B' stands in earlier only"):
        Usage(span("2027-01-01", 1), {"A": [1]}, {"B": [1]})


def test_float_dust_buys_no_unit_of_capacity() -> None:
    # In floats the three streams add up to a hair more than 6 GB; in decimals, and on the invoice, to 6.
    streams = {"A": [0.2], "B": [4.9], "C": [0.9]}
    assert 0.2 + 4.9 + 0.9 > 6
    usage = Usage(span("2027-01-01", 1), streams)
    assert bill_draws(SPLUNK, usage).total[0, 0] == pytest.approx(6 * 2049.30 / 365)
    assert float(bill(SPLUNK, usage).total) == pytest.approx(6 * 2049.30 / 365)


def test_an_empty_stock_needs_no_price() -> None:
    # What was ingested in January is gone by May, when the price has ended.
    plan = parse_plan(
        GOOD.replace("from = 2026-01-01, amount = 0.10", "from = 2026-01-01, until = 2027-04-30, amount = 0.10")
    )
    gb = [0.1, 0.2, 0.3, 1e3] + [0.0] * 196
    usage = Usage(span("2027-01-01", 200), {"Paid": np.array(gb)[:, np.newaxis] * [1.0, 0.7]})
    terms = Terms(retention_days=100)
    drawn = bill_draws(plan, usage, terms)
    assert drawn.amount["kept"][:, 0] == pytest.approx(
        [float(bill(plan, one_draw(usage, 0), terms).by_meter()["kept"]) if m == "2027-04" else 0 for m in drawn.months]
    )
