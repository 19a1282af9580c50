"""Ray nodes as sets of processes on this machine: started, waited for, and ended."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest


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
    if node.poll() is None:
        os.killpg(node.pid, signal.SIGKILL)
        node.wait(timeout=30)


def wait_for_port(port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.5)
    pytest.fail("the head node did not start")


def wait_for_nodes(address: str, count: int) -> None:
    command = [Path(sys.executable).with_name("ray"), "status", f"--address={address}"]
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        if said.count(" node_") >= count:
            return
        time.sleep(0.5)
    pytest.fail("the second node did not register")
