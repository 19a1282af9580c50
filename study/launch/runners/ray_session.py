"""Starts Ray on this machine, or connects to a cluster, and ends it.

On one machine, nobody else reaches Ray: all its processes listen on the loopback interface, they ask for a token that
only this launch has, and their files are in a folder that only this user can enter.
"""

import atexit
import logging
import os
import secrets
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, chdir, contextmanager
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from study.errors import LaunchError, StudyError
from study.launch.signals import keep_handlers
from trainables.suggestion import first_line

#: Ray reads these variables when it is imported or when workers start, so they are set before both.
_ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # otherwise Tune writes five files for each trial
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # `study` handles Ctrl-C itself; Tune would ignore it and return normally
    "TUNE_GLOBAL_CHECKPOINT_S": "86400",
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
    "TUNE_MAX_PENDING_TRIALS_PG": "16",
}

#: On a cluster, `uv run` gives every node the locked environment. On one machine, it would build a second one (9 s).
_ON_ONE_MACHINE = {"RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0"}

#: The longest folder for temporary files in which the path of Ray's sockets keeps within the limit of the system.
_LONGEST_ROOT = 20

_LOOPBACK = "127.0.0.1"

#: What `stop_ray` does after Ray has ended.
_end = ExitStack()


def start_ray(address: str | None, *, cpus: int) -> None:
    """Connect to the cluster at `address`, or start Ray on this machine with `cpus` processors, once per process.

    Raises `StudyError` if there is no cluster at the address, and `LaunchError` if Ray does not start here.
    """
    for name, value in (_ENVIRONMENT if address else _ENVIRONMENT | _ON_ONE_MACHINE).items():
        os.environ.setdefault(name, value)
    import ray

    if not ray.is_initialized():
        # Ray installs a handler for SIGTERM that ends the process at once.
        with keep_handlers(), _directory_without_modules():
            _connect(address) if address else _start(cpus)
    logging.getLogger("ray").setLevel(logging.ERROR)
    # Of a worker that dies, Tune logs the traceback of its own code. The launch records why the trial ended.
    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)


def stop_ray() -> None:
    """End Ray, and remove its folder."""
    import ray

    ray.shutdown()
    _end.close()
    atexit.unregister(stop_ray)


def _connect(address: str) -> None:
    import ray

    try:
        # Workers have the environment variables of their node, not those of this process.
        _init(address, runtime_env={"env_vars": _ENVIRONMENT})
    except (ConnectionError, RuntimeError, ray.exceptions.RayError) as error:
        raise StudyError(
            f"--address: no Ray cluster at {address} takes this connection ({first_line(error)}); a cluster with a "
            "token needs RAY_AUTH_MODE=token and the token here, see docs/clusters.md"
        ) from error


def _start(cpus: int) -> None:

    # It runs before Ray's own handler, which would otherwise write into the removed folder.
    atexit.register(stop_ray)
    try:
        _close_to_others()
        _check_loopback()
        # The folder is for this user alone. Ray opens the one that it gets to all users.
        private = tempfile.TemporaryDirectory(prefix="study-", dir=_root(), ignore_cleanup_errors=True)
        folder = Path(_end.enter_context(private)) / "ray"
        # "local" starts a new cluster, even if another one runs on this machine.
        _init("local", num_cpus=cpus, include_dashboard=False, _temp_dir=str(folder))
    except Exception as error:  # Ray raises a plain `Exception` if its processes do not start in time
        stop_ray()
        raise LaunchError(
            f"Ray did not start on this machine ({first_line(error)}); --runner inline runs without Ray"
        ) from error


def _check_loopback() -> None:
    """Raise `OSError` if the loopback interface does not work; Ray would wait for minutes."""
    with socket.create_server((_LOOPBACK, 0)) as server:
        socket.create_connection(server.getsockname(), timeout=5).close()


def _init(address: str, **options: Any) -> None:
    import ray

    ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, **options)


def _close_to_others() -> None:
    """Let the Ray that starts next listen on loopback only, and refuse connections without this process's token.

    What the user has set for clusters does not hold on one machine. Ray reads the variables when it is imported, and
    own code may have imported it before, so its copies of them are set too.
    """
    os.environ |= {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": _token(),  # Ray then neither reads nor writes a file with a token
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # nodes are on loopback, also on Linux
    }
    from ray._private import ray_constants
    from ray._private.authentication.authentication_token_setup import AuthenticationTokenLoader, Config

    ray_constants.ENABLE_RAY_CLUSTER = False
    ray_constants.RAY_ENABLE_UV_RUN_RUNTIME_ENV = os.environ.get("RAY_ENABLE_UV_RUN_RUNTIME_ENV") != "0"
    Config.initialize("")
    AuthenticationTokenLoader.instance().reset_cache()


@cache
def _token() -> str:
    return secrets.token_hex(32)


def _root() -> str:
    """The folder for temporary files, as Ray chooses it; `/tmp` if its path is too long for sockets."""
    root = os.environ.get("RAY_TMPDIR") or tempfile.gettempdir()
    return root if len(root) <= _LONGEST_ROOT else "/tmp"


@contextmanager
def _directory_without_modules() -> Iterator[None]:
    """Change to a directory without Python files, since Ray puts it at the front of `sys.path` in its workers.

    Under `uv run` on a cluster, the directory does not change, since Ray copies it to the nodes with the project's
    environment.
    """
    uv_run = "UV_RUN_RECURSION_DEPTH" in os.environ
    if uv_run and os.environ.get("RAY_ENABLE_UV_RUN_RUNTIME_ENV") != "0":
        yield
        return
    with chdir(str(resources.files("study") / "specs")):
        yield
