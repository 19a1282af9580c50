"""`study claims`: one page with the findings of the records on the claims of studies."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.table import Table

from study.cli.options import DATA_ROOT, STORE, TRUST_CODE, guarded
from study.console import CONSOLE, say
from study.errors import StudyError, writing

if TYPE_CHECKING:
    from analysis.study_analysis import StudyAnalysis
    from study.loaded import LoadedStudy


@click.command("claims")
@click.argument("studies", nargs=-1)
@STORE
@DATA_ROOT
@TRUST_CODE
@click.option("--out", metavar="FOLDER", help="Where the page goes.  [default: STORE/claims]")
@guarded
def command(studies: tuple[str, ...], store: str, data_root: str | None, out: str | None) -> None:
    """Write one page with the findings on the claims that STUDIES make.

    The page includes the figures that show the findings. By default STUDIES are all shipped studies that make claims,
    except those of published protocols, which need data and a GPU. Each must have run, at least in part.
    """
    loaded = [_load(name, store, data_root) for name in _chosen(studies)]
    if idle := [study.name for study in loaded if len(study.plan.missing) == len(study.plan.trials)]:
        raise StudyError(
            f"claims: no trial has run yet of {', '.join(idle)}; run each first (study run {idle[0]}), or name "
            "only studies that have run"
        )
    _write_page(
        [_analyse(study) for study in loaded], Path(out or store).expanduser() / ("" if out else "claims")
    )


def _chosen(studies: Sequence[str]) -> list[str]:
    """The given names of studies, by default those of all shipped studies with claims, except published protocols."""
    from study.spec.load import load_spec
    from study.spec.source import laboratory_studies

    chosen = list(studies) or [name for name in laboratory_studies() if load_spec(name).spec.claims]
    if twice := next((name for name, count in Counter(chosen).items() if count > 1), None):
        raise StudyError(f"claims: '{twice}' is named twice")
    return chosen


def _write_page(analyses: Sequence["StudyAnalysis"], folder: Path) -> None:
    """Write the page and print the finding on each claim."""
    from analysis.report.sections.laboratory.claims_page import claims_sentences
    from analysis.report.write import write_claims
    from analysis.study_analysis import judged_claims

    with writing("--out", folder):
        page = write_claims(analyses, folder)
    table = Table("study", "claim", "finding", box=None)
    for analysis in analyses:
        for result in judged_claims(analysis):
            table.add_row(analysis.info.name, result.claim.claim, result.finding)
    CONSOLE.print(table)
    for line in claims_sentences(analyses):
        say(line)
    say(f"Page: {page}")


def _load(study: str, store: str, data_root: str | None) -> "LoadedStudy":
    """The study loaded with its store. Raises `StudyError` if it makes no claims."""
    from study.loaded import load_study

    loaded = load_study(study, store, data_root)
    if not loaded.study_file.spec.claims:
        raise StudyError(
            f"claims: '{study}' makes no claims; [[claims]] tables of a study file define claims and their tests"
        )
    return loaded


def _analyse(loaded: "LoadedStudy") -> "StudyAnalysis":
    from analysis.study_analysis import analyse_table
    from study.report.kept_tables import with_kept
    from study.report.study_table import study_table

    analysis = analyse_table(*study_table(loaded.plan, loaded.study_file))
    return with_kept(analysis, loaded.plan.trial_set, loaded.store.path)
