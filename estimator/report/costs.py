"""The cost of a scenario as sections: over the horizon, by fiscal year, and the bills line by line."""

from __future__ import annotations

from calendar import month_name
from collections.abc import Iterator, Sequence

from estimator.cost import Cost
from estimator.forecast import Spread
from estimator.pipeline import ScenarioEstimate
from estimator.report.figures import money, money_interval, money_of, significant
from estimator.report.headline import feeds_of, whole_bills
from estimator.report.layout import Section


def costs(one: ScenarioEstimate) -> Section:
    """Each bill over the horizon, and under those of all feeds together the cases that are open."""
    budget = one.scenario.budget
    rows, whole = [], whole_bills(one)
    for cost in one.costs:
        without, with_, added = (Spread.of(x.sum(axis=0)) for x in (cost.without, cost.with_, cost.added))
        row = [_named(cost), feeds_of(cost), cost.plan.currency, money_of(without), money_of(with_),
               money_of(added), money_interval(added), money_of(cost.run_rate())]  # fmt: skip
        if budget is not None:
            row.append("–" if cost.over_budget is None else f"{cost.over_budget:.0%}")
        rows.append(row)
        if not any(cost is other for other in whole):
            continue
        for case in cost.cases:
            other = ["", f"  if {case.title}", cost.plan.currency, "", "", money_of(case.added),
                     money_interval(case.added), ""]  # fmt: skip
            rows.append(other + ([""] if budget is not None else []))
    headers = ["plan", "feeds", "currency", "without", "with", "added", "P10 – P90", "a month in the long run"]
    words = [_in_the_long_run(whole)]
    if floors := dict.fromkeys(cost.plan.id for cost in one.costs if cost.plan.at_least):
        words.append(
            f'Some prices of {" and ".join(floors)} are floors ("as low as"): each of its bills is at least what is '
            "shown."
        )
    if budget is not None:
        headers.append("chance of a month over budget")
        limit = money(float(budget.monthly))
        words.append(
            f"Budget: {budget.currency} {f'{budget.monthly:f}' if limit.startswith('<') else limit} a month on what is "
            f"{'added' if budget.applies_to == 'added' else 'billed in all'}, held at {budget.quantile}."
        )
    return Section(f"Cost over the {one.scenario.months} months", level=3, words=words, headers=headers, rows=rows)


def _named(cost: Cost) -> str:
    return f"{cost.plan.id} (at least)" if cost.plan.at_least else cost.plan.id


def _in_the_long_run(costs: Sequence[Cost]) -> str:
    """From which days that month is taken; the feeds of a scenario may have their last change apart."""
    taken = " or ".join(dict.fromkeys(cost.run.taken_from for cost in costs))
    return f"The month in the long run, once every change is in force, is a mean month of {taken}."


def years(one: ScenarioEstimate) -> Iterator[Section]:
    """Totals by fiscal year, where the horizon touches more than one."""
    start = one.scenario.fiscal_year_start
    rows = []
    for cost in whole_bills(one):
        each = cost.years(start)
        if len(each) < 2:
            continue
        for year in each:
            rows.append([_named(cost), year.label, str(len(year.months)), cost.plan.currency, money_of(year.without),
                         money_of(year.with_), money_of(year.added), money_interval(year.added)])  # fmt: skip
    if rows:
        words = "Fiscal years are calendar years; a scenario says otherwise with fiscal_year_start."
        if start > 1:
            words = f"Fiscal years start in {month_name[start]} and are named by the year they end in."
        yield Section(
            "Cost by fiscal year",
            level=3,
            words=[f"{words} Of a year with fewer than 12 months it is the part inside the horizon."],
            headers=["plan", "year", "months", "currency", "without", "with", "added", "P10 – P90"],
            rows=rows,
        )


def bills(one: ScenarioEstimate) -> Iterator[Section]:
    """The bill of each plan line by line, with the scenario at mean volumes."""
    for cost in whole_bills(one):
        rows = [
            [line.meter, line.stream or "",
             f"{line.quantity.normalize():f}" if line.unit == "%" else significant(float(line.quantity)), line.unit,
             "" if line.unit_price is None else f"{line.unit_price:,f}", money(float(line.amount), 0),
             str(line.price_from or ""), line.sources[0] if line.sources else ""]
            for line in cost.lines
        ]  # fmt: skip
        yield Section(
            f"The bill with the scenario at mean volumes, {cost.plan.id}",
            level=3,
            words=list(dict.fromkeys([*cost.notes, *(line.note for line in cost.lines if line.amount and line.note)])),
            headers=["meter", "stream", "quantity", "unit", "unit price", f"amount, {cost.plan.currency}",
                     "price from", "source"],
            rows=rows,
        )  # fmt: skip
