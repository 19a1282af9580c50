"""Checks for a launch on a running Ray cluster: its address, the workers that fit on it, and the shared files.

`study.launch.start` and `study.launch.runners.ray_nodes` use them. Without an address, Ray starts on this machine
alone. The code that needs Ray itself is in `study.launch.runners`.
"""

import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from study.errors import StudyError
from study.launch.capacity import gpus_in_words, worker_places
from study.spec.schema import ResourcesSection

#: Seconds that a head node has to accept a connection.
_ANSWER_SECONDS = 5.0

_AUTO = "auto"


def check_address(address: str) -> str:
    """Return the address: `auto`, or `host:port` of a head node that answers.

    Raises `StudyError` for any other address. Ray is not imported.
    """
    if address == _AUTO:
        return address
    host, colon, port = address.rpartition(":")
    if not (host and colon and port.isdigit()) or "/" in host:
        raise StudyError(
            f"--address: got '{address}', must be auto or HOST:PORT of the head node; run the command on a node of "
            "the cluster"
        )
    try:
        socket.create_connection((host, int(port)), timeout=_ANSWER_SECONDS).close()
    except OSError as error:
        raise StudyError(
            f"--address: no head node answers at {address} ({error.strerror or error})"
        ) from error
    return address


def cluster_workers(nodes: list[dict[str, Any]], resources: ResourcesSection, wanted: int | None) -> int:
    """The number of workers to start: `wanted`, or as many as fit on `nodes` (from `ray.nodes()`) if it is None.

    Raises `StudyError` if no worker fits, or fewer than `wanted`: Ray would only print a warning and wait forever.
    """
    have = [node["Resources"] for node in nodes if node["Alive"]]
    fitting = sum(worker_places(each.get("CPU", 0), each.get("GPU", 0), resources) for each in have)
    if not fitting:
        largest = max((each.get("CPU", 0) for each in have), default=0)
        gpus = max((each.get("GPU", 0) for each in have), default=0)
        raise StudyError(
            f"resources: a trial asks for {resources.cpus_per_trial} processors and {gpus_in_words(resources)} "
            f"GPUs; no node of the cluster has that (largest: {largest:g} processors, {gpus:g} GPUs)"
        )
    if wanted is not None and wanted > fitting:
        raise StudyError(f"--workers: got {wanted}, the cluster has room for {fitting} with these resources")
    return wanted or fitting


def nodes_to_come(config: Mapping[str, Any], workers: int) -> list[dict[str, Any]]:
    """The nodes that Ray's autoscaler may still start, in the format of `ray.nodes()`.

    `config` is the configuration of Ray's cluster launcher, with the resources of each node type. `workers` is the
    number of nodes that run besides the head node.
    """
    left = config.get("max_workers", 0) - workers
    come: list[dict[str, Any]] = []
    for name, kind in config.get("available_node_types", {}).items():
        most = min(kind.get("max_workers", 0), left) if name != config.get("head_node_type") else 0
        come += [{"Alive": True, "Resources": kind.get("resources", {})}] * max(0, most)
    return come[: max(0, left)]


def look_at_files(token: str, data_root: str | None) -> str | None:
    """Return what is wrong with the store or the data as this node sees them, or None. Runs on every node.

    `token` is a file in the store that contains its own name; `data_root` is the folder of the data sets.
    """
    try:
        shared = Path(token).read_text() == Path(token).name
    except OSError:
        shared = False
    if not shared:
        return f"--store: {Path(token).parent} is not shared with it; choose a path that all nodes see"
    if not os.access(Path(token).parent, os.W_OK):
        return f"--store: it cannot write to {Path(token).parent}"
    if data_root is not None and not Path(data_root).is_dir():
        return f"--data-root: there is no {data_root} on it"
    return None
