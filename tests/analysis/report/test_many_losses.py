"""Figures of many losses and of long names stay readable, and say what they leave out."""

import itertools

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from analysis.library import findings_of
from analysis.names import columns
from analysis.report.plots import fonts
from analysis.report.plots.band_figure import band_figure
from analysis.report.plots.bands import BandCurve
from analysis.report.plots.figure_text import finish_texts
from analysis.report.plots.style import ONE_COLUMN, TWO_COLUMNS, arm_look, figure_style, paper_style
from analysis.report.sections.compared_curves import MOST_CURVES, curves_shown, curves_words
from analysis.report.sections.space.curves_figure import batch_size_figure
from analysis.report.sections.space.surfaces_figure import metric_surfaces
from analysis.report.sections.tuning.transfer_figure import Matrix, transfer_figure
from analysis.report.verdict import study_verdict
from analysis.report.verdict_figure import verdict_figure
from analysis.study_analysis import StudyAnalysis, analyse
from tests.analysis import synthetic
from tests.prose import assert_says


@pytest.fixture(autouse=True)
def no_other_fonts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Results do not depend on the fonts of the machine."""
    monkeypatch.setattr(fonts, "installed_families", lambda: ())


def study(names: list[str], **changes: object) -> StudyAnalysis:
    """Losses whose averages fall by 0.01 from one to the next, the first one being the reference."""
    arms = [synthetic.arm_info(f"l{place}", title=name) for place, name in enumerate(names)]
    planned = synthetic.plan(arms, batch_sizes=(16, 64), values=(0.1, 0.5))
    surfaces = {
        arm.label: synthetic.hill(peak=0.9 - 0.01 * place, at=0.3, width=9.0)
        for place, arm in enumerate(arms)
    }
    records = synthetic.run(planned, surfaces, noise=0.001, rng=np.random.default_rng(0))
    return analyse(planned, records, synthetic.study_info(arms, **changes))


def drawn(figure: Figure | None) -> Figure:
    assert figure is not None
    finish_texts(figure)
    figure.draw_without_rendering()
    return figure


def boxes(texts: list[Text]) -> list[tuple[float, float]]:
    """The lower and the upper end of each text, from the top downwards."""
    found = [text.get_window_extent() for text in texts]
    return sorted(((box.y0, box.y1) for box in found), reverse=True)


@pytest.mark.parametrize("width", [ONE_COLUMN, TWO_COLUMNS])
def test_names_beside_the_verdict_do_not_overlap(width: float) -> None:
    names = ["L" * 60, "L" * 59 + "M", "several words that make one name of a loss " * 3, "a", "A"]
    with figure_style(), paper_style():
        figure = drawn(verdict_figure(study([*names, *(f"loss {n}" for n in range(15))]), width=width))
        labels = figure.axes[0].get_yticklabels()
        ends = boxes(labels)
        low, high = figure.bbox.x0, figure.bbox.x1
        assert all(low <= label.get_window_extent().x0 <= high for label in labels)
    assert len({label.get_text() for label in labels}) == 20
    assert max(columns(line) for label in labels for line in label.get_text().split("\n")) <= 28
    assert all(below[1] <= above[0] for above, below in itertools.pairwise(ends))


def test_thirty_losses_are_all_in_the_verdict() -> None:
    findings = study([f"loss {n}" for n in range(30)])
    verdict = study_verdict(findings)
    assert verdict.table is not None
    assert len(verdict.table.rows) == 30
    with figure_style(), paper_style():
        assert len(drawn(verdict_figure(findings, width=TWO_COLUMNS)).axes[0].get_yticklabels()) == 30


def test_of_many_losses_the_most_different_ones_have_curves() -> None:
    findings = study([f"loss {n}" for n in range(30)])
    assert curves_shown(findings) == ["l0", *(f"l{n}" for n in range(21, 30))]
    assert_says(curves_words(findings), 30, "loss 0", MOST_CURVES - 1, "the data have all")
    with figure_style():
        figure = drawn(batch_size_figure(findings))
    (ax,) = figure.axes
    low, high = ax.get_xlim()
    colors = {line.get_color() for line in ax.lines if line.get_label().startswith("loss")}
    assert len(colors) == MOST_CURVES
    assert all(low < at < high for line in ax.lines for at in np.atleast_1d(line.get_xdata()))


def test_a_reference_with_variants_is_named_and_measured_by_the_part_with_a_curve() -> None:
    """sgd is the best optimizer of all 12 losses. Its average falls by 0.02 from one to the next."""
    rows = [
        (f"l{place:02d}", batch, tau, optimizer, seed, acc, acc)
        for place in range(12)
        for batch, tau, optimizer, seed in itertools.product((32, 64), (0.1, 0.2), ("adam", "sgd"), range(2))
        for acc in [0.9 - 0.02 * place - 0.2 * (optimizer == "adam") + 0.001 * seed]
    ]
    names = ["loss", "batch_size", "tau", "optimizer", "seed", "acc", "val_acc"]
    findings = findings_of(
        pd.DataFrame(rows, columns=names), metric="acc", selects="val_acc", main="tau", reference="l00"
    )
    assert findings.info.reference_arm.label == "l00, optimizer adam"
    places = (0, *range(3, 12))
    assert curves_shown(findings) == [f"l{place:02d}, optimizer sgd" for place in places]
    assert_says(curves_words(findings), "l00, optimizer sgd and the 9 whose averages differ most from it")


def test_few_losses_have_all_curves_but_a_null_control() -> None:
    findings = study(["a", "b", "c"], null_controls=(("l1", "l2"),))
    assert curves_shown(findings) == ["l0", "l1"]
    assert curves_words(findings) == ""


def test_the_label_of_a_narrow_figure_is_inside_it() -> None:
    one = np.array([0.5])
    curves = [
        BandCurve(label=f"loss {n}", look=arm_look(n), at=one, value=one, low=one, high=one) for n in range(6)
    ]
    with figure_style(), paper_style():
        label = "share of the ranges at least as good, %"
        figure = drawn(band_figure(curves, x_label="x", y_label=label, width=ONE_COLUMN))
        box = figure.axes[0].yaxis.label.get_window_extent()
    assert figure.bbox.y0 <= box.y0 < box.y1 <= figure.bbox.y1
    assert figure.axes[0].get_ylabel().replace("\n", " ") == label


@pytest.mark.parametrize("width", [ONE_COLUMN, TWO_COLUMNS])
def test_titles_of_panels_stay_in_the_figure(width: float) -> None:
    with figure_style(), paper_style():
        figure = drawn(metric_surfaces(study(["InfoNCE (symmetric)", "A" * 60, "b", "B" * 60]), width=width))
        titles = [ax.title.get_window_extent() for ax in figure.axes[:4]]
    assert all(figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1 for box in titles)
    assert titles[0].x1 <= titles[1].x0
    assert figure.axes[0].get_title() == "InfoNCE (symmetric)"


@pytest.mark.parametrize(("count", "rotation"), [(5, 0.0), (16, 90.0)])
def test_names_along_an_axis_are_turned_only_without_room(count: int, rotation: float) -> None:
    names = [f"name {n:02d}" for n in range(count)]
    matrix = Matrix(title="t", names=names, values=np.eye(count))
    with figure_style():
        figure = drawn(transfer_figure([matrix], kind="loss", unit="points", digits=1))
        assert {label.get_rotation() for label in figure.axes[0].get_xticklabels()} == {rotation}


def test_characters_without_a_font_are_told_beside_the_verdict() -> None:
    (told,) = study_verdict(study(["a", "对比"])).remarks
    assert told == (
        "Figures show codes such as \\u5bf9 for 2 characters of the names, such as 对: no installed font has them. "
        "Install one, such as Noto Sans CJK, and report again."
    )
    assert not study_verdict(study(["a", "ä"])).remarks
