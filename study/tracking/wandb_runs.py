"""The tracker Weights & Biases: runs in the project that the study file names, grouped by study."""

import os
from pathlib import Path

from study.tracking.tracked_run import TrackedRun

#: Modes in which wandb sends nothing and needs no key.
_UNCONNECTED = ("offline", "disabled")

#: Seconds that a run has to start.
_INIT_SECONDS = 30


class WandbRuns:
    """Writes one run at a time. Data that is not sent is in `<store>/studies/<study>/wandb`, for `wandb sync`."""

    def __init__(self, where: str, study: str, store: Path) -> None:
        import wandb

        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
        entity, _, self._project = where.rpartition("/")
        self._entity = entity or None
        self._folder = store / "studies" / study
        # Without a key, wandb would ask for one on the terminal during the launch.
        if os.environ.get("WANDB_MODE") not in _UNCONNECTED and not wandb.login(prompt=False):
            raise ConnectionError("no API key; `wandb login` stores one, and WANDB_MODE=offline needs none")

    def write(self, run: TrackedRun) -> None:
        """Write a run with the curve as its history and the final metrics as its summary."""
        import wandb

        settings = wandb.Settings(
            console="off", silent=True, disable_git=True, x_disable_stats=True, init_timeout=_INIT_SECONDS
        )
        opened = wandb.init(
            entity=self._entity,
            project=self._project,
            dir=self._folder,
            group=run.study,
            name=run.title,
            config={**run.settings, **run.tags, "started": run.started, "ended": run.ended},
            tags=[str(run.status)],
            reinit="create_new",
            settings=settings,
        )
        for step, point in run.curve.items():
            opened.log(dict(point), step=step)
        opened.summary.update(dict(run.metrics))
        opened.finish(exit_code=0 if run.has_result else 1)
