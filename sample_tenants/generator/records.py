"""Audit records as they stand in an export: the AuditData JSON of each operation, in the shape of 2026.

Whatever differs from record to record of an operation is of fixed width, save six things: the addresses of principal
and subject, client, folder, label and the messages. So a record's size can be known without writing it (`sizes`).
Fields and their order follow public samples; the ids in them are invented, with as much variety as real ones have:
an item id differs from the next in the same folder by a counter only.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from .operations import BIND, OPERATIONS, SYNC, UPDATE

FOLDERS = ("Inbox", "Sent Items", "Archive", r"Inbox\\Projects", r"Inbox\\Newsletters", "Calendar", "Drafts")
INBOX, SENT, _, _, _, CALENDAR, DRAFTS = range(len(FOLDERS))


class Client(NamedTuple):
    """A mail client: how it calls itself, the id of its app, and the network it comes from."""

    info: str
    app: str
    network: str


CLIENTS = (
    Client("Client=MSExchangeRPC", "d3590ed6-52b3-4102-aeff-aad2292ab01c", "198.51.100"),
    Client("Client=OWA;Action=ViaProxy", "00000002-0000-0ff1-ce00-000000000000", "198.51.100"),
    Client("Client=OutlookService;Outlook-iOS/2.0;", "27922004-5251-4030-b22d-91ecd9a37ea4", "203.0.113"),
    Client("Client=REST;Client=RESTSystem;;", "3c8e478f-21ca-493a-b87c-c7366d664d54", "192.0.2"),
)
OUTLOOK, OWA, PHONE, SERVICE = range(len(CLIENTS))

SUBJECTS = (
    "RE: Engagement letter", "FW: Draft agreement v3", "Hearing moved to Thursday", "RE: RE: Invoice 20417",
    "Lunch?", "Discovery schedule and open questions", "Signed copy attached", "Weekly status",
)  # fmt: skip
FILES = (
    "Engagement letter.docx", "Draft agreement v3.docx", "Time sheet October.xlsx", "Exhibit A.pdf",
    "Closing checklist.xlsx", "Memo to file.docx", "Deck for the board.pptx", "Minutes.docx",
)  # fmt: skip
PAGES = ("Home", "News", "Policies", "People", "Handbook", "Forms", "Holidays", "Support")
LABELS = len(SUBJECTS)

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15
_ODD = 0x9E3779B1
_AGENT = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36"
)


def scramble(number: int) -> int:
    """Turn a number into another of 64 bits, no two into the same (Stafford's mixer)."""
    z = (number + _GOLDEN) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)


def guid(*key: int | str) -> str:
    """Return the GUID that belongs to a key."""
    h = hashlib.sha256(repr(key).encode()).hexdigest()
    return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-a{h[17:20]}-{h[20:32]}"


@lru_cache(maxsize=1024)
def _date(day: int) -> str:
    return date.fromordinal(date(1970, 1, 1).toordinal() + day).isoformat()


def iso(time: int) -> str:
    """Return a time in seconds since 1970 as `2026-10-26T14:02:11`."""
    day, second = divmod(time, 86400)
    return f"{_date(day)}T{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"


def _text(length: int, *key: int | str) -> str:
    """Return base64 text of a length, as ids are made of."""
    raw = b"".join(hashlib.sha256(repr((key, n)).encode()).digest() for n in range(length // 40 + 1))
    return base64.b64encode(raw).decode()[:length]


def site_url(domain: str, label: int) -> str:
    """Return the address of the site that files and pages of a label lie on."""
    return f"https://{domain}.sharepoint.com/sites/team{label:02d}/"


class Row(NamedTuple):
    """One event as `AuditWriter` takes it: the columns of `Events`, with the names filled in."""

    operation: int
    time: int
    user: str
    owner: str
    mailbox: int
    principal: int
    client: int
    folder: int
    label: int
    items: int
    message: int
    session: int
    number: int


class _Identity(NamedTuple):
    """The ids that belong to one mailbox and its person, or to one application."""

    key: str
    sid: str
    guid: str
    address: int
    device: str
    server: str
    store: str
    tail: str


class AuditWriter:
    """Writes AuditData for one tenant.

    Args:
        seed: Makes the ids.
        domain: The tenant's domain.
        counts_only: Write the few fields that counting needs, not whole records.
    """

    def __init__(self, seed: int, domain: str, counts_only: bool = False) -> None:
        self._seed = seed
        self._tenant = guid(seed, "tenant")
        self._domain = domain.split(".")[0]
        self._counts_only = counts_only
        self._identity = lru_cache(maxsize=None)(self._make_identity)
        self._folder_id = lru_cache(maxsize=None)(lambda mailbox, folder: _text(92, seed, mailbox, folder) + "AAA=")
        self._bodies: tuple[Callable[[Row], str], ...] = (
            self._bind, self._sync, self._send, self._attachment, self._item, self._item, self._group, self._group,
            self._group, self._send, self._file, self._file, self._page, self._login, self._meeting, self._participant,
            self._search,
        )  # fmt: skip

    def record_id(self, row: Row) -> str:
        """Return the record's Id: its own number, a server, and the hour, much as Exchange makes them."""
        server = self._identity(row.mailbox).guid[8:23]
        return f"{(row.number + 1) * _ODD & 0xFFFFFFFF:08x}{server}-08de{row.time // 3600 & 0xFFFFFFFF:08x}"

    def __call__(self, row: Row) -> str:
        """Return the AuditData JSON of an event."""
        operation = OPERATIONS[row.operation]
        head = f'{{"CreationTime":"{iso(row.time)}","Id":"{self.record_id(row)}","Operation":"{operation.name}",'
        if self._counts_only:
            return head + self._short(row)
        who = self._identity(row.principal)
        kind = 0 if row.principal >= 0 else 6
        return (
            f'{head}"OrganizationId":"{self._tenant}","RecordType":{operation.record_type},"ResultStatus":"Succeeded",'
            f'"UserKey":"{who.key}","UserType":{kind},"Version":1,"Workload":"{operation.workload}",'
            f'"ClientIP":"{CLIENTS[row.client].network}.{who.address}","UserId":"{row.user}",'
            f"{self._bodies[row.operation](row)}}}"
        )

    def _short(self, row: Row) -> str:
        operation = OPERATIONS[row.operation]
        owner = f',"MailboxOwnerUPN":"{row.owner}"' if operation.workload == "Exchange" else ""
        access = {BIND: "Bind", SYNC: "Sync"}.get(row.operation)
        properties = f',"OperationProperties":[{{"Name":"MailAccessType","Value":"{access}"}}]' if access else ""
        return (
            f'"RecordType":{operation.record_type},"Workload":"{operation.workload}","UserId":"{row.user}"'
            f"{owner}{properties}}}"
        )

    def _make_identity(self, number: int) -> _Identity:
        h = scramble(number & 0xFFFFFF | self._seed << 24)
        return _Identity(
            key=f"10032001{h & 0xFFFFFFFF:08X}",
            sid=f"S-1-5-21-1417001333-2083299547-1801674531-{10_000_000 + (number & 0xFFFFFF)}",
            guid=guid(self._seed, "mailbox", number),
            address=100 + h % 150,
            device=guid(self._seed, "device", number),
            server=f"BYAPR12MB{1000 + h // 1000 % 9000}",
            store=_text(60, self._seed, "store", number),
            tail=f"{scramble(h):016X}",
        )

    def _mailbox(self, row: Row) -> str:
        """Return the fields that all Exchange records share."""
        who, whose, client = self._identity(row.principal), self._identity(row.mailbox), CLIENTS[row.client]
        app = client.app if row.principal >= 0 else who.guid
        session = f"{row.session * _ODD & 0xFFFFFFFF:08x}"
        logon = 0 if row.principal == row.mailbox else 2
        return (
            f'"AppAccessContext":{{"AADSessionId":"{who.device}","IssuedAtTime":"1601-01-01T00:00:00",'
            f'"UniqueTokenId":"{whose.store[:22]}"}},'
            f'"AppId":"{app}","ClientAppId":"{app}","ClientIPAddress":"{client.network}.{who.address}",'
            f'"ClientInfoString":"{client.info}","ExternalAccess":false,"InternalLogonType":0,"LogonType":{logon},'
            f'"LogonUserSid":"{who.sid}","MailboxGuid":"{whose.guid}","MailboxOwnerSid":"{whose.sid}",'
            f'"MailboxOwnerUPN":"{row.owner}","OrganizationName":"{self._domain}.onmicrosoft.com",'
            f'"OriginatingServer":"{whose.server} (15.20.9388.012)\\r\\n",'
            f'"SessionId":"{session}{who.device[8:]}"'
        )

    def _messages(self, row: Row) -> list[tuple[str, str, str, int]]:
        """Return item id, immutable id, message id and size of each message."""
        whose = self._identity(row.mailbox)
        found = []
        for n in range(row.message, row.message + row.items):
            size = 10_000 + (n * _ODD >> 5) % 90_000
            found.append((
                f"RgAAAAD{whose.store}BwC{whose.store[:12]}AAAA{n & 0xFFFFFF:06X}AAA=",
                f"AAkALgAAAAAAHYQD{whose.store[8:60]}EMAC{whose.store[:14]}{n & 0xFFFFFF:06X}AAA=",
                f"<{whose.server}{n:010X}{whose.tail}@{whose.server}.namprd12.prod.outlook.com>",
                size,
            ))  # fmt: skip
        return found

    def _items(self, row: Row) -> str:
        return ",".join(
            f'{{"Id":"{i}","ImmutableId":"{immutable}","InternetMessageId":"{message}","SizeInBytes":{size}}}'
            for i, immutable, message, size in self._messages(row)
        )

    def _bind(self, row: Row) -> str:
        return (
            f"{self._mailbox(row)},"
            '"OperationProperties":[{"Name":"MailAccessType","Value":"Bind"},{"Name":"IsThrottled","Value":"False"}],'
            f'"Folders":[{{"FolderItems":[{self._items(row)}],"Id":"{self._folder_id(row.mailbox, row.folder)}",'
            f'"Path":"\\\\{FOLDERS[row.folder]}"}}],"OperationCount":{row.items}'
        )

    def _sync(self, row: Row) -> str:
        folder = self._folder_id(row.mailbox, row.folder)
        return (
            f"{self._mailbox(row)},"
            '"OperationProperties":[{"Name":"MailAccessType","Value":"Sync"},{"Name":"IsThrottled","Value":"False"}],'
            f'"Item":{{"Id":"{folder}","ParentFolder":{{"Id":"{folder}","Name":"{FOLDERS[row.folder]}",'
            f'"Path":"\\\\{FOLDERS[row.folder]}"}}}},"OperationCount":1'
        )

    def _one(self, row: Row, extra: str = "") -> str:
        """Return the item that a record of a single message is about."""
        item, immutable, message, size = self._messages(row._replace(items=1))[0]
        folder = self._folder_id(row.mailbox, row.folder)
        return (
            f'"Item":{{"Id":"{item}","ImmutableId":"{immutable}","InternetMessageId":"{message}",{extra}"IsRecord":false,'
            f'"ParentFolder":{{"Id":"{folder}","Path":"\\\\{FOLDERS[row.folder]}"}},"SizeInBytes":{size},'
            f'"Subject":"{SUBJECTS[row.label]}"}}'
        )

    def _send(self, row: Row) -> str:
        whose = "" if row.principal == row.mailbox else f',"SendAsUserSmtp":"{row.owner}"'
        return f'{self._mailbox(row)},{self._one(row)},"SaveToSentItems":true{whose}'

    def _item(self, row: Row) -> str:
        changed = '"ModifiedProperties":["RecipientsInternal","Flag"],' if row.operation == UPDATE else ""
        return f"{self._mailbox(row)},{changed}{self._one(row)}"

    def _group(self, row: Row) -> str:
        subject = SUBJECTS[row.label]
        folder = self._folder_id(row.mailbox, row.folder)
        affected = ",".join(
            f'{{"Id":"{i}","InternetMessageId":"{message}","ParentFolder":{{"Id":"{folder}"}},"Subject":"{subject}"}}'
            for i, _, message, _ in self._messages(row)
        )
        return (
            f'{self._mailbox(row)},"AffectedItems":[{affected}],"CrossMailboxOperation":false,'
            f'"DestFolder":{{"Id":"{self._folder_id(row.mailbox, INBOX)}","Path":"\\\\Deleted Items"}},'
            f'"Folder":{{"Id":"{folder}","Path":"\\\\{FOLDERS[row.folder]}"}}'
        )

    def _attachment(self, row: Row) -> str:
        """Return an attachment read: Microsoft documents no shape; samples hold Messages[].MessageItems[]."""
        item, immutable, message, _ = self._messages(row._replace(items=1))[0]
        items = ",".join(
            f'{{"AttachmentId":"{item}BEgAQA{n:06d}","Name":"{FILES[row.label]}","SizeInBytes":{size}}}'
            for n, (_, _, _, size) in enumerate(self._messages(row))
        )
        return (
            f"{self._mailbox(row)},"
            f'"Messages":[{{"Id":"{item}","ImmutableId":"{immutable}","InternetMessageId":"{message}",'
            f'"MessageItems":[{items}]}}],"OperationCount":{row.items}'
        )

    def _search(self, row: Row) -> str:
        """Return a search: no record of one is public, so its field is our assumption."""
        return f'{self._mailbox(row)},"QueryText":"{SUBJECTS[row.label]}"'

    def _site(self, row: Row, kind: str, path: str) -> str:
        who = self._identity(row.principal)
        site = site_url(self._domain, row.label)
        correlation = f"{row.number * _GOLDEN >> 13 & 0xFFFFFFFF:08x}"
        return (
            f'"AppAccessContext":{{"AADSessionId":"{who.device}","CorrelationId":"{correlation}{who.guid[8:]}",'
            f'"UniqueTokenId":"{who.store[:22]}"}},"AuthenticationType":"OAuth",'
            f'"BrowserName":"Edge","BrowserVersion":"141.0.0.0","EventSource":"SharePoint","IsManagedDevice":true,'
            f'"ItemType":"{kind}","ListItemUniqueId":"{guid(row.label, "item")}","Platform":"WinDesktop",'
            f'"Site":"{guid(row.label, "site")}","UserAgent":"{_AGENT}","WebId":"{guid(row.label, "web")}",'
            f'"DeviceDisplayName":"{CLIENTS[row.client].network}.{who.address}","SiteUrl":"{site}",'
            f'"ObjectId":"{site}{path}"'
        )

    def _file(self, row: Row) -> str:
        name = FILES[row.label]
        extension = name.rsplit(".")[-1]
        return (
            f'{self._site(row, "File", "Shared Documents/" + name)},"ListId":"{guid(row.label, "list")}",'
            f'"SourceFileExtension":"{extension}","SourceFileName":"{name}","SourceRelativeUrl":"Shared Documents",'
            f'"ApplicationDisplayName":"Office 365","FileSizeBytes":{10_000 + scramble(row.label) % 90_000}'
        )

    def _page(self, row: Row) -> str:
        return self._site(row, "Page", f"SitePages/{PAGES[row.label]}.aspx")

    def _login(self, row: Row) -> str:
        who = self._identity(row.principal)
        return (
            f'"ObjectId":"00000003-0000-0000-c000-000000000000","AzureActiveDirectoryEventType":1,"ExtendedProperties":['
            f'{{"Name":"ResultStatusDetail","Value":"Success"}},{{"Name":"UserAgent","Value":"{_AGENT}"}},'
            f'{{"Name":"RequestType","Value":"OAuth2:Authorize"}}],"ModifiedProperties":[],'
            f'"Actor":[{{"ID":"{who.guid}","Type":0}},{{"ID":"{row.user}","Type":5}}],"ActorContextId":"{self._tenant}",'
            f'"ActorIpAddress":"{CLIENTS[row.client].network}.{who.address}","InterSystemsId":"{who.device}",'
            f'"Target":[{{"ID":"00000003-0000-0000-c000-000000000000","Type":0}}],"TargetContextId":"{self._tenant}",'
            f'"ApplicationId":"{CLIENTS[row.client].app}","DeviceProperties":[{{"Name":"OS","Value":"Windows10"}},'
            f'{{"Name":"BrowserType","Value":"Edge"}},{{"Name":"IsCompliantAndManaged","Value":"True"}},'
            f'{{"Name":"SessionId","Value":"{who.device}"}}],"ErrorNumber":"0"'
        )

    def _meeting(self, row: Row) -> str:
        who = self._identity(row.principal)
        return (
            f'"CommunicationType":"ScheduledMeeting","CommunicationSubType":"ScheduledMeeting",{self._meeting_id(row)},'
            f'"Organizer":{{"OrganizationId":"{self._tenant}","RecipientType":"User","UserObjectId":"{who.guid}"}},'
            f'"StartTime":"{iso(row.time - 5400)}Z","EndTime":"{iso(row.time - 3600)}Z",'
            f'"Modalities":["Audio","Video","ScreenShare"],"ItemName":"{SUBJECTS[row.label]}","ExtraProperties":[]'
        )

    def _participant(self, row: Row) -> str:
        guest = self._identity(row.mailbox)
        return (
            f'{self._meeting_id(row)},"JoinTime":"{iso(row.time - 5400)}Z","LeaveTime":"{iso(row.time - 3600)}Z",'
            f'"Attendees":[{{"OrganizationId":"{self._tenant}","RecipientType":"User","UserObjectId":"{guest.guid}"}}],'
            f'"DeviceInformation":"","ArtifactsShared":[],"ExtraProperties":[]'
        )

    def _meeting_id(self, row: Row) -> str:
        return f'"MeetingDetailId":"{row.session * _ODD & 0xFFFFFFFF:08x}{self._tenant[8:]}"'
