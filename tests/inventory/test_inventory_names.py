"""Names that changed between two exports: which mailbox they mean, and what is said of them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from estimator.inventory import Inventory, read_inventory
from estimator.inventory.names import Names
from tests.conftest import MAILBOX_COLUMNS, active, activity_csv, licence, licences_csv, mailbox, mailboxes_csv, write

COLUMNS = (*MAILBOX_COLUMNS, "EmailAddresses")
ADDRESSES = (
    "SMTP:ann.new@contoso.example smtp:ann.old@contoso.example SIP:ann.sip@contoso.example "
    "X500:/o=ExchangeLabs/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn=Recipients/cn=ann"
)


def joined(tmp_path: Path, boxes: str, licences: str, activity: str = "") -> Inventory:
    files = {"mailboxes": boxes, "licences": licences, "email-activity": activity}
    return read_inventory({k: [(write(tmp_path / k, text), k)] for k, text in files.items() if text})


def messages(inventory: Inventory, code: str) -> list[str]:
    return [one.message for one in inventory.findings if one.code == code]


@pytest.mark.parametrize(
    "addresses",
    [
        ADDRESSES,
        "{SMTP:ann.new@contoso.example, smtp:ann.old@contoso.example, SIP:ann.sip@contoso.example}",
        "SMTP:Ann.New@contoso.example;smtp:Ann.Old@contoso.example",
        "ann.new@contoso.example,ann.old@contoso.example",
        "smtp:ann.old@contoso.example\nSMTP:ann.new@contoso.example",
    ],
)
def test_addresses_in_any_spelling(tmp_path: Path, addresses: str) -> None:
    box = mailbox("ann.new", EmailAddresses=addresses, PrimarySmtpAddress="A.Lee@contoso.example")
    inventory = joined(tmp_path, mailboxes_csv(box, columns=COLUMNS), licences_csv(licence("ann.new")))
    assert inventory.canonical == {
        "a.lee@contoso.example": "ann.new@contoso.example", "ann.old@contoso.example": "ann.new@contoso.example",
    }  # fmt: skip
    assert not messages(inventory, "upn_changed")  # nobody used them


def test_files_with_former_names_join_and_are_counted(tmp_path: Path) -> None:
    boxes = mailboxes_csv(mailbox("ann.new", EmailAddresses=ADDRESSES), mailbox("bob"), columns=COLUMNS)
    inventory = joined(
        tmp_path,
        boxes,
        licences_csv(licence("Ann.Old", "SPE_E5"), licence("bob", "SPE_E3")),
        activity_csv(active("ann.old", **{"Send Count": "7"}), active("bob")),
    )
    assert inventory.mailboxes["audit_tier"].tolist() == ["premium", "standard"]
    assert inventory.grant_users == 1
    assert inventory.activity["mailbox"].tolist() == ["ann.new@contoso.example", "bob@contoso.example"]
    assert inventory.activity["sends"].tolist() == [7, 120]
    assert [message[:26] for message in messages(inventory, "upn_changed")] == [
        "1 user of the licences fil", "1 user of the email activi",
    ]  # fmt: skip
    assert not messages(inventory, "licence_without_mailbox")
    assert not messages(inventory, "mailbox_without_licence")


def test_rows_under_the_own_name_count_first_and_nobody_counts_twice(tmp_path: Path) -> None:
    box = mailbox("ann.new", EmailAddresses=ADDRESSES)
    inventory = joined(
        tmp_path,
        mailboxes_csv(box, columns=COLUMNS),
        licences_csv(licence("ann.old", "SPE_E5"), licence("ann.new", "SPE_E3")),
        activity_csv(
            active("ann.new", **{"Send Count": "5"}), active("ann.old", **{"Report Refresh Date": "2026-11-22"})
        ),
    )
    assert inventory.mailboxes["audit_tier"].tolist() == ["standard"]
    assert inventory.grant_users == 1
    assert inventory.activity["sends"].tolist() == [5]
    assert messages(inventory, "activity_twice")[0].startswith("1 row ")


def test_an_address_of_two_mailboxes_joins_to_neither(tmp_path: Path) -> None:
    shared = "smtp:info@contoso.example"
    boxes = mailboxes_csv(mailbox("ann", EmailAddresses=shared), mailbox("bob", EmailAddresses=shared), columns=COLUMNS)
    inventory = joined(tmp_path, boxes, licences_csv(licence("ann"), licence("info", "SPE_E5")))
    assert inventory.canonical == {}
    assert messages(inventory, "name_ambiguous")[0].startswith("1 user of the licences files")
    assert messages(inventory, "licence_without_mailbox")[0].startswith("1 licensed user has")


def test_a_mailboxs_own_name_is_never_another_ones_address(tmp_path: Path) -> None:
    boxes = mailboxes_csv(mailbox("ann"), mailbox("bob", EmailAddresses="smtp:ann@contoso.example"), columns=COLUMNS)
    inventory = joined(tmp_path, boxes, licences_csv(licence("ann", "SPE_E5")))
    assert inventory.canonical == {}
    assert inventory.mailboxes["audit_tier"].tolist() == ["premium", "none"]


def test_renaming_keeps_what_means_nothing() -> None:
    names = Names(pd.DataFrame({"mailbox": ["a@x.example"], "smtp": ["b@x.example"]}, dtype="str"))
    renamed, changed, several = names.rename(pd.Series(["b@x.example", "c@x.example", "b@x.example"], dtype="str"))
    assert (renamed.tolist(), changed, several) == (["a@x.example", "c@x.example", "a@x.example"], 1, 0)
    assert names.of_account(["nobody", "b@x.example"]) == ("a@x.example", False)
