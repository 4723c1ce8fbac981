"""What rates make of a sample with holes, of one that was cut, and of sizes that are not AuditData's."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pytest

from estimator import catalog, tables
from estimator.audit import doctor
from estimator.calendar import WEEKDAY
from estimator.draws import Draws
from estimator.forecast import Forecast
from estimator.rates import Holidays, OperationRates, RateModel, feed_factor, fit_rates
from estimator.readiness import judge
from estimator.scenario import FeedState
from tests.test_forecast import inventory, sample, story

MAIL_ITEMS = "Exchange/MailItemsAccessed"
DRAWS = Draws(2000, 0)
#: Share of a weekday's records per UTC hour, as measured (real_samples.md §2).
PROFILE = np.array([
    .031, .022, .019, .015, .011, .018, .021, .008, .012, .005, .009, .011,
    .023, .047, .116, .115, .099, .076, .065, .073, .076, .053, .050, .026,
])  # fmt: skip


class Lived:
    """A tenant that really lived some days: one row a record, from mailboxes a hundredfold apart.

    Forty mailboxes emit and sixty will; `records` has the columns day, hour, mailbox, of the forty.
    """

    def __init__(self, days: int = 28, mean: float = 120.0, seed: int = 3) -> None:
        dice = np.random.default_rng(seed)
        self.tenant = inventory(40, 60)
        rate = mean * np.exp(1.2 * dice.standard_normal(40) - 0.72)
        parts = []
        for day in pd.date_range("2026-09-14", periods=days, unit="us"):
            weight = 0.2 if day.day_of_week >= 5 else 1.0
            count = dice.poisson(rate * weight * dice.gamma(8, 1 / 8, 40))
            box = np.repeat(np.arange(40), count)
            hour = dice.choice(24, len(box), p=PROFILE / PROFILE.sum())
            parts.append(pd.DataFrame({"day": day, "hour": hour, "box": box}))
        self.records = pd.concat(parts, ignore_index=True)

    def reduced(self, records: pd.DataFrame, weight: float = 1.0, size: int = 2000) -> pd.DataFrame:
        frame = records.groupby(["day", "box"], as_index=False).size().rename(columns={"size": "events"})
        boxes = frame["box"].map(lambda n: f"u{n:03}@x.example").astype("str")
        out = frame.assign(
            subject=boxes, subject_kind="mailbox", principal=boxes, workload="Exchange", operation="MailItemsAccessed",
            access_type="", app_id="", throttled=False, raw_events=frame["events"], items=frame["events"],
            bytes=frame["events"] * size, size_basis="auditdata", weight=weight,
        )  # fmt: skip
        return out[tables.REDUCTION.names]

    def broken(self, records: pd.DataFrame) -> list[dt.date]:
        frame = records.groupby(["day", "hour"], as_index=False).size().rename(columns={"size": "events"})
        frame = frame.astype({"hour": "int64"}).assign(workload="Exchange", operation="MailItemsAccessed")
        return doctor.broken_days(frame[tables.HOURS.names])

    def model(self, reduction: pd.DataFrame, broken: list[dt.date] | None = None) -> RateModel:
        verdicts = judge(self.tenant, reduction)
        return fit_rates(reduction, self.tenant, verdicts, Holidays(), DRAWS, broken=broken or [])


@pytest.fixture(scope="module")
def lived() -> Lived:
    return Lived()


def levels(rates: OperationRates) -> tuple[float, float]:
    """Mean records per weekday that flow, and that the sixty would add."""
    assert rates.joining is not None
    (added,) = rates.joining.levels([np.arange(40, 100)])
    return float(rates.flowing.people.mean()), float(added.people.mean())


# ---------------------------------------------------------------------------------------------- days that are missing


def holes(records: pd.DataFrame) -> pd.DataFrame:
    """Two whole days are not there, and the second half of the last one."""
    last = records["day"].max()
    gone = records["day"].isin(pd.to_datetime(["2026-09-16", "2026-09-22"]))
    return records[~gone & ~((records["day"] == last) & (records["hour"] >= 15))]


def test_missing_days_do_not_lower_the_rates() -> None:
    lived = Lived(days=12)  # to a Friday
    seen = holes(lived.records)
    broken = lived.broken(seen)
    assert [str(day) for day in broken] == ["2026-09-16", "2026-09-22", "2026-09-25"]

    whole = levels(lived.model(lived.reduced(lived.records)).operations[MAIL_ITEMS])
    kept = levels(lived.model(lived.reduced(seen), broken).operations[MAIL_ITEMS])
    naive = levels(lived.model(lived.reduced(seen)).operations[MAIL_ITEMS])

    # Nine weekdays of a tenant whose days vary by a percent or two.
    assert kept == pytest.approx(whole, rel=0.03)
    assert naive[0] < 0.8 * whole[0]


def test_a_shorter_sample_is_a_wider_one() -> None:
    lived = Lived(days=12)
    days = list(lived.reduced(lived.records)["day"].dt.date.unique())
    whole, short = (lived.model(lived.reduced(lived.records), out) for out in ([], days[:5]))

    assert len(short.sampled_days) == 7
    assert list(short.sampled_days.date) == days[5:]
    spread = [m.operations[MAIL_ITEMS].flowing.people for m in (whole, short)]
    assert spread[1].std() / spread[1].mean() > 1.05 * spread[0].std() / spread[0].mean()


def test_days_need_not_be_contiguous_for_applications_either() -> None:
    seen = sample(40, 10)
    poller = seen.assign(principal="3c8e478f-21ca-493a-b87c-c7366d664d54", events=30)
    poller = poller[poller["subject"] == "u001@x.example"]
    both = pd.concat([seen, poller], ignore_index=True)
    tuesday = dt.date(2026, 9, 15)
    tenant = inventory(40, 60)

    def flowing(frame: pd.DataFrame, broken: list[dt.date]) -> Any:
        model = fit_rates(frame, tenant, judge(tenant, frame), Holidays(), DRAWS, broken=broken)
        return model.operations[MAIL_ITEMS].flowing

    without = flowing(both[both["day"] != pd.Timestamp(tuesday)], [tuesday])
    assert without.applications.mean() == pytest.approx(30, rel=0.02)
    assert without.people.mean() == pytest.approx(400, rel=0.02)
    assert flowing(both, [tuesday]).people == pytest.approx(without.people)


def test_what_only_a_broken_day_shows_is_not_zero() -> None:
    seen = sample(40, 10)
    friday = seen["day"] == seen["day"].max()
    once = seen[friday & (seen["subject_kind"] == "site")].assign(operation="FileDownloaded", events=50)
    tenant = inventory(40, 60)
    both = pd.concat([seen, once], ignore_index=True)
    model = fit_rates(both, tenant, judge(tenant, both), Holidays(), DRAWS, broken=[dt.date(2026, 9, 18)])

    assert len(model.sampled_days) == 4
    assert model.operations["SharePoint/FileDownloaded"].flowing.people.mean() == pytest.approx(100 / 5, rel=0.02)
    assert model.operations[MAIL_ITEMS].sampled_events == 4 * 400


def test_if_every_day_is_broken_all_count() -> None:
    seen, tenant = sample(40, 10), inventory(40, 60)
    days = [dt.date(2026, 9, n) for n in range(14, 19)]
    model = fit_rates(seen, tenant, judge(tenant, seen), Holidays(), DRAWS, broken=days)

    assert len(model.sampled_days) == 5


# ---------------------------------------------------------------------------------------------- exports that were cut


def cut(records: pd.DataFrame, rows: int, seed: int = 5) -> pd.DataFrame:
    return records.loc[np.sort(np.random.default_rng(seed).choice(len(records), rows, replace=False))]


@pytest.fixture(scope="module")
def month(lived: Lived) -> pd.DataFrame:
    """More records than one export of 50,000 rows holds."""
    assert len(lived.records) > 70_000
    return lived.records


@pytest.mark.parametrize("seed", range(3))
def test_with_the_true_count_the_rates_are_those_of_the_uncut_sample(
    lived: Lived, month: pd.DataFrame, seed: int
) -> None:
    rows = len(month) // 3
    whole = levels(lived.model(lived.reduced(month)).operations[MAIL_ITEMS])
    seen = cut(month, rows, seed)
    corrected = levels(lived.model(lived.reduced(seen, len(month) / rows)).operations[MAIL_ITEMS])
    uncorrected = levels(lived.model(lived.reduced(seen)).operations[MAIL_ITEMS])

    assert corrected == pytest.approx(whole, rel=0.03)
    assert uncorrected[0] == pytest.approx(whole[0] / 3, rel=0.03)


def test_each_file_has_its_own_weight(lived: Lived, month: pd.DataFrame) -> None:
    """The first two weeks came whole, the others cut: no average of weights is right for either."""
    early = month["day"] < month["day"].min() + pd.Timedelta(days=14)
    late = month[~early].reset_index(drop=True)
    seen = cut(late, len(late) // 4)
    both = pd.concat([lived.reduced(month[early]), lived.reduced(seen, len(late) / len(seen))], ignore_index=True)
    whole, mixed = lived.model(lived.reduced(month)), lived.model(both)

    assert levels(mixed.operations[MAIL_ITEMS]) == pytest.approx(levels(whole.operations[MAIL_ITEMS]), rel=0.03)
    assert mixed.weights.mean == pytest.approx(whole.weights.mean, rel=0.1)


def test_weights_leave_counts_and_sizes_alone(lived: Lived, month: pd.DataFrame) -> None:
    once, thrice = (lived.model(lived.reduced(month, weight)).operations[MAIL_ITEMS] for weight in (1.0, 3.0))

    assert thrice.sampled_events == once.sampled_events == len(month)
    assert thrice.bytes == pytest.approx(once.bytes)
    assert once.per_mailbox_day is not None
    assert thrice.per_mailbox_day == pytest.approx(3 * once.per_mailbox_day)


def test_sizes_are_means_weighted_by_what_each_record_stands_for() -> None:
    small, large = sample(40, 10, size=1000), sample(40, 10, size=2000).assign(weight=3.0)
    tenant, both = inventory(40, 60), pd.concat([small, large], ignore_index=True)
    rates = fit_rates(both, tenant, judge(tenant, both), Holidays(), DRAWS).operations[MAIL_ITEMS]

    assert rates.bytes.mean() == pytest.approx((1000 + 3 * 2000) / 4, rel=0.01)


def only_chance(model: RateModel, key: str = MAIL_ITEMS) -> float:
    """The relative variance of what flows that is not the tenant-wide swing, which is the same whatever was counted."""
    priors, days = catalog.priors(), model.sampled_days
    weekdays = int((Holidays().kinds(days) == WEEKDAY).sum())
    weeks = len(days) / 7
    common = (
        priors.week_swing_log_sd.value**2 / weeks
        + priors.common_day_log_sd.value**2 / weekdays
        + priors.drift_log_sd.value**2
    )
    people = model.operations[key].flowing.people
    return float(np.log(people).var() - common)


@pytest.mark.parametrize("weekdays", [5, 2])
def test_a_thinned_sample_is_less_certain_by_the_binomial_it_was_thinned_by(weekdays: int) -> None:
    """Days of forty mailboxes with exactly 25 records each, of which one in 25 was kept.

    On five days the days' own differences hold the thinning; on two it is added to what days vary by elsewhere.
    """
    dice = np.random.default_rng(4)
    whole = sample(40, 25)
    whole = whole[(whole["subject_kind"] == "mailbox") & whole["day"].isin(whole["day"].unique()[:weekdays])]
    kept = whole.assign(events=dice.binomial(whole["events"], 1 / 25), weight=25.0)
    kept = kept[kept["events"] > 0]
    tenant = inventory(40, 0)
    draws = Draws(20_000, 0)
    models = [fit_rates(frame, tenant, judge(tenant, frame), Holidays(), draws) for frame in (whole, kept)]
    total = float(whole["events"].sum())
    estimate = 25.0 * float(kept["events"].sum())
    days_vary = catalog.priors().day_dispersion.value if weekdays < 3 else 1.0  # per record: Poisson, if measured

    assert only_chance(models[0]) == pytest.approx(days_vary / total, rel=0.25, abs=3e-4)
    # Each record of the whole adds (1 - p) / p = 24.
    assert only_chance(models[1]) == pytest.approx((days_vary + 24) / estimate, rel=0.25)


# ------------------------------------------------------------------------------------------- sizes as a feed bills them


def sizes_of(*parts: pd.DataFrame) -> OperationRates:
    tenant, frame = inventory(40, 60), pd.concat(parts, ignore_index=True)
    return fit_rates(frame, tenant, judge(tenant, frame), Holidays(), DRAWS).operations[MAIL_ITEMS]


def test_a_size_measured_as_a_feed_bills_it_comes_back_on_that_feed() -> None:
    feed = catalog.feed("sentinel-cloudappevents")
    rates = sizes_of(sample(40, 10, size=3600).assign(size_basis=f"feed:{feed.id}"))
    billed = rates.bytes * feed_factor(DRAWS, feed, "size")

    assert rates.bytes_basis == "partly_measured"
    assert rates.bytes.mean() == pytest.approx(3600 / feed.size_factor.mean, rel=0.03)
    assert billed == pytest.approx(3600 * sizes_of(sample(40, 10, size=3600)).bytes / 3600)
    assert billed.mean() == pytest.approx(3600, rel=0.01)
    # Only what mailboxes differ by is left: the factor's range is not.
    assert billed.std() / billed.mean() < 0.06 < rates.bytes.std() / rates.bytes.mean()


def test_the_forecast_bills_it_by_the_same_draws() -> None:
    feed = "sentinel-cloudappevents"
    seen = sample(40, 10, size=3600).assign(size_basis=f"feed:{feed}")
    tenant = inventory(40, 60)
    verdicts = judge(tenant, seen)
    model = fit_rates(seen, tenant, verdicts, Holidays(), DRAWS)
    result = Forecast(story(feeds=(FeedState(id=feed, connected=True),)), model, verdicts, [])
    (volume,) = [v for v in result.volumes(monthly=False) if (v.operation, v.flow) == (MAIL_ITEMS, "already")]
    assert volume.gb.mean / volume.events.mean == pytest.approx(3600 / 1e9, rel=0.01)


def test_auditdata_is_taken_alone_where_there_is_any() -> None:
    feed = sample(40, 10, size=9000).assign(size_basis="feed:sentinel-cloudappevents")
    rates = sizes_of(sample(40, 10, size=2000), feed, sample(40, 10, size=0).assign(size_basis="none"))

    assert rates.bytes_basis == "measured"
    assert rates.bytes.mean() == pytest.approx(2000, rel=0.01)
    assert rates.flowing.people.mean() == pytest.approx(3 * 400, rel=0.02)


def test_two_feeds_are_brought_to_one_scale() -> None:
    raw = sample(40, 30, size=2000).assign(size_basis="feed:raw-management-api")
    cloud = sample(40, 10, size=3600).assign(size_basis="feed:sentinel-cloudappevents")
    factor = catalog.feed("sentinel-cloudappevents").size_factor.mean

    assert sizes_of(raw, cloud).bytes.mean() == pytest.approx((3 * 2000 + 3600 / factor) / 4, rel=0.02)


@pytest.mark.parametrize("basis", ["none", "feed:nobody-knows"])
def test_without_any_size_the_catalogues_is_taken(basis: str) -> None:
    rates = sizes_of(sample(40, 10, size=7).assign(size_basis=basis))

    assert rates.bytes_basis == catalog.size_of(MAIL_ITEMS).basis
    assert catalog.size_of(MAIL_ITEMS).low <= rates.bytes.min()
    assert rates.bytes.max() <= catalog.size_of(MAIL_ITEMS).high


def test_broken_days_outside_the_sample_change_nothing() -> None:
    tenant, seen = inventory(40, 60), sample(40, 10)
    a, b = (
        fit_rates(seen, tenant, judge(tenant, seen), Holidays(), DRAWS, broken=broken).operations[MAIL_ITEMS]
        for broken in ([], [dt.date(2030, 1, 1)])
    )
    assert (a.flowing.people == b.flowing.people).all()
