"""The report's page as readers use it: it draws, sorts, explores, prints, and reads without scripts."""

import dataclasses
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.model.meaning import Meaning
from analysis.report.explorer import explorer_data
from analysis.report.sections.space.surfaces_figure import metric_surfaces
from analysis.report.write import write_findings
from analysis.statistics.intervals.student import student_interval
from analysis.statistics.scores.tolerance import tolerance_volume
from analysis.study_analysis import StudyAnalysis, analyse, analyse_table
from tests.analysis import synthetic
from tests.analysis.conftest import SURFACES, make_study
from tests.browser.conftest import LoadedStudy, OpenPage

pytestmark = pytest.mark.browser

#: One seed failed in this cell of InfoNCE, the first of the first panel's cells.
FAILED = "infonce-16-0-1"


@pytest.fixture(scope="module")
def findings() -> StudyAnalysis:
    """Cells of unequal shares: batch sizes are not evenly spaced."""
    _, _, info = make_study()
    planned = synthetic.plan(info.arms, batch_sizes=(16, 32, 256))
    records = synthetic.run(planned, SURFACES, noise=0.005, rng=np.random.default_rng(0))
    return analyse(planned, synthetic.fail(records, [FAILED]), info)


@pytest.fixture(scope="module")
def address(findings: StudyAnalysis, tmp_path_factory: pytest.TempPathFactory) -> str:
    path: Path = write_findings(findings, tmp_path_factory.mktemp("report"))
    return path.as_uri()


@pytest.fixture
def report(address: str, open_page: OpenPage) -> LoadedStudy:
    return open_page(address, viewport={"width": 1280, "height": 900})


def column(page: Any, index: int) -> list[str]:
    return page.locator(f"#scores table.sortable tbody td:nth-child({index})").evaluate_all(
        "cells => cells.map(cell => cell.firstChild.textContent)"
    )


def unfold(page: Any) -> None:
    """Opens every folded part, by the keyboard."""
    for summary in page.locator("details.group > summary").all():
        summary.press("Enter")


def shares(page: Any) -> list[float]:
    return [float(text.split(" %")[0]) for text in page.locator(".explorer .share").all_inner_texts()]


def volumes(findings: StudyAnalysis, eps: float, *, of_all: bool) -> list[float]:
    found = []
    for label, cells in findings.cells.items():
        rivals = np.concatenate([other.test for name, other in findings.cells.items() if name != label])
        alive = cells.finished.any(axis=-1)
        volume = tolerance_volume(
            cells.test, cells.weights, eps=eps, alive=alive, rivals=rivals if of_all else None
        )
        found.append(round(100 * volume.value, 1))
    return found


def test_every_figure_is_drawn(report: LoadedStudy, findings: StudyAnalysis) -> None:
    drawn = report.page.locator("figure img").evaluate_all(
        "all => all.map(each => each.complete && each.naturalWidth)"
    )
    assert len(drawn) >= 6
    assert all(drawn)


def test_a_header_sorts_its_table(report: LoadedStudy, findings: StudyAnalysis) -> None:
    page, names = report.page, [arm.name for arm in findings.info.arms]
    unfold(page)
    head = page.locator("#scores table.sortable th", has_text="Average")
    button = head.get_by_role("button")
    button.click()
    assert head.get_attribute("aria-sort") == "ascending"
    by_mean = sorted(findings.summaries, key=lambda label: findings.summaries[label].mean.value)
    assert column(page, 1) == [findings.info.arm(label).name for label in by_mean]
    button.press("Enter")
    assert head.get_attribute("aria-sort") == "descending"
    assert column(page, 1) == [findings.info.arm(label).name for label in reversed(by_mean)]
    page.locator("#scores table.sortable th", has_text="Loss").get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "none"
    assert column(page, 1) == sorted(names)


def test_the_explorer_counts_the_space_as_the_report_does(
    report: LoadedStudy, findings: StudyAnalysis
) -> None:
    page, slider = report.page, report.page.locator(".explorer input[type=range]")
    assert shares(page) == volumes(findings, findings.info.tolerance, of_all=False)
    slider.fill("5")
    assert page.locator(".explorer output").inner_text() == "5.0 points"
    assert shares(page) == volumes(findings, 0.05, of_all=False)
    page.get_by_label("Which best").select_option("all")
    assert shares(page) == volumes(findings, 0.05, of_all=True)
    slider.fill("0")
    assert sum(share > 0 for share in shares(page)) == 1
    assert page.locator(".explorer td.near").count() == 1


def test_a_title_that_wraps_pushes_no_heat_map_away(
    findings: StudyAnalysis, tmp_path: Path, open_page: OpenPage
) -> None:
    first, *others = findings.info.arms
    long = dataclasses.replace(first, title="a title of so many words that it cannot stand in one line")
    longer = dataclasses.replace(findings, info=findings.info.with_arms((long, *others)))
    page = open_page(write_findings(longer, tmp_path).as_uri(), viewport={"width": 1280, "height": 900}).page
    tops = "all => all.map(each => Math.round(each.getBoundingClientRect().top))"
    titles, tables, named = (
        page.locator(f".explorer {part}").evaluate_all(tops)
        for part in (".share", "table", "figcaption strong")
    )
    assert len(set(tables)) == 1  # all in one row
    assert titles[0] > titles[1] > named[1]  # the share stands below the name


def test_the_explorer_shows_another_metric(report: LoadedStudy, findings: StudyAnalysis) -> None:
    page = report.page
    page.get_by_label("Metric").select_option(label="effective rank, projection z, dimensions")
    cells = page.locator(".explorer table").nth(1).locator("td[data-cell='0']")
    rank = findings.cells["dhel"].raw["z_effective_rank"][0].mean()
    assert cells.inner_text() == f"{rank:.1f}"
    assert page.locator(".explorer td.near").count() == 0
    assert page.locator(".near-control").is_hidden()


def test_a_cell_shows_its_seeds(report: LoadedStudy, findings: StudyAnalysis) -> None:
    page, details = report.page, report.page.locator(".explorer .details")
    scores = findings.cells["dhel"].finished_test[0]
    page.locator(".explorer table").nth(1).locator("td[data-cell='0']").hover()
    details.locator("li").first.wait_for()
    mean, low, high = (100 * end for end in student_interval(scores, bounds=(0.0, 1.0)))
    text = details.inner_text().replace("\u00a0", " ")
    assert f"{mean:.1f} % [{low:.1f}, {high:.1f}]" in text
    assert [f"seed {seed} {100 * score:.1f}" for seed, score in enumerate(scores)] == text.splitlines()[-2:]
    page.locator(".explorer td[data-cell='0']").first.hover()
    counted = np.nanmean(findings.cells["infonce"].test[0])
    text = details.inner_text().replace("\u00a0", " ")
    assert f"{100 * counted:.1f} % with failures at 10.0 %" in text
    assert "seed 1 diverged" in text
    assert page.locator(".explorer td[data-cell='0'] .strip.failed").count() == 1


def test_the_seeds_follow_the_metric(report: LoadedStudy, findings: StudyAnalysis) -> None:
    page, details = report.page, report.page.locator(".explorer .details")
    page.locator(".explorer table").nth(2).locator("td[data-cell='7']").focus()
    details.locator("li").first.wait_for()
    page.get_by_label("Metric").select_option(label="effective rank, projection z, dimensions")
    ranks = findings.cells["kcl"].raw["z_effective_rank"][7]
    details.get_by_text(f"seed 1 {ranks[1]:.1f}").wait_for()
    assert details.locator("li").all_inner_texts() == [f"seed {n} {r:.1f}" for n, r in enumerate(ranks)]


def test_without_decompression_one_sentence_stands_for_the_seeds(address: str, browser: Any) -> None:
    context = browser.new_context()
    context.add_init_script("delete window.DecompressionStream")
    page = context.new_page()
    page.goto(address)
    page.locator(".explorer td[data-cell='0']").first.hover()
    page.get_by_text("This browser cannot show the seeds").wait_for()
    assert page.locator(".explorer .details p").all_inner_texts()[1] == (
        "This browser cannot show the seeds, since it has no DecompressionStream; they stand in the table trials.csv."
    )
    assert "with failures at 10.0" in page.locator(".explorer .details").inner_text()
    context.close()


def test_seeds_that_were_left_out_are_told(
    findings: StudyAnalysis, tmp_path: Path, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = explorer_data(findings.info, findings.cells)
    cells = sum(len(json.dumps([arm["values"][n] for arm in whole["arms"]])) for n in range(3))
    monkeypatch.setattr("analysis.report.page.MOST_BYTES", cells)
    page = open_page(write_findings(findings, tmp_path).as_uri()).page
    page.get_by_label("Metric").select_option(label="effective rank, projection z, dimensions")
    page.locator(".explorer td[data-cell='0']").first.hover()
    page.get_by_text("are left out for size; they stand in the table trials.csv").wait_for()
    assert page.locator(".explorer .details li").all_inner_texts() == ["seed 0 finished", "seed 1 diverged"]


def test_the_explorer_obeys_the_keyboard(report: LoadedStudy) -> None:
    page, details = report.page, report.page.locator(".explorer .details")
    page.locator(".explorer td[tabindex='0']").first.focus()
    assert "batch size 16, temperature 0.05" in details.inner_text()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowUp")
    assert "batch size 32, temperature 0.126" in details.inner_text()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert "batch size 32, temperature 0.05" in details.inner_text()


def test_rows_of_a_kernel_run_as_in_the_figures(
    findings: StudyAnalysis, tmp_path: Path, open_page: OpenPage
) -> None:
    """A larger kernel scale acts as a lower temperature, so it stands below; for temperature it stands above."""
    arms = [
        dataclasses.replace(
            arm,
            axes=(arm.x, dataclasses.replace(arm.main, meaning=Meaning(larger_acts_as="lower temperature"))),
        )
        if arm.main_axis == "hp_t"
        else arm
        for arm in findings.info.arms
    ]
    kernel = [arm.main_axis for arm in arms].index("hp_t")
    turned = analyse_table(findings.table, findings.info.with_arms(tuple(arms)))
    page = open_page(write_findings(turned, tmp_path).as_uri(), viewport={"width": 1280, "height": 900}).page
    figure = metric_surfaces(turned)
    assert figure is not None
    for place in (0, kernel):
        grid = page.locator(".explorer table").nth(place)
        upwards = [text.get_text() for text in figure.axes[place].get_yticklabels()]
        assert grid.locator("th[scope=row]").all_inner_texts() == upwards[::-1]
        label = turned.info.arms[place].main.axis_label
        assert page.locator(".explorer .axis:not(.x)").nth(place).inner_text() == (
            f"{'↓' if place == kernel else '↑'} {label}"
        )
    cells = page.locator(".explorer table").nth(kernel)
    cells.locator("td[data-cell='0']").focus()  # the smallest scale stands on top
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.dataset.cell") == "1"


def test_without_scripts_all_is_there_but_the_explorer(address: str, open_page: OpenPage) -> None:
    page = open_page(address, java_script_enabled=False).page
    assert page.locator(".answer").inner_text().startswith("On these ranges and 2 seeds")
    assert page.locator("table").count() >= 3
    assert page.locator("th button").count() == 0
    assert page.locator("#figure-surfaces img").is_visible()
    assert page.locator(".explorer").count() == 0


def test_print_shows_what_is_folded_and_no_controls(address: str, open_page: OpenPage) -> None:
    page = open_page(address, color_scheme="dark").page
    assert not page.locator("#scores table").is_visible()
    page.emulate_media(media="print", color_scheme="dark")
    assert page.locator("#figure-surfaces img").is_visible()
    assert page.locator("#scores table").first.is_visible()
    assert not page.locator(".explorer").is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.pdf(format="A4").startswith(b"%PDF")


def test_the_first_screen_has_the_whole_verdict(address: str, open_page: OpenPage) -> None:
    page = open_page(address, viewport={"width": 1280, "height": 800}).page
    for part in (".answer", "#figure-verdict img", "#verdict table", "#verdict"):
        box = page.locator(part).first.bounding_box()
        assert box["y"] + box["height"] <= 800, part


def contrast(page: Any, part: str) -> float:
    """The contrast of a text to the page, as the Web Content Accessibility Guidelines define it."""
    colors = page.locator(part).first.evaluate(
        "each => [getComputedStyle(each).color, getComputedStyle(document.body).backgroundColor]"
    )
    shades = []
    for color in colors:
        parts = np.array([float(each) for each in re.findall(r"[\d.]+", color)[:3]]) / 255
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        shades.append(float(linear @ [0.2126, 0.7152, 0.0722]))
    return (max(shades) + 0.05) / (min(shades) + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_are_readable_in_both_schemes(address: str, open_page: OpenPage, scheme: str) -> None:
    page = open_page(address, color_scheme=scheme).page
    for part in (".answer", "#verdict td.text", "#verdict .soft", "summary h2", "figcaption"):
        assert contrast(page, part) >= 4.5, part
    background = page.locator("#figure-surfaces img").evaluate(
        "each => getComputedStyle(each).backgroundColor"
    )
    assert background == "rgb(255, 255, 255)"


def test_a_narrow_screen_scrolls_down_only(address: str, open_page: OpenPage) -> None:
    page = open_page(address, viewport={"width": 390, "height": 800}, has_touch=True).page
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.locator("details.group > summary").first.tap()
    assert page.locator("#good_space table").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.locator(".explorer td[data-cell='0']").first.tap()
    page.locator(".explorer .details").get_by_text("seed 1 diverged").wait_for()


def test_what_is_folded_opens_by_the_keyboard(report: LoadedStudy) -> None:
    page = report.page
    assert not page.locator("#scores table").is_visible()
    unfold(page)
    assert page.locator("#scores table").is_visible()
    outline = page.locator("details.group > summary").last.evaluate(
        "each => getComputedStyle(each).outlineStyle"
    )
    assert outline == "solid"


@pytest.fixture(scope="module")
def with_ids(findings: StudyAnalysis, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, StudyAnalysis]:
    """A page whose trials have ids as the store's, and a command."""
    table = findings.table.assign(
        trial_id=[hashlib.sha256(name.encode()).hexdigest()[:20] for name in findings.table["trial_id"]]
    )
    changed = dataclasses.replace(findings, table=table, trial_command="study trial tiny.toml {}")
    return write_findings(changed, tmp_path_factory.mktemp("ids")).as_uri(), changed


def id_of(findings: StudyAnalysis, arm: str, batch_size: int, seed: int) -> str:
    """The first ten digits of the trial's id, at the lowest temperature."""
    rows = findings.table
    lowest = rows["hp_temperature"].min() if arm != "kcl" else rows["hp_t"].min()
    here = (rows["arm"] == arm) & (rows["hp_batch_size"] == batch_size) & (rows["seed"] == seed)
    main = rows["hp_t" if arm == "kcl" else "hp_temperature"] == lowest
    [found] = rows.loc[here & main, "trial_id"]
    return found[:10]


def test_a_seed_gives_the_command_of_its_trial(
    with_ids: tuple[str, StudyAnalysis], open_page: OpenPage
) -> None:
    address, findings = with_ids
    page = open_page(address, viewport={"width": 1280, "height": 900}).page
    details = page.locator(".explorer .details")
    panel = page.locator(".explorer table").nth(1)
    panel.locator("td[data-cell='0']").click()
    details.get_by_role("button", name="seed 1").wait_for()
    panel.locator("td[data-cell='7']").hover()  # the way from the cell to its seeds crosses others
    details.get_by_role("button", name="seed 1").click()
    field = details.get_by_role("textbox")
    field.wait_for()
    assert field.input_value() == f"study trial tiny.toml {id_of(findings, 'dhel', 16, 1)}"
    details.get_by_role("button", name="seed 0").click()
    assert field.input_value() == f"study trial tiny.toml {id_of(findings, 'dhel', 16, 0)}"
    assert page.evaluate("getSelection().toString()") == field.input_value()


def test_the_keyboard_reaches_the_command_and_comes_back(
    with_ids: tuple[str, StudyAnalysis], open_page: OpenPage
) -> None:
    address, findings = with_ids
    page = open_page(address).page
    page.locator(".explorer td[tabindex='0']").nth(2).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.locator(".explorer .details button").first.wait_for()
    page.locator("button:focus").wait_for()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.locator("input:focus").wait_for()
    assert page.evaluate("document.activeElement.value").endswith(id_of(findings, "kcl", 32, 1))
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.dataset.cell") == "5"


def test_without_a_command_seeds_are_no_buttons(report: LoadedStudy) -> None:
    report.page.locator(".explorer td[data-cell='0']").first.click()
    report.page.locator(".explorer .details li").first.wait_for()
    assert report.page.locator(".explorer .details button").count() == 0
