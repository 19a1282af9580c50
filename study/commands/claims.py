"""`study claims`: what the records say of the claims that studies write down, on one page."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table

from study.console import CONSOLE
from study.errors import StudyError
from study.loaded import LoadedStudy, load_study
from study.spec.load import load_spec
from study.spec.source import shipped_studies

if TYPE_CHECKING:
    from analysis.study_analysis import StudyAnalysis


def show_claims(studies: Sequence[str], store: str, data_root: str | None, *, out: str | None) -> None:
    """Write the page of the claims of `studies`, or of all shipped ones that make some, and count how they ended."""
    chosen = list(studies) or [name for name in shipped_studies() if load_spec(name).spec.claims]
    if twice := next((name for name, count in Counter(chosen).items() if count > 1), None):
        raise StudyError(f"claims: '{twice}' is named twice")
    loaded = [_open(name, store, data_root) for name in chosen]
    if idle := [study.name for study in loaded if len(study.plan.missing) == len(study.plan.trials)]:
        raise StudyError(
            f"claims: no trial has run yet of {', '.join(idle)}; run each first (study run {idle[0]}), or name "
            "the studies that have run"
        )
    from analysis.report import write_claims
    from analysis.sections.claims_page import claims_sentences
    from analysis.study_analysis import judged_claims

    found = [_findings(study) for study in loaded]
    folder = Path(out or store).expanduser() / ("" if out else "claims")
    try:
        page = write_claims(found, folder)
    except OSError as error:
        raise StudyError(f"--out: cannot write to {folder} ({error.strerror})") from error
    table = Table("study", "claim", "finding", box=None)
    for findings in found:
        for item in judged_claims(findings):
            table.add_row(findings.info.name, item.claim.claim, item.status)
    CONSOLE.print(table)
    for line in claims_sentences(found):
        CONSOLE.print(line, soft_wrap=True)
    CONSOLE.print(f"Page: {page}", soft_wrap=True)


def _open(study: str, store: str, data_root: str | None) -> LoadedStudy:
    loaded = load_study(study, store, data_root)
    if not loaded.study_file.spec.claims:
        raise StudyError(
            f"claims: '{study}' makes none; [[claims]] of a study file say what would confirm one"
        )
    return loaded


def _findings(loaded: LoadedStudy) -> "StudyAnalysis":
    from analysis.study_analysis import analyse_table
    from study.report.kept_tables import with_kept
    from study.report.study_table import study_table

    findings = analyse_table(*study_table(loaded.plan, loaded.study_file))
    return with_kept(findings, loaded.plan.trial_set, loaded.store.path)
