from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

import estimator
from estimator import catalog
from estimator.catalog import Prior, Priors

PRIORS = {field.name: getattr(catalog.priors(), field.name) for field in fields(Priors)}


@pytest.mark.parametrize("one", PRIORS.values(), ids=PRIORS)
def test_every_prior_has_unit_basis_source_and_meaning(one: Prior) -> None:
    assert one.source in catalog.sources()
    assert one.basis in ("published", "assumed")
    assert one.unit
    assert one.meaning
    assert one.value > 0


def test_values_of_the_sources() -> None:
    """Computed here from the counts the sources print, independently of the file."""
    priors = catalog.priors()
    assert priors.saturday_factor.value == pytest.approx(553 / 2260, abs=5e-4)
    assert priors.sunday_factor.value == pytest.approx(435 / 2260, abs=5e-4)
    assert priors.week_swing_log_sd.value == 0.065
    assert priors.day_dispersion.value == pytest.approx(531 / 33.3, abs=0.1)
    assert priors.mailbox_log_sd.value == 1.8
    shared_by_all = 0.12**2 - 0.065**2 - 56 * 531 / 2260**2
    assert priors.common_day_log_sd.value == pytest.approx(shared_by_all**0.5, abs=0.001)
    assert (priors.shared_mailbox_ratio.value, priors.shared_mailbox_pseudo_observations.value) == (0.75, 4)
    assert (priors.class_pseudo_weight.value, priors.unseen_scatter_phi.value) == (20, 0.35)
    assert priors.unseen_scatter_df.value == 6


def test_lab_settings_are_assumptions() -> None:
    ours = {"forecast-lab", "assumption"}
    assert {one.basis for one in PRIORS.values() if one.source in ours} == {"assumed"}
    assert {one.basis for one in PRIORS.values() if one.source not in ours} == {"published"}


@pytest.mark.parametrize("name", PRIORS)
def test_every_prior_is_used(name: str) -> None:
    """A prior that nothing draws on would be believed to matter."""
    code = "".join(path.read_text(encoding="utf-8") for path in Path(estimator.__path__[0]).glob("*.py"))
    assert f".{name}" in code
