# THIS SCRIPT CHANGES YOUR MICROSOFT 365 TENANT: it switches on mailbox auditing that readiness found lacking.
# Each mailbox is looked at again first. What it has already is passed over, and nothing is taken away.
#{{provenance}}
#
#{{counts}}
#
# To see the waves:    run it without parameters.
# To try a wave:       -Wave 1 -WhatIf
# To run a wave:       -Wave 1   (several: -Wave 1,2; all: -AllWaves)
# To leave actions out: -SkipActions AttachmentAccess   (several: with commas), should Exchange not take a name: it then
#                      refuses all that is to be changed of the mailbox, and each such mailbox fails.
# To undo it:          the rollback script, with the log that this script keeps beside itself (-LogPath).
# Needed: the module ExchangeOnlineManagement 3, and a role that may use Set-Mailbox.
# Exit code: 0 done, 1 some failed (see the log; run it again), 2 nothing was named to run.
#
# Where an action is added to a set that Microsoft manages until now, the set becomes a customised one: Microsoft no longer
# adds to it what it comes to log by default. The rollback gives such a set back.
#{{managed}}
# Where a set was customised already, the action is added to it, and what an administrator chose stays. The other way, which
# Microsoft documents and which needs no upkeep, is to give the set back to Microsoft: Set-Mailbox -DefaultAuditSet Owner
# (or Admin, Delegate). It then follows the defaults, and what was chosen is lost.
# See https://learn.microsoft.com/purview/audit-mailboxes
#{{customised}}
#{{bypassed}}
#Requires -Version 5.1
#Requires -Modules @{ ModuleName = 'ExchangeOnlineManagement'; ModuleVersion = '3.0.0' }

[CmdletBinding(SupportsShouldProcess)]
param(
    # The numbers of the waves to run.
    [int[]]$Wave = @(),
    # All waves at once.
    [switch]$AllWaves,
    # The switches of the whole organisation; no wave includes them.
    [switch]$Organisation,
    # Audit actions that are not to be added, for any mailbox.
    [string[]]$SkipActions = @(),
    # Where to keep the log, which the rollback script reads; without it, beside this script.
    [string]$LogPath,
    # The pause after each mailbox.
    [ValidateRange(0, 600000)][int]$PauseMilliseconds = 200,
    # How often to try again where Exchange throttles.
    [ValidateRange(0, 20)][int]$Retries = 6
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

#{{data}}

#{{common}}

#{{tenant}}

function Set-Switch {
    # One switch of the organisation: look, ask, log, change, log.
    param([string]$Setting, [bool]$Wanted, [scriptblock]$Read, [scriptblock]$Change)
    $script:total++
    $row = New-LogRow -Number 0 -Mailbox '' -Guid '' -Setting $Setting -Added $Wanted
    try {
        $now = [string](Invoke-Patiently $Read)
        $row.Before = $now
        if ($now -eq [string]$Wanted) { $script:already++; Write-LogRow $row 'already'; return }
        if (-not $PSCmdlet.ShouldProcess('the whole organisation', ('set {0} to {1}' -f $Setting, $Wanted))) {
            $script:skipped++
            return
        }
        Write-LogRow $row 'changing'
        Invoke-Patiently $Change | Out-Null
        Write-LogRow $row 'changed'
        $script:changed++
    }
    catch {
        $script:failed++
        Write-Warning ('{0}: {1}' -f $Setting, $_.Exception.Message)
        Write-LogRow $row 'failed' $_.Exception.Message
    }
}

function Set-AuditOfMailbox {
    # One mailbox: look at what it has now, and add what it lacks.
    param([string]$Address, $Task)
    $rows = @(New-LogRow -Number $Task.Wave -Mailbox $Address)
    try {
        $box = Find-Mailbox -Address $Address
        $id = [string]$box.Guid
        $managed = @(Split-List $box.DefaultAuditSet)
        $set = @{}
        $lift = $false
        $words = @()
        $wanted = @()
        foreach ($type in 'Owner', 'Delegate', 'Admin') {
            $setting = 'Audit' + $type
            $have = @(Split-List $box.$setting)
            $lacking = @($Task[$type] | Where-Object { $have -notcontains $_ -and $SkipActions -notcontains $_ })
            if ($lacking.Count -eq 0) { continue }
            # Where Microsoft manages the set until now, this makes it a customised one, and actions that Microsoft adds to
            # its defaults later no longer reach it. The rollback gives it back with -DefaultAuditSet.
            $set[$setting] = @{ Add = $lacking }
            $words += '{0}: add {1}' -f $setting, ($lacking -join ', ')
            $wanted += New-LogRow -Number $Task.Wave -Mailbox $Address -Guid $id -Setting $setting -Before $have -Added $lacking -Managed $managed
        }
        if ($Task.EnableAudit -and [string]$box.AuditEnabled -ne 'True') {
            $set['AuditEnabled'] = $true
            $words += 'AuditEnabled: True'
            $wanted += New-LogRow -Number $Task.Wave -Mailbox $Address -Guid $id -Setting 'AuditEnabled' -Before $box.AuditEnabled -Added $true
        }
        if ($Task.LiftBypass) {
            $account = [string]$box.UserPrincipalName
            $bypass = Invoke-Patiently { Get-MailboxAuditBypassAssociation -Identity $account -ErrorAction Stop }
            if ([string]$bypass.AuditBypassEnabled -eq 'True') {
                $lift = $true
                $words += 'AuditBypassEnabled: False'
                $wanted += New-LogRow -Number $Task.Wave -Mailbox $Address -Guid $id -Setting 'AuditBypassEnabled' -Before $true -Added $false
            }
        }
        if ($wanted.Count -eq 0) { $script:already++; Write-LogRow $rows 'already'; return }
        if (-not $PSCmdlet.ShouldProcess($Address, ($words -join '; '))) { $script:skipped++; return }
        $rows = $wanted
        # Written before the change, so that the rollback knows of it even if this script is stopped here.
        Write-LogRow $rows 'changing'
        if ($set.Count -gt 0) {
            Invoke-Patiently { Set-Mailbox -Identity $id @set -Confirm:$false -ErrorAction Stop } | Out-Null
        }
        if ($lift) {
            Invoke-Patiently {
                Set-MailboxAuditBypassAssociation -Identity $account -AuditBypassEnabled $false -Confirm:$false -ErrorAction Stop
            } | Out-Null
        }
        Write-LogRow $rows 'changed'
        $script:changed++
    }
    catch {
        $script:failed++
        Write-Warning ('{0}: {1}' -f $Address, $_.Exception.Message)
        Write-LogRow $rows 'failed' $_.Exception.Message
    }
}

$numbers = @(Select-Waves)
$OwnLog = Resolve-Log $LogPath
$total = 0
$changed = 0
$already = 0
$skipped = 0
$failed = 0
Connect-Tenant

if ($Organisation) {
    if ($EnableAuditing) {
        Set-Switch -Setting 'AuditDisabled' -Wanted $false -Read { (Get-OrganizationConfig -ErrorAction Stop).AuditDisabled } -Change {
            Set-OrganizationConfig -AuditDisabled $false -Confirm:$false -ErrorAction Stop
        }
    }
    if ($EnableUnifiedLog) {
        Set-Switch -Setting 'UnifiedAuditLogIngestionEnabled' -Wanted $true -Read {
            (Get-AdminAuditLogConfig -ErrorAction Stop).UnifiedAuditLogIngestionEnabled
        } -Change {
            Set-AdminAuditLogConfig -UnifiedAuditLogIngestionEnabled $true -Confirm:$false -ErrorAction Stop
        }
    }
}
elseif ([string](Invoke-Patiently { Get-OrganizationConfig -ErrorAction Stop }).AuditDisabled -eq 'True') {
    Write-Warning 'Mailbox auditing is off for the whole organisation (AuditDisabled): until it is on, no mailbox logs anything.'
}

$due = @($Groups | Where-Object { $numbers -contains $Changes[$_.Change].Wave })
$count = 0
foreach ($group in $due) { $count += $group.Mailboxes.Count }
$done = 0
foreach ($group in $due) {
    foreach ($address in $group.Mailboxes) {
        Write-Progress -Activity 'Mending mailbox auditing' -Status ('{0} of {1}' -f $done, $count) -PercentComplete (100 * $done / $count)
        Set-AuditOfMailbox -Address $address -Task $Changes[$group.Change]
        $done++
        $total++
        Start-Sleep -Milliseconds $PauseMilliseconds
    }
}
Write-Progress -Activity 'Mending mailbox auditing' -Completed

Write-Output ('{0} looked at: {1} changed, {2} right already, {3} left as they were (-WhatIf or declined), {4} failed.' -f $total, $changed, $already, $skipped, $failed)
if (-not $WhatIfPreference) { Write-Output ('Log: {0}' -f $OwnLog) }
if ($failed -gt 0) {
    Write-Output 'Run the script again for those that failed: it passes over what is right already.'
    exit 1
}
exit 0
