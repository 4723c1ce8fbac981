"""A feed that nobody's licences bring is told, and only where the licences can tell."""

from __future__ import annotations

import datetime as dt

import pytest

from estimator import catalog, estimate
from estimator.availability import _bringing
from tests.conftest import SCENARIO, Tenant, licence, licences_csv

AS_OF = dt.date(2026, 11, 23)


@pytest.mark.parametrize(
    ("skus", "told"),
    [
        (("SPE_E3", "SPE_E3"), True),
        (("SPE_E3", "SPE_E5"), False),  # E5 brings it
        (("SPE_E3", "EMSPREMIUM"), False),  # and so does EMS E5, without Audit (Premium)
        (("SPE_E3", "NEWER_THAN_THE_CATALOGUE"), False),  # nobody can tell
    ],
)
def test_it_is_told_where_no_licence_brings_it(skus: tuple[str, ...], told: bool, tenant: Tenant) -> None:
    names = ("ann", "bob", "cyd", "dan")
    held = [licence(name, skus[n % 2]) for n, name in enumerate(names)]
    result = estimate(tenant({"licences.csv": licences_csv(*held)}), as_of=AS_OF, draws=100)
    assert ("feed_not_available" in {finding.code for finding in result.findings}) is told


def test_it_is_not_told_of_a_scenario_without_the_feed(tenant: Tenant) -> None:
    held = [licence(name, "SPE_E3") for name in ("ann", "bob", "cyd", "dan")]
    scenario = SCENARIO.replace('kind = "connect"\nfeed = "sentinel-cloudappevents"', 'kind = "grow"\n'
                                "mailboxes_percent_per_year = 1")  # fmt: skip
    files = {"licences.csv": licences_csv(*held), "scenario.toml": scenario}
    result = estimate(tenant(files), as_of=AS_OF, draws=100)
    assert "feed_not_available" not in {finding.code for finding in result.findings}


def test_every_licence_that_brings_it_is_one_of_the_catalogue() -> None:
    assert len(_bringing()) > 30
    known = {sku.guid.lower() for sku in catalog.licences().values()}
    assert len(_bringing() & known) > 25
