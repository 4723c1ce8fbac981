"""The accuracy benchmark itself, small: it must print what it promises, and the forecast must beat the spreadsheet."""

import csv
import resource
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from benchmarks.accuracy import table, trial
from benchmarks.accuracy.designs import FACTORS, main_set
from benchmarks.accuracy.full import Trial, run, spec_of, summary
from benchmarks.accuracy.world import Design, live
from estimator import Spread, estimate
from estimator.draws import Draws
from estimator.folder import read_folder
from estimator.tenant import read_tenant
from sample_tenants.generator import generate, write

ROOT = Path(__file__).parents[1]


def test_the_figures_of_the_summary_by_hand() -> None:
    def trial(mean: float, p10: float, p90: float, spreadsheet: float) -> Trial:
        return Trial(1, spec_of(1, 60), Spread(mean, p10, mean, p90), spreadsheet, 100.0)

    figures = summary([trial(110, 90, 130, 200), trial(80, 60, 95, 150), trial(100, 80, 120, 90)])

    assert figures["median_abs_error"] == pytest.approx(0.10)
    assert figures["spreadsheet_median_abs_error"] == pytest.approx(0.5)
    assert figures["coverage_80"] == pytest.approx(2 / 3)
    assert figures["median_width_80"] == pytest.approx(0.4)
    assert figures["better_than_spreadsheet"] == 1.0


def test_a_tenant_is_forecast_nearer_than_the_spreadsheet() -> None:
    trial = run(spec_of(1003, 150))

    assert abs(trial.error) < abs(trial.spreadsheet_error)
    assert abs(trial.error) < 0.5


@pytest.mark.slow
def test_the_interval_holds_over_a_dozen_tenants() -> None:
    """Twelve tenants of 150 mailboxes: at 80 % fewer than six held has a chance of 1 in 250."""
    figures = summary([run(spec_of(seed, 150)) for seed in range(3001, 3013)])

    assert figures["coverage_80"] >= 0.5
    assert figures["median_abs_error"] < 0.3
    assert figures["median_abs_error"] < figures["spreadsheet_median_abs_error"]


# ---------------------------------------------------------------- tenants that only count


@pytest.mark.parametrize("log_sd", [1.0, 1.8])
@pytest.mark.parametrize("correlation", [0.5, 0.8, 0.95])
def test_rates_spread_and_follow_the_report_as_the_design_says(log_sd: float, correlation: float) -> None:
    """Over 21 weekdays' worth of records of each person's mailbox."""
    world = live(Design(5, 6000, 0.15, 14, "none", correlation, log_sd))
    people = world.person
    rate = np.log(world.rates[people] / 21 + 0.05)
    report = np.log(world.report[people].sum(axis=1) / 21 + 0.05)

    assert rate.std() == pytest.approx(log_sd, rel=0.08)
    assert np.corrcoef(rate, report)[0, 1] == pytest.approx(correlation, abs=0.05)


def test_only_those_that_emit_are_sampled_and_the_others_are_the_truth() -> None:
    world = live(Design(9, 300, 0.3, 14, "strong", 0.8, 1.0, "backup"))

    assert not world.people[~world.emitting].any()
    assert world.added == world.future[~world.emitting].sum()
    assert world.emitting[world.person].mean() == pytest.approx(0.3, abs=0.01)
    assert world.rates[world.emitting & world.person].mean() > 1.5 * world.rates[~world.emitting & world.person].mean()
    touched = (world.program > 0).all(axis=1).sum() / world.emitting.sum()
    assert 0.02 < touched < 0.25


def test_a_cut_export_stands_for_the_whole() -> None:
    whole = trial.reduction(live(Design(4, 600, inputs="all")))
    cut = trial.reduction(live(Design(4, 600, inputs="truncated")))
    assert whole is not None
    assert cut is not None

    assert cut["events"].sum() < 0.7 * whole["events"].sum()
    assert (cut["events"] * cut["weight"]).sum() == pytest.approx(whole["events"].sum(), rel=0.02)


def test_every_level_has_its_share_of_the_tenants() -> None:
    designs = main_set(1, 400)

    for factor, value in FACTORS.items():
        counts = Counter(map(value, designs))
        assert min(counts.values()) >= 100, (factor, counts)


def test_from_memory_the_forecast_is_the_one_from_files(tmp_path: Path) -> None:
    """A tenant of the full generator through `estimate`, and the same tables through the benchmark."""
    spec = spec_of(7, 60)
    write(generate(spec), tmp_path, counts_only=True)
    (tmp_path / "scenario.toml").write_text(
        f'schema_version = 1\nid = "all"\ntitle = "All"\nstart = {spec.forecast_start}\n'
        f'months = {spec.forecast_months}\ncountry = "{spec.country}"\n'
        f'[[feeds]]\nid = "{trial.FEED}"\nconnected = true\n'
        f'[[changes]]\nkind = "enable"\noperations = ["{trial.OPERATION}"]\n'
    )
    whole = estimate(tmp_path, as_of=spec.sample_end, draws=300, seed=2)
    (theirs,) = [
        v.events for v in whole.scenarios[0].horizon if (v.operation, v.flow) == (trial.OPERATION, "added")
    ]  # fmt: skip
    tenant = read_tenant(read_folder(tmp_path))

    ours = trial.forecast(
        tenant.inventory, tenant.reduction, spec.forecast_start, spec.forecast_months, spec.country, Draws(300, 2)
    )

    assert ours.added.to_json() == pytest.approx(theirs.to_json())


# ---------------------------------------------------------------- the table


def test_a_row_says_what_it_misses() -> None:
    def made(mean: float, p10: float, p90: float, spreadsheet: float) -> trial.Trial:
        return trial.Trial(Design(1), Spread(mean, p10, mean, p90), spreadsheet, 100.0)

    good = [made(104, 90, 115, 150)] * 16 + [made(104, 101, 115, 150)] * 4
    bad = [made(130, 120, 140, 110)] * 20

    row = table.row("good", good, error=0.06, ratio=0.8)
    assert (row.error, row.spreadsheet, row.coverage, row.missed) == (
        pytest.approx(0.04), pytest.approx(0.5), pytest.approx(0.8), "",
    )  # fmt: skip
    assert table.row("bad", bad, error=0.2, ratio=0.8).missed == (
        "error > 20%, ratio > 0.8, coverage, worse than the spreadsheet"
    )
    assert table.row("bad", bad, gated=False).missed == "worse than the spreadsheet"


@pytest.mark.slow
def test_the_small_benchmark_prints_one_table_and_writes_it(tmp_path: Path) -> None:
    out = tmp_path / "table.csv"
    command = ["-m", "benchmarks.accuracy", "--small", "--processes", "1", "--fresh", "77", "--out", str(out)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)

    done = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True, check=True)

    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime - before.ru_utime < 60
    with out.open() as file:
        rows = {row["level"]: row for row in csv.DictReader(file)}
    assert {"overall", "mailboxes 150", "bias strong", "truncated", "no sample", "fresh set 77"} <= set(rows)
    assert all(level in done.stdout for level in rows)
    # Forty tenants: at 80 % fewer than 24 held has a chance of 1 in 300.
    assert float(rows["overall"]["coverage"]) >= 0.6
    assert float(rows["bias strong"]["ratio"]) < 0.5


@pytest.mark.slow
def test_a_hundred_thousand_mailboxes_are_forecast_in_seconds_and_two_gigabytes() -> None:
    """24 months, 2,000 draws, eight operations, in CPU seconds; twice the mailboxes take less than twice the time.

    The promise is 10 s on a machine that does nothing else (7.9 measured); slower and busier ones have room.
    """
    figures = {}
    for mailboxes in (50_000, 100_000):
        code = (
            f"from benchmarks.accuracy.scale import peak_gb, seconds\nprint(sum(seconds({mailboxes})), peak_gb())"
        )  # fmt: skip
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
        figures[mailboxes] = tuple(map(float, done.stdout.split()))

    took, memory = figures[100_000]
    assert took < 20
    assert memory < 2
    assert took < 2 * figures[50_000][0]
