"""How near the forecast is to the truth on tenants of the full generator: written to files, estimated, lived on.

    python -m benchmarks.accuracy.full --seeds 30
    python -m benchmarks.accuracy.full --seeds 30 --without activity        # or: sample

prints, over the seeds, the median absolute error of added MailItemsAccessed events of the forecast (mean) and of the
spreadsheet (sampled events ÷ mailboxes that have any ÷ days × joining mailboxes × days of the horizon), how often
P10-P90 held the truth, and how wide it is. The generator shares neither code nor functional form with the model.
"""

from __future__ import annotations

import argparse
import datetime as dt
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from estimator import Spread, estimate
from estimator.scenario import load_scenario
from sample_tenants.generator import TenantSpec, generate, truth, write

OPERATION = "Exchange/MailItemsAccessed"
FEED = "raw-management-api"
SIZES = (60, 150, 300, 600)
BIASES = ("none", "mild", "strong")
LEFT_OUT = {"activity": "email_activity.csv", "sample": "audit.csv.gz"}


@dataclass(frozen=True)
class Trial:
    """One tenant: what was forecast, what a spreadsheet says, what came."""

    seed: int
    spec: TenantSpec
    forecast: Spread
    spreadsheet: float
    truth: float

    @property
    def error(self) -> float:
        return self.forecast.mean / self.truth - 1

    @property
    def spreadsheet_error(self) -> float:
        return self.spreadsheet / self.truth - 1

    @property
    def held(self) -> bool:
        return self.forecast.p10 <= self.truth <= self.forecast.p90

    @property
    def width(self) -> float:
        return (self.forecast.p90 - self.forecast.p10) / self.forecast.mean


def spec_of(seed: int, mailboxes: int | None = None) -> TenantSpec:
    """The tenant of a seed: size, shares, bias and length of sample are drawn from it."""
    dice = np.random.default_rng([20261123, seed])
    premium = dice.uniform(0.08, 0.25)
    frontline = dice.uniform(0.0, 0.35)
    size = int(dice.choice(SIZES))  # drawn even where it is fixed, so that the rest of the tenant stays the same
    return TenantSpec(
        seed=seed,
        mailboxes=mailboxes or size,
        licences={"SPE_E5": premium, "SPE_F1": frontline, "SPE_E3": 1 - premium - frontline},
        shared=dice.uniform(0.03, 0.15),
        pilots=float(dice.choice([0.0, 0.05, 0.15])),
        bias=BIASES[int(dice.integers(3))],  # type: ignore[arg-type]
        sample_days=int(dice.choice([7, 14])),
        sample_start=dt.date(2026, 9, 14),
        mail=dice.uniform(0.6, 1.5),
    )


def run(spec: TenantSpec, without: str | None = None) -> Trial:
    """Generate a tenant, estimate it from its files, and hold the estimate against what it went on to do.

    Args:
        spec: the tenant.
        without: the input that is left out: `activity`, `sample`, or none.
    """
    tenant = generate(spec)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(tenant, folder, counts_only=True)
        if without is not None:
            (folder / LEFT_OUT[without]).unlink()
        story = folder / "scenario.toml"
        story.write_text(
            f'schema_version = 1\nid = "all"\ntitle = "All"\nstart = {spec.forecast_start}\n'
            f'months = {spec.forecast_months}\ncountry = "{spec.country}"\n'
            f'[[feeds]]\nid = "{FEED}"\nconnected = true\n'
            f'[[changes]]\nkind = "enable"\noperations = ["{OPERATION}"]\n'
        )
        result = estimate(folder, as_of=spec.sample_end)
        days = len(load_scenario(story).days)
    volumes = [v for v in result.scenarios[0].horizon if (v.operation, v.flow) == (OPERATION, "added")]
    states = result.tenant.readiness.of(OPERATION)
    joining = int(((states["state"] == "blocked") & states["mendable"]).sum())
    per_day = result.model.operations[OPERATION].per_mailbox_day or 35.0  # without a sample a spreadsheet takes it
    came = truth(tenant, counts_only=True)["horizon"]
    return Trial(spec.seed, spec, volumes[0].events, per_day * joining * days, _added(came))


def _added(horizon: object) -> float:
    assert isinstance(horizon, list)
    return float(next(row["added"]["events"] for row in horizon if row["operation"] == OPERATION))


def summary(trials: list[Trial]) -> dict[str, float]:
    """The figures over a set of trials."""
    held = [t.held for t in trials]
    return {
        "tenants": len(trials),
        "median_abs_error": statistics.median(abs(t.error) for t in trials),
        "median_error": statistics.median(t.error for t in trials),
        "spreadsheet_median_abs_error": statistics.median(abs(t.spreadsheet_error) for t in trials),
        "coverage_80": sum(held) / len(held),
        "median_width_80": statistics.median(t.width for t in trials),
        "better_than_spreadsheet": sum(abs(t.error) < abs(t.spreadsheet_error) for t in trials) / len(trials),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=30, help="how many tenants")
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--mailboxes", type=int, help="fix the size of the tenants")
    parser.add_argument("--without", choices=LEFT_OUT, help="leave an input out")
    options = parser.parse_args()
    start = time.perf_counter()
    trials = []
    print("seed  mailboxes  bias    days  truth      forecast   P10 – P90              error  spreadsheet  held")
    for seed in range(options.first, options.first + options.seeds):
        trial = run(spec_of(seed, options.mailboxes), options.without)
        trials.append(trial)
        spec, forecast = trial.spec, trial.forecast
        print(
            f"{seed:4}  {spec.mailboxes:9}  {spec.bias:6}  {spec.sample_days:4}  {trial.truth:9,.0f}  "
            f"{forecast.mean:9,.0f}  {forecast.p10:9,.0f} – {forecast.p90:9,.0f}  {trial.error:+6.1%}  "
            f"{trial.spreadsheet_error:+11.1%}  {'yes' if trial.held else 'no'}",
            flush=True,
        )
    figures = summary(trials)
    print()
    print(f"tenants                                   {figures['tenants']:.0f}")
    print(f"median absolute error, forecast           {figures['median_abs_error']:.1%}")
    print(f"median absolute error, spreadsheet        {figures['spreadsheet_median_abs_error']:.1%}")
    print(f"median error (bias), forecast             {figures['median_error']:+.1%}")
    print(f"P10-P90 held the truth (80 % is meant)    {figures['coverage_80']:.0%}")
    print(f"median width of P10-P90, of the mean      {figures['median_width_80']:.0%}")
    print(f"nearer than the spreadsheet               {figures['better_than_spreadsheet']:.0%} of tenants")
    print(f"{time.perf_counter() - start:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()


__all__ = ["Trial", "run", "spec_of", "summary"]
