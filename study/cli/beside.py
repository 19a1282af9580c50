"""`study run STUDY --loss LOSS`: trains one's own loss and compares it with the rows that came with the study."""

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from study.console import say
from study.errors import DONE, StudyError, named

if TYPE_CHECKING:
    from study.launch.listeners.stage_times import StageTimes
    from study.loaded import LoadedStudy
    from study.report.evidence import Evidence
    from study.spec.arms import Arm
    from study.spec.expand import TrialSet
    from study.spec.load import StudySpec
    from trainables.temperature import TemperatureLaw


@dataclass(frozen=True, kw_only=True)
class OwnLoss:
    """The user's own loss as an entry of `[losses]`."""

    label: str
    table: Mapping[str, Any]
    rate: str  # where its base rate comes from
    note: str = ""  # that nothing is swept, and how to sweep; "" if something is


def run_beside(
    study: str,
    loss: str,
    axes: Sequence[str],
    repeated: int,
    store: str,
    data_root: str | None,
    *,
    edited: bool,
    workers: tuple[int | None, str, str | None],
    until: float | None,
    stages: "StageTimes",
) -> int:
    """Run the missing trials of the own loss and those that run again, then write the report. Returns the exit code.

    The study file, its records and the rows that came with it stay as they are: the report has a name of its own.
    For a shipped study, the study file beside its rows is used.
    """
    from study.cli.plan import say_notes
    from study.cli.report import show_report, writing_report
    from study.launch.start import finish_study, fitting_workers, launch_trials, prepare_store
    from study.loaded import read_again, say_damaged
    from study.plan import study_directory
    from study.report.beside import check_settings, report_beside, trials_beside
    from study.report.evidence import read_evidence, study_with_rows
    from study.report.settings import planned_settings
    from study.spec.source import shipped_studies

    file = study_with_rows(study)
    evidence = read_evidence(file.parent)
    if study in shipped_studies():
        say(f"The rows of {study} are those of {file}, so that study file is used.")
        study = str(file)
    grown, own = _load_grown(study, loss, axes, store, data_root, evidence)
    check_settings(grown, evidence)
    loaded = trials_beside(grown, own.label, evidence, repeated)
    say_notes(loaded)
    if own.note:
        say(own.note)
    say(
        f"{own.label} trains here; {len(evidence.table)} trials of other losses came with the study, of which "
        f"{sum(trial.arm != own.label for trial in loaded.plan.trials)} run again."
    )
    if other := _other_numerics(evidence):
        say(other)
    pool = fitting_workers(loaded, *workers)
    prepare_store(study, loaded, edited=edited)
    if not loaded.plan.missing:
        finish_study(loaded)
    elif stop := launch_trials(loaded, loaded.plan.missing, pool, until=until, stages=stages):
        return stop.exit_code
    loaded = read_again(loaded)
    say_damaged(loaded.plan.records)
    folder = study_directory(loaded.store, loaded.name)
    with writing_report(folder):
        settings = planned_settings(grown.plan)
        page, findings = report_beside(loaded, own.label, evidence, settings=settings, rate=own.rate)
    show_report(str(folder / "study.toml"), loaded.plan.records.table, page, findings)
    return DONE


def _load_grown(
    study: str, word: str, axes: Sequence[str], store: str, data_root: str | None, evidence: "Evidence"
) -> "tuple[LoadedStudy, OwnLoss]":
    """The study with the own loss as one more, under a name of its own, and that loss."""
    from search_spaces.designs import names_of
    from study.loaded import check_data_root, load_source
    from study.spec.expand import expand
    from study.spec.load import check_source
    from study.spec.source import extended_tree, read_source

    source = read_source(study)
    spec = check_source(source).spec
    if spec.search.chosen.drawn or spec.search.chosen.listed or spec.search.chosen.adaptive:
        takers = names_of(lambda each: not (each.drawn or each.listed or each.adaptive))
        raise StudyError(f"--loss: is for studies of {takers}, and search.design is {spec.search.design}")
    root = check_data_root(Path(data_root).expanduser() if data_root else None)
    with named(source.origin):
        trial_set = expand(spec, root)
    own = own_loss(word, axes, spec, trial_set, evidence.info.reference_arm.label)
    name = f"{spec.name}-{re.sub('[^A-Za-z0-9_.-]+', '-', own.label)}"
    tree = extended_tree(source.tree, {"name": name, "losses": {own.label: own.table}})
    return load_source(dataclasses.replace(source, tree=tree), study, store, root), own


def own_loss(
    word: str, axes: Sequence[str], spec: "StudySpec", trial_set: "TrialSet", reference: str
) -> OwnLoss:
    """The entry of `[losses]` for `LABEL[=LOSS]` and options `LABEL.FIELD=V,V`.

    Without a rate, it has that of the loss `reference`. Without values of a field, a built-in loss has its default
    range. The field of another loss that declares an equivalent temperature has the temperatures of `reference`.
    Raises `StudyError` for a label that the study has, an unknown loss, and an axis of another loss.
    """
    from search_spaces.loss_params import check_loss_name
    from search_spaces.spaces import SPACES
    from study.spec.arm_space import LOSS_KEY, LR_KEY
    from study.spec.growth import parse_growth

    label, _, path = word.partition("=")
    if label in spec.losses:
        raise StudyError(
            f"--loss: got '{label}', which the study has already; name yours LABEL={path or label}"
        )
    loss = path or label
    try:
        check_loss_name(loss)
    except ValueError as error:
        raise StudyError(f"--loss: {str(error).removeprefix('loss: ')}") from error
    table: dict[str, Any] = {LOSS_KEY: loss} if path else {}
    for name, values in parse_growth(seeds=None, axes=axes, losses=(), budget={}).axes.items():
        of, _, field = name.rpartition(".")
        if of != label:
            raise StudyError(f"--axis: got '{name}', must be {label}.FIELD, since only {label} trains here")
        table[field] = list(values)
    arm = next((arm for arm in trial_set.arms if arm.label == reference), trial_set.arms[0])
    rate = "given on the command line, not tuned here"
    if LR_KEY not in table and arm.lr is not None:
        table[LR_KEY] = arm.lr[0]
        rate = f"that of {arm.label}, not tuned for this loss"
    note = ""
    if not set(table) - {LOSS_KEY, LR_KEY, "batch_size"} and loss not in SPACES:
        swept = _temperatures(loss, arm)
        table |= swept
        note = "" if swept else _unswept(label, loss)
    return OwnLoss(label=label, table=table, rate=rate, note=note)


def _temperatures(loss: str, reference: "Arm") -> dict[str, list[float]]:
    """The first field of a loss that declares an equivalent temperature, with the reference's temperatures."""
    from search_spaces.loss_params import field_acts_as, field_names

    def law_of(of: str, field: str) -> "TemperatureLaw | None":
        found = field_acts_as(of, field)[1].get("")
        return found.law if found else None

    known = law_of(reference.loss, reference.main_axis) if reference.main_axis else None
    if known is None:
        return {}
    temperatures = [known.at(float(value)) for value in reference.axes.get(str(reference.main_axis), ())]
    for name in field_names(loss):
        if law := law_of(loss, name):
            return {name: [float(f"{(t / law.factor) ** (1 / law.power):.6g}") for t in temperatures]}
    return {}


def _unswept(label: str, loss: str) -> str:
    from search_spaces.loss_params import field_names

    names = field_names(loss)
    if not names:
        return f"{label} has no hyperparameters, so one configuration runs for each batch size."
    return (
        f"{label} runs at its defaults: none of its hyperparameters ({', '.join(names)}) declares an equivalent "
        f"temperature. --axis {label}.{names[0]}=V,V sweeps one."
    )


def _other_numerics(evidence: "Evidence") -> str:
    """That the rows are of another numerics version than trials of this package; "" if not."""
    from trainables.config import NUMERICS_VERSION

    found = sorted({int(each) for each in evidence.table["numerics_version"].dropna()} - {NUMERICS_VERSION})
    if not found:
        return ""
    versions = ", ".join(map(str, found))
    return f"The rows that came with the study have numerics version {versions}; trials here have {NUMERICS_VERSION}."
