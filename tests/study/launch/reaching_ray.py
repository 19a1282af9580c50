"""What others on this machine and in its network reach of a Ray that runs a study."""

import contextlib
import os
import re
import shutil
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.study.running import workers_of

_CONNECT = """
import sys
from ray._raylet import GcsClient
try:
    GcsClient(address=sys.argv[1])
    print("connected")
except Exception as error:
    print(type(error).__name__)
"""


@dataclass(frozen=True, kw_only=True)
class RunningStudy:
    """A study whose trials are in training: its process, its store, and the folder that Ray's own folder is in."""

    process: "subprocess.Popen[str]"
    store: Path
    temporary: Path

    def family(self) -> list[psutil.Process]:
        """The driver, Ray's processes, and the workers, without those that end in the meantime."""
        found = []
        for each in workers_of(self.process.pid):
            with contextlib.suppress(psutil.NoSuchProcess):
                found.append(psutil.Process(each))
        return found

    def token(self) -> str:
        """As a worker has it."""
        workers = [each for each in self.family() if each.name().startswith("ray::ResourceTr")]
        return workers[0].environ()["RAY_AUTH_TOKEN"]

    def address(self) -> str:
        """Of Ray's head process."""
        [head] = [each for each in self.family() if each.name() == "gcs_server"]
        [socket] = [each for each in head.net_connections("inet") if each.status == psutil.CONN_LISTEN]
        return f"127.0.0.1:{socket.laddr.port}"


def check_that_all_listen_on_loopback(running: RunningStudy) -> None:
    """By `ss -ltn`: the head, the node's two sockets and its agent, the driver, and two workers at the least."""
    own, addresses = {}, set()
    for process in running.family():
        with contextlib.suppress(psutil.NoSuchProcess):  # a short helper of Ray's
            own[process.pid] = process.name()
            addresses |= {
                (each.laddr.ip, each.laddr.port)
                for each in process.net_connections("inet")
                if each.status in (psutil.CONN_LISTEN, psutil.CONN_NONE)
            }
    assert len(addresses) >= 6, own
    assert {address for address, _ in addresses} <= {"127.0.0.1", "::ffff:127.0.0.1"}, addresses
    if shutil.which("ss"):
        said = subprocess.run(["ss", "-Hltnp"], capture_output=True, text=True, check=True).stdout
        lines = [
            line for line in said.splitlines() if own.keys() & set(map(int, re.findall(r"pid=(\d+)", line)))
        ]
        assert len(lines) >= 6, said
        local = {line.split()[3].rpartition(":")[0] for line in lines}
        assert local <= {"127.0.0.1", "[::ffff:127.0.0.1]"}, said


def check_that_the_token_is_asked_for(running: RunningStudy) -> None:
    """A connection without it or with another one is refused, one with it is not."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("RAY_")}

    def connect(mode: str, token: str = "") -> str:
        command = [sys.executable, "-c", _CONNECT, running.address()]
        given = environment | {"RAY_AUTH_MODE": mode, "RAY_AUTH_TOKEN": token}
        return subprocess.run(command, env=given, capture_output=True, text=True, check=True).stdout.strip()

    assert connect("disabled") == "AuthenticationError"
    assert connect("token", "0" * 64) == "AuthenticationError"
    assert connect("token", running.token()) == "connected"


def check_that_the_token_is_secret(running: RunningStudy) -> None:
    """It is in no command line and in no file; the folder with Ray's files and sockets is closed to other users."""
    token = running.token()
    assert re.fullmatch("[0-9a-f]{64}", token)
    for process in running.family():
        assert token not in " ".join(process.cmdline())
    files = [
        path
        for folder in (running.store, running.temporary)
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink()
    ]
    assert len(files) > 10
    for path in files:
        assert token.encode() not in path.read_bytes(), path
    [folder] = running.temporary.iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {path.name for path in folder.glob("ray/session_2*/sockets/*")} == {"plasma_store", "raylet"}
