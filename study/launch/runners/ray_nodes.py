"""Asks every node of a connected Ray cluster whether it sees the files that a launch needs."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import ray
import yaml  # Ray's own configuration is read with it
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from study.errors import StudyError
from study.launch.cluster import look_at_files, nodes_to_come
from trainables.atomic import temporary_path
from trainables.own_code import append_to_path, own_folders

#: Where Ray's cluster launcher leaves the cluster's configuration on its head.
_AUTOSCALER_CONFIG = Path("~/ray_bootstrap_config.yaml")

#: Seconds for every node to look at the store.
_LOOK_SECONDS = 60.0


def on_gpu_node(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function on a node of the connected cluster that has a GPU to itself meanwhile."""
    return ray.get(ray.remote(num_gpus=1)(_call).remote(own_folders(), function, *arguments))


def _call(folders: Sequence[str], function: Callable[..., Any], *arguments: Any) -> Any:
    append_to_path(folders)
    return function(*arguments)


def list_nodes() -> list[dict[str, Any]]:
    """The nodes of the connected cluster, as Ray describes them, and those that its autoscaler may start."""
    nodes: list[dict[str, Any]] = ray.nodes()
    try:
        config = yaml.safe_load(_AUTOSCALER_CONFIG.expanduser().read_text())
    except OSError:  # no cluster of Ray's launcher, or not its head
        return nodes
    return nodes + nodes_to_come(config, sum(node["Alive"] for node in nodes) - 1)


def check_nodes(store: Path, data_root: Path | None) -> None:
    """Let every node read what this one wrote into the store. Raises `StudyError` naming a node that cannot.

    Ray must be connected, and the store prepared.
    """
    token = temporary_path(store / "token")
    token.write_text(token.name)
    look = ray.remote(num_cpus=0)(look_at_files)
    try:
        looks = {
            node["NodeManagerAddress"]: look.options(
                scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
            ).remote(str(token), str(data_root) if data_root else None)
            for node in ray.nodes()
            if node["Alive"]
        }
        for address, answer in looks.items():
            if fault := ray.get(answer, timeout=_LOOK_SECONDS):
                raise StudyError(f"node {address}: {fault}")
    except ray.exceptions.GetTimeoutError as error:
        raise StudyError(f"a node of the cluster did not answer within {_LOOK_SECONDS:g} s") from error
    finally:
        token.unlink(missing_ok=True)
