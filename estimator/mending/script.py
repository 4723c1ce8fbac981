"""The script that mends: wave by wave, looking at each mailbox again before it changes it, and keeping a log.

The mailboxes stand in the script itself, one literal a line, grouped by what they lack: one file is reviewed, signed
and handed on, and no list beside it can be exchanged. A statement holds 500 of them, so that none grows without bound.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby

from estimator.mending.filling import fill, part
from estimator.mending.plan import LOGON_TYPES, Mend, MendingPlan
from estimator.mending.quoting import array, comment, flag, is_quotable, literal, visible

_CHUNK = 500
_PARAMETERS = (
    "[int[]]$Wave = @(),",
    "[switch]$AllWaves,",
    "[switch]$Organisation,",
    "[string[]]$SkipActions = @(),",
    "[string]$LogPath,",
)

#: What a script wants to know of a change; mailboxes that agree in it stand together.
_Change = tuple[int, tuple[tuple[str, ...], ...], tuple[str, ...], bool, bool]


def write_script(plan: MendingPlan) -> str:
    """The mending script, byte order mark included; encode it as UTF-8.

    Mailboxes whose name no script may hold are left out, and the script says how many; `unquotable` names them.
    """
    if empty(plan):
        return nothing(plan, "mends what readiness found", (*_PARAMETERS, "[int]$PauseMilliseconds,", "[int]$Retries"))
    mends = _mendable(plan)
    managed = sum(any(m.add.get(logon) for logon in m.managed) for m in mends)
    customised = sum(any(actions and logon not in m.managed for logon, actions in m.add.items()) for m in mends)
    slots = {
        "managed": [comment(f"Mailboxes with such a set here: {managed}.")],
        "customised": [
            comment(f"Mailboxes with such a set here, or where the data do not say who manages it: {customised}.")
        ],
        "bypassed": _bypassed(plan),
    }
    return fill("mend", {**slots, **common_slots(plan)})


def unquotable(plan: MendingPlan) -> tuple[str, ...]:
    """The mailboxes that the scripts leave out, because their name has control characters or invisible ones."""
    return tuple(sorted(m.mailbox for m in plan.mends if not is_quotable(m.mailbox)))


def empty(plan: MendingPlan) -> bool:
    """Whether the plan has nothing that a script can do."""
    return not (_mendable(plan) or plan.organisation.enable_auditing or plan.organisation.enable_unified_log)


def common_slots(plan: MendingPlan) -> dict[str, Sequence[str]]:
    """What the mending script and its rollback have in common: the plan as data, and the functions."""
    return {
        "provenance": provenance(plan),
        "counts": _counts(plan),
        "data": list(_data(plan)),
        "common": part("common"),
        "tenant": part("tenant"),
    }


def nothing(plan: MendingPlan, purpose: str, parameters: Sequence[str]) -> str:
    """A script of a plan that has nothing for it; it takes the parameters of the others, so that calls of it hold."""
    slots = {
        "purpose": [comment(f"This script {purpose}. There is nothing to do: it changes nothing.")],
        "provenance": provenance(plan),
        "parameters": [f"    {parameter}" for parameter in parameters],
    }
    return fill("nothing", slots)


def provenance(plan: MendingPlan) -> list[str]:
    """The comment that says what a script was made from, and what it leaves out."""
    lines = [
        comment(),
        comment(f"Tenant: {plan.tenant}. Made by siem-estimator {plan.version} from the data of {plan.as_of}."),
    ]
    if plan.operations:
        lines.append(comment("To be emitted:"))
        lines += [comment(f"  {operation}") for operation in plan.operations]
    left_out = dict(sorted(plan.not_mended.items()))
    if names := len(unquotable(plan)):
        left_out["the name has control characters or invisible ones"] = names
    if left_out:
        lines.append(comment("Mailboxes that no script can mend, by reason:"))
        lines += [comment(f"  {count} x {reason}") for reason, count in left_out.items()]
    return lines


def _counts(plan: MendingPlan) -> list[str]:
    """The comment that says how many mailboxes are in question, in all, by kind and by wave."""
    mends = _mendable(plan)
    kinds = ", ".join(f"{kind} {n}" for kind, n in sorted(Counter(m.kind for m in mends).items()))
    lines = [comment(f"Mailboxes in question: {len(mends)}" + (f" ({kinds})." if kinds else "."))]
    waves = Counter(m.wave for m in mends)
    for wave in sorted(plan.waves, key=lambda w: w.number):
        mended = waves[wave.number]
        share = f"{mended}" if mended == wave.mailboxes else f"{mended} of {wave.mailboxes}"
        on = f", planned for {wave.on}" if wave.on else ""
        lines.append(comment(f"  wave {wave.number}: mailboxes {share}{on}: {wave.title}"))
    if plan.organisation.enable_auditing:
        lines.append(
            comment("  with -Organisation: mailbox auditing of the whole organisation (AuditDisabled to False)")
        )
    if plan.organisation.enable_unified_log:
        lines.append(comment("  with -Organisation: the unified audit log"))
    return lines


def _bypassed(plan: MendingPlan) -> list[str]:
    """The comment on the accounts that the script leaves as they are."""
    if not plan.bypassed_accounts:
        return []
    why = (
        "These accounts without a mailbox bypass auditing. The script leaves them so: all that they do in any mailbox",
        "would be audited at once. Decide for each (Set-MailboxAuditBypassAssociation):",
    )
    return [comment(), *map(comment, why), *(comment(f"  {account}") for account in plan.bypassed_accounts)]


def _data(plan: MendingPlan) -> Iterator[str]:
    """The plan as PowerShell: names stand in single-quoted literals and nowhere else."""
    mends = sorted(_mendable(plan), key=lambda m: (_change_of(m), m.mailbox))
    waves = Counter(m.wave for m in mends)
    yield f"$EnableAuditing = {flag(plan.organisation.enable_auditing)}"
    yield f"$EnableUnifiedLog = {flag(plan.organisation.enable_unified_log)}"
    yield "$Waves = @("
    for wave in sorted(plan.waves, key=lambda w: w.number):
        on, title = literal(wave.on.isoformat() if wave.on else ""), literal(visible(wave.title))
        yield f"    @{{ Number = {wave.number}; On = {on}; Title = {title}; Mailboxes = {waves[wave.number]} }}"
    yield ")"
    yield comment("What is lacking, each pattern once: the wave, the actions by logon type, and who managed the sets.")
    changes = {change: list(group) for change, group in groupby(mends, key=_change_of)}
    yield "$Changes = @{"
    for number, change in enumerate(changes, 1):
        yield f"    {number} = {_change(change)}"
    yield "}"
    yield comment("The mailboxes of each pattern.")
    yield "$Groups = New-Object -TypeName 'System.Collections.Generic.List[object]'"
    for number, group in enumerate(changes.values(), 1):
        for start in range(0, len(group), _CHUNK):
            yield f"$Groups.Add(@{{ Change = {number}; Mailboxes = @("
            names = [f"        {literal(m.mailbox)}" for m in group[start : start + _CHUNK]]
            yield from (f"{name}," for name in names[:-1])
            yield names[-1]
            yield "    ) })"


def _change_of(mend: Mend) -> _Change:
    add = tuple(tuple(mend.add.get(logon, ())) for logon in LOGON_TYPES)
    managed = tuple(logon for logon in LOGON_TYPES if logon in mend.managed)
    return mend.wave, add, managed, mend.enable_audit, mend.lift_bypass


def _change(change: _Change) -> str:
    wave, add, managed, enable, lift = change
    sets = "; ".join(f"{t.capitalize()} = {array(a)}" for t, a in zip(LOGON_TYPES, add, strict=True))
    managers = array(t.capitalize() for t in managed)
    return (
        f"@{{ Wave = {wave}; {sets}; Managed = {managers}; EnableAudit = {flag(enable)}; LiftBypass = {flag(lift)} }}"
    )


def _mendable(plan: MendingPlan) -> list[Mend]:
    return [m for m in plan.mends if is_quotable(m.mailbox)]
