"""One bill in the making: volumes as decimals, before and after grants, and the lines nothing is charged for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from pricing.days import Month, months_of
from pricing.exact.charge import Charge, Series, decimals, rows, total
from pricing.meters import Meter
from pricing.plan import Plan
from pricing.prices import Prices
from pricing.rates import Rate, rate_on
from pricing.settle import Settlement
from pricing.usage import Terms, Usage


@dataclass
class Work:
    """A bill in the making."""

    plan: Plan
    usage: Usage
    terms: Terms
    settled: Settlement
    months: list[Month] = field(init=False)
    ingested: dict[str, Series] = field(init=False)
    billable: dict[str, Series] = field(init=False)

    def __post_init__(self) -> None:
        self.months = months_of(self.settled.days)
        self.ingested = {stream: decimals(gb) for stream, gb in self.usage.gb.items()}
        self.billable = {stream: list(gb) for stream, gb in self.ingested.items() if self.plan.ingestion_meters(stream)}

    def streams(self, meter_id: str) -> list[str]:
        """The charged streams that go to one meter."""
        return [stream for stream in self.billable if meter_id in self.plan.ingestion_meters(stream)]

    def pooled(self, meter_id: str, unit: str = "GB") -> Series:
        """GB a day of all streams that go to one meter, after grants; or their million events, or peak events."""
        mine = self.streams(meter_id)
        match unit:
            case "GB":
                series = [self.billable[stream] for stream in mine]
            case "million events":
                given = self.usage.events
                series = [[n / 1_000_000 for n in decimals(given[s])] for s in mine if s in given]
            case _:
                peaks = self.usage.peak_events_per_second
                series = [decimals(peaks[stream]) for stream in mine if stream in peaks]
        return [total(day) for day in zip(*series, strict=True)] or [Decimal(0)] * len(self.settled.days)

    def rate(self, meter_id: str, prices: Prices, row: int) -> Rate:
        """What one of a meter's prices comes to on a day."""
        meter: Meter = self.plan.meters[meter_id]
        return rate_on(self.plan, meter, prices, self.settled.days[row], f"{self.plan.id} meters.{meter_id}")


def line(
    meter_id: str,
    month: Month,
    quantity: Decimal,
    unit: str,
    rate: Rate,
    note: str,
    *,
    stream: str | None = None,
    factor: Decimal = Decimal(1),
    sources: Sequence[str] = (),
) -> Charge:
    """A line that is quantity × rate × factor; `sources` are those of the rule."""
    price = rate.amount * factor
    return Charge(
        meter=meter_id,
        stream=stream,
        month=month.label,
        quantity=quantity,
        unit=unit,
        unit_price=price,
        amount=quantity * price,
        sources=tuple(dict.fromkeys((*rate.sources, *sources))),
        price_from=rate.start,
        note=f"{note}; {rate.note}" if rate.note else note,
    )


def uncharged(
    meter: str, stream: str | None, month: Month, quantity: Decimal, unit: str, source: str, note: str
) -> Charge:
    """A line that costs nothing and says why."""
    return Charge(
        meter=meter,
        stream=stream,
        month=month.label,
        quantity=quantity,
        unit=unit,
        unit_price=Decimal(0),
        amount=Decimal(0),
        sources=(source,),
        note=note,
    )


def share(month: Month) -> Decimal:
    """The part of the calendar month that the horizon holds."""
    return Decimal(len(rows(month))) / month.length


def free(work: Work) -> Iterator[Charge]:
    """Streams and tiers that cost nothing to ingest."""
    for stream, gb in work.ingested.items():
        base, tier_id = work.plan.tier_of(stream)
        treated = work.plan.streams.get(base)
        if tier_id is not None:
            tier = work.plan.tiers[tier_id]
            if tier.ingest:
                continue
            meter, note, source = tier_id, f"Costs nothing to ingest: {tier.title}", tier.source
        elif treated is not None and treated.ingest == "free":
            meter, note, source = work.plan.ingest, f"Free to ingest. {treated.why}", treated.source
        else:
            continue
        for month in work.months:
            yield uncharged(meter, stream, month, total(gb[month.rows]), "GB", source, note)


def granted(work: Work) -> Iterator[Charge]:
    """Take the grants off `work.billable`, and say so in lines without an amount."""
    for grant_id, grant in work.plan.grants.items():
        remaining = work.terms.grant_gb_per_day.get(grant_id, Decimal(0))
        left = list(remaining) if isinstance(remaining, Sequence) else [remaining] * len(work.settled.days)
        for stream in grant.streams:
            if stream not in work.billable:
                continue
            taken = [min(have, gb) for have, gb in zip(left, work.billable[stream], strict=True)]
            work.billable[stream] = [gb - less for gb, less in zip(work.billable[stream], taken, strict=True)]
            left = [have - less for have, less in zip(left, taken, strict=True)]
            meter = work.plan.ingestion_meters(stream)[0]
            for month in work.months:
                if quantity := total(taken[month.rows]):
                    note = f"Covered by the grant {grant_id}: {grant.title}"
                    yield uncharged(meter, stream, month, quantity, "GB", grant.source, note)
