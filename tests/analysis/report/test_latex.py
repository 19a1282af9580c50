"""Tables in LaTeX hold the scores, and no text of a user is a command."""

import shutil
import subprocess
from pathlib import Path

import pytest

from analysis.report.latex import escape, render_latex
from analysis.report.sections.content import TEXT, Cell, table
from tests.analysis.hostile import NAMES


def test_a_table_of_scores() -> None:
    shown = table(
        [("Loss", TEXT), "Tuned, %"],
        [
            ["DHEL_2", Cell(text="91.0", below="[89.9,\N{NO-BREAK SPACE}92.0]")],
            ["KCL", Cell(text="–", below="too few seeds")],
        ],
        title="Scores",
        note="of two\nseeds",
    )
    assert render_latex([shown]) == (
        "% needs \\usepackage{booktabs}\n"
        "% Scores\n"
        "\\begin{tabular}{lr}\n"
        "\\toprule\n"
        "Loss & Tuned, \\% \\\\\n"
        "\\midrule\n"
        "DHEL\\_2 & 91.0 [89.9,~92.0] \\\\\n"
        "KCL & --; too few seeds \\\\\n"
        "\\bottomrule\n"
        "\\end{tabular}\n"
        "% of two seeds\n"
    )


def test_no_text_is_a_command() -> None:
    assert escape("a_b & 50 % {x} #1 $2 ~^\\") == (
        r"a\_b \& 50 \% \{x\} \#1 \$2 \textasciitilde{}\textasciicircum{}\textbackslash{}"
    )
    assert escape("−1 ± 2 “x” 3 ≤ 4") == r"$-$1 $\pm$ 2 ``x'' 3 $\le$ 4"


def test_a_bracket_is_no_option_of_the_line_before() -> None:
    text = render_latex([table([("Loss", TEXT)], [["[x]"], ["*"]])])
    assert "\n{}[x] \\\\\n{}* \\\\\n" in text


def test_characters_beyond_the_fonts_have_their_codes() -> None:
    assert escape("数\x1b e\u0301 α `x` --") == (
        r"\beyondlatin{数}{\textbackslash{}u6570}\textbackslash{}x1b é $\alpha$ "
        r"\textasciigrave{}x\textasciigrave{} -{}-"
    )
    text = render_latex([table([("Loss", TEXT)], [["数"]])])
    assert text.splitlines()[1] == r"\providecommand{\beyondlatin}[2]{\ifdefined\Umathchar#1\else#2\fi}"


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
def test_a_table_of_hostile_names_compiles(tmp_path: Path) -> None:
    shown = table(
        [(name, TEXT) for name in NAMES[:3]], [[name, "1", "2"] for name in NAMES], title="\n".join(NAMES)
    )
    (tmp_path / "t.tex").write_text(render_latex([shown]))
    (tmp_path / "main.tex").write_text(
        "\\documentclass{article}\\usepackage{booktabs}\\begin{document}\\input{t}\\end{document}\n"
    )
    ran = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-draftmode", "main.tex"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-2000:]
