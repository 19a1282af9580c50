"""The results of an analysis as flat tables, for files and for the page."""

import numpy as np
import pandas as pd

from analysis.model.cells import FAILED, MISSING, PRUNED, axis_values, trial_statuses
from analysis.statistics.comparisons.compare import Comparison
from analysis.statistics.intervals.bands_moderated import moderated_interval
from analysis.statistics.intervals.student import Estimate, student_interval
from analysis.statistics.scores.choice import Choice
from analysis.study_analysis import StudyAnalysis

_TRIAL_FACTS = ("trial_id", "config_id", "arm", "seed", "status", "attempt", "seconds_total", "error_class")
_ERROR = "error_message"
_MEASURED = ("hp_", "val_", "test_", "z_", "h_", "train_loss_")


def trials_table(findings: StudyAnalysis) -> pd.DataFrame:
    """Every planned trial with its status (`missing` without a record), hyperparameters and metrics."""
    table, info = findings.table, findings.info
    named = {info.metric.reporting_column, info.metric.selecting_column, *info.describes}
    measured = [
        name
        for name in table.columns
        if (name.startswith(_MEASURED) or name in named) and name != "hp_other" and table[name].notna().any()
    ]
    chosen = table[[*_TRIAL_FACTS, *measured, _ERROR]].copy()
    chosen["status"] = chosen["status"].astype(object).where(chosen["status"].notna(), MISSING)
    return chosen


def cells_table(findings: StudyAnalysis) -> pd.DataFrame:
    """Every cell of every arm: the mean over the finished seeds, its 95 % interval, counts."""
    return pd.concat([_cells(findings, label) for label in findings.cells], ignore_index=True)


def _cells(findings: StudyAnalysis, label: str) -> pd.DataFrame:
    cells, metric = findings.cells[label], findings.info.metric
    rank = cells.raw.get(findings.info.rank_metric)
    mean, low, high = moderated_interval(
        cells.raw[metric.reporting_column], bounds=metric.bounds, step=metric.step
    )
    selecting = cells.raw[metric.selecting_column]
    selecting = np.where(np.isinf(selecting) | bool(metric.no_choice), np.nan, selecting)
    further = {_bare(axis.name): cells.values(axis.name) for axis in cells.axes[2:]}
    columns = {
        "arm": label,
        _bare(cells.axes[0].name): cells.values(cells.axes[0].name),
        "main_axis": _bare(cells.axes[1].name),
        "main_axis_value": cells.values(cells.axes[1].name),
        **further,
        "share": cells.weights,
        "test_mean": mean,
        "test_low": low,
        "test_high": high,
        "val_mean": student_interval(selecting)[0],
        "effective_rank_mean": np.nan if rank is None else student_interval(rank)[0],
        "seeds_finished": cells.finished.sum(axis=-1),
        "seeds_failed": cells.failed.sum(axis=-1),
        "seeds_missing": cells.missing.sum(axis=-1),
    }
    return pd.DataFrame(columns)


def scores_table(findings: StudyAnalysis) -> pd.DataFrame:
    """One row for each arm: every robustness score with the ends and the method of its interval.

    `tuned` is the score of what one seed selects, on another seed. The columns `tuned_<axis>` name the cell that all
    seeds choose together. Of the `choices` by single seeds, `choices_agreeing` agree with it.
    """
    return pd.DataFrame([_score_row(findings, label) for label in findings.summaries])


def _score_row(findings: StudyAnalysis, label: str) -> dict[str, object]:
    item, arm = findings.summaries[label], findings.info.arm(label)
    estimates = {
        "tuned": item.tuned.estimate,
        "default": item.default.estimate,
        "mean": item.mean,
        "mean_finished": item.mean_finished,
        "worst_tenth": item.worst,
        "tolerance_volume": item.tolerance,
    }
    places = {
        f"{name}_{axis}": value
        for name, choice in (("tuned", item.tuned), ("default", item.default))
        if name == "default" or not findings.info.metric.no_choice
        for axis, value in _place(choice).items()
    }
    counts = {name: getattr(item, name) for name in ("planned", "finished", "failed", "missing", "collapsed")}
    row: dict[str, object] = {"arm": label, "main_axis": _bare(arm.main_axis), "base_lr": arm.base_lr}
    for name, estimate in estimates.items():
        row |= estimate_columns(name, estimate)
    choices = {"choices": item.tuned.choices, "choices_agreeing": item.tuned.agreeing}
    return row | places | choices | counts


def _place(choice: Choice) -> dict[str, float | str]:
    """The configuration as columns; the main axis has the same name for every arm."""
    (x, x_value), (_, main_value), *further = choice.place.items()
    return {_bare(x): x_value, "main_axis_value": main_value} | {
        _bare(name): value for name, value in further
    }


def estimate_columns(name: str, estimate: Estimate) -> dict[str, object]:
    """A score's value, interval, method and note as columns of a table."""
    return {
        name: estimate.value,
        f"{name}_low": estimate.low,
        f"{name}_high": estimate.high,
        f"{name}_interval": estimate.method,
        f"{name}_note": estimate.note,
    }


def comparisons_table(findings: StudyAnalysis) -> pd.DataFrame:
    """One row for each comparison of tuned scores in an adaptive search. Other studies have decisions instead."""
    columns = [
        "arm",
        "reference",
        "difference",
        "low",
        "high",
        "seeds",
        "p",
        "p_holm",
        "verdict",
    ]
    return pd.DataFrame([_comparison_row(item) for item in findings.comparisons], columns=columns)


def _comparison_row(item: Comparison) -> dict[str, object]:
    return {
        "arm": item.arm,
        "reference": item.reference,
        "difference": item.difference.value,
        "low": item.difference.low,
        "high": item.difference.high,
        "seeds": item.difference.seeds,
        "p": item.p,
        "p_holm": item.p_holm,
        "verdict": item.verdict,
    }


def decisions_table(findings: StudyAnalysis) -> pd.DataFrame:
    """One row for each loss and question: its difference from the reference, and the decision.

    The ends `low` and `high` hold for all rows at once, `alone_low` and `alone_high` for one row by itself.
    Differences are in scores, for which higher is better; a difference of prices above 0 is worse. Empty where losses
    are not compared.
    """
    columns = [
        "loss",
        "reference",
        "question",
        "difference",
        "low",
        "high",
        "alone_low",
        "alone_high",
        "seeds",
        "verdict",
        "reason",
    ]
    items = findings.decisions.items if findings.decisions is not None else ()
    rows = [
        {
            "loss": item.loss,
            "reference": item.reference,
            "question": item.question,
            "difference": item.difference.value,
            "low": item.difference.low,
            "high": item.difference.high,
            "alone_low": item.alone.low,
            "alone_high": item.alone.high,
            "seeds": item.difference.seeds,
            "verdict": item.verdict,
            "reason": item.reason,
        }
        for item in items
    ]
    return pd.DataFrame(rows, columns=columns)


def failures_table(findings: StudyAnalysis) -> pd.DataFrame:
    """One row for each failed trial, with the class and message of its error if there is one."""
    return pd.concat([_failures(findings, label) for label in findings.cells], ignore_index=True)


def _failures(findings: StudyAnalysis, label: str) -> pd.DataFrame:
    arm = findings.info.arm(label)
    rows = findings.table[findings.table["arm"] == label]
    columns = {
        "arm": label,
        "trial_id": rows["trial_id"],
        arm.x.bare: axis_values(rows, arm.x),
        "main_axis": arm.main.bare,
        "main_axis_value": axis_values(rows, arm.main),
        "seed": rows["seed"],
        "status": trial_statuses(rows, findings.info.metric.reporting_column),
        "error_class": rows["error_class"],
        _ERROR: rows[_ERROR],
    }
    frame = pd.DataFrame(columns)
    return frame[frame["status"].isin(FAILED)]


def coverage_table(findings: StudyAnalysis) -> pd.DataFrame:
    """Trials by status, one row for each arm; the statuses add up to `planned`."""
    statuses = ["ok", *FAILED, PRUNED, MISSING]
    rows = []
    for label, cells in findings.cells.items():
        counts = {status: int((cells.status == status).sum()) for status in statuses}
        rows.append({"arm": label, "planned": int(cells.planned.sum()), **counts})
    return pd.DataFrame(rows)


def _bare(column: str) -> str:
    return column.removeprefix("hp_")
