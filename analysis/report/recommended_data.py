"""A recommendation as data: for `--json`, and as a table for notebooks."""

from typing import Any

import pandas as pd

from analysis.report.recommended import Answer
from analysis.statistics.intervals.student import Estimate


def answer_data(answer: Answer) -> dict[str, Any]:
    """The answer for `--json`: scores in the shown unit, differences in points of it, settings by column.

    A regret, a cost and a gain above 0 say by how much another choice is better, also where a lower metric is better.
    """
    metric, found = answer.info.metric, answer.found
    told: dict[str, Any] = {
        "study": answer.info.name,
        "data": answer.info.data,
        "batch_size": answer.batch_size,
        "tuned": answer.tuned,
        "verdict": answer.verdict,
        "reason": answer.reason,
        "metric": metric.reporting_column,
        "unit": metric.unit,
        "higher_is_better": metric.higher_is_better,
        "tolerance": metric.factor * answer.info.tolerance,
        "notes": list(answer.notes),
    }
    if answer.nearest:
        told["nearest"] = [answer_data(each) for each in answer.nearest]
    if found is None:
        return told
    return told | {
        "loss": found.chosen.loss,
        "setting": dict(answer.settings[found.chosen.loss]),
        "equal_losses": [each.loss for each in found.equals],
        "highest_score": (found.higher or found.chosen).loss,
        "shown_more_robust": [{"loss": loss, "than": other} for loss, other in answer.more_robust],
        "score": _shown(found.score, answer, is_score=True),
        "regret": _shown(found.regret, answer),
        "seeds": found.seeds,
        "paired": found.paired,
        "level": 1 - found.error,
        "losses": [
            {
                "loss": each.loss,
                "setting": dict(answer.settings[each.loss]),
                "score": metric.shown(each.score),
                "costs_at_most": metric.factor * each.regret.high,
                "may_be_best": each.may_be_best,
                "agreeing_seeds": each.agreeing,
                **({"gain_of_tuning": _shown(each.gain, answer)} if each.gain else {}),
            }
            for each in found.candidates
        ],
    }


def recommendation_table(answer: Answer) -> pd.DataFrame:
    """One row for each candidate in raw scores, the chosen one first; a row with only the reason if there is none."""
    found = answer.found
    if found is None:
        return pd.DataFrame([{"verdict": answer.verdict, "reason": answer.reason}])
    rows = [
        {
            "loss": each.loss,
            **{name.removeprefix("hp_"): value for name, value in answer.settings[each.loss].items()},
            "score": each.score,
            "costs_at_most": each.regret.high,
            "may_be_best": each.may_be_best,
            "verdict": answer.verdict if each is found.chosen else "",
            "reason": answer.reason,
        }
        for each in found.candidates
    ]
    return pd.DataFrame(rows)


def _shown(estimate: Estimate, answer: Answer, *, is_score: bool = False) -> dict[str, Any]:
    """The value and the ends of an interval as readers see them; None without an interval."""
    metric = answer.info.metric
    values = [estimate.value, estimate.low, estimate.high]
    value, *ends = [metric.shown(x) if is_score else metric.factor * x for x in values]
    low, high = sorted(ends) if estimate.has_interval else (None, None)
    return {"value": value, "low": low, "high": high}
