"""The report's page: findings and figures into one self-contained HTML text."""

import base64
import math
from collections.abc import Mapping

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from analysis import wording
from analysis.fairness.checks import check_fairness
from analysis.figures.draw import DrawnFigure
from analysis.findings import Findings
from analysis.redact import redact_paths
from analysis.statistics import robustness
from analysis.statistics.choice import Choice
from analysis.statistics.intervals import LEVEL, Estimate
from analysis.statistics.measure import LOG
from analysis.statistics.power import POWER
from analysis.tables import coverage_table, failures_table
from analysis.verdict import verdict_sentences

#: Groups of failures that the page lists; the table files hold every failed trial.
_MOST_FAILURES = 30

_ENVIRONMENT = {
    "device": "Device",
    "device_name": "Device model",
    "threads": "Threads a trial",
    "execution_mode": "Execution mode",
    "hp_precision": "Precision",
    "python_version": "Python",
    "torch_version": "PyTorch",
    "package_version": "Package version",
    "git_revision": "Git revision",
    "numerics_version": "Numerics version",
    "schema_version": "Record schema",
    "data_fingerprint": "Data fingerprint",
}


def render_page(findings: Findings, figures: Mapping[str, DrawnFigure]) -> str:
    """The page as HTML text with every figure inside it."""
    environment = Environment(
        loader=PackageLoader("analysis", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["redact"] = redact_paths
    return environment.get_template("report.html.j2").render(
        info=findings.info,
        sentences=verdict_sentences(findings),
        scores=[_score_row(findings, label) for label in findings.summaries],
        comparisons=[_comparison_row(findings, index) for index in range(len(findings.comparisons))],
        figures={name: _data_uri(figure) for name, figure in figures.items()},
        cards=check_fairness(findings),
        coverage=coverage_table(findings).to_dict("records"),
        failures=failure_groups(findings),
        most_failures=_MOST_FAILURES,
        environment=environment_facts(findings.table),
        rank_label=findings.info.rank_metric,
        constants={
            "level": f"{100 * LEVEL:.0f}",
            "power": f"{100 * POWER:.0f}",
            "tail": f"{100 * robustness.TAIL:.0f}",
            "collapse": f"{robustness.COLLAPSE_RANK:g}",
            "min_seeds": robustness.MIN_SEEDS_EXTREMES,
            "eps": f"{100 * findings.info.tolerance:g}",
            "chance": wording.percent(findings.info.chance),
        },
    )


def _data_uri(figure: DrawnFigure) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(figure.svg).decode()


def _score_row(findings: Findings, label: str) -> dict[str, object]:
    item, arm = findings.summaries[label], findings.info.arm(label)
    size = findings.info.x_label.split(",")[0]
    known = math.isfinite(item.tuned.estimate.value)
    return {
        "name": arm.name,
        "tuned": _cell(item.tuned.estimate),
        "tuned_at": _place(size, item.tuned, arm.main_axis_label) if known else [wording.NONE],
        "agreeing": f"{item.tuned.agreeing} of {item.tuned.choices}" if item.tuned.choices else "",
        "default": _cell(item.default.estimate),
        "default_at": f"{arm.name} {wording.number(item.default.y)} for {wording.number(arm.default)}",
        "measures": f"{arm.name} {' and '.join(arm.measures)}" if set(arm.measures) != {LOG} else "",
        "middle": wording.number(item.default.x),
        "mean": _cell(item.mean),
        "finished_mean": _cell(item.mean_finished),
        "worst": _cell(item.worst),
        "tolerance": _cell(item.tolerance),
        "failed": f"{item.failed} of {item.planned - item.missing}",
        "collapsed": f"{item.collapsed} of {item.ranked}",
    }


def _cell(estimate: Estimate) -> dict[str, str]:
    """A value with, below it, its interval or why there is none."""
    return {"value": wording.percent(estimate.value), "below": wording.interval(estimate) or estimate.note}


def _place(size: str, choice: Choice, axis: str) -> list[str]:
    return [f"{size} {wording.number(choice.x)}", f"{axis} {wording.number(choice.y)}"]


def _comparison_row(findings: Findings, index: int) -> dict[str, str]:
    item = findings.comparisons[index]
    below = wording.interval(item.difference, signed=True) or item.difference.note
    return {
        "name": findings.info.arm(item.arm).name,
        "score": {"tuned": "tuned", "mean": "average over the space"}[item.score],
        "difference": wording.points(item.difference.value),
        "below": below,
        "p": wording.p_value(item.p_holm),
        "detectable": _detectable(item.detectable),
        "verdict": item.verdict,
    }


def _detectable(difference: float) -> str:
    """In points; differences of accuracies end at 100."""
    return "over 100" if 1 < difference < math.inf else wording.percent(difference)


def failure_groups(findings: Findings) -> list[dict[str, object]]:
    """Failed trials by arm, status and error, with their number and the first place."""
    table = failures_table(findings).fillna({"error_class": "", "error_message": ""})
    groups = []
    for (arm, status, error, message), rows in table.groupby(
        ["arm", "status", "error_class", "error_message"], sort=False
    ):
        first, info = rows.iloc[0], findings.info.arm(str(arm))
        size = findings.info.x_axis.removeprefix("hp_")
        place = (
            f"{findings.info.x_label.split(',')[0]} {wording.number(first[size])}, "
            f"{info.main_axis_label} {wording.number(first['main_axis_value'])}, seed {first['seed']}"
        )
        groups.append(
            {
                "name": info.name,
                "status": str(status).replace("_", " "),
                "count": len(rows),
                "error": error,
                "message": message,
                "place": place,
                "trial_id": first["trial_id"],
            }
        )
    return groups


def environment_facts(table: pd.DataFrame) -> list[tuple[str, str]]:
    """What the trials ran on, as (name, values); several values are told with their counts."""
    facts = []
    for column, name in _ENVIRONMENT.items():
        if table[column].notna().any():
            facts.append((name, wording.values_with_counts(table[column])))
    seconds = table["seconds_total"].dropna()
    if len(seconds):
        text = f"{seconds.sum():,.0f} s over {len(seconds)} trials, median {seconds.median():.1f} s"
        facts.append(("Time of trials", text))
    return facts
