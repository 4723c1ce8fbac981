# Exchange says in these words that it was asked too much at once.
$Throttled = '(?i)throttl|too many requests|\b429\b|\b503\b|micro ?delay|server (is )?(too )?busy'

function Invoke-Patiently {
    # Runs a block, and again after growing waits where Exchange throttles; any other error goes on to the caller.
    param([scriptblock]$Block)
    for ($attempt = 0; ; $attempt++) {
        try {
            return & $Block
        }
        catch {
            if ($attempt -ge $Retries -or $_.Exception.Message -notmatch $Throttled) { throw }
            $seconds = [int][math]::Min(300, 15 * [math]::Pow(2, $attempt))
            Write-Warning ('Exchange throttles. Trying again in {0} seconds.' -f $seconds)
            Start-Sleep -Seconds $seconds
        }
    }
}

function Split-List {
    # The values of a property that may come as a list or as one text.
    param($Value)
    foreach ($item in @($Value)) {
        foreach ($word in ([string]$item -split '[\s,;{}]+')) {
            if ($word) { $word }
        }
    }
}

function Test-Same {
    # Whether two addresses are one. The operator -eq would overlook some characters.
    param([string]$One, [string]$Other)
    [string]::Equals($One, $Other, [System.StringComparison]::OrdinalIgnoreCase)
}
