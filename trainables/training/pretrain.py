"""Contrastive pre-training of one trial, or of K trials of equal shapes as one stacked network."""

import copy
import dataclasses
import logging
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from torch import Tensor

from trainables.copies import copy_back
from trainables.early_stopping import Rungs, Stop
from trainables.suggestion import first_line
from trainables.training.best_epoch import BestEpoch
from trainables.training.checkpoint import Checkpoint, CheckpointError
from trainables.training.curves import Curves
from trainables.training.member import Member, PretrainFacts, Report, Score, Streams
from trainables.training.own_draws import drawing_from
from trainables.training.precision import matmul_precision
from trainables.training.trainer import Trainer
from trainables.turns import Turn, Turns, each_within
from trainables.views.batched import Views

_log = logging.getLogger(__name__)

#: Steps between two checks of the losses. On an accelerator, a check waits for the steps before the last check.
_STEPS_A_LOOK = {"cpu": 1, "cuda": 50}


def pretraining(
    members: Sequence[Member],
    images: Tensor,
    views: Views,
    streams: Mapping[int, Streams],
    *,
    execution: str = "eager",
    curves: Curves | None = None,
    checkpoint: Checkpoint | None = None,
    rungs: Rungs | None = None,
    epoch_score: Score | None = None,
    report: Report,
) -> Turns[list[PretrainFacts]]:
    """Train every member's model in place on `images`, uint8 `(N, C, H, W)`. Each step is a turn.

    A member's training ends at its first non-finite loss; the other members continue. `streams` holds the generators
    for every member's seed. With a checkpoint, training continues from the last saved state, and a training that is
    closed between two steps saves its state. With `rungs`, which need a single member, training may stop early at a
    rung. With an `epoch_score`, every model ends with the weights of the epoch that has its highest score, unless its
    training ends early. Raises `ValueError` for members that cannot be stacked, and for a precision that the device
    does not have.
    """
    device = next(members[0].model.parameters()).device

    def turns() -> Turns[list[PretrainFacts]]:
        trainer = Trainer(members, images, views, streams, device, execution)
        best = _best_epoch(trainer, len(images), epoch_score) if epoch_score else None
        if checkpoint:
            _resume(trainer, curves, best, checkpoint)
        stop = rungs.stop_before() if rungs else None
        if stop is None:
            stop = yield from _run(trainer, curves, best, checkpoint, rungs, report)
        trainer.finish()
        facts = [dataclasses.replace(trainer.facts(member), stop=stop) for member in range(len(members))]
        return facts if best is None else _at_best(best, members, facts)

    @contextmanager
    def settings() -> Iterator[None]:
        with (
            matmul_precision(members[0].config.precision, device),
            drawing_from(streams[members[0].seed].own_draws),
        ):
            yield

    return each_within(settings, turns())


def _best_epoch(trainer: Trainer, images: int, score: Score) -> BestEpoch:
    members = trainer.members
    epoch = max(1, members[0].config.epoch_steps(images))
    return BestEpoch(score, steps_an_epoch=epoch, steps=trainer.total, members=len(members))


def _at_best(
    best: BestEpoch, members: Sequence[Member], facts: Sequence[PretrainFacts]
) -> list[PretrainFacts]:
    """The facts, with the weights of the best epoch in the models of members that are evaluated."""
    return [
        each if each.diverged or each.stop else dataclasses.replace(each, best_epoch=best.take(index, own))
        for index, (own, each) in enumerate(zip(members, facts, strict=True))
    ]


class _Look:
    """The losses `(K,)` of the latest step. From an accelerator they are copied without a wait."""

    def __init__(self, trainer: Trainer) -> None:
        self._losses = copy_back(trainer.losses[:, trainer.done - 1])

    def finite(self) -> list[float]:
        """The finite losses. This waits until the step has run."""
        return [loss for loss in self._losses().tolist() if math.isfinite(loss)]


def _run(
    trainer: Trainer,
    curves: Curves | None,
    best: BestEpoch | None,
    checkpoint: Checkpoint | None,
    rungs: Rungs | None,
    report: Report,
) -> Turns[Stop | None]:
    """Train until the last step, until all losses are non-finite, or until early stopping at a rung.

    On an accelerator, a check reads the losses of the check before. So there is always queued work while it waits.
    """
    saved, steps_a_look = time.perf_counter(), _STEPS_A_LOOK[trainer.device.type]
    before: _Look | None = None
    while trainer.done < trainer.total:
        trainer.advance()
        if curves and curves.is_due(trainer.done):
            trainer.bring_models_up_to_date()
            curves.add(trainer.members, trainer.done, trainer.losses[:, : trainer.done])
        if best and best.is_due(trainer.done):
            trainer.bring_models_up_to_date()
            finite = trainer.losses[:, : trainer.done].isfinite().all(1).tolist()
            best.measure(trainer.members, trainer.done, finite)
        at_rung = rungs is not None and rungs.is_due(trainer.done)
        if trainer.done % steps_a_look == 0 or trainer.done == trainer.total or at_rung:
            latest = _Look(trainer)
            waits = trainer.device.type == "cpu" or trainer.done == trainer.total or at_rung
            look, before = latest if waits else before, latest
            if look is not None:
                if not (losses := look.finite()):
                    return None
                report(_facts(trainer, sum(losses) / len(losses)))
            if rungs and at_rung and (stop := rungs.stop_at(trainer.done, trainer.members[0].model)):
                return stop
            if checkpoint and time.perf_counter() - saved > checkpoint.every_seconds:
                _save(trainer, curves, best, checkpoint)
                saved = time.perf_counter()
        if trainer.done < trainer.total:
            try:
                yield Turn.STEP
            except GeneratorExit:
                if checkpoint:
                    _save(trainer, curves, best, checkpoint)
                raise
    return None


def _facts(trainer: Trainer, loss: float) -> dict[str, Any]:
    """The facts of a progress report: the given mean of the finite losses, and all members' losses so far."""
    losses = trainer.losses[:, : trainer.done]  # (K, step), no copy
    return {"step": trainer.done, "steps": trainer.total, "loss": loss, "losses": losses}


def _save(trainer: Trainer, curves: Curves | None, best: BestEpoch | None, checkpoint: Checkpoint) -> None:
    try:
        beside = {"curves": curves.rows if curves else [], "best": best.state() if best else []}
        checkpoint.save(trainer.state() | beside)
    except OSError as error:  # a full disk prevents a checkpoint but does not end the trial
        _log.warning("checkpoint %s: not saved (%s)", checkpoint.path.name, error.strerror)


def _resume(trainer: Trainer, curves: Curves | None, best: BestEpoch | None, checkpoint: Checkpoint) -> None:
    fresh = None
    try:
        state = checkpoint.load()
        if state is None:
            return
        fresh = copy.deepcopy(trainer.state())  # a failed load may have replaced part of the state
        trainer.restore(state)
        if curves:
            curves.rows[:] = state["curves"]
        if best:
            best.restore(state["best"])
    except (CheckpointError, RuntimeError, KeyError) as error:
        _log.warning("%s; training starts again from step 0", first_line(error))
        if fresh is not None:
            trainer.restore(fresh)
