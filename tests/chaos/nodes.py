"""Ray nodes as sets of processes on this machine: started, waited for, and ended."""

import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from tests.study.running import workers_of
from tests.waiting import wait_until


def start_node(*words: str) -> "subprocess.Popen[bytes]":
    ray = Path(sys.executable).with_name("ray")
    common = ["--num-cpus=1", "--disable-usage-stats", "--block"]
    return subprocess.Popen(
        [ray, "start", *words, *common],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def end(node: "subprocess.Popen[bytes]") -> None:
    """Kill all processes of the node, and wait until none is left."""
    if node.poll() is None:
        os.killpg(node.pid, signal.SIGKILL)
        node.wait()
    wait_until(lambda: not workers_of(node.pid))


def wait_for_port(port: int) -> None:
    """Until something on this machine accepts connections at the port."""

    def accepts() -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
        return False

    wait_until(accepts, seconds=240, every=0.5)


def wait_for_nodes(address: str, count: int) -> None:
    """Until the cluster at the address has so many nodes."""
    command = [Path(sys.executable).with_name("ray"), "status", f"--address={address}"]

    def registered() -> bool:
        said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        return said.count(" node_") >= count

    wait_until(registered, seconds=240, every=0.5)
