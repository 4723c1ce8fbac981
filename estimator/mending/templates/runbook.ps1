# THIS RUNBOOK CHANGES YOUR MICROSOFT 365 TENANT: it adds audit actions to mailboxes made in the last days.
# What a mailbox has already is passed over, and nothing is taken away. -DryRun $true shows what it would do; so does -WhatIf.
#{{provenance}}
#
# Off by default, and therefore added to every new mailbox:
#{{optional}}
# Logged by default, and therefore added only where the set is a customised one:
#{{default}}
# Adding an action to a set that Microsoft manages makes it a customised one: Microsoft no longer adds to it what it comes to
# log by default. Run readiness again from time to time.
#
# To set it up in Azure Automation:
# 1. Switch the system-assigned managed identity of the Automation account on.
# 2. Import the module ExchangeOnlineManagement, version 3 or later, into the account.
# 3. Give the managed identity the application permission Exchange.ManageAsApp of Office 365 Exchange Online.
# 4. Give the managed identity the Microsoft Entra role Exchange Administrator.
# 5. Make a PowerShell runbook, paste this text into it, test it with DryRun set to True, and publish it.
# 6. Link it to a weekly schedule. -Days 8 covers the week and a day; take more for a longer one.
# 7. Make an alert on failed jobs: the runbook ends as failed if one mailbox could not be changed.
# See https://learn.microsoft.com/powershell/exchange/connect-exo-powershell-managed-identity

[CmdletBinding(SupportsShouldProcess)]
param(
    # Mailboxes made in the last so many days; one more than the days between two runs.
    [ValidateRange(1, 3650)][int]$Days = 8,
    #{{organisation}}
    # Whether to say only what would be changed. A parameter of its own, as a form that starts runbooks may not offer -WhatIf.
    [bool]$DryRun = $false,
    # The pause after each change.
    [ValidateRange(0, 600000)][int]$PauseMilliseconds = 200,
    # How often to try again where Exchange throttles.
    [ValidateRange(0, 20)][int]$Retries = 6
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

#{{data}}

#{{common}}

Import-Module -Name ExchangeOnlineManagement -MinimumVersion 3.0.0
Connect-ExchangeOnline -ManagedIdentity -Organization $Organization -ShowBanner:$false
$failed = 0
$changed = 0
$right = 0
try {
    $since = (Get-Date).ToUniversalTime().AddDays(-$Days)
    # Exchange is asked for a day more, so that it does not matter in which time zone it reads the date; the day is cut here.
    $filter = 'WhenMailboxCreated -ge ''{0}''' -f $since.AddDays(-1).ToString('yyyy-MM-dd', [cultureinfo]::InvariantCulture)
    $boxes = @(Invoke-Patiently {
            Get-EXOMailbox -ResultSize Unlimited -Filter $filter -RecipientTypeDetails $Kinds -PropertySets 'Minimum', 'Audit' -Properties WhenMailboxCreated -ErrorAction Stop
        })
    $boxes = @($boxes | Where-Object { ([datetime]$_.WhenMailboxCreated).ToUniversalTime() -ge $since })
    foreach ($box in $boxes) {
        try {
            $id = [string]$box.Guid
            $managed = @(Split-List $box.DefaultAuditSet)
            $set = @{}
            $words = @()
            foreach ($type in 'Owner', 'Delegate', 'Admin') {
                $setting = 'Audit' + $type
                $have = @(Split-List $box.$setting)
                $asked = @($Actions | Where-Object { $_.Types -contains $type -and $_.Kinds -contains [string]$box.RecipientTypeDetails })
                # An action that Microsoft logs by default is left to Microsoft where it manages the set. But where the set becomes a
                # customised one by this very change, the defaults asked for are made sure of too: they would not come later.
                $optional = @($asked | Where-Object { $_.Optional -and $have -notcontains $_.Action })
                if ($managed -contains $type -and $optional.Count -eq 0) { continue }
                $lacking = @($asked | Where-Object { $have -notcontains $_.Action } | ForEach-Object { $_.Action })
                if ($lacking.Count -eq 0) { continue }
                $set[$setting] = @{ Add = $lacking }
                $words += '{0}: add {1}' -f $setting, ($lacking -join ', ')
            }
            if ($set.Count -eq 0) {
                $right++
                Write-Output ('{0}: right already' -f $box.UserPrincipalName)
                continue
            }
            if ($DryRun -or -not $PSCmdlet.ShouldProcess([string]$box.UserPrincipalName, ($words -join '; '))) {
                Write-Output ('{0}: not changed: {1}' -f $box.UserPrincipalName, ($words -join '; '))
                continue
            }
            Invoke-Patiently { Set-Mailbox -Identity $id @set -Confirm:$false -ErrorAction Stop } | Out-Null
            $changed++
            Write-Output ('{0}: {1}' -f $box.UserPrincipalName, ($words -join '; '))
            Start-Sleep -Milliseconds $PauseMilliseconds
        }
        catch {
            $failed++
            Write-Warning ('{0}: {1}' -f $box.UserPrincipalName, $_.Exception.Message)
        }
    }
    Write-Output ('{0} mailboxes made since {1:yyyy-MM-dd} (UTC): {2} changed, {3} right already, {4} failed.' -f $boxes.Count, $since, $changed, $right, $failed)
}
finally {
    Disconnect-ExchangeOnline -Confirm:$false
}
# Ends the job as failed, so that an alert can follow. Run it again with more -Days then: what is right is passed over.
if ($failed -gt 0) { throw ('{0} mailboxes could not be changed; see the warnings above.' -f $failed) }
