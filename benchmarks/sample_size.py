"""Whether samples of the advised size reach the wished precision: generated tenants, advised, sampled and lived on.

    python -m benchmarks.sample_size --tenants 100 --within 20

Each tenant has its few E5 mailboxes that emit. `sample-size` advises; the advised mailboxes of the advised classes are
switched on in the same tenant, which is sampled anew for the advised days, estimated from its files, and lived on. What
all mailboxes that would have joined go on to do is held against the forecast: the sampled ones at the rate they showed,
the others as `estimate` adds them. The advice is true if the error is within the wish in 70 % of tenants, where 80 % is
meant.
"""

from __future__ import annotations

import argparse
import datetime as dt
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from unittest import mock

import numpy as np

from estimator import estimate
from estimator.sample_size import SampleSize, sample_size_of
from sample_tenants.generator import Tenant, TenantSpec, generate, truth, write
from sample_tenants.generator import tenant as generator

OPERATION = "Exchange/MailItemsAccessed"
FEED = "raw-management-api"
SIZES = (60, 150, 300, 600)
BIASES = ("none", "mild", "strong")


@dataclass(frozen=True)
class Trial:
    """One tenant: what was advised, what the sample then showed, what came."""

    seed: int
    mailboxes: int
    status: str
    joining: int
    days: int
    sampled: int
    promised: float
    half_width: float
    error: float


def spec_of(seed: int, mailboxes: int | None = None) -> TenantSpec:
    """The tenant of a seed: size, shares and bias are drawn from it; nobody but holders of E5 emits."""
    dice = np.random.default_rng([20261124, seed])
    premium = dice.uniform(0.08, 0.25)
    frontline = dice.uniform(0.0, 0.35)
    size = int(dice.choice(SIZES))  # drawn even where it is fixed, so that the rest of the tenant stays the same
    return TenantSpec(
        seed=seed,
        mailboxes=mailboxes or size,
        licences={"SPE_E5": premium, "SPE_F1": frontline, "SPE_E3": 1 - premium - frontline},
        shared=dice.uniform(0.03, 0.15),
        bias=BIASES[int(dice.integers(3))],  # type: ignore[arg-type]
        sample_days=14,
        sample_start=dt.date(2026, 9, 14),
        mail=dice.uniform(0.6, 1.5),
    )


def run(seed: int, within: float, mailboxes: int | None = None) -> Trial | None:
    """Advise one tenant and hold the advice against its truth; None where no sample reaches the wish."""
    spec = spec_of(seed, mailboxes)
    tenant = generate(spec)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write(tenant, folder)
        advice = sample_size_of(
            folder, within=within, operation=OPERATION, as_of=spec.sample_end, seed=seed, days=(14,)
        )
    if advice.status == "not_reachable":
        return None
    chosen = {box for _, box in advice.mailboxes()}
    came = _added(truth(tenant, counts_only=True))
    days = advice.advice.days if advice.advice else spec.sample_days
    return _sampled(seed, spec, advice, chosen, days, came)


def _sampled(seed: int, spec: TenantSpec, advice: SampleSize, chosen: set[str], days: int, came: float) -> Trial:
    """The same tenant with the chosen mailboxes switched on, sampled for the advised days up to the same day."""
    longer = replace(spec, sample_days=days, sample_start=spec.sample_end - dt.timedelta(days=days))
    boxes = generator.make_mailboxes(longer)
    on = np.array([upn in chosen for upn in boxes.upn])
    # Their sets are reset to what Microsoft manages, so that a customised one emits too.
    boxes = replace(boxes, emitting=boxes.emitting | on, customised=boxes.customised & ~on)
    with mock.patch.object(generator, "make_mailboxes", return_value=boxes):
        tenant = generate(longer)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write(tenant, folder)
        result = estimate(folder, as_of=spec.sample_end)
    forecast = result.scenarios[0].forecast
    rest = forecast.events(OPERATION, "added", FEED)
    flowing = forecast.events(OPERATION, "already", FEED)
    rows = result.model.rows[OPERATION]
    share = float(rows.loc[rows["subject"].isin(chosen), "events"].sum()) / float(rows["events"].sum())
    draws = rest + flowing * share
    p10, p90 = np.quantile(draws, [0.1, 0.9])
    return Trial(
        seed, spec.mailboxes, advice.status, advice.joining, days, len(chosen),
        advice.advice.half_width if advice.advice else advice.half_width_today,
        float((p90 - p10) / 2 / draws.mean()), float(draws.mean()) / came - 1,
    )  # fmt: skip


def _write(tenant: Tenant, folder: Path) -> None:
    write(tenant, folder, counts_only=True)
    spec = tenant.spec
    (folder / "scenario.toml").write_text(
        f'schema_version = 1\nid = "all"\ntitle = "All"\nstart = {spec.forecast_start}\n'
        f'months = {spec.forecast_months}\ncountry = "{spec.country}"\n'
        f'[[feeds]]\nid = "{FEED}"\nconnected = true\n[[changes]]\nkind = "enable"\noperations = ["{OPERATION}"]\n'
    )


def _added(document: dict[str, object]) -> float:
    horizon = document["horizon"]
    assert isinstance(horizon, list)
    return float(next(row["added"]["events"] for row in horizon if row["operation"] == OPERATION))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tenants", type=int, default=100, help="how many tenants")
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--within", type=float, default=20, help="the wished precision in percent")
    parser.add_argument("--mailboxes", type=int, help="fix the size of the tenants")
    options = parser.parse_args()
    within, start = options.within / 100, time.perf_counter()
    trials, unreachable = [], 0
    print("seed  mailboxes  status     joining  days  sampled  promised  half width   error  within")
    for seed in range(options.first, options.first + options.tenants):
        trial = run(seed, within, options.mailboxes)
        if trial is None:
            unreachable += 1
            print(f"{seed:4}  not reachable by sampling", flush=True)
            continue
        trials.append(trial)
        print(
            f"{seed:4}  {trial.mailboxes:9}  {trial.status:9}  {trial.joining:7}  {trial.days:4}  {trial.sampled:7}  "
            f"{trial.promised:8.1%}  {trial.half_width:10.1%}  {trial.error:+6.1%}  "
            f"{'yes' if abs(trial.error) <= within else 'no'}",
            flush=True,
        )
    if trials:
        reached = sum(abs(trial.error) <= within for trial in trials) / len(trials)
        narrow = sum(trial.half_width <= within for trial in trials) / len(trials)
        print()
        print(f"tenants (not reachable)                     {len(trials)} ({unreachable})")
        print(f"error within {within:.0%} (70 % is the least)         {reached:.0%}")
        print(f"half width of the estimate within {within:.0%}        {narrow:.0%}")
        print(f"median absolute error                       {statistics.median(abs(t.error) for t in trials):.1%}")
        sampled = statistics.median(trial.sampled / trial.joining for trial in trials)
        print(f"median share of the joining that is sampled {sampled:.0%}")
    print(f"{time.perf_counter() - start:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()


__all__ = ["Trial", "run"]
