"""What ended a worker, in a name and a line: an exception of its own, or what Ray knows of its process."""

from ray.exceptions import RayActorError

from study.events import NODE_LOST, OUT_OF_MEMORY, WORKER_KILLED

_FOR_MEMORY = (OUT_OF_MEMORY, "Ray ended the worker, since its machine was running out of memory")

#: By words in what Ray says of a worker that died.
_DEATHS = {
    "(oom)": _FOR_MEMORY,
    "running low on memory": _FOR_MEMORY,
    "node has died": (NODE_LOST, "the node that the worker ran on was lost"),
}

#: Where Ray knows no more than that the process is gone.
_KILLED = (
    WORKER_KILLED,
    "the worker's process was killed from outside, as by the system for want of memory, or by a fault in native code",
)


def describe_death(error: BaseException | None) -> tuple[str, str]:
    """Error class and message for the record of a trial that was running."""
    cause = getattr(error, "cause", None)
    if isinstance(cause, BaseException):  # raised in the worker
        error = cause
    said = str(error).strip()
    if isinstance(error, RayActorError) or error is None:
        return next((death for words, death in _DEATHS.items() if words in said.lower()), _KILLED)
    return type(error).__name__, said.splitlines()[0] if said else "the worker died"
