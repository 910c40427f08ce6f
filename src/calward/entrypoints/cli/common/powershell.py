"""How does PowerShell complete ``calward``? click knows other shells only; to load this file is enough."""

import json
import os

from click.shell_completion import CompletionItem, ShellComplete, add_completion_class

from calward.entrypoints.cli.common.safe_text import safe

__all__ = ["PowerShellComplete"]

_POWERSHELL = """\
Register-ArgumentCompleter -Native -CommandName %(prog_name)s -ScriptBlock {
    param($word, $line, $cursor)
    $words = @($line.CommandElements | ForEach-Object { $_.ToString() })
    if ($word -eq '') { $words += '' }
    $env:%(complete_var)s = 'powershell_complete'
    $env:COMP_WORDS = ConvertTo-Json -Compress -InputObject $words
    try {
        %(prog_name)s | ForEach-Object {
            $value, $help = $_ -split "`t", 2
            [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $(if ($help) { $help } else { $value }))
        }
    } finally {
        Remove-Item Env:\\%(complete_var)s, Env:\\COMP_WORDS
    }
}
"""


class PowerShellComplete(ShellComplete):
    """Completion for PowerShell, which click does not have: the words go over as JSON, what fits comes back a line each."""

    name = "powershell"
    source_template = _POWERSHELL

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words before the one that is typed, and that one."""
        words = [str(one).strip("'\"") for one in json.loads(os.environ["COMP_WORDS"])]
        return words[1:-1], words[-1]

    def format_completion(self, item: CompletionItem) -> str:
        """Value and help, with a tab between."""
        return f"{item.value}\t{safe(item.help or '')}"


add_completion_class(PowerShellComplete)
