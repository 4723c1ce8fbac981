"""Names that try to become code. Read by tree-sitter's grammar and by PowerShell's own rules for quotes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from mending_plans import plan
from powershell_reading import DOUBLE, SINGLE, commands, data, faults, literals, scan

from estimator.mending import (
    Mend,
    MendingPlan,
    OrganisationMend,
    Wave,
    unquotable,
    write_rollback,
    write_runbook,
    write_script,
)
from estimator.mending.quoting import is_quotable, literal

FRAGMENTS = (
    *SINGLE, *DOUBLE, "'; Remove-Mailbox -Identity *; '", "\u2019; Remove-Mailbox #", "$(Remove-Mailbox)",
    "${x}", "$x", "`", "`n", "@{", "}", "@(", ")", "'@", "@'", '"@', "#>", "<#", "#", ";", "|", "&", "{", "(", ",",
    "\n", "\r\n", "\r", "\x00", "\x1b[2J", "\x07", "\u0085", "\u2028", "\u2029", "\u200f", "\u202e", "\u2066",
    "\u200b", "\ufeff", "\u0301", "\U0001f600", "ü", "#{{data}}", "#{{tenant}}", "x" * 3000, " ", "\t",
    "a@contoso.example", "--%", "%s", "{0}", "=cmd|' /C calc'!A0",
)  # fmt: skip

names = st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=4)), min_size=1, max_size=6).map("".join)
some_names = st.lists(names, min_size=1, max_size=4, unique_by=str.lower)

SETS = ({"owner": ("Send",)}, {"admin": ("MailItemsAccessed",), "owner": ("MailItemsAccessed",)})


def mends(mailboxes: list[str]) -> list[Mend]:
    """All lack the same, so that a plan of other names is laid out alike."""
    return [Mend(name, "user", 1, SETS[0], ("owner",)) for name in mailboxes]


def harmless(count: int) -> list[str]:
    return [f"user{n}@contoso.example" for n in range(count)]


@settings(deadline=None, max_examples=150)
@given(some_names)
@example(["'; Remove-Mailbox"])
@example(["\u2019; Remove-Mailbox -Identity * #", "\u201b", "a\u2018\u2019'b"])
@example(["a\nRemove-Mailbox", "b\x00", "\u202eexe.@x", "c"])
@example(["x" * 100_000])
def test_a_hostile_mailbox_stays_one_literal(hostile: list[str]) -> None:
    shown = sorted(name for name in hostile if is_quotable(name))
    for write in (write_script, write_rollback):
        script = write(plan(mends(hostile)))
        calm = write(plan(mends(harmless(len(shown)))))
        assert faults(script) == []
        assert commands(script) == commands(calm)
        # By PowerShell's own tokenizer the two scripts are the same code but for what stands in the literals.
        code, values = scan(script)
        calm_code, calm_values = scan(calm)
        assert code == calm_code
        assert len(values) == len(calm_values)
        if not shown:
            assert commands(script) == {"Write-Output": 1}
            continue
        assert [name for group in data(script)["Groups"] for name in group["Mailboxes"]] == shown
        at = calm_values.index("user0@contoso.example")
        assert values[at : at + len(shown)] == shown
        assert values[:at] + values[at + len(shown) :] == calm_values[:at] + calm_values[at + len(shown) :]


@settings(deadline=None, max_examples=100)
@given(names, names, names, names)
@example("'; Remove-Mailbox", "#>\nRemove-Mailbox", "\rRemove-Mailbox", "\u2019\u2028Remove-Mailbox")
def test_other_hostile_text_stays_text(title: str, account: str, tenant: str, reason: str) -> None:
    """Titles, accounts, the tenant's name, reasons and kinds come from files too."""

    def written(title: str, account: str, tenant: str, reason: str, kind: str) -> list[str]:
        mend = Mend("ann@contoso.example", kind, 1, SETS[1], enable_audit=True)
        hostile = plan(
            [mend], waves=[Wave(1, title, dt.date(2027, 1, 4), 1)], tenant=tenant, bypassed_accounts=(account,),
            not_mended={reason: 1}, organisation=OrganisationMend(True, True),
        )  # fmt: skip
        return [write_script(hostile), write_rollback(hostile), write_runbook(hostile)]

    calm = written("Title", "svc", "No domain", "no licence", "user")
    for script, expected in zip(written(title, account, f" {tenant}", reason, reason), calm, strict=True):
        assert faults(script) == []
        assert commands(script) == commands(expected)
        assert scan(script)[0] == scan(expected)[0]
        assert script.count("\n") == expected.count("\n")


@pytest.mark.parametrize("write", [write_script, write_rollback], ids=lambda w: w.__name__)
def test_names_that_no_script_may_hold_are_left_out_and_counted(write: Callable[[MendingPlan], str]) -> None:
    bad = ["a\nb@x", "c\x00@x", "\u202ed@x", "e\u200b@x", "f\u2028@x", "\ud800@x", ""]
    made = plan(mends([*bad, "good@x"]))
    assert unquotable(made) == tuple(sorted(bad))
    script = write(made)
    assert "#   7 x the name has control characters or invisible ones\r\n" in script
    assert [group["Mailboxes"] for group in data(script)["Groups"]] == [["good@x"]]
    script.encode()


def test_each_kind_of_single_quote_is_doubled() -> None:
    """Written out by hand; PowerShell's CodeGeneration.EscapeSingleQuotedStringContent gives the same."""
    assert literal("o'neil@x") == "'o''neil@x'"
    assert literal("a\u2018b\u2019c\u201ad\u201be") == "'a\u2018\u2018b\u2019\u2019c\u201a\u201ad\u201b\u201be'"
    assert literal('$(x)`n"') == "'$(x)`n\"'"
    with pytest.raises(ValueError, match="characters that no script may hold"):
        literal("a\nb")


def test_the_scan_finds_an_injection_that_the_grammar_does_not() -> None:
    """The property above would fail if only the straight quote were doubled."""
    script = "$x = @('\u2019; Remove-Mailbox #')\n"
    assert faults(script) == []
    assert literals(script) == ["\u2019; Remove-Mailbox #"]
    assert "Remove-Mailbox" in scan(script)[0]
