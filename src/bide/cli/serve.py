"""`bide web`: the screens in a browser."""

from __future__ import annotations

import os
import socket
from contextlib import suppress

import click

from bide.cli.loading import load_app
from bide.errors import MissingDependency


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--port", type=click.IntRange(0, 65535), default=8790, show_default=True,
              help="Port to listen at; 0 takes a free one.")  # fmt: skip
@click.option("--user-file", type=click.Path(dir_okay=False),
              help="Who may log in: a TOML file with names, passwords and roles.")  # fmt: skip
@click.option("--root-path", default="", help="Where a proxy shows the screens, e.g. /bide.")
@click.option("--behind-proxy", "proxy", metavar="ADDRESS",
              help="Believe X-Forwarded-For and -Proto of the proxy at this address.")  # fmt: skip
@click.option(
    "--hash-password", is_flag=True, help="Ask for a password, print what a user file keeps of it."
)
@click.pass_obj
def web(
    app_name: str | None,
    /,
    *,
    host: str,
    port: int,
    user_file: str | None,
    root_path: str,
    proxy: str | None,
    hash_password: bool,
) -> None:
    """Serve the screens: jobs, queues, workers and texts.

    Without a user file they are open to this machine only, with a token that is printed. With one, set
    BIDE_WEB_SECRET so that sessions outlive a restart.
    """
    try:
        import uvicorn

        from bide.web.app import create_app
        from bide.web.live import end_streams
        from bide.web.users import Users, hashed_password
    except ModuleNotFoundError as error:
        raise MissingDependency("bide web", "web") from error
    from bide.web.security import is_loopback

    if hash_password:
        click.echo(
            hashed_password(click.prompt("Password", hide_input=True, confirmation_prompt=True))
        )
        return
    if user_file is None and (wrong := _open_to(is_loopback(host), host, root_path or proxy)):
        raise click.UsageError(f"{wrong}; say who may look: --user-file users.toml")
    users = (
        None
        if user_file is None
        else Users.from_file(user_file, secret=os.environ.get("BIDE_WEB_SECRET"))
    )
    app = load_app(app_name)
    _ = app.store  # a URL that cannot be used is told before anybody comes
    listening = _listening(host, port)
    place = f"http://{_shown(host)}:{listening.getsockname()[1]}{root_path.rstrip('/')}"
    click.echo(f"The screens are at {place}/ (Ctrl-C ends)")
    screens = create_app(
        app,
        users=users,
        announce=lambda token: click.echo(f"To log in, once: {place}/login?token={token}"),
    )

    class Server(uvicorn.Server):
        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            end_streams()
            await super().shutdown(sockets)

    config = uvicorn.Config(
        screens,
        root_path=root_path.rstrip("/"),
        log_level="warning",
        proxy_headers=proxy is not None,
        forwarded_allow_ips=proxy or "",
        server_header=False,
        timeout_graceful_shutdown=3,
    )
    with suppress(KeyboardInterrupt):  # Ctrl-C is how one ends it
        Server(config).run(sockets=[listening])


def _open_to(this_machine: bool, host: str, proxied: str | None) -> str:
    """Why a token is not enough."""
    if not this_machine:
        return f"--host {host} would open the screens to other machines"
    if proxied:
        return "--root-path and --behind-proxy are for a proxy, and no token is taken through one"
    return ""


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise click.ClickException(
            f"cannot listen at {_shown(host)}:{port}: {error.strerror or error}; another --port?"
        ) from error


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host
