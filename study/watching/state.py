"""The data of the page of `study watch`: progress, failures and surfaces of a study, from its current records."""

from collections.abc import Sequence
from typing import Any

from analysis.names import brief, visible
from study.launch.listeners.time_left import time_left_text
from study.launch.manifest import Manifest, launches_folder, running_launches
from study.loaded import LoadedStudy, changed_since
from study.plan import status_summary
from study.report.failures import LONGEST_TRACEBACK, group_failures
from study.report.study_table import study_table
from trainables.store.attempts import failures

#: Number of kinds of failure that the page shows, the most frequent first, and number of trials named for each.
_KINDS, _NAMED = 20, 3

#: Largest size of the explorer's values, in bytes. The page asks for them every few seconds.
_MOST_BYTES = 2_000_000


def watch_state(loaded: LoadedStudy) -> dict[str, Any]:
    """Counts, losses, running launches, groups of failures and the explorer's data, ready for JSON.

    If files of the study changed since it was loaded, the state also says so.
    """
    summary = status_summary(loaded.plan)
    running = running_launches(launches_folder(loaded.store.path, loaded.name))
    return {
        "study": loaded.name,
        "changed": changed_since(loaded),
        "counts": {name: count for name, count in summary.items() if isinstance(count, int)},
        "losses": [
            {"name": visible(label), **counts} for label, counts in loaded.plan.counts_by_arm().items()
        ],
        "launches": len(running),
        "left": time_left(running, summary["missing"]),
        "failures": _failures(loaded),
        "column": "",
        "explorer": None,
        "note": "",
        **_surfaces(loaded),
    }


def time_left(running: Sequence[Manifest], missing: int) -> str:
    """The time for the missing trials, as the terminals of the running launches show it; "" before it is known.

    Each launch estimates the time until all of its trials have ended, with the help of the others.
    """
    known = [manifest.seconds_left for manifest in running if manifest.seconds_left is not None]
    return time_left_text(max(known)) if known and missing else ""


def _failures(loaded: LoadedStudy) -> list[dict[str, Any]]:
    titles = {trial.keys.trial_id: trial.title for trial in loaded.plan.trials}
    groups = group_failures(failures(loaded.plan.records.table))
    return [
        {
            "title": group.title,
            "trials": [
                visible(f"{row['trial_id']}  {titles[row['trial_id']]}") for row in group.rows[:_NAMED]
            ],
            "more": max(0, len(group.rows) - _NAMED),
            "traceback": visible(brief(group.first["error_traceback"] or "", LONGEST_TRACEBACK), lines=True),
        }
        for group in groups[:_KINDS]
    ]


def _surfaces(loaded: LoadedStudy) -> dict[str, Any]:
    """The explorer's data, the validation metric that it shows first, and a note on how scores were chosen.

    Empty if a search has not started.

    The explorer also offers test scores, but while a study runs, the page must not start with them. Without
    validation scores it starts with the effective rank.
    """
    if not all(arm.points for arm in loaded.plan.trial_set.arms):
        return {}
    from analysis.fairness.epochs import maxima_words
    from analysis.fairness.tried import Tried
    from analysis.report.explorer import explorer_data
    from analysis.study_analysis import split_cells

    table, info, cells = split_cells(*study_table(loaded.plan, loaded.study_file))
    column = info.rank_metric if info.metric.no_choice else info.metric.selecting_column
    return {
        "column": column,
        "explorer": explorer_data(info, cells, most=_MOST_BYTES),
        "note": maxima_words(Tried(info=info, table=table, cells=cells)),
    }
