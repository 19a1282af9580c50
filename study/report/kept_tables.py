"""Reads the files that trials of task `sphere` keep for the report: gap curves and final embeddings."""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from study.kept_files import read_kept
from study.spec.expand import PlannedTrial, TrialSet
from trainables.store.artefacts import curve_path, embeddings_path

if TYPE_CHECKING:
    import pandas as pd

    from analysis.study_analysis import StudyAnalysis


def with_kept(findings: "StudyAnalysis", trial_set: TrialSet, artefacts: Path) -> "StudyAnalysis":
    """The analysis with the trials' curves and embeddings, if the task keeps them. Each row has its `trial_id`."""
    own = trial_set.trials if trial_set.task.shows_kept_tables else ()
    return dataclasses.replace(
        findings,
        curves=_read(own, artefacts, curve_path),
        embeddings=_read(own, artefacts, embeddings_path),
    )


def _read(
    trials: Sequence[PlannedTrial], artefacts: Path, path_of: Callable[[Path, str], Path]
) -> "pd.DataFrame":
    import pandas as pd

    frames = []
    for trial in trials:
        path = path_of(artefacts, trial.keys.pretrain_id)
        try:
            table = read_kept(path)
        except (OSError, ValueError):  # not kept, or damaged: no result depends on these files
            continue
        frames.append(table.to_pandas().assign(trial_id=trial.keys.trial_id))
    return pd.concat([frame for frame in frames if len(frame)] or [pd.DataFrame()], ignore_index=True)
