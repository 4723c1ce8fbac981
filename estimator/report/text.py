"""The estimate as one long CSV."""

from __future__ import annotations

import csv
import io

from estimator.forecast import Spread
from estimator.pipeline import Estimate
from estimator.report.layout import no_formula


def as_csv(result: Estimate) -> str:
    """Every spread of the estimate as one long table, unrounded.

    Columns: scenario, table (volume, volume_horizon, routed, cost, cost_year, cost_horizon, run_rate_month, case),
    month (of cost_year the fiscal year), plan, feeds (of routed `feed@tier`), operation, flow, basis, measure (events,
    gb, or a currency), mean, p10, p50, p90, as_of, and of an open case its code and title: what is added over the
    horizon if it holds.
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["scenario", "table", "month", "plan", "feeds", "operation", "flow", "basis", "measure",
                     "mean", "p10", "p50", "p90", "as_of", "case", "case_title"])  # fmt: skip

    def write(cells: list[str], case: str = "", title: str = "") -> None:
        words, figures = cells[:-4], cells[-4:]
        writer.writerow([*map(no_formula, words), *figures, result.as_of, *map(no_formula, (case, title))])

    def spread(spread: Spread) -> list[str]:
        return [repr(spread.mean), repr(spread.p10), repr(spread.p50), repr(spread.p90)]

    for one in result.scenarios:
        name = one.scenario.id
        for table, volumes in (("volume", one.monthly), ("volume_horizon", one.horizon)):
            for v in volumes:
                start = [name, table, v.month or "", "", v.feed, v.operation, v.flow, v.basis]
                write([*start, "events", *spread(v.events)])
                write([*start, "gb", *spread(v.gb)])
        for use in one.forecast.uses:
            for tier in one.forecast.tiers(use):
                gone = one.forecast.routed(use.feed.id, tier)
                for m, month in enumerate(gone.months):
                    start = [name, "routed", month, "", f"{use.feed.id}@{tier}", "", "", ""]
                    write([*start, "events", *spread(Spread.of(gone.events[m]))])
                    write([*start, "gb", *spread(Spread.of(gone.gb[m]))])
        for cost in one.costs:
            bills = {"without": cost.without, "with": cost.with_, "added": cost.added}
            plan, feeds, unit = cost.plan.id, "+".join(cost.feeds), cost.plan.currency
            for flow, draws in bills.items():
                for month, row in zip(cost.months, draws, strict=True):
                    write([name, "cost", month, plan, feeds, "", flow, "", unit, *spread(Spread.of(row))])
                total = Spread.of(draws.sum(axis=0))
                write([name, "cost_horizon", "", plan, feeds, "", flow, "", unit, *spread(total)])
            for year in cost.years(one.scenario.fiscal_year_start):
                for flow, total in (("without", year.without), ("with", year.with_), ("added", year.added)):
                    write([name, "cost_year", year.label, plan, feeds, "", flow, "", unit, *spread(total)])
            added = [plan, feeds, "", "added", "", unit]
            write([name, "run_rate_month", "", *added, *spread(cost.run_rate())])
            for case in cost.cases:
                write([name, "case", "", *added, *spread(case.added)], case.code, case.title)
    return file.getvalue()
