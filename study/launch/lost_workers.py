"""What is recorded of a trial whose worker died under it."""

from study.events import OUT_OF_MEMORY, LostStack
from trainables.store.schema import Status, TrialRecord
from trainables.work import LaunchContext


def death_record(lost: LostStack, context: LaunchContext) -> TrialRecord:
    """The record of the one trial that was running."""
    from trainables.trial import failure_record  # imports torch: only now, and rarely

    message = lost.message
    if hung(lost, context):
        limit = context.runtime.time_limit
        message = f"it hung: its worker was ended after {lost.seconds:.0f} s; the limit is {limit:g} s"
    (unit,) = lost.running
    return failure_record(
        unit.config,
        attempt=unit.attempt,
        runtime=context.runtime,
        status=_death_status(lost, context),
        error_class=lost.error_class,
        error_message=message,
    )


def hung(lost: LostStack, context: LaunchContext) -> bool:
    """Whether the worker ended itself since its trials took longer than they may."""
    limit = context.runtime.time_limit
    return limit is not None and lost.seconds is not None and lost.seconds > limit * len(lost.running)


def _death_status(lost: LostStack, context: LaunchContext) -> Status:
    if hung(lost, context):
        return Status.TIMEOUT
    return Status.OOM if lost.error_class == OUT_OF_MEMORY else Status.CRASHED
