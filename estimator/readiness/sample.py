"""What an audit sample shows of the mailboxes, and whether its silence says anything."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from estimator.findings import Finding
from estimator.inventory.words import counted
from estimator.operations import operation_keys
from estimator.principals import OUTSIDE_SCOPES, outside_scopes

#: Weekdays that a sample of the whole tenant must span before silence says that nothing is emitted.
_WEEKDAYS = 5
#: The share of licensed user mailboxes seen beyond which a sample without system principals is of the whole tenant.
_SEEN_SHARE = 0.5


@dataclass(frozen=True)
class Witness:
    """What the sample shows of the mailboxes.

    Attributes:
        seen: mailboxes seen per operation.
        by_owner: of these, the ones whose own account acted.
        covered: of each mailbox, whether the sample would show its events.
        findings: what the sample was taken for.
    """

    seen: dict[str, set[str]]
    by_owner: dict[str, set[str]]
    covered: pd.Series
    findings: list[Finding]


def look_at(boxes: pd.DataFrame, reduction: pd.DataFrame | None) -> Witness:
    """Mailboxes seen per operation, and whether the sample covers each mailbox.

    A mailbox is covered if any Exchange event of it was seen, or if the sample is of the whole tenant (no search for
    some users would have brought it) over five weekdays or more.

    Args:
        boxes: `tables.MAILBOXES`.
        reduction: `tables.REDUCTION`, or None without a sample.
    """
    nobody = pd.Series(False, index=boxes.index)
    if reduction is None or reduction.empty:
        return Witness({}, {}, nobody, [])
    mine = reduction[reduction["subject_kind"] == "mailbox"]
    keys = operation_keys(mine)
    seen = {str(key): set(group) for key, group in mine["subject"].groupby(keys)}
    own = mine["subject"] == mine["principal"]
    by_owner = {str(key): set(group) for key, group in mine.loc[own, "subject"].groupby(keys[own])}
    days = pd.DatetimeIndex(reduction["day"].unique())
    whole = _why_whole(boxes, reduction) if (days.day_of_week < 5).sum() >= _WEEKDAYS else ""
    if whole:
        covered, message = ~nobody, f"the sample is taken as one of the whole tenant: {whole}."
        message += " Mailboxes it does not show count as emitting nothing."
    else:
        covered = boxes["mailbox"].isin(set(mine["subject"]))
        message = (
            f"the sample covers {int(covered.sum()):,} of {counted(len(boxes), 'mailbox', 'mailboxes')}; the others' "
            "state is unknown where "
            "their settings say they emit, or do not say. An export of all users, five weekdays or longer, settles it."
        )
    return Witness(seen, by_owner, covered, [Finding("sample_scope", "info", message)])


def _why_whole(boxes: pd.DataFrame, reduction: pd.DataFrame) -> str:
    """Why a sample cannot come from a search for some users; '' where it can.

    A stray account without a mailbox (a departed user, an administrator) proves nothing: one can search for it.
    """
    principals = reduction["principal"].unique()
    if system := sum(map(outside_scopes, principals)):
        return f"it shows what {OUTSIDE_SCOPES} ({system:,} of them)"
    licensed = boxes.loc[(boxes["kind"] == "user") & (boxes["audit_tier"] != "none"), "mailbox"]
    subjects = reduction.loc[reduction["subject_kind"] == "mailbox", "subject"]
    active = int(licensed.isin({*principals, *subjects}).sum())
    if active > _SEEN_SHARE * len(licensed):
        of = counted(len(licensed), "licensed user mailbox", "licensed user mailboxes")
        return f"{active:,} of {of} act in it or are acted on"
    return ""
