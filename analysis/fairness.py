"""Does the study treat its losses alike? One card a question: pass, warn or fail."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.findings import Findings
from analysis.info import ArmInfo
from analysis.measure import log_width
from analysis.null_control import DIFFERENT, NOT_COMPARABLE
from analysis.robustness import MIN_SEEDS_EXTREMES
from analysis.verdict import null_control_sentence
from analysis.wording import counted, listing, number, values_with_counts

PASS, WARN, FAIL = "pass", "warn", "fail"


@dataclass(frozen=True, kw_only=True)
class Card:
    """The answer to one question on provenance or fairness."""

    level: str  # pass | warn | fail
    title: str
    text: str


def check_fairness(findings: Findings) -> list[Card]:
    """Every card, the gravest first."""
    return sorted(
        (check(findings) for check in CHECKS), key=lambda card: (FAIL, WARN, PASS).index(card.level)
    )


def _completeness(findings: Findings) -> Card:
    missing = sum(summary.missing for summary in findings.summaries.values())
    planned = sum(summary.planned for summary in findings.summaries.values())
    if not missing:
        return Card(level=PASS, title="Complete", text=f"All {planned} planned trials have a result.")
    text = f"{missing} of {planned} planned trials have no result yet; every number is provisional."
    return Card(level=WARN, title="Incomplete", text=text)


def _failures(findings: Findings) -> Card:
    failed = {status: _status_count(findings, status) for status in ("crashed", "oom", "timeout", "no_score")}
    told = [f"{count} {status.replace('_', ' ')}" for status, count in failed.items() if count]
    if not told:
        text = "No trial crashed, ran out of memory or time, or ended without a score."
        return Card(level=PASS, title="Failures", text=text)
    text = (
        f"{listing(told)}: these count as guessing like diverged trials, though they may say more of the "
        "machine or the code than of the loss. See the failures."
    )
    return Card(level=WARN, title="Failures", text=text)


def _status_count(findings: Findings, status: str) -> int:
    return sum(int((surface.status == status).sum()) for surface in findings.test.values())


def _cells(findings: Findings) -> Card:
    surfaces = list(findings.test.values())
    if len({tuple(surface.x) for surface in surfaces}) > 1:
        return Card(level=FAIL, title="Space", text="The losses were tried at different batch sizes.")
    shapes = {len(surface.y) for surface in surfaces}
    widths = {round(log_width(surface.y), 6) for surface in surfaces}
    if len(shapes) > 1 or len(widths) > 1:
        text = (
            "Temperatures or kernel scales are not alike in number or in span, so scores over the space are "
            f"not quite commensurate: {_spans(findings)}."
        )
        return Card(level=WARN, title="Space", text=text)
    text = (
        f"Every loss was tried at the same {counted(len(surfaces[0].x), 'batch size')} and at "
        f"{_span(surfaces[0].y)} of its temperature, kernel scale or other main hyperparameter."
    )
    return Card(level=PASS, title="Space", text=text)


def _spans(findings: Findings) -> str:
    groups: dict[str, list[str]] = {}
    for label, surface in findings.test.items():
        groups.setdefault(_span(surface.y), []).append(findings.info.arm(label).name)
    return "; ".join(f"{listing(names)} {span}" for span, names in groups.items())


def _span(values: np.ndarray) -> str:
    """As `5 values over a factor of 64`; an axis that is not positive has a range instead of a factor."""
    if len(values) < 2:
        return counted(len(values), "value")
    positive = bool(np.all(values > 0))
    width = log_width(values)
    reach = f"a factor of {number(np.exp(width))}" if positive else f"a range of {number(width)}"
    return f"{counted(len(values), 'value')} over {reach}"


def _seeds(findings: Findings) -> Card:
    sets = {tuple(surface.seeds) for surface in findings.test.values()}
    if len(sets) > 1:
        text = "The losses ran on different seeds; comparisons use the shared ones."
        return Card(level=FAIL, title="Seeds", text=text)
    seeds = len(next(iter(sets)))
    text = f"Every loss ran on the same {counted(seeds, 'seed')}, so comparisons are paired."
    if seeds >= MIN_SEEDS_EXTREMES:
        return Card(level=PASS, title="Seeds", text=text)
    if seeds < 2:
        return Card(
            level=FAIL, title="One seed", text="Every loss ran on one seed: nothing tells luck from skill."
        )
    few = (
        f"So few make wide intervals; the worst tenth and the share near the best need {MIN_SEEDS_EXTREMES} "
        "seeds for one."
    )
    return Card(level=WARN, title="Few seeds", text=f"{text} {few}")


def _budget(findings: Findings) -> Card:
    return _alike(findings, "Budget", ("hp_epochs", "hp_steps"), FAIL)


def _steps(findings: Findings) -> Card:
    x = next(iter(findings.test.values())).x
    title = "Steps over batch size"
    if len(x) < 2 or findings.info.x_axis != "hp_batch_size":
        return Card(level=PASS, title=title, text="There is one batch size.")
    ratio, low, high = number(x[-1] / x[0]), number(x[0]), number(x[-1])
    if findings.table["hp_epochs"].notna().any():
        text = (
            f"Equal epochs: batch size {high} takes about {ratio} times fewer optimiser steps than {low}, so "
            "accuracy may fall with batch size for lack of steps."
        )
    elif findings.table["hp_steps"].notna().any():
        text = f"Equal steps: batch size {high} sees {ratio} times as many images as {low}."
    else:
        text = "No row says how the budget was given."
    return Card(level=WARN, title=title, text=text)


def _protocol(findings: Findings) -> Card:
    columns = ("data", "data_fingerprint", "encoder", "views", "probe_id", "hp_lr_rule", "hp_weight_decay")
    return _alike(findings, "Protocol", columns, FAIL)


def _precision(findings: Findings) -> Card:
    return _alike(findings, "Precision", ("hp_precision",), WARN)


def _hardware(findings: Findings) -> Card:
    return _alike(findings, "Hardware", ("device", "device_name", "threads", "execution_mode"), WARN)


def _code(findings: Findings) -> Card:
    columns = ("numerics_version", "package_version", "git_revision", "torch_version", "python_version")
    card = _alike(findings, "Code", columns, WARN)
    changed = findings.table["git_revision"].dropna().astype(str).str.endswith("+").any()
    if changed and card.level == PASS:
        return Card(
            level=WARN,
            title="Code",
            text="Trials ran from files changed since the last commit: the revision does not name the code.",
        )
    return card


def _learning_rates(findings: Findings) -> Card:
    x_axis = findings.info.x_axis
    arms = [arm for arm in findings.info.arms if "hp_lr" not in (x_axis, arm.main_axis)]
    if not arms:
        return Card(
            level=PASS, title="Learning rates swept", text="The learning rate is an axis of this study."
        )
    told = "; ".join(_rates_by_source(arms))
    shared = len(arms) > 1 and len({arm.base_lr for arm in arms}) == 1
    told = f"One base rate for all losses, though their gradients differ in scale: {told}" if shared else told
    untuned = [arm.name for arm in arms if not arm.lr_tuned]
    doubt = (
        f" Not tuned on this data and protocol: {listing(untuned)}. A difference from other losses may come "
        "from the rate alone."
    )
    level = WARN if shared or untuned or any(not arm.lr_source for arm in arms) else PASS
    title = "Learning rates shared" if shared else "Learning rates per loss"
    return Card(level=level, title=title, text=f"{told}.{doubt if untuned else ''}")


def _rates_by_source(arms: Sequence[ArmInfo]) -> list[str]:
    groups: dict[str, list[str]] = {}
    for arm in arms:
        groups.setdefault(arm.lr_source, []).append(f"{arm.name} {number(arm.base_lr)}")
    return [f"{listing(rates)} ({source or 'no source given'})" for source, rates in groups.items()]


def _edges(findings: Findings) -> Card:
    places: dict[str, list[str]] = {}
    for label in findings.test:
        for place in _edges_hit(findings, label):
            places.setdefault(place, []).append(findings.info.arm(label).name)
    if not places:
        return Card(
            level=PASS, title="Optimum inside", text="No tuned configuration lies on the edge of its axes."
        )
    told = "; ".join(f"{place} ({listing(names)})" for place, names in places.items())
    text = f"Tuned configurations lie at the end of an axis, so a better one may lie beyond it: {told}."
    return Card(level=WARN, title="Optimum on the edge", text=text)


def _edges_hit(findings: Findings, label: str) -> list[str]:
    surface, arm, tuned = findings.test[label], findings.info.arm(label), findings.summaries[label].tuned
    if not findings.summaries[label].finished:
        return []
    axes = (
        (surface.x, tuned.x, findings.info.x_label.split(",")[0]),
        (surface.y, tuned.y, arm.main_axis_label),
    )
    return [
        f"{name} {number(value)}"
        for values, value, name in axes
        if len(values) > 1 and value in values[[0, -1]]
    ]


def _null_controls(findings: Findings) -> Card:
    controls = findings.null_controls
    title = "Null control"
    if not controls:
        return Card(
            level=WARN,
            title=title,
            text="No two losses here must coincide by theory and were tried alike: nothing to check with.",
        )
    judged = [control for control in controls if control.verdict != NOT_COMPARABLE]
    doubtful = not judged or any(item.one_failed or item.rms > item.seed_noise for item in judged)
    level = FAIL if any(control.verdict == DIFFERENT for control in controls) else WARN if doubtful else PASS
    return Card(
        level=level, title=title, text=" ".join(null_control_sentence(findings, item) for item in controls)
    )


def _alike(findings: Findings, title: str, columns: tuple[str, ...], level: str) -> Card:
    """Pass where every row with a result agrees in `columns`, or every loss has the same values of a swept one.

    Else `level`, naming what differs.
    """
    rows = findings.table[findings.table["status"].notna()]
    if rows.empty:
        return Card(level=WARN, title=title, text="No row yet.")
    varying = [name for name in columns if rows[name].nunique(dropna=True) > 1]
    differing = [name for name in varying if not _swept_alike(findings, name)]
    if differing:
        told = "; ".join(f"{_plain(name)}: {values_with_counts(rows[name])}" for name in differing)
        return Card(level=level, title=f"{title} differs", text=f"Trials differ in {told}.")
    shown = [
        name for name in columns if rows[name].notna().any() and not name.endswith(("_id", "fingerprint"))
    ]
    told = "; ".join(f"{_plain(name)} {values_with_counts(rows[name])}" for name in shown)
    opening = "The same for every loss" if varying else "The same in every trial"
    return Card(level=PASS, title=title, text=f"{opening}: {told or 'nothing recorded'}.")


def _swept_alike(findings: Findings, column: str) -> bool:
    """Whether a hyperparameter was planned at the same values for every loss: an axis, not an inequality."""
    losses = findings.table["arm"].map({arm.label: arm.loss for arm in findings.info.arms})
    values = [frozenset(rows.dropna()) for _, rows in findings.table[column].groupby(losses)]
    return column.startswith("hp_") and len(set(values)) == 1


def _plain(column: str) -> str:
    return column.removeprefix("hp_").replace("_", " ")


CHECKS: tuple[Callable[[Findings], Card], ...] = (
    _completeness,
    _failures,
    _cells,
    _seeds,
    _learning_rates,
    _budget,
    _steps,
    _edges,
    _protocol,
    _precision,
    _hardware,
    _code,
    _null_controls,
)
