"""Which mailbox a name means: its UPN, an address of it, or what else its export calls it.

People are renamed between two exports, so that one file has the old UPN and another the new one; the old one usually
stays an address of the mailbox. Only a name that means one mailbox joins; one that means several is nobody's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property

import pandas as pd

from estimator.inventory.layout import column_key

#: Columns of a mailbox export that hold addresses of the mailbox.
ADDRESS_COLUMNS = {
    "primarysmtpaddress", "smtp", "emailaddresses", "proxyaddresses", "windowsemailaddress", "windowsliveid",
    "microsoftonlineservicesid",
}  # fmt: skip

#: Columns of a mailbox export that name the mailbox or its account in other ways.
IDENTITY_COLUMNS = {
    "externaldirectoryobjectid", "guid", "exchangeguid", "objectid", "distinguishedname", "legacyexchangedn", "alias",
    "name", "identity", "id", "displayname", "samaccountname",
}  # fmt: skip

#: What stands between addresses: `{SMTP:a@b, smtp:c@d}`, `SMTP:a@b smtp:c@d`.
_BETWEEN = str.maketrans(dict.fromkeys(',;|{}[]"', " "))


class Names:
    """The names of a tenant's mailboxes.

    Args:
        boxes: mailboxes with `mailbox` and the further columns of their export.
    """

    def __init__(self, boxes: pd.DataFrame) -> None:
        self._boxes = boxes
        #: The keys of all mailboxes.
        self.mailboxes = frozenset(boxes["mailbox"])
        #: Address → mailbox, without those that are the mailbox's key; addresses that several mailboxes have.
        self.canonical, self.ambiguous = self._unique(self._addresses())

    def find(self, name: str) -> str | None:
        """The mailbox of a UPN or address, None where it means none or several."""
        return name if name in self.mailboxes else self.canonical.get(name)

    def of_account(self, names: Iterable[str]) -> tuple[str | None, bool]:
        """The mailbox of an account that is called all of `names`, the most telling first; else whether it could be
        several."""
        several = False
        for name in names:
            found = self.find(name) or self._identities[0].get(name)
            if found is not None:
                return found, False
            several |= name in self.ambiguous or name in self._identities[1]
        return None, several

    def rename(self, users: pd.Series) -> tuple[pd.Series, int, int]:
        """User names as the mailboxes they mean, where they mean one.

        Returns:
            the names, how many different ones were another name of a mailbox, and how many could mean several.
        """
        different = users.unique().tolist()
        other = {name: self.canonical[name] for name in different if name in self.canonical}
        several = sum(name in self.ambiguous for name in different)
        renamed = users.map(lambda name: other.get(name, name)).astype("str") if other else users
        return renamed, len(other), several

    def _addresses(self) -> Iterator[tuple[str, str]]:
        for cell, box in self._cells(ADDRESS_COLUMNS):
            if cell and cell != box:
                for word in cell.lower().translate(_BETWEEN).split():
                    address = word.removeprefix("smtp:")
                    # Addresses of other systems have another prefix: `X500:`, `SIP:`, `SPO:`.
                    if "@" in address and ":" not in address:
                        yield address, box

    @cached_property
    def _identities(self) -> tuple[dict[str, str], set[str]]:
        return self._unique((cell.lower(), box) for cell, box in self._cells(IDENTITY_COLUMNS) if cell)

    def _cells(self, keys: set[str]) -> Iterator[tuple[str, str]]:
        """The cells of some columns with the mailbox of each. As lists: pandas' own iteration takes three times as
        long."""
        mailboxes = self._boxes["mailbox"].to_numpy(dtype=object).tolist()
        for name in map(str, self._boxes):
            if column_key(name) in keys:
                yield from zip(self._boxes[name].to_numpy(dtype=object).tolist(), mailboxes, strict=True)

    def _unique(self, pairs: Iterable[tuple[str, str]]) -> tuple[dict[str, str], set[str]]:
        meant: dict[str, str] = {}
        ambiguous: set[str] = set()
        for name, box in pairs:
            if name not in self.mailboxes and meant.setdefault(name, box) != box:
                ambiguous.add(name)
        for name in ambiguous:
            del meant[name]
        return meant, ambiguous
