"""One tenant: forecast from tables in memory, and held against what came."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd

from benchmarks.accuracy.world import COUNTRY, FORECAST_MONTHS, REPORT_DAYS, Design, World, live
from estimator import Spread, tables
from estimator.draws import Draws
from estimator.forecast import Forecast
from estimator.inventory import Inventory
from estimator.rates import Holidays, RateModel, fit_rates
from estimator.readiness import Readiness, judge
from estimator.scenario import Enable, FeedState, Scenario, enabled

OPERATION = "Exchange/MailItemsAccessed"
FEED = "raw-management-api"
PUBLISHED = 35.0
"""What a spreadsheet takes a mailbox and day for without a sample: the middle of the published 30 to 40."""

_ON, _OFF = "ApplyRecord,MailItemsAccessed,Send,Update", "ApplyRecord,Update"
_BYTES = 2000
_PROGRAM = "b7d3a1f0-5c52-4f0e-9d6e-0c1d5a6e7f80"


@dataclass(frozen=True)
class Trial:
    """One tenant: what was forecast, what a spreadsheet says, what came."""

    design: Design
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


@dataclass(frozen=True)
class Forecasted:
    """Added MailItemsAccessed of a scenario that enables it everywhere, and what went into it."""

    added: Spread
    model: RateModel
    readiness: Readiness
    scenario: Scenario

    @property
    def spreadsheet(self) -> float:
        """Sampled events ÷ mailboxes that have any ÷ days × joining mailboxes × days of the horizon."""
        states = self.readiness.of(OPERATION)
        joining = int(((states["state"] == "blocked") & states["mendable"]).sum())
        rates = self.model.operations.get(OPERATION)
        per_day = PUBLISHED if rates is None or rates.per_mailbox_day is None else rates.per_mailbox_day
        return per_day * joining * len(self.scenario.days)


def run(design: Design, draws: int = 1000) -> Trial:
    """Let a tenant live, forecast it from what it could export, and hold the forecast against what came."""
    world = live(design)
    seen = reduction(world)
    made = forecast(inventory(world), seen, world.forecast_start, FORECAST_MONTHS, COUNTRY, Draws(draws, design.seed))
    return Trial(design, made.added, made.spreadsheet, float(world.added))


def forecast(
    tenant: Inventory, seen: pd.DataFrame | None, start: dt.date, months: int, country: str, draws: Draws
) -> Forecasted:
    """What `estimate` does with a folder's tables, of one operation and one feed."""
    scenario = Scenario(
        schema_version=1,
        id="all",
        title="All",
        start=start,
        months=months,
        country=country,
        feeds=(FeedState(id=FEED, connected=True),),
        changes=(Enable(kind="enable", operations=(OPERATION,)),),
    )
    verdicts = judge(tenant, seen)
    model = fit_rates(seen, tenant, verdicts, Holidays(country), draws)
    result = Forecast(scenario, model, verdicts, enabled(scenario, tenant.mailboxes, "benchmark"))
    return Forecasted(Spread.of(result.events(OPERATION, "added", FEED)), model, verdicts, scenario)


def inventory(world: World) -> Inventory:
    """The tenant's inventory as the readers of exports give it."""
    sets = np.where(world.emitting, _ON, _OFF)
    names = names_of(world)
    boxes = pd.DataFrame(
        {
            "mailbox": names,
            "kind": np.where(world.person, "user", "shared"),
            "audit_tier": np.where(world.premium, "premium", np.where(world.person, "standard", "none")),
            "audit_enabled": True,
            "default_audit_set": "admin,delegate,owner",
            "audit_admin": sets,
            "audit_delegate": sets,
            "audit_owner": sets,
            "bypassed": False,
        }
    )
    activity = tables.ACTIVITY.empty()
    if world.design.inputs != "no_activity":
        activity = pd.DataFrame(
            {
                "mailbox": names[world.person],
                **{
                    name: world.report[world.person, at].astype(float)
                    for at, name in enumerate(("sends", "receives", "reads"))
                },
                "period_days": REPORT_DAYS,
                "period_end": pd.Timestamp(world.report_end).as_unit("us"),
            }
        )
    return Inventory(boxes, activity, 0, {}, [])


def names_of(world: World) -> np.ndarray:
    """The mailboxes' names, in their sorted order."""
    return np.array([f"m{at:05}@x.example" for at in range(len(world.person))], dtype=object)


def reduction(world: World) -> pd.DataFrame | None:
    """The audit sample as counts, `tables.REDUCTION`; None where the design has none."""
    if world.design.inputs == "no_sample":
        return None
    days = pd.date_range(world.start, periods=world.design.days, unit="us")
    names, parts = names_of(world), []
    for counts, program in ((world.people, False), (world.program, True)):
        box, day = np.nonzero(counts)
        parts.append(
            pd.DataFrame(
                {
                    "day": days[day],
                    "subject": names[box],
                    "subject_kind": "mailbox",
                    "principal": _PROGRAM if program else names[box],
                    "workload": "Exchange",
                    "operation": "MailItemsAccessed",
                    "access_type": "Bind",
                    "app_id": _PROGRAM if program else "",
                    "events": counts[box, day],
                }
            )
        )
    # What SharePoint does by itself shows every day that the sample is one of the whole tenant.
    parts.append(
        pd.DataFrame(
            {
                "day": days,
                "subject": "https://x.example/a",
                "subject_kind": "site",
                "principal": "app@sharepoint",
                "workload": "SharePoint",
                "operation": "FileAccessed",
                "access_type": "",
                "app_id": "",
                "events": 1,
            }
        )
    )
    frame = pd.concat(parts, ignore_index=True)
    return frame.assign(
        throttled=False,
        raw_events=frame["events"],
        items=frame["events"],
        bytes=frame["events"] * _BYTES,
        size_basis="auditdata",
        weight=1 / world.kept,
    ).astype({"day": "datetime64[us]"})[tables.REDUCTION.names]
