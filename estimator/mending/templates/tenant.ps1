function Connect-Tenant {
    # Uses the connection that is open; opens one only where there is none.
    $open = @(Get-ConnectionInformation | Where-Object { $_.State -eq 'Connected' })
    if ($open.Count -eq 0) { Connect-ExchangeOnline -ShowBanner:$false }
    if (-not (Get-Command -Name 'Set-Mailbox' -ErrorAction SilentlyContinue)) {
        throw 'Set-Mailbox is not there: the connection is not to Exchange Online, or your account has no role that holds it.'
    }
}

function Find-Mailbox {
    # The one mailbox with exactly this address or GUID, as Exchange has it now.
    param([string]$Address, [string]$Guid)
    $asked = if ($Guid) { $Guid } else { $Address }
    $found = @(Invoke-Patiently { Get-EXOMailbox -Identity $asked -PropertySets 'Minimum', 'Audit' -ErrorAction Stop })
    $same = @($found | Where-Object {
            if ($Guid) { Test-Same $_.Guid $Guid }
            else { (Test-Same $_.UserPrincipalName $Address) -or (Test-Same $_.PrimarySmtpAddress $Address) }
        })
    if ($same.Count -ne 1) { throw ('{0} mailboxes have exactly this address, and not one.' -f $same.Count) }
    $same[0]
}

function Protect-Cell {
    # A spreadsheet must not take a name for a formula.
    param([string]$Text)
    if ($Text -match '^[=+\-@\t\r]') { [string][char]39 + $Text } else { $Text }
}

function New-LogRow {
    param([int]$Number, [string]$Mailbox, [string]$Guid, [string]$Setting, $Before, $Added, $Managed)
    [pscustomobject]@{
        Time    = ''
        Wave    = $Number
        Mailbox = Protect-Cell $Mailbox
        Guid    = $Guid
        Setting = $Setting
        Before  = @($Before) -join ','
        Added   = @($Added) -join ','
        Managed = @($Managed) -join ','
        Result  = ''
        Message = ''
    }
}

function Write-LogRow {
    param($Rows, [string]$Result, [string]$Message)
    if ($WhatIfPreference) { return }
    foreach ($row in @($Rows)) {
        $row.Time = (Get-Date).ToUniversalTime().ToString('yyyy-MM-ddTHH:mm:ssZ')
        $row.Result = $Result
        $row.Message = Protect-Cell ($Message -replace '\s+', ' ')
        $row | Export-Csv -LiteralPath $OwnLog -Append -NoTypeInformation -Encoding UTF8 -Confirm:$false -ErrorAction Stop
    }
}

function Resolve-Log {
    # The log of this script, beside it unless another place is given.
    param([string]$Path)
    if (-not $Path) {
        $Path = if ($PSCommandPath) { [System.IO.Path]::ChangeExtension($PSCommandPath, '.log.csv') } else { 'mending.log.csv' }
    }
    $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($Path)
}

function Show-Waves {
    foreach ($entry in $Waves) {
        Write-Output ('  -Wave {0}  {1}  {2}  {3} mailboxes' -f $entry.Number, $entry.On, $entry.Title, $entry.Mailboxes)
    }
    if ($EnableAuditing) { Write-Output '  -Organisation  mailbox auditing of the whole organisation' }
    if ($EnableUnifiedLog) { Write-Output '  -Organisation  the unified audit log' }
}

function Select-Waves {
    # The waves to run. Ends the script where none or an unknown one is named, so that nobody runs all by accident.
    $known = @($Waves | ForEach-Object { $_.Number })
    $unknown = @($Wave | Where-Object { $known -notcontains $_ })
    $chosen = $Wave.Count -gt 0 -or $AllWaves -or $Organisation
    if ($chosen -and $unknown.Count -eq 0 -and -not ($AllWaves -and $Wave.Count -gt 0)) {
        if ($AllWaves) { $known } else { $Wave }
        return
    }
    if ($unknown.Count -gt 0) { Write-Warning ('There is no wave {0}.' -f ($unknown -join ', ')) }
    elseif ($chosen) { Write-Warning 'Give -Wave or -AllWaves, not both.' }
    Write-Warning 'Nothing was changed. Name what to run: -Wave and its number, -AllWaves, or -Organisation. There are:'
    Show-Waves | Out-Host
    exit 2
}
