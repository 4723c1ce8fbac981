"""The verb `plans`: the price tables. Which there are, what one knows, whether a file is sound, what usage costs."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from estimator.cli.options import EXIT_LIMIT, EXIT_REFUSED, AsOf, Format, Output, day_of
from estimator.errors import UsageError

if TYPE_CHECKING:
    from estimator.plans import Offered

app = typer.Typer(
    help="The price tables: list them, show one with its sources, check a file of your own, price plain usage.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

PlansDir = Annotated[
    list[Path] | None,
    typer.Option("--plans-dir", metavar="DIR", help="Folder of further price tables; may be repeated."),
]
MaxPriceAge = Annotated[
    int | None,
    typer.Option(metavar="DAYS", min=0, help="Leave with 1 where prices were checked more days ago than this."),
]
PlanName = Annotated[str, typer.Argument(metavar="ID|FILE", help="Price table, by id or file.")]


@app.command(name="list")
def list_plans(
    plans_dir: PlansDir = None,
    max_price_age: MaxPriceAge = None,
    as_of: AsOf = None,
    output: Output = Format.table,
) -> None:
    """List the price tables: what each charges by, its first price, how old it is, what it leaves open.

    Example: siem-estimator plans list
    """
    from estimator.plans import offered
    from estimator.report import plans as report

    found = offered(day_of(as_of), plans_dir or [])
    sys.stdout.write(report.listed(found, output.value))
    _in_time(found, max_price_age)


@app.command()
def show(
    plan: PlanName,
    plans_dir: PlansDir = None,
    as_of: AsOf = None,
    output: Output = Format.table,
) -> None:
    """Show all that is known of a price table and from where; of a price left open, what is missing and whom to ask.

    Example: siem-estimator plans show sentinel-eastus
    """
    from estimator.plans import Offered
    from estimator.report import plans as report
    from pricing import find_plan, shipped_plans

    found = find_plan(plan, plans_dir or [])
    origin = "shipped" if shipped_plans().get(found.id) == found else plan
    sys.stdout.write(report.shown(Offered(found, origin, day_of(as_of)), output.value))


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Plan files, TOML.")],
    as_of: AsOf = None,
    output: Output = Format.table,
) -> None:
    """Check plan files: every problem with its place; of a sound file the worked examples, expected and computed.

    Example: siem-estimator plans check my-plan.toml
    """
    from estimator.plans_check import check as run
    from estimator.report import plans_check as report

    found = run(files, day_of(as_of))
    sys.stdout.write(report.text(found, output.value))
    refused = [one.path for one in found if not one.sound]
    if refused:
        print(f"error: refused: {', '.join(refused)}", file=sys.stderr)
        raise typer.Exit(EXIT_REFUSED)


@app.command()
def price(
    plan: PlanName,
    gb_per_day: Annotated[
        list[str] | None,
        typer.Option(
            metavar="N|STREAM=N",
            help="GB (10^9 bytes, as the SIEM counts them) a day; with the name of a stream where the plan treats it "
            "in a way of its own, such as CloudAppEvents=3.5. May be repeated.",
        ),
    ] = None,
    usage: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="CSV or JSON of days: day, gb and, where wanted, stream and events."),
    ] = None,
    start: Annotated[
        dt.datetime | None,
        typer.Option(
            "--from",
            metavar="DATE",
            formats=["%Y-%m-%d"],
            help="First day of --gb-per-day. Default: the first of the month after --as-of.",
        ),
    ] = None,
    days: Annotated[int | None, typer.Option(metavar="N", min=1, max=3660, help="Days of --gb-per-day.")] = None,
    months: Annotated[
        int | None, typer.Option(metavar="N", min=1, max=120, help="Months of --gb-per-day. Default: 12.")
    ] = None,
    commitment: Annotated[
        str, typer.Option(metavar="ID", help="Commitment tier; best: the cheapest; none: pay-as-you-go.")
    ] = "none",
    retention_days: Annotated[
        int | None, typer.Option(metavar="N", min=0, help="Days kept. Default: the days the plan includes.")
    ] = None,
    total_retention_days: Annotated[
        int | None, typer.Option(metavar="N", min=0, help="Days kept in all, where a plan has long-term storage.")
    ] = None,
    discount_percent: Annotated[
        str, typer.Option(metavar="N", help="Contract discount on everything, applied last.")
    ] = "0",
    grant_gb_per_day: Annotated[
        list[str] | None,
        typer.Option(metavar="N|GRANT=N", help="GB a day that remain of a grant. May be repeated."),
    ] = None,
    events_per_day: Annotated[
        list[str] | None, typer.Option(metavar="N|STREAM=N", help="Events a day of --gb-per-day. May be repeated.")
    ] = None,
    peak_events_per_second: Annotated[
        list[str] | None,
        typer.Option(
            metavar="N|STREAM=N", help="Events a second in the busiest hour, for licences by EPS. May be repeated."
        ),
    ] = None,
    users: Annotated[int | None, typer.Option(metavar="N", min=0, help="Users; the same as --count users=N.")] = None,
    count: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=N", help="A count the plan asks for, such as assets=250. May be repeated."),
    ] = None,
    plans_dir: PlansDir = None,
    max_price_age: MaxPriceAge = None,
    as_of: AsOf = None,
    output: Output = Format.table,
) -> None:
    """Price plain usage under a price table, without a tenant.

    Example: siem-estimator plans price sentinel-eastus --gb-per-day 120 --commitment best
    """
    from estimator import plans_price
    from estimator.plans_usage import by_stream, number_of, read_usage, steady
    from estimator.report import plans_price as report
    from pricing import find_plan

    if (usage is None) == (gb_per_day is None):
        raise UsageError("not exactly one of --gb-per-day and --usage", expected="one of them")
    steadily = {
        "--from": start,
        "--days": days,
        "--months": months,
        "--events-per-day": events_per_day,
        "--peak-events-per-second": peak_events_per_second,
    }
    if usage is not None and (named := [name for name, value in steadily.items() if value is not None]):
        raise UsageError(f"{named[0]} beside --usage", expected="--gb-per-day with it", mend="The file has its own.")
    if days is not None and months is not None:
        raise UsageError("--days beside --months", expected="one of them")
    table = find_plan(plan, plans_dir or [])
    today = day_of(as_of)
    if usage is not None:
        volumes = read_usage(usage)
    else:
        first = plans_price.next_month(today) if start is None else start.date()
        volumes = steady(
            first,
            days or plans_price.days_of_months(first, months or 12),
            by_stream(gb_per_day or [], "--gb-per-day"),
            by_stream(events_per_day or [], "--events-per-day"),
            by_stream(peak_events_per_second or [], "--peak-events-per-second"),
        )
    counts = {} if users is None else {"users": Decimal(users)}
    bill = plans_price.price(
        table,
        volumes,
        commitment=commitment,
        retention_days=retention_days,
        total_retention_days=total_retention_days,
        discount_percent=number_of(discount_percent, "--discount-percent"),
        grants=by_stream(grant_gb_per_day or [], "--grant-gb-per-day"),
        counts=counts | by_stream(count or [], "--count"),
        as_of=today,
    )
    for note in bill.warnings if output is Format.csv else ():
        print(f"warning: {note}", file=sys.stderr)
    sys.stdout.write(report.text(bill, output.value))
    _in_time([bill.offered], max_price_age)


@app.command()
def refresh(
    siem: Annotated[str, typer.Argument(metavar="SIEM", help="sentinel: the one whose prices a public API gives.")],
    region: Annotated[str, typer.Option(metavar="REGION", help="As Azure writes it, such as westeurope.")],
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Where to write the plan; a file that stands there is compared with and replaced. Default: "
            "sentinel-REGION-DATE.toml here, which is never replaced.",
        ),
    ] = None,
    response: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Saved page of the API, instead of reading it; repeat for all pages."),
    ] = None,
    plans_dir: PlansDir = None,
    as_of: AsOf = None,
    output: Output = Format.table,
) -> None:
    """Read the prices of a region from the public Azure Retail Prices API, write a plan file, and show what changed.

    Example: siem-estimator plans refresh sentinel --region westeurope --out plans/sentinel-westeurope.toml
    """
    from estimator import plans_refresh
    from estimator.report import plans_refresh as report

    if siem != "sentinel":
        raise UsageError(f"'{siem}'", place="SIEM", expected="sentinel", mend="No other vendor has a price API.")
    today = day_of(as_of)
    path = out or plans_refresh.target(region, today)
    plans_refresh.check_target(path, replace=out is not None)
    made = plans_refresh.refresh(region, today, responses=response or [], existing=out, plans_dirs=plans_dir or [])
    made.write(path, replace=out is not None)
    print(f"written: {path}", file=sys.stderr)
    sys.stdout.write(report.text(made, output.value))


def _in_time(plans: Iterable[Offered], most: int | None) -> None:
    """Leave with the code of a limit that is passed where prices were checked longer ago than was asked for."""
    old = [] if most is None else [one for one in plans if one.age_days > most]
    for one in old:
        print(f"{one.plan.id}: prices checked {one.age_days} days ago, more than {most}", file=sys.stderr)
    if old:
        raise typer.Exit(EXIT_LIMIT)
