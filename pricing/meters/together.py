"""What the meters of one file must not do to each other."""

from __future__ import annotations

from collections.abc import Mapping

from pricing.meters import RESERVED_METERS, DailyCommitment, Flat, GreaterOf, Meter, PrepaidPool, Retention
from pricing.prices import refuse


def fit_together(meters: Mapping[str, Meter], included_days: int) -> None:
    """Refuse reserved ids, two commitments, what is charged or paid twice, and meters that refer in a circle."""
    if taken := RESERVED_METERS.intersection(meters):
        raise refuse(f"a meter is called '{min(taken)}'", "another id", "The word means something else on a bill.")
    if sum(isinstance(meter, DailyCommitment) for meter in meters.values()) > 1:
        raise refuse("two meters are daily commitments", "one at the most")
    for meter in meters.values():
        replaced = meters.get(meter.instead_of) if isinstance(meter, DailyCommitment) else None
        if isinstance(replaced, Flat) and replaced.included:
            # Whether a tier's days use up the allowance of the others, no list read so far says.
            raise refuse("a daily commitment stands in place of a meter with a free allowance", "a meter without one")
    _retention_fits(meters, included_days)
    _references_fit(meters)


def _retention_fits(meters: Mapping[str, Meter], included: int) -> None:
    retention = [meter for meter in meters.values() if isinstance(meter, Retention)]
    kept = [(meter.of, meter.long_term) for meter in retention]
    if twice := {of for of, long_term in kept if kept.count((of, long_term)) > 1}:
        raise refuse(f"two meters charge the retention of '{min(twice)}'", "one at the most")
    for meter in retention:
        # What is kept of a tier is measured against the tier's own days.
        if meter.of in meters and meter.max_days <= included:
            raise refuse(
                f"at most {meter.max_days} days are sold, and {included} are included",
                "'max_days' above 'included_retention_days'",
            )


def _references_fit(meters: Mapping[str, Meter]) -> None:
    """Refuse meters that take the place of others in a circle, or twice."""
    compared: list[str] = []
    paid: list[str] = []
    for id_, meter in meters.items():
        others = meter.of if isinstance(meter, GreaterOf) else meter.covers if isinstance(meter, PrepaidPool) else ()
        for other in others:
            if other == id_ or isinstance(meters.get(other), GreaterOf | PrepaidPool):
                raise refuse(f"'{id_}' refers to '{other}'", "meters that charge by themselves")
        if isinstance(meter, GreaterOf):
            compared += meter.of
        if isinstance(meter, PrepaidPool):
            paid += set(meter.covers)
    if twice := {other for other in compared if compared.count(other) > 1}:
        raise refuse(f"'{min(twice)}' is compared twice", "each meter in one 'greater_of' at the most")
    if twice := {other for other in paid if paid.count(other) > 1}:
        raise refuse(f"'{min(twice)}' is paid by two pools", "each meter covered by one pool at the most")
