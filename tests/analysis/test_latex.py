"""Tables in LaTeX hold the scores, and no text of a user is a command."""

from analysis.latex import escape, render_latex
from analysis.sections.content import TEXT, Cell, table


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
