"""One's own loss beside the rows that came with a study: what trains here, and the report over both.

The rows that came with a study are read and never written. Trained here are the trials of the own loss, and a few of
the trials that came with the study again, to show how far another machine, other versions or another data set matter.
"""

import dataclasses
from collections.abc import Hashable, Iterator, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from study.errors import StudyError
from study.loaded import LoadedStudy
from study.plan import study_directory
from study.report.evidence import Evidence
from study.report.settings import default_values, planned_settings
from study.report.study_table import study_table
from study.spec.arm_space import LR_KEY
from study.spec.expand import PlannedTrial, planned_rows

if TYPE_CHECKING:
    import pandas as pd

    from analysis.model.info import SettingInfo
    from analysis.study_analysis import StudyAnalysis

#: A row of a table, by column.
Row = dict[Hashable, Any]


def trials_beside(loaded: LoadedStudy, label: str, evidence: Evidence, count: int) -> LoadedStudy:
    """The study with only the trials that run here: all of the loss `label`, and `count` that came with the study.

    Raises `StudyError` if none of the study's trials is among the rows.
    """
    trials = loaded.plan.trials
    pairs = _pairs(loaded, evidence)
    known = [(trial, row.get("hp_batch_size")) for trial, row in pairs if row["status"] == "ok"]
    if not known:
        raise StudyError(
            "the rows that came with this study have none of its trials; its file has changed since"
        )
    own = [trial for trial in trials if trial.arm == label]
    chosen = (*own, *evenly(known, count))
    labels = {trial.arm for trial in chosen}
    trial_set = dataclasses.replace(
        loaded.plan.trial_set,
        arms=tuple(arm for arm in loaded.plan.trial_set.arms if arm.label in labels),
        trials=chosen,
    )
    return dataclasses.replace(loaded, plan=dataclasses.replace(loaded.plan, trial_set=trial_set))


def check_settings(loaded: LoadedStudy, evidence: Evidence) -> None:
    """Raise `StudyError` if a loss of the rows has other values of a setting there than in the study file.

    For batch sizes, base rates and the fields of losses, one common value is enough: the report compares their
    spaces. The name and the content of the data set may differ: then the report decides nothing. Settings on which
    the compared metric does not depend may differ too. Rows of an older version lack newer settings. Their trials had
    the defaults of these.
    """
    from analysis.fairness.settings import values_text

    came = {item.name: item for item in evidence.info.settings}
    defaults = default_values(loaded.plan.spec.task)
    found = []
    for item in planned_settings(loaded.plan):
        if item.doubt or item.name in ("data.name", "data_fingerprint"):
            continue
        free = item.group == "losses" or item.column in (LR_KEY, "batch_size")
        told = came[item.name].values if item.name in came else {"": defaults.get(item.name, ())}
        for label in (arm.label for arm in evidence.info.arms):
            there, own = (each.get(label, each.get("", ())) for each in (told, item.values))
            same = set(there) & set(own) if free else set(there) == set(own)
            if there and own and not same:
                found.append(
                    f"{item.name} is {values_text(there)} in the rows and {values_text(own)} in the file"
                )
                break
    if found:
        raise StudyError(
            "the rows that came with this study have other settings than its file, so no loss is compared with them: "
            + "; ".join(found)
        )


def evenly(trials: Sequence[tuple[PlannedTrial, Any]], count: int) -> list[PlannedTrial]:
    """Up to `count` trials of the first seed, spread evenly over losses, then batch sizes, then other settings.

    `trials` has the batch size of each. Each round takes one trial of every loss, and the next batch size for each
    loss. Within a loss and batch size, the middle configuration comes first.
    """
    first = min((trial.config.seed for trial, _ in trials), default=0)
    groups: dict[str, dict[Any, list[PlannedTrial]]] = {}
    for trial, size in trials:
        if trial.config.seed == first:
            groups.setdefault(trial.arm, {}).setdefault(size, []).append(trial)
    order = [_of_loss(list(sizes.values()), start) for start, sizes in enumerate(groups.values())]
    return _in_turns(order)[:count]


def _of_loss(sizes: list[list[PlannedTrial]], start: int) -> list[PlannedTrial]:
    """The trials of a loss in the order in which they are taken, from its batch size number `start` on."""
    turned = [_middle_first(sizes[(start + step) % len(sizes)]) for step in range(len(sizes))]
    return _in_turns(turned)


def _in_turns(lists: Sequence[Sequence[PlannedTrial]]) -> list[PlannedTrial]:
    """The first trial of each list, then the second of each, and so on."""
    return [trial for turn in zip_longest(*lists) for trial in turn if trial is not None]


def _middle_first(trials: list[PlannedTrial]) -> list[PlannedTrial]:
    middle = (len(trials) - 1) // 2
    return [trials[place] for place in sorted(range(len(trials)), key=lambda place: abs(place - middle))]


def _pairs(loaded: LoadedStudy, evidence: Evidence) -> Iterator[tuple[PlannedTrial, Row]]:
    """Trials of the study with the row of the same configuration and seed that came with it.

    Ids are not compared: those of another data set or numerics version differ. Every setting that varies has a
    column, and `check_settings` has compared the others.
    """
    columns = {name for name in evidence.table.columns if name.startswith("hp_")}
    rows: dict[str, list[Row]] = {}
    for row in evidence.table.to_dict("records"):
        rows.setdefault(row["arm"], []).append(row)
    known: dict[tuple[str, ...], dict[tuple[Any, ...], Row]] = {}
    for trial, planned in zip(loaded.plan.trials, planned_rows(loaded.plan.trial_set), strict=True):
        names = ("arm", "seed", *sorted(columns & planned.keys()))
        if (trial.arm, *names) not in known:
            own = rows.get(trial.arm, [])
            known[trial.arm, *names] = {tuple(row[name] for name in names): row for row in own}
        if found := known[trial.arm, *names].get(tuple(planned[name] for name in names)):
            yield trial, found


def _repeated(loaded: LoadedStudy, evidence: Evidence, here: "pd.DataFrame") -> "pd.DataFrame":
    """A row for each trial that ran again: its arm, and its score (NaN if it failed) as it came and as found here."""
    import pandas as pd

    score = evidence.info.metric.reporting_column
    found = dict(zip(here["trial_id"], here[score], strict=True))
    pairs = [(trial.arm, row[score], found[trial.keys.trial_id]) for trial, row in _pairs(loaded, evidence)]
    return pd.DataFrame(pairs, columns=["arm", "came", "here"])


def _data_name(here: "pd.DataFrame", came: "pd.DataFrame") -> str:
    """The name of the data set here; where its content is that of the rows that came, the name there."""
    same = set(here["data_fingerprint"].dropna()) == set(came["data_fingerprint"].dropna())
    return str((came if same else here)["data"].iloc[0])


def report_beside(
    loaded: LoadedStudy, label: str, evidence: Evidence, *, settings: tuple["SettingInfo", ...], rate: str
) -> tuple[Path, "StudyAnalysis"]:
    """Write the report over the rows that came with a study and the own loss `label`, into the user's store.

    `settings` are those of the whole study file, and `rate` says where the base rate of the own loss comes from.
    Returns the page's path and the analysis.
    """
    import pandas as pd

    from analysis.beside import Beside
    from analysis.fairness.settings import compared_settings
    from analysis.report.write import write_findings
    from analysis.study_analysis import analyse_table
    from study.report.importances import with_importances

    spec = loaded.study_file.spec.model_copy(update={"reference": None})  # it may not run here
    here, info = study_table(loaded.plan, loaded.study_file.model_copy(update={"spec": spec}))
    came, known = evidence.table, evidence.info
    if info.metric.reporting_column != known.metric.reporting_column:
        raise StudyError(
            f"the rows that came with this study have the metric {known.metric.name}; its file has {info.metric.name}"
        )
    compared = compared_settings(
        [
            dataclasses.replace(known, name="the shipped rows"),
            dataclasses.replace(info, name="the rows trained here", settings=settings),
        ]
    )
    beside = Beside(
        label=label,
        here=here,
        repeated=_repeated(loaded, evidence, here),
        rate=rate,
        settings=tuple(text for each in compared for text in each.differences),
    )
    own = here[here["arm"] == label].assign(data=_data_name(here, came))
    arm = dataclasses.replace(info.arm(label), lr_source=rate, lr_tuned=False)
    joined = known.with_arms(
        (*known.arms, arm),
        name=info.name,
        seeds=tuple(sorted({*known.seeds, *info.seeds})),
        spec_text=info.spec_text,
    )
    table = pd.concat([came, own], ignore_index=True)
    findings = dataclasses.replace(with_importances(analyse_table(table, joined)), beside=beside)
    return write_findings(findings, study_directory(loaded.store, loaded.name)), findings
