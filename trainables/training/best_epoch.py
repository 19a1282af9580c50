"""The weights of the best epoch of a training, by an accuracy that is measured after every epoch. `pretrain` uses it.

Measuring does not change the training: networks are in evaluation mode, so the statistics of batch norms stay, and no
random number is drawn.
"""

import math
from collections.abc import Sequence
from typing import Any

from trainables.training.member import Member, Score


class BestEpoch:
    """The highest score of each member so far, its epoch, and a copy of all weights and statistics then.

    Of equal scores, the earlier epoch counts. An epoch has `steps_an_epoch` steps; one that the budget cuts short
    ends with the last of `steps` steps, and counts too.
    """

    def __init__(self, score: Score, *, steps_an_epoch: int, steps: int, members: int) -> None:
        self._score, self._steps_an_epoch, self._steps = score, steps_an_epoch, steps
        self._best: list[dict[str, Any] | None] = [None] * members

    def is_due(self, step: int) -> bool:
        """Whether an epoch ends after `step` steps."""
        return step % self._steps_an_epoch == 0 or step == self._steps

    def measure(self, members: Sequence[Member], step: int, finite: Sequence[bool]) -> None:
        """Score the models of the members whose losses are finite, and copy those that are better than before."""
        for index, member in enumerate(members):
            if not finite[index]:
                continue
            score, best = self._score(member.model), self._best[index]
            if math.isfinite(score) and (best is None or score > best["score"]):
                weights = {name: value.detach().clone() for name, value in member.model.state_dict().items()}
                self._best[index] = {
                    "score": score,
                    "epoch": math.ceil(step / self._steps_an_epoch),
                    "weights": weights,
                }

    def take(self, member: int, into: Member) -> int | None:
        """Load the best weights of a member into its model. Returns their epoch, from 1, or None without a score."""
        best = self._best[member]
        if best is None:
            return None
        into.model.load_state_dict(best["weights"])
        return int(best["epoch"])

    def state(self) -> list[dict[str, Any] | None]:
        """What `restore` needs to continue."""
        return list(self._best)

    def restore(self, state: Sequence[dict[str, Any] | None]) -> None:
        """Continue from a saved `state`."""
        self._best = list(state)
