"""Who runs the trials of a launch: how many workers fit, on this machine or on a cluster."""

from dataclasses import dataclass

from study.errors import StudyError
from study.launch.capacity import count_workers
from study.launch.cluster import check_address, cluster_workers
from study.launch.runners.ray_tune import start_ray
from study.loaded import LoadedStudy


@dataclass(frozen=True, kw_only=True)
class Workers:
    """Who runs trials: how many at a time, by which runner, and on which cluster, if not on this machine."""

    count: int
    runner: str
    address: str | None = None


def fitting_workers(
    loaded: LoadedStudy, wanted: int | None, runner: str, address: str | None = None
) -> Workers:
    """As many workers as have room, or as are wanted. Raises `StudyError` where there is no room for them."""
    resources = loaded.study_file.spec.resources
    if address is None:
        fitting = count_workers(resources, wanted)
        if runner == "inline" and (wanted or 1) > 1:
            raise StudyError(f"--workers: got {wanted}, the inline runner runs one trial at a time")
        return Workers(count=1 if runner == "inline" else fitting, runner=runner)
    if runner == "inline":
        raise StudyError("--address: the inline runner is this process; leave one of them out")
    start_ray(check_address(address), cpus=0)
    from study.launch.runners.ray_nodes import list_nodes  # imports Ray

    return Workers(count=cluster_workers(list_nodes(), resources, wanted), runner=runner, address=address)
