"""`study watch`: a page on this machine that shows a running study."""

from contextlib import suppress
from dataclasses import replace
from typing import Any

from study.console import CONSOLE
from study.errors import StudyError
from study.loaded import load_study
from study.plan import read_plan
from study.watching.server import Latest, WatchServer
from study.watching.state import watch_state

#: The store is read again when what was read is older, however many browsers ask.
_EVERY_SECONDS = 2.0


def watch_study(study: str, store: str, data_root: str | None, *, port: int) -> None:
    """Serve the page until Ctrl-C. Raises `StudyError` where the port is taken."""
    loaded = load_study(study, store, data_root)

    def read() -> dict[str, Any]:
        plan = read_plan(loaded.plan.spec, loaded.plan.trial_set, loaded.store)
        return watch_state(replace(loaded, plan=plan))

    try:
        server = WatchServer(Latest(read, _EVERY_SECONDS), port)
    except OSError as error:
        raise StudyError(
            f"--port: cannot listen on {port} ({error.strerror or error}); leave it out for any"
        ) from error
    with server, suppress(KeyboardInterrupt):  # the way to leave it
        CONSOLE.print(
            f"{loaded.name} at {server.address} on this machine alone; Ctrl-C ends it.", soft_wrap=True
        )
        server.serve_forever(poll_interval=0.2)
