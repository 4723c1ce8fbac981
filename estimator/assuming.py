"""`assume`: figures of the reader's own in place of measured or published ones, in the open and in both bills.

Every one of them is a finding that says what the figure was, what it is now, and why.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from estimator import catalog
from estimator.draws import Draws, Floats, Level, Positions
from estimator.errors import ScenarioError
from estimator.findings import Finding
from estimator.rates import OperationRates, RateModel, feed_factor
from estimator.readiness import Readiness
from estimator.scenario import Assume, Scenario


@dataclass(frozen=True)
class Assumed:
    """The rate model under the assumptions of a scenario.

    Attributes:
        model: with the operations' figures replaced.
        factors: by feed and `size_factor` or `delivery_factor`, the factor drawn, shape (draws,).
        pooled: operations whose rate no longer tells people from applications.
        findings: one `assumed` a figure.
    """

    model: RateModel
    factors: dict[tuple[str, str], Floats]
    pooled: frozenset[str]
    findings: list[Finding]


def assume(scenario: Scenario, model: RateModel, readiness: Readiness, shown: str) -> Assumed:
    """Put a scenario's assumptions in the place of what was measured.

    Raises:
        ScenarioError: a rate for each mailbox is assumed of an operation that no mailbox emits, or the size of records
            of an operation without a rate.
    """
    operations = dict(model.operations)
    factors: dict[tuple[str, str], Floats] = {}
    pooled, findings = set(), []
    for number, change in enumerate(scenario.changes):
        if not isinstance(change, Assume):
            continue
        place, drawn = f"changes[{number}]", _drawn(change, model.draws)
        if change.feed is not None:
            was = _factor_said(change, model)
            factors[change.feed, change.what] = drawn
        else:
            key = str(change.operation)
            rates = operations.get(key)
            if change.what == "record_bytes":
                if rates is None:
                    raise ScenarioError(
                        f"nothing gives a rate of {key}, so the size of its records changes nothing",
                        path=shown,
                        place=f"{place}.operation",
                        expected="an operation that the sample shows or a figure stands for",
                        mend="Assume its events_per_mailbox_day as well, in a change that stands before this one.",
                    )
                was = f"{float(rates.bytes.mean()):,.0f} ({rates.bytes_basis})"
                operations[key] = replace(
                    rates, bytes=drawn, bytes_basis="assumed", flowing_basis="assumed", joining_basis="assumed"
                )
            else:
                was = _rate_said(key, rates)
                operations[key] = _stated(key, rates, drawn, model, readiness, shown, place)
                pooled.add(key)
        span = "" if change.low is None else f" ({change.low.normalize():f} to {change.high.normalize():f})"  # type: ignore[union-attr]
        findings.append(
            Finding(
                "assumed",
                "warning",
                f"{place}: {change.what} of {change.about} is assumed to be {change.value.normalize():f}{span}, in "
                f"place of {was}; both bills, with and without the scenario, rest on it. Reason: {change.reason}",
            )
        )
    return Assumed(replace(model, operations=operations), factors, frozenset(pooled), findings)


@dataclass(frozen=True)
class _EachAlike:
    """A predictor: every mailbox emits the same, drawn once for all of them. See `joining.Joining`."""

    each: Floats

    def levels(self, groups: Sequence[Positions]) -> list[Level]:
        """The level of each group of mailboxes."""
        return [Level(self.each * len(group), np.zeros(len(self.each))) for group in groups]


def _stated(
    key: str,
    rates: OperationRates | None,
    each: Floats,
    model: RateModel,
    readiness: Readiness,
    shown: str,
    place: str,
) -> OperationRates:
    """The rates of an operation of which every emitting mailbox has `each` records on a weekday, shape (draws,)."""
    operation = catalog.operation(key)
    if operation.mailbox_action is None:
        raise ScenarioError(
            f"{key} is not switched by mailboxes, so no number of them makes a volume",
            path=shown,
            place=f"{place}.operation",
            expected="an operation that mailboxes emit, such as Exchange/MailItemsAccessed",
            mend="Let a sample show it.",
        )
    verdicts = readiness.of(key)

    def count(rows: pd.Series) -> int:
        return len(model.population.at(pd.Index(verdicts.index[rows])))

    unknown = verdicts["state"] == "unknown"
    said, unsaid = rates.unknown_share if rates is not None else _unknown_share(key, model.draws)
    emitting = (
        count(verdicts["state"] == "emitting")
        + count(unknown & verdicts["settings_known"]) * said
        + count(unknown & ~verdicts["settings_known"]) * unsaid
    )
    flowing = Level(each * emitting, np.zeros(model.draws.count))
    joining = _EachAlike(each)
    if rates is not None:
        return replace(rates, flowing=flowing, flowing_basis="assumed", joining=joining, joining_basis="assumed")
    size = catalog.size_of(key)
    mode = min(max(size.mean, size.low), size.high)
    weight = model.draws.stream(key, "bytes").triangular(size.low, mode, size.high, model.draws.count)
    return OperationRates(key, flowing, "assumed", joining, "assumed", (said, unsaid), np.asarray(weight), size.basis)


def _unknown_share(key: str, draws: Draws) -> tuple[Floats, Floats]:
    priors = catalog.priors()
    said, unsaid = (
        np.asarray(draws.stream(key, name).triangular(prior.low or 0.0, prior.value, prior.high or 1.0, draws.count))
        for prior, name in ((priors.unknown_emitting_share, "unknown"), (priors.unclear_emitting_share, "unclear"))
    )
    return said, unsaid


def _drawn(change: Assume, draws: Draws) -> Floats:
    value = float(change.value)
    if change.low is None or change.high is None or change.low == change.high:
        return np.full(draws.count, value)
    stream = draws.stream(change.about, change.what, "assumed")
    return np.asarray(stream.triangular(float(change.low), value, float(change.high), draws.count))


def _factor_said(change: Assume, model: RateModel) -> str:
    feed = catalog.feed(str(change.feed))
    if change.what == "delivery_factor" and model.copies is not None and not feed.dedupes:
        return f"{model.copies:g} (measured)"
    which = "size" if change.what == "size_factor" else "delivery"
    factor = feed.size_factor if which == "size" else feed.delivery_factor
    mean = float(np.mean(feed_factor(model.draws, feed, "size" if which == "size" else "delivery")))
    return f"{mean:.3g} ({factor.basis}, {factor.low:g} to {factor.high:g})"


def _rate_said(key: str, rates: OperationRates | None) -> str:
    published = catalog.operation(key).published_rate
    if rates is None:
        return "nothing: no sample, report or published figure gives a rate of it"
    if rates.per_mailbox_day is not None:
        return f"what the sample shows ({rates.per_mailbox_day:.3g} a day and mailbox that had any, measured)"
    if published is not None:
        return f"{published.low:g} to {published.high:g} {published.unit} (published)"
    return f"what a report gives ({rates.joining_basis})"
