"""The audit sets of mailboxes: which actions are logged of administrators, delegates and owners, and who manages them.

A mailbox has the sets of 2023, which Microsoft manages and has not extended yet; or those of today; or somebody
customised a set years ago, and it stays as it was then.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from .operations import ATTACHMENT, BIND, CREATE, OPERATIONS, SEARCH, SEND

_ALWAYS = (
    "Update,MoveToDeletedItems,SoftDelete,HardDelete,SendAs,SendOnBehalf,Create,"
    "UpdateFolderPermissions,UpdateInboxRules,UpdateCalendarDelegation,ApplyRecord"
)
FULL_SET = f"{_ALWAYS},MailItemsAccessed,Send,AttachmentAccess"
DELEGATE_SET = _ALWAYS
OWNER_SET = _ALWAYS.replace(",Create", "")
CUSTOMISED_OWNER_SET = "Update,HardDelete"
_SEARCH_ACTION = "SearchQueryInitiated"

ACTIONS: Mapping[int, str] = {
    op: OPERATIONS[op].name for op in (BIND, SEND, ATTACHMENT, CREATE)
} | {SEARCH: _SEARCH_ACTION}  # fmt: skip
"""The mailbox action behind each operation that is newly available (MailItemsAccessed stands under its Bind)."""


class AuditSets(NamedTuple):
    """The sets of one mailbox, actions joined by commas.

    Attributes:
        managed: The logon types that Microsoft manages (DefaultAuditSet).
        admin: Logged of administrators.
        delegate: Logged of delegates.
        owner: Logged of the owner.
    """

    managed: str
    admin: str
    delegate: str
    owner: str

    def with_search(self) -> AuditSets:
        """Return the sets with SearchQueryInitiated added for the owner, which makes the owner's a customised one."""
        return self._replace(managed="Admin,Delegate", owner=f"{self.owner},{_SEARCH_ACTION}")


def _without(action: str) -> str:
    return ",".join(a for a in FULL_SET.split(",") if a != action)


_ALL = "Admin,Delegate,Owner"
TODAY = AuditSets(_ALL, FULL_SET, FULL_SET, FULL_SET)
OF_2023 = AuditSets(_ALL, DELEGATE_SET, DELEGATE_SET, OWNER_SET)
CUSTOMISED = AuditSets("Admin,Delegate", DELEGATE_SET, DELEGATE_SET, CUSTOMISED_OWNER_SET)

VARIANTS: Mapping[str, AuditSets] = {
    # A script of 2019 wrote down what mattered then; what has come since is missing.
    "owner_of_2019": AuditSets(
        "Admin,Delegate",
        DELEGATE_SET,
        DELEGATE_SET,
        "Update,MoveToDeletedItems,SoftDelete,HardDelete,UpdateFolderPermissions,UpdateInboxRules",
    ),
    # Somebody found MailItemsAccessed too loud and took it out, of all three sets.
    "without_mail_items_accessed": AuditSets("", *[_without("MailItemsAccessed")] * 3),
    "without_send": AuditSets("", *[_without("Send")] * 3),
    # Cut down for everybody but the owner: what the owner does is logged all the same.
    "delegate_narrow": AuditSets("Owner", "SendAs,SendOnBehalf", "SendAs,SendOnBehalf", FULL_SET),
}
"""Customised sets that can be planted, by name."""
