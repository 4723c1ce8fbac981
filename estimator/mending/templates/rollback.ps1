# THIS SCRIPT CHANGES YOUR MICROSOFT 365 TENANT: it undoes what the mending script of the same plan did.
#{{provenance}}
#
#{{counts}}
#
# With the log (best):  -LogPath FILE.log.csv -AllWaves   (or -Wave 1): undoes what was changed, and no more.
# Without a log:        -FromPlan -Wave 1   undoes what the plan asked for wherever a mailbox has it now, even where somebody
#                       else switched it on between the day of the data and the mending.
# To try it:            add -WhatIf.
#
# A set that Microsoft managed before is given back to it: Set-Mailbox -DefaultAuditSet. It then has what Microsoft logs by
# default on that day. From a set that was customised before, exactly the actions that were added are removed.
# Switches of the organisation are put back only with -Organisation.
# Needed: the module ExchangeOnlineManagement 3, and a role that may use Set-Mailbox.
# Exit code: 0 done, 1 some failed (see the log), 2 nothing was named to undo.
#Requires -Version 5.1
#Requires -Modules @{ ModuleName = 'ExchangeOnlineManagement'; ModuleVersion = '3.0.0' }

[CmdletBinding(SupportsShouldProcess)]
param(
    # The log that the mending script wrote: the best source, for it says what was changed and what stood there before.
    [string]$LogPath,
    # Without a log: undo what the plan asked for, wherever a mailbox has it now.
    [switch]$FromPlan,
    # The numbers of the waves to undo.
    [int[]]$Wave = @(),
    # All waves at once.
    [switch]$AllWaves,
    # The switches of the whole organisation; no wave includes them.
    [switch]$Organisation,
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

function New-Step {
    # One setting to put back. Before is $null where nobody wrote down what stood there.
    param([int]$Number, [string]$Address, [string]$Guid, [string]$Setting, $Added, [bool]$Managed, $Before)
    [pscustomobject]@{
        Wave = $Number; Address = $Address; Guid = $Guid; Setting = $Setting
        Added = @($Added); Managed = $Managed; Before = $Before
    }
}

function Read-Log {
    # The steps that undo a log, the last change first. Rows are taken as soon as a change was begun: each step looks again.
    param([string]$Path)
    $known = 'AuditOwner', 'AuditDelegate', 'AuditAdmin', 'AuditEnabled', 'AuditBypassEnabled', 'AuditDisabled', 'UnifiedAuditLogIngestionEnabled'
    $rows = @(Import-Csv -LiteralPath $Path -Encoding UTF8)
    $columns = 'Wave', 'Mailbox', 'Guid', 'Setting', 'Before', 'Added', 'Managed', 'Result'
    $missing = @(if ($rows.Count -gt 0) { $columns | Where-Object { $rows[0].PSObject.Properties.Name -notcontains $_ } })
    if ($missing.Count -gt 0) {
        throw ('{0} is not a log of the mending script: it has no column {1}.' -f $Path, ($missing -join ', '))
    }
    $begun = @($rows | Where-Object { $_.Result -eq 'changing' })
    for ($i = $begun.Count - 1; $i -ge 0; $i--) {
        $row = $begun[$i]
        $added = @(Split-List $row.Added)
        if ($known -notcontains $row.Setting -or @($added | Where-Object { $_ -notmatch '^[A-Za-z]+$' }).Count -gt 0) {
            throw ('The log has a row that the mending script did not write: setting {0}, mailbox {1}.' -f $row.Setting, $row.Mailbox)
        }
        $type = $row.Setting -replace '^Audit', ''
        New-Step -Number ([int]$row.Wave) -Address $row.Mailbox -Guid $row.Guid -Setting $row.Setting -Added $added -Managed (@(Split-List $row.Managed) -contains $type) -Before @(Split-List $row.Before)
    }
}

function Read-Plan {
    # The steps that undo the plan.
    foreach ($group in $Groups) {
        $task = $Changes[$group.Change]
        foreach ($address in $group.Mailboxes) {
            foreach ($type in 'Owner', 'Delegate', 'Admin') {
                if (@($task[$type]).Count -gt 0) {
                    New-Step -Number $task.Wave -Address $address -Setting ('Audit' + $type) -Added $task[$type] -Managed ($task.Managed -contains $type) -Before $null
                }
            }
            if ($task.EnableAudit) { New-Step -Number $task.Wave -Address $address -Setting 'AuditEnabled' -Before $null }
            if ($task.LiftBypass) { New-Step -Number $task.Wave -Address $address -Setting 'AuditBypassEnabled' -Before $null }
        }
    }
    if ($EnableAuditing) { New-Step -Number 0 -Setting 'AuditDisabled' -Before $null }
    if ($EnableUnifiedLog) { New-Step -Number 0 -Setting 'UnifiedAuditLogIngestionEnabled' -Before $null }
}

function Get-Undo {
    # What has to be done for one step: words, cmdlet and parameters; nothing where it is undone already.
    param($Step)
    $setting = $Step.Setting
    if ($setting -eq 'AuditDisabled') {
        if ([string](Invoke-Patiently { Get-OrganizationConfig -ErrorAction Stop }).AuditDisabled -eq 'True') { return }
        return @{ Words = 'set AuditDisabled to True: no mailbox will log anything'; Cmdlet = 'organisation'; With = @{ AuditDisabled = $true } }
    }
    if ($setting -eq 'UnifiedAuditLogIngestionEnabled') {
        if ([string](Invoke-Patiently { Get-AdminAuditLogConfig -ErrorAction Stop }).UnifiedAuditLogIngestionEnabled -ne 'True') { return }
        return @{ Words = 'switch the unified audit log off'; Cmdlet = 'unified log'; With = @{ UnifiedAuditLogIngestionEnabled = $false } }
    }
    $box = Find-Mailbox -Address $Step.Address -Guid $Step.Guid
    $id = [string]$box.Guid
    if ($setting -eq 'AuditEnabled') {
        if ([string]$box.AuditEnabled -ne 'True') { return }
        return @{ Words = 'AuditEnabled: False'; Cmdlet = 'mailbox'; With = @{ Identity = $id; AuditEnabled = $false } }
    }
    if ($setting -eq 'AuditBypassEnabled') {
        $account = [string]$box.UserPrincipalName
        $bypass = Invoke-Patiently { Get-MailboxAuditBypassAssociation -Identity $account -ErrorAction Stop }
        if ([string]$bypass.AuditBypassEnabled -eq 'True') { return }
        return @{ Words = 'AuditBypassEnabled: True'; Cmdlet = 'bypass'; With = @{ Identity = $account; AuditBypassEnabled = $true } }
    }
    $type = $setting -replace '^Audit', ''
    $have = @(Split-List $box.$setting)
    if ($Step.Managed) {
        # Microsoft managed the set before. Given back, it has the actions that Microsoft logs by default today.
        if (@(Split-List $box.DefaultAuditSet) -contains $type) { return }
        if ($null -ne $Step.Before) {
            $other = @($have | Where-Object { $Step.Before -notcontains $_ -and $Step.Added -notcontains $_ })
            if ($other.Count -gt 0) {
                throw ('{0} was changed since, by hand or by another run: it has {1} too. Giving it back to Microsoft would lose that.' -f $setting, ($other -join ', '))
            }
        }
        return @{ Words = ('{0}: give it back to Microsoft' -f $setting); Cmdlet = 'mailbox'; With = @{ Identity = $id; DefaultAuditSet = $type } }
    }
    $remove = @($Step.Added | Where-Object { $have -contains $_ })
    if ($remove.Count -eq 0) { return }
    @{ Words = ('{0}: remove {1}' -f $setting, ($remove -join ', ')); Cmdlet = 'mailbox'; With = @{ Identity = $id; $setting = @{ Remove = $remove } } }
}

function Invoke-Undo {
    param($Undo)
    $with = $Undo.With
    switch ($Undo.Cmdlet) {
        'mailbox' { Set-Mailbox @with -Confirm:$false -ErrorAction Stop }
        'bypass' { Set-MailboxAuditBypassAssociation @with -Confirm:$false -ErrorAction Stop }
        'organisation' { Set-OrganizationConfig @with -Confirm:$false -ErrorAction Stop }
        'unified log' { Set-AdminAuditLogConfig @with -Confirm:$false -ErrorAction Stop }
    }
}

if ([bool]$LogPath -eq [bool]$FromPlan) {
    Write-Warning 'Nothing was changed. Give -LogPath and the log that the mending script wrote, or -FromPlan if there is none.'
    exit 2
}
$numbers = @(Select-Waves)
$OwnLog = Resolve-Log ''
$steps = @(if ($LogPath) { Read-Log $LogPath } else { Read-Plan })
$steps = @($steps | Where-Object { ($_.Wave -eq 0 -and $Organisation) -or ($_.Wave -gt 0 -and $numbers -contains $_.Wave) })
$undone = 0
$already = 0
$skipped = 0
$failed = 0
$done = 0
Connect-Tenant

foreach ($step in $steps) {
    Write-Progress -Activity 'Undoing the mending' -Status ('{0} of {1}' -f $done, $steps.Count) -PercentComplete (100 * $done / $steps.Count)
    $done++
    $target = if ($step.Wave -eq 0) { 'the whole organisation' } else { $step.Address }
    $row = New-LogRow -Number $step.Wave -Mailbox $step.Address -Guid $step.Guid -Setting $step.Setting -Before $step.Before -Added $step.Added
    try {
        $undo = Get-Undo $step
        if ($null -eq $undo) { $already++; Write-LogRow $row 'undone already' }
        elseif (-not $PSCmdlet.ShouldProcess($target, $undo.Words)) { $skipped++ }
        else {
            Invoke-Patiently { Invoke-Undo $undo } | Out-Null
            Write-LogRow $row 'undone' $undo.Words
            $undone++
        }
    }
    catch {
        $failed++
        Write-Warning ('{0}: {1}' -f $target, $_.Exception.Message)
        Write-LogRow $row 'failed' $_.Exception.Message
    }
    Start-Sleep -Milliseconds $PauseMilliseconds
}
Write-Progress -Activity 'Undoing the mending' -Completed

Write-Output ('{0} settings: {1} put back, {2} undone already, {3} left as they were (-WhatIf or declined), {4} failed.' -f $done, $undone, $already, $skipped, $failed)
if (-not $WhatIfPreference) { Write-Output ('Log: {0}' -f $OwnLog) }
if ($failed -gt 0) { exit 1 }
exit 0
