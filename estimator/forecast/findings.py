"""What is to be known of a forecast beside its figures: doubtful feeds, what drops and routes cost an investigation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from estimator import catalog
from estimator.calendar import working_hours_by_day
from estimator.dropping import Drops
from estimator.findings import Finding
from estimator.forecast.volumes import FeedUse
from estimator.scenario import Dropped, Grow, Routed, Scenario


def of_growth(scenario: Scenario) -> Iterable[Finding]:
    """How the organisation is taken to grow."""
    for number, change in enumerate(scenario.changes):
        if isinstance(change, Grow):
            percent = change.mailboxes_percent_per_year
            verb = "grows" if percent >= 0 else "shrinks"
            yield Finding(
                "growth",
                "info",
                f"changes[{number}]: the organisation {verb} by {abs(percent).normalize():f}% a year from "
                f"{change.day(scenario.start)} on, in mailboxes, in all that flows and joins (applications too), and "
                "in licensed users. It does so without the scenario as well, so both bills have it; counts of "
                "mailboxes are those of today.",
            )


def of_drops(
    dropped: Sequence[Dropped], drops: Drops, uses: Sequence[FeedUse], known: Iterable[str]
) -> Iterable[Finding]:
    """What investigators lose: a saving is never shown without its price.

    Args:
        dropped: the drops and routes.
        drops: the same, measured.
        uses: the feeds.
        known: the operations that have a rate.
    """
    known = set(known)
    for one in dropped:
        keys = one.operations if one.operations is not None else known
        keys = {key for key in keys if drops.meets(one, key)}
        if isinstance(one, Routed):
            yield from _of_route(one, sorted(keys & known))
            continue
        for key in sorted(keys):
            operation = catalog.operations().get(key)
            if operation is None or operation.investigation_use is None:
                continue
            yield Finding(
                "drop_loses",
                "warning",
                f"{one.place} drops {key}{_what(one)} from {one.day} on, before {', '.join(one.feeds)}. What an "
                f"investigation then lacks: {_use(key)}",
            )
        silent = [key for key in sorted(keys) if not _use(key)]
        if silent and one.operations is not None:
            yield Finding(
                "drop_loses_unsaid",
                "info",
                f"{one.place} drops {', '.join(silent)}: no source here says what investigations use it for. Ask "
                "those who do them before you drop it.",
            )
    for fed in uses:
        if fed.disconnects is not None:
            yield Finding(
                "feed_disconnected",
                "warning",
                f"from {fed.disconnects} on nothing reaches the SIEM by {fed.feed.id}: rules, dashboards and "
                "investigations that read it go blind unless another feed brings the same records.",
            )
    for key, place in sorted(drops.unmeasured):
        yield Finding(
            "drop_unmeasured",
            "warning",
            f"{place} drops or routes a part of {key} by access type or application, and the sample shows no record of "
            "it, so nobody knows how large that part is: none of it is taken off.",
        )


def _of_route(one: Routed, keys: Sequence[str]) -> Iterable[Finding]:
    told = [f"{key}: {use}" for key in keys if (use := _use(key))]
    if told:
        yield Finding(
            "route_loses",
            "warning",
            f"{one.place} routes{_what(one)} records of {', '.join(one.feeds)} to {one.to} from {one.day} on. What "
            f"investigations use them for is then to be done there, as far as {one.to} allows: {'; '.join(told)}",
        )


def of_routed(scenario: Scenario, routed: Mapping[tuple[str, str], tuple[float, float]]) -> Iterable[Finding]:
    """What goes to another tier over the horizon; `routed` is mean events and GB by feed and tier."""
    for (feed, tier), (events, gb) in routed.items():
        yield Finding(
            "routed",
            "info",
            f"{events:,.0f} events and {gb:,.3f} GB of {feed} go to the tier {tier} "
            f"({catalog.feed(feed).stream}@{tier}) over the {scenario.months} months, in the mean. They still reach "
            "the SIEM, so the volumes of the feed hold them and none of them is saved; the bill with the scenario "
            "charges them there.",
        )


def of_feeds(scenario: Scenario, uses: Sequence[FeedUse], known: Sequence[str]) -> Iterable[Finding]:
    """What is doubtful about the feeds; `known` are the operations that have a rate."""
    yield from _of_time_zone(scenario)
    flowing = {use.feed.id for use in uses if use.connected is not False or use.connects is not None}
    told: set[frozenset[str]] = set()
    for use in uses:
        if use.connected is None:
            yield Finding(
                "feed_state_unknown",
                "warning",
                f"the scenario does not say whether {use.feed.id} is connected today. The figures take it as "
                "connected, so only what is enabled is added; the other case, in which all it carries is new, is "
                "priced beside it. Set `connected` under [[feeds]].",
            )
        unsure = [key for key in known if use.feed.coverage(*key.split("/", 1)) == "unknown"]
        if unsure and (use.connected is not False or use.connects is not None):
            yield Finding(
                "coverage_unknown",
                "warning",
                f"nobody says whether {use.feed.id} carries {', '.join(unsure)}, which the sample shows; they "
                "are not in its figures, which are low by them if it does.",
            )
        if use.connected is False and use.connects is None:
            yield Finding(
                "feed_idle",
                "info",
                f"{use.feed.id} is not connected and no change connects it, so it carries nothing.",
            )
        for other in use.feed.same_records_as:
            pair = frozenset({use.feed.id, other})
            if {use.feed.id, other} <= flowing and pair not in told:
                told.add(pair)
                yield Finding(
                    "double_ingestion",
                    "warning",
                    f"{use.feed.id} and {other} carry copies of the same events: with both connected each is "
                    "ingested twice. GB and cost count both copies; drop one of the two unless both are needed.",
                )


def _use(key: str) -> str:
    """What an investigation uses an operation for, with its source; '' where no source says."""
    operation = catalog.operations().get(key)
    if operation is None or not operation.investigation_use:
        return ""
    use = operation.investigation_use
    source = catalog.sources()[use.source]
    return f"{use.text} ({source.title}{f', {source.url}' if source.url else ''})"


def _what(one: Dropped) -> str:
    """Which records of an operation a drop takes, in brackets; nothing where it takes all."""
    said = one.where.words()
    return f" ({said})" if said else ""


def _of_time_zone(scenario: Scenario) -> Iterable[Finding]:
    """What a time zone does to UTC days, and what it does not."""
    zone = scenario.timezone
    if zone is None:
        return
    if scenario.country is None:
        yield Finding(
            "timezone_without_country",
            "info",
            f"the time zone {zone} only says on which UTC days public holidays are quiet, and the scenario names no "
            "country: it changes nothing. Set `country`.",
        )
        return
    shares = {s: share for s, share in working_hours_by_day(scenario.start, zone).items() if s}
    for shift, share in shares.items():
        yield Finding(
            "timezone_spills",
            "info",
            f"days are UTC days, as SIEMs bill them. Of a working day in {zone} (taken as 8 to 18) {share:.0%} falls "
            f"on the UTC day {'after' if shift > 0 else 'before'}, and so does that part of a public holiday's quiet. "
            "What weekends weigh is learnt from UTC days as they are.",
        )
