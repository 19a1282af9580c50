"""`study watch`: serves a web page on this machine that shows a running study."""

from contextlib import suppress
from typing import Any

import click

from study.cli.options import DATA_ROOT, STORE, TRUST_CODE, guarded
from study.console import say
from study.errors import StudyError

#: Age of the served state, in seconds, after which the store is read again, for any number of browsers.
_EVERY_SECONDS = 2.0


@click.command("watch")
@click.argument("study")
@STORE
@DATA_ROOT
@TRUST_CODE
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    help="Port of the page on 127.0.0.1; by default any free port.",
)
@guarded
def command(study: str, store: str, data_root: str | None, port: int) -> None:
    """Serve a page that shows STUDY while it runs: progress, surfaces, failures.

    Only this machine can open the page. The command only reads the store, and the launch needs no special option.
    Ctrl-C ends it.
    """
    from study.loaded import load_study, read_again
    from study.watching.server import Latest, WatchServer
    from study.watching.state import watch_state

    loaded = load_study(study, store, data_root, whole=False)

    def read() -> dict[str, Any]:
        return watch_state(read_again(loaded))

    try:
        server = WatchServer(Latest(read, _EVERY_SECONDS), port)
    except OSError as error:
        raise StudyError(
            f"--port: cannot listen on {port} ({error.strerror or error}); leave it out for any free port"
        ) from error
    with server, suppress(KeyboardInterrupt):  # Ctrl-C ends the server
        say(f"{loaded.name} at {server.address} (only on this machine; Ctrl-C ends it)")
        server.serve_forever(poll_interval=0.2)
