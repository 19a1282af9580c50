"""What a watching page shows of a study: progress, failures and surfaces, as the store has them now."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from study.commands.failures import group_failures
from study.launch.listeners.progress import format_seconds
from study.launch.manifest import Manifest, launches_folder, running_launches
from study.loaded import Opened
from study.plan import status_summary
from study.report.study_table import study_info
from trainables.store.attempts import failures

#: Kinds of failure that are shown, the most frequent first, and trials that are named of each.
_KINDS, _NAMED = 20, 3


def watch_state(opened: Opened) -> dict[str, Any]:
    """Counts, losses, running launches, groups of failures and the explorer's data, ready for JSON."""
    summary = status_summary(opened.plan)
    running = running_launches(launches_folder(opened.store.path, opened.name))
    return {
        "study": opened.name,
        "counts": {name: count for name, count in summary.items() if isinstance(count, int)},
        "losses": [{"name": label, **counts} for label, counts in opened.plan.counts_by_arm().items()],
        "launches": len(running),
        "left": time_left(running, summary["missing"], datetime.now(UTC)),
        "failures": _failures(opened),
        "column": "",
        "explorer": None,
        **_surfaces(opened),
    }


def time_left(running: Sequence[Manifest], missing: int, now: datetime) -> str:
    """For the missing trials at the pace of all running launches so far; empty before any of them ended a trial."""
    pace = sum(_pace(manifest, now) for manifest in running)
    return f"about {format_seconds(missing / pace)}" if pace and missing else ""


def _pace(manifest: Manifest, now: datetime) -> float:
    """Trials a second that the launch ran itself."""
    elapsed = (now - datetime.fromisoformat(manifest.started_at)).total_seconds()
    ended = sum(1 for trial in manifest.trials if not trial.get("found"))
    return ended / elapsed if elapsed > 0 else 0.0


def _failures(opened: Opened) -> list[dict[str, Any]]:
    titles = {trial.keys.trial_id: trial.title for trial in opened.plan.trials}
    groups = group_failures(failures(opened.plan.records.table))
    return [
        {
            "title": group.title,
            "trials": [f"{row['trial_id']}  {titles[row['trial_id']]}" for row in group.rows[:_NAMED]],
            "more": max(0, len(group.rows) - _NAMED),
            "traceback": group.first["error_traceback"] or "",
        }
        for group in groups[:_KINDS]
    ]


def _surfaces(opened: Opened) -> dict[str, Any]:
    """The explorer's data, and the validation metric that it begins with; nothing of searches that have not begun.

    Test scores can be chosen too, but while a study runs they are nobody's business.
    """
    if not all(arm.points for arm in opened.plan.expansion.arms):
        return {}
    import pandas as pd

    from analysis.explorer import explorer_data
    from analysis.study_analysis import split_cells
    from analysis.table import build_table
    from study.spec.expand import planned_rows

    info = study_info(opened.plan, opened.loaded)
    planned = pd.DataFrame(planned_rows(opened.plan.expansion))
    table = build_table(planned, opened.plan.records.table.to_pandas())
    _, info, cells = split_cells(table, info)
    return {"column": info.metric.selecting_column, "explorer": explorer_data(info, cells)}
