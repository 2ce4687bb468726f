"""`bide completion`: what a shell needs to complete commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

#: Where each shell looks for it.
HOMES = {
    "bash": "bide completion bash > ~/.local/share/bash-completion/completions/bide",
    "zsh": "bide completion zsh > ~/.zfunc/_bide  (with fpath+=~/.zfunc before compinit in ~/.zshrc)",
    "fish": "bide completion fish > ~/.config/fish/completions/bide.fish",
}


@click.command(epilog="\b\n" + "\n".join(HOMES.values()))
@click.argument("shell", type=click.Choice(list(HOMES)))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script of a shell, for the place where it looks for such scripts."""
    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(mended(kind(ctx.find_root().command, {}, "bide", "_BIDE_COMPLETE").source()))


def mended(script: str) -> str:
    """Click's script without two faults: in fish what a word means ended at its first comma; in zsh
    the second completion of a session found nothing, as the file is autoloaded at the first only."""
    return script.replace('string split ","', 'string split --max 1 ","').replace(
        "$zsh_eval_context[-1] == loadautofunc", '"$funcstack[1]" == _bide'
    )
