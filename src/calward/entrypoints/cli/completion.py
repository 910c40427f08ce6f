"""How does a shell complete ``calward``? ``calward completion``."""

import rich_click as click
from click.shell_completion import get_completion_class

__all__ = ["SHELLS", "completion"]

SHELLS = ("bash", "zsh", "fish", "powershell")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@click.option("--json", "as_json", is_flag=True, hidden=True, help="Accepted as everywhere; a script is a script.")
@click.pass_context
def completion(ctx: click.Context, shell: str, *, as_json: bool) -> None:  # noqa: ARG001
    """Print the script that lets a shell complete commands, options, and names of what is on the license server.

    \b
    Examples:
      calward completion bash > /etc/bash_completion.d/calward
      calward completion zsh > "${fpath[1]}/_calward"
      calward completion fish > ~/.config/fish/completions/calward.fish
      calward completion powershell > calward-completion.ps1
    """  # noqa: D301 -- click wants the character itself, which keeps the lines below it apart
    found = get_completion_class(shell)
    if found is None:
        raise AssertionError
    click.echo(found(ctx.find_root().command, {}, "calward", "_CALWARD_COMPLETE").source())
