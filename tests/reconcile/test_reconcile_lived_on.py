"""Known truth: generated tenants, forecast, then lived on for five weeks, reconciled, and lived on for the rest."""

from __future__ import annotations

import datetime as dt
import json
import statistics
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from estimator import estimate
from estimator.forecast import Spread
from estimator.reconcile import reconcile_forecast
from sample_tenants.generator import TenantSpec, generate, write
from sample_tenants.generator.operations import BIND, SYNC
from sample_tenants.generator.tenant import Tenant, future
from sample_tenants.generator.visibility import Visibility

MAIL, FEED, KNOWN = "Exchange/MailItemsAccessed", "raw-management-api", 35


@dataclass(frozen=True)
class Trial:
    forecast: Spread
    recalibrated: Spread
    truth: float
    error_seen: float


def daily(tenant: Tenant) -> dict[dt.date, int]:
    """MailItemsAccessed by day once every mailbox that can emit it does."""
    boxes, visibility = tenant.mailboxes, Visibility(tenant.spec, tenant.mailboxes)
    emits, out = boxes.emits(), {}
    for events in future(tenant):
        mine = events.where(np.isin(events.operation, [BIND, SYNC]))
        shown = visibility.shows(mine)
        joins = boxes.audited[mine.mailbox] & ~emits[mine.operation, mine.mailbox] & ~visibility.bypassed(mine)
        mine = mine.where(shown | joins)
        for day, count in zip(*np.unique(mine.time // 86_400, return_counts=True), strict=True):
            date = dt.date(1970, 1, 1) + dt.timedelta(days=int(day))
            out[date] = out.get(date, 0) + int(count)
    return out


def live(seed: int, folder: Path) -> Trial:
    """Two weeks of January 2027 sampled, February to May forecast, five weeks of it come."""
    spec = TenantSpec(
        seed=seed, mailboxes=150, pilots=0.08, sample_start=dt.date(2027, 1, 11),
        forecast_start=dt.date(2027, 2, 1), forecast_months=4,
    )  # fmt: skip
    tenant = generate(spec)
    (folder / "tenant").mkdir(parents=True)
    write(tenant, folder / "tenant", counts_only=True)
    (folder / "tenant" / "all.toml").write_text(
        f'schema_version = 1\nid = "all"\ntitle = "All"\nstart = {spec.forecast_start}\nmonths = 4\ncountry = "US"\n'
        f'[[feeds]]\nid = "{FEED}"\nconnected = true\n[[changes]]\nkind = "enable"\noperations = ["{MAIL}"]\n'
    )
    made = estimate(folder / "tenant", as_of=spec.sample_end, draws=1000)
    (folder / "forecast.json").write_text(json.dumps(made.to_json()))
    came = daily(tenant)
    days = sorted(came)
    rows = [f"{day},{FEED},{MAIL},{came[day] * 400 / 1e9:.12f},{came[day]}" for day in days[:KNOWN]]
    (folder / "billed.csv").write_text("\n".join(["day,feed,operation,gb,events", *rows]) + "\n")
    found = reconcile_forecast(folder / "forecast.json", [folder / "billed.csv"], country="US")
    (line,) = [one for one in found.lines if one.measure == "events"]
    (rest,) = [one for one in found.recalibrated if one.measure == "events" and one.month is None]
    assert line.actual == sum(came[day] for day in days[:KNOWN])
    assert rest.start == days[KNOWN]
    assert line.error is not None
    return Trial(rest.forecast, rest.recalibrated, sum(came[day] for day in days[KNOWN:]), line.error)


@pytest.mark.slow
def test_a_forecast_that_was_far_off_is_set_right(tmp_path: Path) -> None:
    """Seed 31 came 19 % below its forecast in the first five weeks; nothing of the rest is shown to `reconcile`."""
    trial = live(31, tmp_path)

    assert abs(trial.error_seen) > 0.1
    assert abs(trial.recalibrated.mean / trial.truth - 1) < 0.5 * abs(trial.forecast.mean / trial.truth - 1)
    assert trial.recalibrated.p90 - trial.recalibrated.p10 < 0.5 * (trial.forecast.p90 - trial.forecast.p10)


@pytest.mark.slow
def test_recalibrated_forecasts_are_nearer_narrower_and_hold(tmp_path: Path) -> None:
    """Ten tenants: at 80 % fewer than six held has a chance of 1 in 30."""
    trials = [live(seed, tmp_path / str(seed)) for seed in range(61, 71)]

    before, after = (
        [abs(getattr(one, which).mean / one.truth - 1) for one in trials] for which in ("forecast", "recalibrated")
    )
    assert statistics.median(after) < statistics.median(before)
    for one in trials:
        assert one.recalibrated.p90 - one.recalibrated.p10 < one.forecast.p90 - one.forecast.p10
    assert sum(one.recalibrated.p10 <= one.truth <= one.recalibrated.p90 for one in trials) >= 6
