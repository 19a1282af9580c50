"""A listener that keeps the best encoder of each loss and seed by validation metric (`encoders = "best"`)."""

from pathlib import Path

from study.events import Expected, Finished, Listener
from study.spec.expand import PlannedTrial
from trainables.store.artefacts import kept_path


class BestEncoders(Listener):
    """Removes a kept encoder when there is a better one of the same loss and seed.

    A trial writes its encoder before its record. So a launch that is killed may leave a few encoders too many; the
    next launch of the study compares them and removes them.
    """

    def __init__(self, artefacts: Path, metric: str) -> None:
        self._artefacts, self._metric = artefacts, f"val_{metric}"
        self._trials: dict[str, PlannedTrial] = {}
        self._best: dict[tuple[str, int], tuple[float, str]] = {}

    def expected(self, event: Expected) -> None:
        """Compare the encoders of all trials that have a record."""
        self._trials |= {trial.keys.trial_id: trial for trial in event.plan.trials}
        columns = event.plan.records.table.select(["trial_id", self._metric]).to_pydict()
        for trial_id, value in zip(*columns.values(), strict=True):
            self._compare(self._trials[trial_id], value)

    def finished(self, event: Finished) -> None:
        """Compare a trial's encoder. The trial has its record now, and an encoder if its training was completed."""
        if trial := self._trials.get(event.trial_id):
            self._compare(trial, event.values.get(self._metric))

    def _compare(self, trial: PlannedTrial, value: float | None) -> None:
        """Keep the better of this trial's encoder and the best so far; a trial without a value loses."""
        key, own = (trial.arm, trial.config.seed), trial.keys.pretrain_id
        best, kept = self._best.get(key, (float("-inf"), own))
        if value is not None and value > best:
            self._best[key], surpassed = (value, own), kept
        else:
            surpassed = own
        if surpassed != self._best.get(key, (0.0, ""))[1]:
            kept_path(self._artefacts, surpassed).unlink(missing_ok=True)
