"""The accuracy benchmark itself, small: it must print what it promises, and the forecast must beat the spreadsheet."""

import pytest

from benchmarks.accuracy import Trial, run, spec_of, summary
from estimator import Spread


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
