# PowerShell completion for sdc: sdc completion powershell | Out-String | Invoke-Expression
# The program is asked with the words of the line, none of which is evaluated. It answers with the text to insert,
# quoted, the text to show, and a line about it.
Register-ArgumentCompleter -Native -CommandName sdc -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $words = @($commandAst.CommandElements |
        Where-Object { $_.Extent.EndOffset -lt $cursorPosition } |
        ForEach-Object {
            if ($_ -is [System.Management.Automation.Language.StringConstantExpressionAst]) { $_.Value } else { $_.Extent.Text }
        })
    $before = $env:SDC_COMPLETE
    $env:SDC_COMPLETE = 'powershell'
    try {
        $lines = @(& sdc -- @words "=$wordToComplete" 2>$null)
    } finally {
        $env:SDC_COMPLETE = $before
    }
    foreach ($line in $lines) {
        $parts = $line.Split("`t")
        if ($parts.Length -lt 2) { continue }
        $about = if ($parts.Length -gt 2) { $parts[2] } else { $parts[1] }
        [System.Management.Automation.CompletionResult]::new($parts[0], $parts[1], 'ParameterValue', $about)
    }
}
