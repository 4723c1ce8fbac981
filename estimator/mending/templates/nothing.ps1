#{{purpose}}
#{{provenance}}

[CmdletBinding(SupportsShouldProcess)]
param(
    #{{parameters}}
)

Write-Output 'There is nothing to do.'
exit 0
