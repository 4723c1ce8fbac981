"""The scripts as PowerShell reads them: whole, with the plan's data in them, and with nothing that changes unasked."""

from __future__ import annotations

import datetime as dt
import re
import time
from collections.abc import Callable

import pytest
from mending_plans import MENDS, MIA, SEARCH, WAVES, nobody, plan
from powershell_reading import commands, data, faults, text, tree, walk

from estimator.errors import TableError
from estimator.mending import Mend, MendingPlan, OrganisationMend, Wave, write_rollback, write_runbook, write_script

WRITERS = (write_script, write_rollback, write_runbook)
CHANGING = {"Set-Mailbox", "Set-MailboxAuditBypassAssociation", "Set-OrganizationConfig", "Set-AdminAuditLogConfig"}
SWITCHES = OrganisationMend(enable_auditing=True, enable_unified_log=True)

PLANS = {
    "full": plan(organisation=SWITCHES, bypassed_accounts=("svc",), not_mended={"no licence": 3}),
    "mailboxes only": plan(),
    "one mailbox": plan(MENDS[:1], waves=WAVES[:1]),
    "switches only": plan((), waves=(), organisation=SWITCHES),
    "nothing": nobody(),
    "no domain": plan(tenant="Contoso & Söhne"),
}

writers = pytest.mark.parametrize("write", WRITERS, ids=lambda w: w.__name__)


@writers
@pytest.mark.parametrize("name", PLANS)
def test_every_script_parses(write: Callable[[MendingPlan], str], name: str) -> None:
    assert faults(write(PLANS[name])) == []


def test_the_parser_finds_what_is_broken() -> None:
    """The test above would see a brace too many or a quote too few."""
    script = write_script(PLANS["full"])
    assert faults(script.replace("@{ Number = 1", "@{{ Number = 1"))
    assert faults(script.replace("'Executives'", "'Executives"))


@writers
def test_a_script_is_utf8_with_a_mark_and_lines_of_windows(write: Callable[[MendingPlan], str]) -> None:
    script = write(PLANS["full"])
    assert script.encode().startswith(b"\xef\xbb\xbf")
    assert script.count("\n") == script.count("\r\n")
    assert script.endswith("\r\n")
    assert "#{{" not in script


@writers
def test_the_same_plan_gives_the_same_script_whatever_its_order(write: Callable[[MendingPlan], str]) -> None:
    assert write(plan(MENDS)) == write(plan(MENDS[::-1], waves=WAVES[::-1]))


@writers
def test_a_script_says_that_it_changes_the_tenant_and_supports_whatif(write: Callable[[MendingPlan], str]) -> None:
    script = write(PLANS["full"])
    assert "CHANGES YOUR MICROSOFT 365 TENANT" in script.splitlines()[0]
    assert "[CmdletBinding(SupportsShouldProcess)]" in script
    assert "-WhatIf" in script
    assert "data of 2026-11-20" in script


def test_the_runbook_can_be_tried_where_its_parameters_come_from_a_form() -> None:
    """A form that starts a runbook shows the parameters it declares, and -WhatIf is none of them."""
    runbook = write_runbook(PLANS["full"])
    assert "[bool]$DryRun = $false," in runbook
    asked = runbook[: runbook.index("Set-Mailbox -Identity")].splitlines()
    (line,) = [line.strip() for line in asked if "$DryRun -or" in line]
    assert line.startswith("if ($DryRun -or -not $PSCmdlet.ShouldProcess(")
    nothing_to_do = write_runbook(plan((), operations=()))
    assert "[bool]$DryRun" in nothing_to_do


def test_an_action_that_exchange_refuses_can_be_left_out() -> None:
    """Set-Mailbox refuses a mailbox's whole change for one name it does not know."""
    for script in (write_script(PLANS["full"]), write_script(plan(()))):
        assert "[string[]]$SkipActions = @()," in script
    assert "$have -notcontains $_ -and $SkipActions -notcontains $_" in write_script(PLANS["full"])


@pytest.mark.parametrize("write", [write_script, write_rollback], ids=lambda w: w.__name__)
def test_the_data_of_the_script_are_the_plan(write: Callable[[MendingPlan], str]) -> None:
    """Against the plan written out by hand, pattern by pattern."""
    found = data(write(PLANS["full"]))
    assert found["EnableAuditing"] is True
    assert found["EnableUnifiedLog"] is True
    assert found["Waves"] == [
        {"Number": 1, "On": "2027-01-04", "Title": "Executives", "Mailboxes": 2},
        {"Number": 2, "On": "", "Title": "The rest", "Mailboxes": 3},
    ]
    by_mailbox = {name: found["Changes"][group["Change"]] for group in found["Groups"] for name in group["Mailboxes"]}
    all_three = ["Owner", "Delegate", "Admin"]
    nothing = {"Owner": [], "Delegate": [], "Admin": [], "EnableAudit": False, "LiftBypass": False}
    assert by_mailbox == {
        "cyd@contoso.example": {
            **nothing, "Wave": 1, "Owner": ["MailItemsAccessed", "Send"], "Delegate": ["MailItemsAccessed"],
            "Managed": ["Admin"],
        },
        "bob@contoso.example": {**nothing, "Wave": 1, "Owner": ["SearchQueryInitiated"], "Managed": all_three},
        "dan@contoso.example": {**nothing, "Wave": 2, "Managed": all_three, "EnableAudit": True},
        "info@contoso.example": {
            **nothing, "Wave": 2, "Admin": ["Send"], "Managed": ["Owner"], "EnableAudit": True, "LiftBypass": True,
        },
        "eli@contoso.example": {**nothing, "Wave": 2, "Owner": ["SearchQueryInitiated"], "Managed": all_three},
    }  # fmt: skip


def test_switches_are_only_those_asked_for() -> None:
    found = data(write_script(plan(organisation=OrganisationMend(enable_unified_log=True))))
    assert (found["EnableAuditing"], found["EnableUnifiedLog"]) == (False, True)


def functions_that_change(script: str) -> dict[str, str]:
    """The smallest function (or the whole script) around each command that changes the tenant → its text."""
    out = {}
    for node in walk(tree(script)):
        if node.type == "command_name" and text(node) in CHANGING:
            around = node
            while around.parent is not None and around.type != "function_statement":
                around = around.parent
            out[text(node)] = text(around)
    return out


@writers
def test_nothing_changes_the_tenant_but_after_asking(write: Callable[[MendingPlan], str]) -> None:
    script = write(PLANS["full"])
    changing = {name for name in commands(script) if name in CHANGING or name.split("-")[0] in ("Remove", "New", "Add")}
    expected = {"Set-Mailbox"} if write is write_runbook else CHANGING
    assert changing - {"New-LogRow", "New-Step", "New-Object"} == expected
    for name, around in functions_that_change(script).items():
        if "function Invoke-Undo" in around:  # called at one place, behind the question
            around = script[script.index("foreach ($step in $steps)") :].replace("Invoke-Undo $undo", name)
        if name in ("Set-OrganizationConfig", "Set-AdminAuditLogConfig") and write is write_script:
            around = script[script.index("function Set-Switch") :].replace("Invoke-Patiently $Change", name)
        assert around.index("ShouldProcess") < around.index(f" {name}"), name
        assert f"{name} " in around


def test_the_mending_only_adds() -> None:
    script = write_script(PLANS["full"])
    code = "\n".join(line for line in script.splitlines() if not line.lstrip().startswith("#"))
    assert "@{ Add = $lacking }" in code
    assert "Remove" not in code
    assert "-DefaultAuditSet" not in code


def test_the_log_knows_of_a_change_before_it_is_made() -> None:
    script = write_script(PLANS["full"])
    for function, change in (
        ("Set-AuditOfMailbox", "Set-Mailbox -Identity"),
        ("Set-Switch", "Invoke-Patiently $Change"),
    ):
        body = script[script.index(f"function {function}") :]
        assert body.index("'changing'") < body.index(change) < body.index("'changed'")


def test_the_rollback_reads_the_columns_that_the_script_writes() -> None:
    rollback, script = write_rollback(PLANS["full"]), write_script(PLANS["full"])
    written = set(re.findall(r"^        (\w+) +=", script[script.index("function New-LogRow") :], re.M))
    asked = re.search(r"\$columns = (.*)", rollback)
    assert asked is not None
    assert set(re.findall(r"'(\w+)'", asked[1])) <= written
    settings = set(re.findall(r"-Setting '(\w+)'", script)) | {"AuditOwner", "AuditDelegate", "AuditAdmin"}
    known = re.search(r"\$known = ('.*)", rollback)
    assert known is not None
    assert set(re.findall(r"'(\w+)'", known[1])) == settings


def test_without_a_wave_nothing_runs() -> None:
    """The refusal stands before the connection, and the waves are asked for in one place."""
    for script in (write_script(PLANS["full"]), write_rollback(PLANS["full"])):
        main = script[script.index("$numbers = @(Select-Waves)") :]
        assert "Connect-Tenant" in main
        assert not set(commands(script[: script.index("[CmdletBinding")]))
        refusal = script[script.index("function Select-Waves") : script.index("$numbers = @(Select-Waves)")]
        assert "exit 2" in refusal


def test_the_comment_counts_by_wave_and_kind() -> None:
    script = write_script(PLANS["full"])
    assert "# Mailboxes in question: 5 (shared 1, user 4).\r\n" in script
    assert "#   wave 1: mailboxes 2, planned for 2027-01-04: Executives\r\n" in script
    assert "#   wave 2: mailboxes 3 of 5: The rest\r\n" in script
    assert "#   3 x no licence\r\n" in script
    assert "#   svc\r\n" in script
    # bob and eli: managed owner sets. cyd and info: sets that were customised.
    assert "# Mailboxes with such a set here: 2.\r\n" in script
    assert "or where the data do not say who manages it: 2.\r\n" in script


@writers
def test_an_empty_plan_says_that_there_is_nothing_to_do(write: Callable[[MendingPlan], str]) -> None:
    script = write(nobody())
    assert commands(script) == {"Write-Output": 1}
    assert "'There is nothing to do.'" in script
    assert "[CmdletBinding(SupportsShouldProcess)]" in script


def test_a_large_plan_is_written_within_two_seconds() -> None:
    many = [
        Mend(f"user{n:06d}@contoso.example", "user", 1 + n % 2, {"owner": ("MailItemsAccessed", "Send")[: 1 + n % 2]})
        for n in range(100_000)
    ]
    large = plan(many)
    start = time.process_time()
    script = write_script(large)
    assert time.process_time() - start < 2
    assert script.count("@contoso.example'") == 100_000
    assert script.count("$Groups.Add(") == 200  # statements of 500


def test_a_chunk_holds_five_hundred_and_the_rest_follows() -> None:
    many = [Mend(f"user{n:04d}@contoso.example", "user", 1, {"owner": ("Send",)}) for n in range(501)]
    script = write_script(plan(many))
    assert faults(script) == []
    sizes = [len(group["Mailboxes"]) for group in data(script)["Groups"]]
    assert sizes == [500, 1]


def test_the_runbook_asks_for_what_the_catalogue_says() -> None:
    found = data(
        write_runbook(plan(operations=(MIA, SEARCH, "SharePoint/SearchQueryInitiatedSharePoint", "Exchange/Send")))
    )
    both = ["UserMailbox", "SharedMailbox"]
    assert found["Kinds"] == both
    assert found["Actions"] == [
        {"Action": "MailItemsAccessed", "Types": ["Owner", "Delegate", "Admin"], "Optional": False, "Kinds": both},
        {"Action": "SearchQueryInitiated", "Types": ["Owner"], "Optional": True, "Kinds": both},
        {"Action": "Send", "Types": ["Owner", "Admin"], "Optional": False, "Kinds": both},
    ]


def test_the_runbook_connects_as_the_managed_identity_of_the_tenant() -> None:
    script = write_runbook(plan())
    assert "[string]$Organization = 'contoso.onmicrosoft.com'," in script
    assert "Connect-ExchangeOnline -ManagedIdentity -Organization $Organization" in script
    assert "[ValidateRange(1, 3650)][int]$Days = 8," in script
    assert "[Parameter(Mandatory)][string]$Organization," in write_runbook(PLANS["no domain"])


def test_the_runbook_of_operations_without_a_mailbox_action_does_nothing() -> None:
    assert commands(write_runbook(plan(operations=("MicrosoftTeams/MeetingDetail",)))) == {"Write-Output": 1}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"add": {"Owner": ("Send",)}}, "the logon type 'Owner'; expected owner | delegate | admin"),
        ({"managed": ("sender",)}, "the logon type 'sender'"),
        ({"add": {"owner": ("Send'; Remove-Mailbox",)}}, "the audit action"),
        ({"wave": 0}, "wave 0; expected 1 or more"),
        ({"add": {}}, "nothing to mend"),
        ({"add": {"owner": ()}}, "nothing to mend"),
    ],
)
def test_a_mend_that_exchange_cannot_know_is_refused(fields: dict[str, object], message: str) -> None:
    given = {"mailbox": "ann@contoso.example", "kind": "user", "wave": 1, "add": {"owner": ("Send",)}, **fields}
    with pytest.raises(TableError, match=re.escape(message)) as caught:
        Mend(**given)  # type: ignore[arg-type]
    assert "ann@contoso.example" in str(caught.value)


def test_a_plan_that_contradicts_itself_is_refused() -> None:
    twice = Mend("BOB@contoso.example", "user", 1, {"owner": ("Send",)})
    with pytest.raises(TableError, match=r"the mailbox 'bob@contoso\.example' stands 2 times"):
        plan((*MENDS, twice))
    with pytest.raises(TableError, match=r"cyd@contoso\.example.*wave 1; expected one of 2"):
        plan(waves=WAVES[1:])
    with pytest.raises(TableError, match="the wave '1' stands 2 times"):
        plan(waves=(*WAVES, Wave(1, "again", dt.date(2027, 2, 1), 0)))
