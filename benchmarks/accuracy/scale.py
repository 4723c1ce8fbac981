"""How long a forecast of many mailboxes takes, from tables in memory: 24 months, eight operations.

    python -m benchmarks.accuracy.scale 50000 100000

prints CPU seconds of the fit and of the forecast with its monthly and horizon spreads, and the process's peak memory.
"""

from __future__ import annotations

import argparse
import resource
import time

import pandas as pd

from benchmarks.accuracy.trial import FEED, inventory, reduction
from benchmarks.accuracy.world import COUNTRY, Design, live
from estimator.draws import Draws
from estimator.forecast import Forecast
from estimator.rates import Holidays, fit_rates
from estimator.readiness import judge
from estimator.scenario import Enable, FeedState, Scenario, enabled

MONTHS, DRAWS = 24, 2000
_MORE = ("Send", "AttachmentAccess", "Create", "Update", "MoveToDeletedItems", "SoftDelete", "HardDelete")


def seconds(mailboxes: int) -> tuple[float, float]:
    """CPU seconds of fit and of forecast, of a tenant of so many mailboxes that shows eight mailbox operations."""
    world = live(Design(5, mailboxes, 0.15, 14, "none", 0.8, 1.8))
    tenant, seen = inventory(world), reduction(world)
    assert seen is not None
    rows = seen[seen["operation"] == "MailItemsAccessed"]
    seen = pd.concat([seen, *(rows.assign(operation=name) for name in _MORE)], ignore_index=True)
    verdicts = judge(tenant, seen)
    scenario = Scenario(
        schema_version=1,
        id="scale",
        title="Scale",
        start=world.forecast_start,
        months=MONTHS,
        country=COUNTRY,
        feeds=(FeedState(id=FEED, connected=True),),
        changes=(Enable(kind="enable", operations=("newly-available",)),),
    )
    parts = enabled(scenario, tenant.mailboxes, "scale")
    start = time.process_time()
    model = fit_rates(seen, tenant, verdicts, Holidays(COUNTRY), Draws(DRAWS, 0))
    fitted = time.process_time()
    result = Forecast(scenario, model, verdicts, parts)
    for monthly in (True, False):
        list(result.volumes(monthly=monthly))
    return fitted - start, time.process_time() - fitted


def peak_gb() -> float:
    """The most memory that this process has held, in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mailboxes", type=int, nargs="+")
    for mailboxes in parser.parse_args().mailboxes:
        fit, forecast = seconds(mailboxes)
        print(f"{mailboxes:,} mailboxes: fit {fit:.1f} s, forecast {forecast:.1f} s, peak {peak_gb():.2f} GB")


if __name__ == "__main__":
    main()
