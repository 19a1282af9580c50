"""Hands a study's plan and records to the analysis."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from search_spaces.loss_params import BUDGETS
from search_spaces.space import Tied
from search_spaces.spaces import NULL_CONTROLS, SPACES, TUNED_ON
from study.arms import Arm
from study.errors import StudyError
from study.expand import PlannedTrial, planned_rows
from study.plan import Plan
from study.spec import LoadedSpec
from trainables.loss_fields import LOSS_CARDS
from trainables.records import RecordStore

if TYPE_CHECKING:
    from analysis.findings import Findings
    from analysis.info import ArmInfo, StudyInfo


def study_directory(store: RecordStore, name: str) -> Path:
    """Where a study's file, report, figures and tables lie."""
    return store.path / "studies" / name


def build_report(plan: Plan, loaded: LoadedSpec, store: RecordStore) -> tuple[Path, "Findings"]:
    """Write the report of what the store holds now. Returns the page's path and what it says."""
    import pandas as pd

    from analysis.findings import analyse
    from analysis.report import write_findings

    planned = pd.DataFrame(planned_rows(plan.expansion))
    findings = analyse(planned, plan.records.table.to_pandas(), study_info(plan, loaded))
    return write_findings(findings, study_directory(store, loaded.spec.name)), findings


def study_info(plan: Plan, loaded: LoadedSpec) -> "StudyInfo":
    """What the analysis must know beside the rows. Raises `StudyError` where a search has not begun."""
    from analysis.info import StudyInfo

    spec, data = loaded.spec, plan.expansion.data
    for arm in plan.expansion.arms:
        if not arm.points:
            raise StudyError(f"losses.{arm.label}: its search has not begun; run the study first")
    return StudyInfo(
        name=spec.name,
        description=spec.description,
        metric=spec.metric,
        arms=tuple(_arm_info(arm, plan.trials) for arm in plan.expansion.arms),
        seeds=spec.seeds,
        chance=1 / len(data.classes),
        reference=spec.reference or "",
        null_controls=_null_controls(plan.expansion.arms),
        task=spec.task,
        data=_describe_data(plan),
        encoder=f"{spec.encoder.name}, projection to {spec.encoder.projection_dim} dimensions",
        training=_describe_training(loaded),
        spec_text=loaded.text,
    )


def _null_controls(arms: tuple[Arm, ...]) -> tuple[tuple[str, str], ...]:
    """Arms whose losses share one gradient and that were swept alike."""
    return tuple(
        (one.label, other.label)
        for pair in NULL_CONTROLS
        for one in arms
        for other in arms
        if (one.loss, other.loss) == pair and (one.points, one.lr) == (other.points, other.lr)
    )


def _arm_info(arm: Arm, trials: tuple[PlannedTrial, ...]) -> "ArmInfo":
    from analysis.info import ArmInfo

    space = SPACES.get(arm.loss)
    axis = arm.main_axis or "lr"
    values = sorted(arm.axes.get(axis, (0.0,)))
    rates = {trial.config.task.training.lr for trial in trials if trial.arm == arm.label}
    lr_source, lr_tuned = _rate_source(arm, rates, trials)
    return ArmInfo(
        label=arm.label,
        title=_title(arm),
        loss=arm.loss,
        main_axis=f"hp_{axis}",
        main_axis_label={"t": "kernel scale t", "lr": "base learning rate"}.get(axis, axis.replace("_", " ")),
        default=space.default if space and axis == space.main_axis else values[len(values) // 2],  # type: ignore[arg-type]
        base_lr=min(rates),
        lr_source=lr_source,
        lr_tuned=lr_tuned,
        **_measures(arm, axis),
    )


def _measures(arm: Arm, axis: str) -> dict[str, Any]:
    """The measures of batch size and main axis, and the column that decides where the latter has cases."""
    of_sizes, of_axis = (arm.measures.get(name, "log") for name in ("batch_size", axis))
    if isinstance(of_axis, str):
        return {"measures": (of_sizes, of_axis)}
    tied = arm.space[axis]
    assert isinstance(tied, Tied)
    cases = {str(value): measure for value, measure in of_axis.items()}
    return {"measures": (of_sizes, "log"), "case_measures": (f"hp_{tied.on}", cases)}


def _rate_source(arm: Arm, rates: set[float], trials: tuple[PlannedTrial, ...]) -> tuple[str, bool]:
    """Where an arm's base rate comes from, and whether it was tuned for what this study trains."""
    space, task = SPACES.get(arm.loss), trials[0].config.task
    if len(rates) > 1:
        return "swept in this study", True
    if space is None or rates != {space.base_lr} or not space.rate_scope.covers(arm.axes):
        return "set in the study file", False
    here = {"data": task.data.name, "encoder": task.encoder.name, "lr_rule": task.training.lr_rule}
    if here != TUNED_ON:
        return f"carried over from {TUNED_ON['data']}, not tuned here", False
    return space.lr_source, True


def _title(arm: Arm) -> str:
    """The loss as papers write it, with the variant that is meant: "DHEL (released)"; a label of one's own stands."""
    if arm.label != arm.loss or arm.loss not in LOSS_CARDS:
        return arm.label
    variants = []
    for field in LOSS_CARDS[arm.loss].fields:
        chosen = arm.axes.get(field.name, (field.default,))
        if field.choices and len(chosen) == 1:
            variants.append(str(chosen[0]))
    title = LOSS_CARDS[arm.loss].title
    return f"{title} ({', '.join(variants)})" if variants else title


def _describe_data(plan: Plan) -> str:
    data = plan.expansion.data
    return (
        f"{data.name}: {data.n_train} training, {data.n_val} validation and {data.n_test} test images, "
        f"{data.channels} x {data.size} x {data.size}, {len(data.classes)} classes"
    )


def _describe_training(loaded: LoadedSpec) -> str:
    training = loaded.spec.training
    given = [f"{getattr(training, name)} {name}" for name in BUDGETS if getattr(training, name)]
    budget = "budget swept" if set(BUDGETS) & set(loaded.spec.axes) else given[0]
    return (
        f"{budget}, {training.optimizer.upper()} with momentum {training.momentum:g}, learning rate by the "
        f"{training.lr_rule} rule over batch size / {training.lr_reference_batch}, warm-up over "
        f"{100 * training.warmup_fraction:g} % of the steps, then cosine; {training.precision}"
    )
