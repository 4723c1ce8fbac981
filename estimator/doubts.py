"""What is doubtful about the sample and the activity report, told as findings: what it does to the forecast."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pandas as pd

from estimator import catalog
from estimator.findings import Finding
from estimator.joining import Population

#: Fewer emitting mailboxes than this are told: the interval rests on priors more than on them.
FEW_EMITTING = 10


def of_sample(sample: pd.DataFrame, population: Population) -> Iterator[Finding]:
    """Doubts about the sample.

    Args:
        sample: `tables.REDUCTION` with the columns `key` (operation) and `person` (whether the principal is a user).
        population: the mailboxes of the inventory.
    """
    yield from _strangers(sample, population)
    yield from _few_operations(sample)
    yield from _service_accounts(sample)


def of_report(population: Population) -> Iterator[Finding]:
    """Doubts about the activity report."""
    users, rows = population.is_user, population.has_row
    missing = int((users & ~rows).sum())
    if missing and rows.any():
        yield Finding(
            "activity_partial",
            "warning" if missing > 0.1 * users.sum() else "info",
            f"{missing} of {int(users.sum())} user mailboxes have no row in the activity report; they are taken "
            "to be a part as busy as the others, which widens the interval. Download the report for all users.",
        )


def few_emitting(sampled: Mapping[str, int]) -> Iterator[Finding]:
    """Where a handful of mailboxes stand for all that join.

    Args:
        sampled: mailboxes that had a record of each operation.
    """
    new = catalog.newly_available()
    thin = {key: count for key, count in sampled.items() if 0 < count < FEW_EMITTING and key in new}
    if thin:
        each = ", ".join(f"{key} {count}" for key, count in thin.items())
        yield Finding(
            "few_emitting",
            "warning",
            f"few mailboxes show what the others would emit ({each}); the interval is wide for it. Enable a dozen "
            "mailboxes of the kinds that will join, and sample again.",
        )


def filtered(sample: pd.DataFrame) -> bool:
    """Whether the sample looks filtered by operation: mailboxes in it, and next to nothing they do."""
    mine = sample.loc[sample["subject_kind"] == "mailbox", "key"]
    return 0 < mine.nunique() <= 2 and sample["key"].nunique() <= 2


def _strangers(sample: pd.DataFrame, population: Population) -> Iterator[Finding]:
    boxes = sample.loc[sample["subject_kind"] == "mailbox", "subject"].unique()
    outside = len(boxes) - len(population.at(pd.Index(boxes)))
    if outside:
        yield Finding(
            "subject_without_mailbox",
            "warning",
            f"{outside} of {len(boxes)} mailboxes in the sample are not in the inventory (left since, renamed, or "
            "half an export). What they emit counts as flowing; they are not among those that join.",
        )


def _few_operations(sample: pd.DataFrame) -> Iterator[Finding]:
    if filtered(sample):
        shown = ", ".join(sorted(sample["key"].unique()))
        yield Finding(
            "sample_few_operations",
            "warning",
            f"the sample shows no operation but {shown}, as an export filtered by operation does. What else flows "
            "or would flow is not in the figures; export without a filter on activities.",
        )


def _service_accounts(sample: pd.DataFrame) -> Iterator[Finding]:
    """One user who acts on many mailboxes is a program with a user's name; it is not told apart yet."""
    mine = sample[(sample["subject_kind"] == "mailbox") & sample["person"]]
    for key, rows in mine.groupby("key"):
        foreign = rows[rows["principal"] != rows["subject"]].groupby("principal")
        acts = foreign.agg(events=("events", "sum"), boxes=("subject", "nunique"))
        heavy = acts[(acts["boxes"] >= 3) & (acts["events"] > 0.1 * rows["events"].sum())]
        if len(heavy):
            share = float(heavy["events"].sum() / rows["events"].sum())
            yield Finding(
                "heavy_principal",
                "warning",
                f"{len(heavy)} principals that act on three or more mailboxes of others make {share:.0%} of the "
                f"sampled {key}, as a service account does. They are counted with the people of those mailboxes, "
                "so the joining mailboxes get their share of it too: too much, if the program will not touch them.",
            )
