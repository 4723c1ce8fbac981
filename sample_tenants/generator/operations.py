"""The operations a tenant emits, and which of them a mailbox emits only once they are enabled for it."""

from __future__ import annotations

from typing import NamedTuple


class Operation(NamedTuple):
    """One kind of record: its name in the log, where it belongs, and its record type."""

    name: str
    workload: str
    record_type: int

    @property
    def key(self) -> str:
        """The operation's key, such as `Exchange/Send`."""
        return f"{self.workload}/{self.name}"


OPERATIONS = (
    Operation("MailItemsAccessed", "Exchange", 50),  # messages bound within two minutes
    Operation("MailItemsAccessed", "Exchange", 2),  # a folder synchronised by desktop Outlook
    Operation("Send", "Exchange", 2),
    Operation("AttachmentAccess", "Exchange", 50),
    Operation("Create", "Exchange", 2),
    Operation("Update", "Exchange", 2),
    Operation("MoveToDeletedItems", "Exchange", 3),
    Operation("SoftDelete", "Exchange", 3),
    Operation("HardDelete", "Exchange", 3),
    Operation("SendAs", "Exchange", 2),
    Operation("FileAccessed", "SharePoint", 6),
    Operation("FileModified", "SharePoint", 6),
    Operation("PageViewed", "SharePoint", 4),
    Operation("UserLoggedIn", "AzureActiveDirectory", 15),
    Operation("MeetingDetail", "MicrosoftTeams", 25),
    Operation("MeetingParticipantDetail", "MicrosoftTeams", 25),
    Operation("SearchQueryInitiatedExchange", "Exchange", 101),  # the type is inferred: no record is public
)
(
    BIND, SYNC, SEND, ATTACHMENT, CREATE, UPDATE, MOVE, SOFT_DELETE, HARD_DELETE, SEND_AS,
    FILE_ACCESSED, FILE_MODIFIED, PAGE_VIEWED, LOGGED_IN, MEETING, PARTICIPANT, SEARCH,
) = range(len(OPERATIONS))  # fmt: skip

NEWLY_AVAILABLE = (BIND, SYNC, SEND, ATTACHMENT, CREATE)
"""Emitted only by mailboxes on which they are enabled. Create is the owner's; delegates never create here."""

OPTIONAL = (SEARCH,)
"""Newly available too, and emitted only by mailboxes to whose owner's set an administrator added the action."""

KEPT_WHEN_CUSTOMISED = (UPDATE, HARD_DELETE, SEND_AS)
"""What the owner's customised audit set still names, and what delegates do, whose set nobody touched."""
