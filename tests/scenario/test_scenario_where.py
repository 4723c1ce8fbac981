"""`where` by hand: tables of conditions and the mailboxes, or the records, that meet them."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from pydantic import ValidationError

from estimator.errors import ScenarioError
from estimator.scenario import Where, mailboxes_of, rows_of

# ann, bob and cyd are people, dan has no department, eve is a shared mailbox.
BOXES = pd.DataFrame(
    {
        "mailbox": ["ann", "bob", "cyd", "dan", "eve"],
        "kind": ["user", "user", "user", "user", "shared"],
        "department": ["Finance", "finance", "IT", "", "IT"],
        "audit_tier": ["premium", "standard", "standard", "none", "none"],
        "audit_enabled": [True, True, False, True, True],
        "city": ["Rome", None, None, "Oslo", "Oslo"],
    },
    index=[7, 3, 9, 1, 2],  # in no order: rows are found by position
).astype(dict.fromkeys(("mailbox", "kind", "department", "audit_tier", "city"), "str"))


def where(text: dict[str, Any]) -> Where:
    return Where.model_validate(text)


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({}, "ann bob cyd dan eve"),
        # one value, with and without brackets; several: any
        ({"department": "FINANCE"}, "ann bob"),
        ({"department": ["finance"]}, "ann bob"),
        ({"department": ["Finance", "IT"]}, "ann bob cyd eve"),
        ({"department": ["Finance", "Nowhere"]}, "ann bob"),
        ({"department": ""}, "dan"),
        ({"city": ""}, "bob cyd"),  # what is blank in the export is blank here
        ({"audit_enabled": "false"}, "cyd"),
        ({"Mailbox": ["DAN"]}, "dan"),
        # several columns: all
        ({"department": "finance", "audit_tier": "standard"}, "bob"),
        ({"department": ["finance", "it"], "audit_tier": ["standard", "none"]}, "bob cyd eve"),
        # not: whatever meets any of its conditions is left out
        ({"not": {"department": "it"}}, "ann bob dan"),
        ({"not": {"department": ["it", "finance"]}}, "dan"),
        ({"not": {"department": "finance", "kind": "shared"}}, "cyd dan"),
        ({"not": {"department": "it", "kind": "shared"}}, "ann bob dan"),
        ({"department": "it", "not": {"kind": ["shared"]}}, "cyd"),
        ({"audit_tier": ["standard", "none"], "not": {"department": ["", "finance"]}}, "cyd eve"),
        # a condition under 'not' may leave out nobody of those the others select
        ({"department": "finance", "not": {"kind": "shared"}}, "ann bob"),
        # conditions on records say nothing of mailboxes
        ({"access_type": "Sync", "not": {"application": "backup"}}, "ann bob cyd dan eve"),
        ({"access_type": "Sync", "department": "it", "not": {"application": "backup", "kind": "user"}}, "eve"),
    ],
)
def test_conditions_on_mailboxes(conditions: dict[str, Any], expected: str) -> None:
    assert list(mailboxes_of(where(conditions), BOXES, "s.toml", "changes[0].where")) == expected.split()


ROWS = pd.DataFrame(
    {
        "access_type": ["Bind", "Sync", "Sync", "", "Bind"],
        "app_id": ["", "AAAA-1", "backup", "aaaa-1", "backup"],
    },
    index=[5, 5, 0, 1, 2],
).astype("str")


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({}, [0, 1, 2, 3, 4]),
        ({"department": "it", "not": {"kind": "shared"}}, [0, 1, 2, 3, 4]),  # says nothing of records
        ({"access_type": "Sync"}, [1, 2]),
        ({"access_type": ["bind", "SYNC"]}, [0, 1, 2, 4]),
        ({"application": "aaaa-1"}, [1, 3]),
        ({"application": ["AAAA-1", "Backup"]}, [1, 2, 3, 4]),
        ({"application": ""}, [0]),
        ({"access_type": "Sync", "application": "backup"}, [2]),
        ({"not": {"access_type": "Sync"}}, [0, 3, 4]),
        ({"not": {"access_type": "Sync", "application": "backup"}}, [0, 3]),
        ({"access_type": "Sync", "not": {"application": "backup"}}, [1]),
        ({"application": "nobody"}, []),
    ],
)
def test_conditions_on_records(conditions: dict[str, Any], expected: list[int]) -> None:
    mask = rows_of(where(conditions), ROWS, "s.toml", "changes[0].where")
    assert mask.dtype == bool
    assert mask.nonzero()[0].tolist() == expected


def test_a_sample_may_be_empty_or_categorical() -> None:
    some = where({"application": "backup", "not": {"access_type": "Bind"}})
    assert rows_of(some, ROWS.iloc[:0], "s.toml", "w").shape == (0,)
    assert rows_of(some, ROWS.astype("category"), "s.toml", "w").tolist() == [False, False, True, False, False]


@pytest.mark.parametrize("column", ["kind", "department", "audit_enabled", "city"])
def test_what_a_condition_takes_and_what_its_negation_takes_are_everything(column: str) -> None:
    for value in BOXES[column].dropna().unique():
        takes = mailboxes_of(where({column: str(value)}), BOXES, "s.toml", "w")
        leaves = mailboxes_of(where({"not": {column: str(value)}}), BOXES, "s.toml", "w")
        assert not set(takes) & set(leaves)
        assert set(takes) | set(leaves) == set(BOXES["mailbox"])


@pytest.mark.parametrize(
    ("conditions", "mailboxes", "records", "words"),
    [
        ({}, False, False, ""),
        ({"department": ["Legal", ""]}, True, False, "department Legal or ''"),
        ({"not": {"kind": "shared", "department": "IT"}}, True, False, "not kind shared, not department IT"),
        ({"application": "x"}, False, True, "application x"),
        ({"not": {"access_type": "Bind"}}, False, True, "not access_type Bind"),
        ({"kind": "user", "not": {"application": "x"}}, True, True, "kind user, not application x"),
    ],
)
def test_what_the_conditions_are_about(conditions: dict[str, Any], mailboxes: bool, records: bool, words: str) -> None:
    found = where(conditions)
    assert (found.about_mailboxes, found.about_records, found.words()) == (mailboxes, records, words)


@pytest.mark.parametrize(
    ("conditions", "message"),
    [
        (
            {"kind": "shraed"},
            "s.toml:w: kind = ['shraed'] matches none of the 5 mailboxes there are; expected a value that occurs, such "
            "as 'shared', 'user'. Did you mean 'shared'?",
        ),
        (
            {"department": "it", "audit_tier": ["premium"]},
            "s.toml:w: audit_tier = ['premium'] matches none of the 2 mailboxes that meet the conditions before it; "
            "expected a value that occurs, such as 'none', 'standard'. Correct the value or drop the condition.",
        ),
        (
            {"not": {"city": "Romee"}},
            "s.toml:w.not: city = ['Romee'] matches none of the 5 mailboxes there are; expected a value that occurs, "
            "such as '', 'oslo', 'rome'. Did you mean 'rome'?",
        ),
        (
            {"not": {"kind": ["user", "shared"]}},
            "s.toml:w: nothing is left: each of the 5 mailboxes that meet the other conditions meets one under 'not' "
            "as well; expected conditions that leave something (not kind user or shared leaves nothing). Narrow 'not', "
            "or widen the others.",
        ),
        (
            {"not": {"departmnt": "it"}},
            "s.toml:w.not: there is no column 'departmnt' in the mailbox inventory; expected one of mailbox, kind, "
            "department, audit_tier, audit_enabled, city. Did you mean 'department'?",
        ),
    ],
)
def test_what_matches_nothing_is_refused(conditions: dict[str, Any], message: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        mailboxes_of(where(conditions), BOXES, "s.toml", "w")
    assert str(caught.value) == message


def test_of_many_values_the_most_frequent_are_named() -> None:
    boxes = pd.DataFrame({"mailbox": map(str, range(60)), "floor": [*(f"f{n}" for n in range(40)), *["roof"] * 20]})
    with pytest.raises(ScenarioError, match=r"such as 'f\d+', .*'roof'") as caught:
        mailboxes_of(where({"floor": "cellar"}), boxes, "s.toml", "w")
    assert str(caught.value).count("'f") == 7


def test_a_where_is_closed_to_what_is_no_text() -> None:
    for value in (3, True, None, {"a": "b"}, [["Legal"]], [3]):
        with pytest.raises(ValidationError):
            where({"department": value})
