"""`reconciler completion`: the script that teaches a shell the verbs and flags."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the completion script of a shell.

    \b
    bash: reconciler completion bash > ~/.local/share/bash-completion/completions/reconciler
    zsh:  reconciler completion zsh > "${fpath[1]}/_reconciler"
    fish: reconciler completion fish > ~/.config/fish/completions/reconciler.fish
    """
    from reconciler.cli.main import program

    maker = get_completion_class(shell)
    assert maker is not None
    click.echo(maker(program, {}, "reconciler", "_RECONCILER_COMPLETE").source())
