"""Published numbers in a report: both numbers and the finding, on the page, in Markdown, LaTeX and the files."""

import dataclasses
from pathlib import Path

import pandas as pd

from analysis.model.claims import Claim
from analysis.report.sections.laboratory.claims import claims_section
from analysis.report.sections.laboratory.claims_page import claims_sentences
from analysis.report.verdict import study_verdict
from analysis.report.write import write_findings
from analysis.study_analysis import StudyAnalysis, analyse
from tests.analysis import synthetic
from tests.prose import assert_says

_COLUMN = "test_probe10_accuracy"


def findings(*claims: Claim, seeds: int = 3) -> StudyAnalysis:
    """A loss with scores 0.80, 0.81 and 0.82 at three seeds of one configuration; further seeds have not run."""
    arm = synthetic.arm_info("ntxent", title="NT-Xent")
    planned = synthetic.plan([arm], seeds=range(seeds), batch_sizes=(512,), values=(0.5,))
    records = planned.drop(columns="arm")[:3].assign(
        status="ok", **{_COLUMN: [0.80, 0.81, 0.82], "val_probe10_accuracy": [0.80, 0.81, 0.82]}
    )
    info = synthetic.study_info([arm], seeds=range(seeds), claims=claims)
    return analyse(planned, records, info)


def number(name: str, expected: float, **fields: object) -> Claim:
    values = {"rows": {"batch_size": 512}, "column": _COLUMN, "expected": expected} | fields
    return Claim(name=name, claim=f"The accuracy of {name}.", paper="A & B 2025", **values)  # type: ignore[arg-type]


CLAIMS = (
    number("near", 0.815, spread=0.004, runs=3),
    number("far", 0.90, spread=0.004, runs=3),
    number("other", 0.847, runs=1, not_comparable="the maximum over epochs on test"),
)


def test_the_section_says_which_numbers_are_met() -> None:
    content = claims_section(findings(*CLAIMS))
    assert content is not None
    assert_says(
        content.lead,
        "Published numbers: 3; within seed noise: 1; off by more: 1; not comparable: 1. Differences",
        "contains 0",
    )
    shown = [row[1].text for row in content.tables[0].rows]
    assert shown[0].startswith("within seed noise: \N{MINUS SIGN}0.5 points [")
    assert shown[1].startswith("off by \N{MINUS SIGN}9 points [")
    assert shown[2] == "not comparable because the maximum over epochs on test; the source has a single run"
    below = [row[1].below for row in content.tables[0].rows]
    assert below[2] == "81 (3 seeds, SD 1) against 84.7 (1 run): difference \N{MINUS SIGN}3.7 points"


def test_a_study_of_statements_reads_as_before() -> None:
    statement = Claim(name="s", claim="High.", paper="P", column=_COLUMN, at_least=0.5)
    content = claims_section(findings(statement))
    assert content is not None
    assert content.lead.startswith("1 of 1 claims are confirmed. Each stands in the study file")
    assert "ublished" not in content.lead


def test_the_verdict_and_the_page_of_claims_count_them() -> None:
    study = findings(*CLAIMS, Claim(name="s", claim="High.", paper="P", column=_COLUMN, at_least=0.5))
    told = " ".join(study_verdict(study).sentences)
    assert_says(told, "Of 1 claim, 1 is confirmed.")
    assert_says(
        told,
        "Of 3 published numbers, 1 is within seed noise, 1 is off by more and 1 is not comparable: “The accuracy of "
        "far” (off by \N{MINUS SIGN}9 points [",
        "“The accuracy of other” (not comparable because the maximum over epochs on test; the source",
    )
    twin = number("twin", 0.847, runs=1, not_comparable="the maximum over epochs on test")
    told = " ".join(study_verdict(findings(*CLAIMS, twin)).sentences)
    assert_says(told, "“The accuracy of other” and “The accuracy of twin” (not comparable because")
    [line] = claims_sentences([study])
    assert line == "4 claims of 1 study: 1 confirmed, 1 within seed noise, 1 off and 1 not comparable."


def test_the_table_names_what_decides_and_has_figures_only_where_a_claim_has_one() -> None:
    statement = Claim(
        name="s", claim="High.", paper="P", column=_COLUMN, at_least=0.5, rows={"arm": "ntxent"}
    )
    shown = {
        ("Held against",): (CLAIMS[0],),
        ("Confirmed by",): (statement,),
        ("Confirmed by, or held against",): (CLAIMS[0], statement),
        ("Confirmed by", "Figure"): (dataclasses.replace(statement, figure="failures"),),
    }
    for last, claims in shown.items():
        content = claims_section(findings(*claims))
        assert content is not None
        names = [column.title for column in content.tables[0].columns]
        assert names == ["Claim", "Finding", "Paper", *last]
        assert {len(row) for row in content.tables[0].rows} == {len(names)}
    assert statement.confirmed_by == f"every trial of loss ntxent: {_COLUMN} at least 0.5"


def test_numbers_that_have_not_run_are_open_and_not_off() -> None:
    told = " ".join(study_verdict(findings(number("near", 0.815, spread=0.004, runs=3), seeds=4)).sentences)
    assert_says(
        told,
        "Of 1 published number, 0 are within seed noise and 1 is open, as trials are missing: “The accuracy of near” "
        "(open: trials are missing).",
    )


def test_every_form_of_the_report_has_both_numbers(tmp_path: Path) -> None:
    page = write_findings(findings(*CLAIMS), tmp_path)
    latex = (tmp_path / "tables" / "claims.tex").read_text()
    for text in (page.read_text(), (tmp_path / "report.md").read_text(), latex):
        assert "against 84.7 (1 run)" in text
        assert "within seed noise" in text
    assert r"A \& B 2025" in latex
    table = pd.read_csv(tmp_path / "tables" / "claims.csv")
    assert table["status"].tolist() == ["within seed noise", "off", "not comparable"]
    assert table["expected"].tolist() == [0.815, 0.90, 0.847]
    assert table["difference"].round(6).tolist() == [-0.005, -0.09, -0.037]
    assert (table["difference_low"] < table["difference"]).tolist() == [True, True, False]
    assert table["difference_low"].isna().tolist() == [False, False, True]
    assert table["not_comparable"][2] == "the maximum over epochs on test; the source has a single run"
