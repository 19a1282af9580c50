"""Asks every node of a connected Ray cluster whether it sees the files that a launch needs."""

import uuid
from pathlib import Path
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from study.cluster import look_at_files
from study.errors import StudyError

#: Seconds for every node to look at the store.
_LOOK_SECONDS = 60.0


def list_nodes() -> list[dict[str, Any]]:
    """The nodes of the connected cluster, as Ray describes them."""
    nodes: list[dict[str, Any]] = ray.nodes()
    return nodes


def check_nodes(store: Path, data_root: Path | None) -> None:
    """Let every node read what this one wrote into the store. Raises `StudyError` naming a node that cannot.

    Ray must be connected, and the store prepared.
    """
    token = store / f".tmp-{uuid.uuid4().hex}"
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
