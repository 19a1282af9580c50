"""The sections on provenance: fairness cards, the environment of the trials, and the study file."""

import pandas as pd

from analysis.fairness.checks import check_fairness
from analysis.model.info import StudyInfo
from analysis.redact import redact_paths
from analysis.report.sections.content import Content
from analysis.study_analysis import StudyAnalysis
from analysis.wording import counted, values_with_counts

_COLUMNS = {
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


def fairness_section(findings: StudyAnalysis) -> Content:
    """Whether the study treats its losses alike."""
    return Content(title="Provenance and fairness", cards=tuple(check_fairness(findings)))


def environment_section(findings: StudyAnalysis) -> Content:
    """Task, data, encoder and training of the trials, and the machine and software they ran on."""
    info = findings.info
    told = [("Task", info.task), ("Data", info.data), ("Encoder", info.encoder), ("Training", info.training)]
    facts = [(name, redact_paths(text)) for name, text in told if text]
    seeds = ("Seeds", ", ".join(map(str, info.seeds)))
    look = [("Look at the results", _look_words(info))] if info.look else []
    return Content(title="Environment", facts=(*facts, *environment_facts(findings.table), seeds, *look))


def _look_words(info: StudyInfo) -> str:
    """Whether the results were looked at with fewer seeds before, and whether this look is remembered."""
    assert info.look is not None
    later = info.look.seeds > info.look.first
    seeds = counted(info.look.first, "seed")
    text = f"a later one: the first complete look had {seeds}" if later else f"the first one, with {seeds}"
    return ". ".join(filter(None, [text, info.look_note]))


def environment_facts(rows: pd.DataFrame) -> list[tuple[str, str]]:
    """Machine and software of the trials, as (name, values); several values have their counts."""
    facts = [
        (name, values_with_counts(rows[column]))
        for column, name in _COLUMNS.items()
        if rows[column].replace("", None).notna().any()
    ]
    seconds = rows["seconds_total"].dropna()
    if len(seconds):
        text = f"{seconds.sum():,.0f} s over {len(seconds)} trials, median {seconds.median():.1f} s"
        facts.append(("Time of trials", text))
    return facts


def study_section(findings: StudyAnalysis) -> Content:
    """The study file."""
    text = redact_paths(findings.info.spec_text)
    return Content(title="Study file", lead="" if text else "The study came without a file.", listing=text)
