"""The nodes of a connected Ray cluster: list them, and check the shared files."""

from pathlib import Path
from typing import Any

import ray
import yaml  # a dependency of Ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from study.errors import StudyError
from study.launch.cluster import look_at_files, nodes_to_come
from trainables.atomic import temporary_path

#: The file in which Ray's cluster launcher stores the cluster's configuration on the head node.
_AUTOSCALER_CONFIG = Path("~/ray_bootstrap_config.yaml")

#: Seconds that a node has to check the files.
_LOOK_SECONDS = 60.0


def list_nodes() -> list[dict[str, Any]]:
    """The nodes of the connected cluster and the nodes that its autoscaler may start, in Ray's format."""
    nodes: list[dict[str, Any]] = ray.nodes()
    try:
        config = yaml.safe_load(_AUTOSCALER_CONFIG.expanduser().read_text())
    except OSError:  # Ray's launcher did not start this cluster, or this is not the head node
        return nodes
    return nodes + nodes_to_come(config, sum(node["Alive"] for node in nodes) - 1)


def check_nodes(store: Path, data_root: Path | None) -> None:
    """Check that every node can read a file that this node writes into the store, and sees `data_root`.

    Ray must be connected, and the store prepared. Raises `StudyError` with the address of a node that fails.
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
