"""The chart of an estimate: monthly added cost as a fan, readable without explanation."""

from __future__ import annotations

import datetime as dt
import io
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from estimator.cost import Cost
from estimator.errors import UsageError
from estimator.files import write_whole
from estimator.forecast import Spread
from estimator.pipeline import Estimate, ScenarioEstimate
from estimator.report.figures import is_saving, money, money_of, turned
from estimator.report.sections import differing, means_at_least, rising_to, whole_bills

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FORMATS = (".png", ".svg")

_INK, _MUTED, _LINE, _BAND, _BUDGET = "#1f2933", "#5f6c7b", "#0b5cad", "#9cc4ec", "#b42318"


def write_chart(result: Estimate, path: Path) -> None:
    """Draw one panel per scenario and plan, all feeds of the plan together, into a PNG or SVG file.

    Raises:
        UsageError: another file type, or nothing was priced.
        OutputError: the file cannot be written.
    """
    check_format(path)
    panels = [(one, cost) for one in result.scenarios for cost in whole_bills(one)]
    if not panels:
        raise UsageError("--chart shows cost, and no plan prices the scenario's feeds", mend="Name a plan with --plan.")
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    # Text stays text, and ids do not depend on the run, so that the same estimate gives the same file.
    style: Any = {
        "svg.hashsalt": "siem-estimator",
        "svg.fonttype": "none",
        "font.family": "DejaVu Sans",
        "font.size": 10,
    }
    with pyplot.rc_context(style):
        figure, axes = pyplot.subplots(
            len(panels), 1, figsize=(9.5, 4.9 * len(panels)), squeeze=False, layout="constrained"
        )
        for axis, (one, cost) in zip(axes[:, 0], panels, strict=True):
            _panel(axis, one, cost)
        figure.text(0.01, 0.0, _footer(result), ha="left", va="top", fontsize=7.5, color=_MUTED, wrap=True)
        figure.savefig(
            (buffer := io.BytesIO()),
            format=path.suffix[1:].lower(),
            dpi=150,
            bbox_inches="tight",
            pad_inches=0.2,
            metadata={"Date": None} if path.suffix.lower() == ".svg" else {"Software": None},
        )
        pyplot.close(figure)
    write_whole(path, buffer.getvalue())


def check_format(path: Path) -> None:
    """Refuse a chart file that is neither PNG nor SVG, before anything is computed."""
    if path.suffix.lower() not in FORMATS:
        raise UsageError(f"--chart {path}: the file type {path.suffix!r} is not known", expected=" or ".join(FORMATS))


def _panel(axis: Axes, one: ScenarioEstimate, cost: Cost) -> None:
    added = cost.added
    months = np.arange(len(cost.months))
    p10, p50, p90 = np.quantile(added, [0.1, 0.5, 0.9], axis=1)
    typical = Spread.of(added.mean(axis=0))
    unit = cost.plan.currency
    at_least = "At least " if means_at_least(one, cost) else ""
    headline = f"{at_least}{unit} {money_of(typical)} more a month"
    if is_saving(typical):
        headline = f"{unit} {money_of(turned(typical))} less a month"
    headline += rising_to(cost)
    if not added.any():
        headline = f"{unit} 0 more a month"
    streams = " + ".join(use.feed.stream for use in one.forecast.uses if use.feed.id in cost.feeds)
    subtitle = f"{one.scenario.title} · {cost.plan.title} · {streams}"
    under = [*textwrap.wrap(subtitle, 100), *textwrap.wrap(case_line(cost), 110)]
    axis.set_title(headline, loc="left", fontsize=15, fontweight="bold", color=_INK, pad=16 + 11 * len(under))
    axis.text(0, 1.03, "\n".join(under), transform=axis.transAxes, fontsize=9, color=_MUTED, va="bottom")
    label = "the same in every draw"
    if (p90 - p10).max() > 1e-6 * max(np.abs(p50).max(), 1e-9):
        axis.fill_between(months, p10, p90, color=_BAND, alpha=0.7, linewidth=0, label="8 in 10 outcomes (P10 to P90)")
        label = "median: as likely above as below"
    axis.plot(months, p50, color=_LINE, linewidth=2.2, marker="o", markersize=4, label=label)
    budget = one.scenario.budget
    top = float(p90.max())
    if budget is not None and budget.currency == unit and budget.applies_to == "added":
        limit = float(budget.monthly)
        # A budget far above the fan would flatten it to a line; it is then named instead of drawn.
        if limit <= 3 * max(top, 1e-9):
            label = f"budget {money(limit, limit)}"
            axis.axhline(limit, color=_BUDGET, linewidth=1.4, linestyle=(0, (5, 3)), label=label)
            top = max(top, limit)
        else:
            axis.plot([], [], " ", label=f"budget {unit} {money(limit, limit)} a month lies far above")
    low = min(float(p10.min()), 0.0)
    axis.set_ylim(low * 1.1, top * 1.18 if top > 0 else 1)
    axis.set_xlim(-0.3, len(months) - 0.7)
    step = max(1, len(months) // 12)
    axis.set_xticks(months[::step], [_month(m) for m in cost.months[::step]])
    axis.set_ylabel(f"added cost a month, {unit}", color=_MUTED)
    axis.yaxis.set_major_formatter(lambda value, _: money(value, top * 0.5))
    axis.grid(axis="y", color="#e4e7eb", linewidth=0.8)
    axis.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axis.spines[side].set_visible(False)
    axis.tick_params(colors=_MUTED, length=0)
    for at, value in ((0, p50[0]), (len(months) - 1, p50[-1])):
        axis.annotate(
            money(float(value), float(p90[at] - p10[at])),
            (at, value),
            xytext=(0, 8),
            textcoords="offset points",
            ha="center",
            fontsize=9,
            color=_INK,
            fontweight="bold",
        )
    axis.legend(loc="upper left", frameon=False, fontsize=8.5, ncols=3, bbox_to_anchor=(0, 1.0), labelcolor=_INK)


def case_line(cost: Cost) -> str:
    """What else a month would add on the mean, if what is open is otherwise; empty where nothing differs."""
    count = len(cost.months)
    each = []
    for case in differing(cost):
        added = case.added
        a_month = Spread(added.mean / count, added.p10 / count, added.p50 / count, added.p90 / count)
        each.append(f"{cost.plan.currency} {money_of(a_month)} a month if {case.title}")
    return "; ".join(each)


def _month(label: str) -> str:
    day = dt.date.fromisoformat(f"{label}-01")
    return day.strftime("%b\n%Y") if day.month == 1 else day.strftime("%b")


def _footer(result: Estimate) -> str:
    dates = ", ".join(
        f"{plan.id} prices checked {plan.checked_on}"
        for plan in {c.plan.id: c.plan for one in result.scenarios for c in one.costs}.values()
    )
    unknown = len(result.not_known)
    missing = f" {unknown} operations have no known rate and are not in it." if unknown else ""
    return (
        f"siem-estimator, as of {result.as_of}. {len(result.tenant.inventory.mailboxes):,} mailboxes. List prices "
        f"before tax unless a discount is stated; {dates}.{missing}"
    )
