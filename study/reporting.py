"""Hands a study's plan and records to the analysis, and archives the study file beside the report."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from search_spaces.spaces import NULL_CONTROLS, SPACES
from study.arms import Arm
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
    from analysis.report import write_report

    directory = study_directory(store, loaded.spec.name)
    directory.mkdir(parents=True, exist_ok=True)
    _archive(loaded.text, directory / "study.toml")
    planned = pd.DataFrame(planned_rows(plan.expansion))
    records = plan.records.table.to_pandas()
    info = study_info(plan, loaded)
    return write_report(planned, records, info, directory), analyse(planned, records, info)


def study_info(plan: Plan, loaded: LoadedSpec) -> "StudyInfo":
    """What the analysis must know beside the rows."""
    from analysis.info import StudyInfo

    spec, data = loaded.spec, plan.expansion.data
    labels = [arm.label for arm in plan.expansion.arms]
    by_loss = {arm.loss: arm.label for arm in plan.expansion.arms}
    controls = tuple((by_loss[a], by_loss[b]) for a, b in NULL_CONTROLS if {a, b} <= set(by_loss))
    return StudyInfo(
        name=spec.name,
        description=spec.description,
        metric=spec.metric,
        arms=tuple(_arm_info(arm, plan.trials) for arm in plan.expansion.arms),
        seeds=spec.seeds,
        chance=1 / len(data.classes),
        reference=spec.reference or ("infonce" if "infonce" in labels else labels[0]),
        null_controls=controls,
        task=spec.task,
        data=_describe_data(plan),
        encoder=f"{spec.encoder.name}, projection to {spec.encoder.projection_dim} dimensions",
        training=_describe_training(loaded),
        spec_text=loaded.text,
    )


def _arm_info(arm: Arm, trials: tuple[PlannedTrial, ...]) -> "ArmInfo":
    from analysis.info import ArmInfo

    space = SPACES.get(arm.loss)
    axis = arm.main_axis or "lr"
    values = arm.axes.get(axis, (0.0,))
    rates = {trial.config.task.training.lr for trial in trials if trial.arm == arm.label}
    declared = space is not None and rates == {space.base_lr} and space.covers(arm.axes)
    return ArmInfo(
        label=arm.label,
        title=_title(arm),
        loss=arm.loss,
        main_axis=f"hp_{axis}",
        main_axis_label={"t": "kernel scale t", "lr": "base learning rate"}.get(axis, axis.replace("_", " ")),
        default=space.default if space and axis == space.main_axis else values[len(values) // 2],  # type: ignore[arg-type]
        base_lr=min(rates),
        lr_source=space.lr_source if space and declared else "set in the study file",
    )


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
    budget = f"{training.epochs} epochs" if training.epochs else f"{training.steps} steps"
    return (
        f"{budget}, {training.optimizer.upper()} with momentum {training.momentum:g}, learning rate by the "
        f"{training.lr_rule} rule over batch size / {training.lr_reference_batch}, warm-up over "
        f"{100 * training.warmup_fraction:g} % of the steps, then cosine; {training.precision}"
    )


def _archive(text: str, path: Path) -> None:
    temporary = path.with_suffix(".tmp")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, path)
