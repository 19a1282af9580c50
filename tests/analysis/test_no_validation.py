"""Without validation data nothing is chosen: what needs a choice is withheld with words, and the rest is shown."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest

from analysis.data_sets import DataSetsAnalysis
from analysis.fairness.card import WARN
from analysis.fairness.checks import check_fairness
from analysis.model.metric import NO_VALIDATION, Metric
from analysis.report.recommended import CANNOT_TELL, recommend_from
from analysis.report.recommended_lines import answer_lines
from analysis.report.score_tables import cells_table, scores_table
from analysis.report.sections.all_sections import build_sections
from analysis.report.sections.content import Content
from analysis.report.verdict import study_verdict
from analysis.statistics.comparisons.decisions import AVERAGE, BAD_LUCK, NOT_TUNING, TUNED, WITHHELD
from analysis.studies import ComparedStudy, compare_studies
from analysis.study_analysis import StudyAnalysis, analyse
from tests.analysis import synthetic

NAMES = ("infonce", "dhel", "dcl")
SEEDS = (0, 1, 2, 3, 4)
NOTHING_CHOSEN = Metric(
    name="probe10_accuracy", worst=0.1, selects="test_probe10_accuracy", no_choice=NO_VALIDATION
)


def study(
    metric: Metric = NOTHING_CHOSEN, names: tuple[str, ...] = NAMES, **columns: object
) -> StudyAnalysis:
    """Losses on a grid; without validation scores where the metric does not choose."""
    arms = [synthetic.arm_info(name) for name in names]
    planned = synthetic.plan(arms, seeds=SEEDS).assign(**columns)
    surfaces = {
        name: synthetic.hill(peak=0.8 + 0.05 * at, at=0.3, width=4.0, slope=0.01)
        for at, name in enumerate(names)
    }
    records = synthetic.run(planned, surfaces, noise=0.01, rng=np.random.default_rng(0))
    if metric.no_choice:
        records["val_probe10_accuracy"] = np.nan
    return analyse(planned, records, synthetic.study_info(arms, seeds=SEEDS, metric=metric))


def texts(content: Content) -> str:
    cells = [cell for table in content.tables for row in table.rows for cell in row]
    titles = [column.title for table in content.tables for column in table.columns]
    shown = [content.lead, *content.sentences, *titles, *(f"{cell.text} {cell.below}" for cell in cells)]
    return " ".join([*shown, *(figure.caption for figure in content.figures.values())])


def worst_tenth(test: np.ndarray, weights: np.ndarray) -> float:
    """The mean of the lowest tenth of the measure by one seed, on another seed: a loop over all pairs of seeds."""
    found = []
    for rank, score in itertools.permutations(range(test.shape[1]), 2):
        left, total = 0.1, 0.0
        for cell in np.argsort(test[:, rank]):
            part = min(left, weights[cell])
            total, left = total + part * test[cell, score], left - part
        found.append(total / 0.1)
    return float(np.mean(found))


def test_averages_and_worst_tenths_need_no_choice() -> None:
    found, chosen = study(), study(Metric(name="probe10_accuracy", worst=0.1))
    assert found.decisions is not None
    assert chosen.decisions is not None
    for loss in NAMES[1:]:
        assert found.decisions.of(loss, AVERAGE) == chosen.decisions.of(loss, AVERAGE)
    for label, cells in found.cells.items():
        worst = found.summaries[label].worst
        assert worst.value == pytest.approx(worst_tenth(cells.test, cells.weights), abs=1e-12)
        assert worst.has_interval
        values = found.decisions.values[label]
        assert values[BAD_LUCK].value == pytest.approx(values[AVERAGE].value - worst.value, abs=1e-12)
        own, same = found.summaries[label], chosen.summaries[label]
        assert (own.mean, own.default.estimate, own.tolerance) == (
            same.mean,
            same.default.estimate,
            same.tolerance,
        )


def test_tuned_scores_and_their_prices_are_withheld() -> None:
    found = study()
    assert found.decisions is not None
    for loss, question in itertools.product(NAMES[1:], (TUNED, NOT_TUNING)):
        item = found.decisions.of(loss, question)
        assert item is not None
        assert (item.verdict, item.reason) == (WITHHELD, NO_VALIDATION)
        assert math.isnan(item.difference.value)
        assert math.isnan(found.decisions.values[loss][question].value)
    assert {found.decisions.standing(loss) for loss in NAMES[1:]} == {WITHHELD}
    assert {found.decisions.of(loss, AVERAGE).verdict for loss in NAMES[1:]} == {"better"}  # type: ignore[union-attr]
    for item in found.summaries.values():
        assert math.isnan(item.tuned.estimate.value)
        assert item.tuned.estimate.note == NO_VALIDATION
        assert (item.tuned.choices, item.tuned.at) == (0, item.default.at)


def test_the_page_says_so_and_shows_the_rest() -> None:
    found = study()
    verdict = study_verdict(found)
    assert f"withheld ({NO_VALIDATION})" in verdict.answer[0]
    assert any("better in average accuracy" in text for text in verdict.answer)
    sections = build_sections(found)
    assert not {"tuning", "steps", "transfer"} & set(sections)
    assert {"scores", "surfaces", "curves", "good_space", "differences", "methods"} <= set(sections)
    told = {name: texts(content).lower() for name, content in sections.items()}
    assert f"no tuned score: {NO_VALIDATION}" in told["scores"]
    assert "frame: the default" in told["surfaces"]
    assert "at its default" in told["curves"]
    for name in ("surfaces", "curves", "good_space", "hyperparameters"):
        assert "tuned" not in told[name]
        assert "validation" not in told[name]
    cards = {card.title: card for card in check_fairness(found)}
    assert cards["Nothing selected"].level == WARN
    assert "Optimum inside" not in cards
    for content in sections.values():
        for figure in content.figures.values():
            figure.build()
    assert verdict.figures["verdict"].build() is not None


def test_tables_have_no_chosen_place() -> None:
    scores, cells = scores_table(study()), cells_table(study())
    assert scores["tuned"].isna().all()
    assert not [name for name in scores if name.startswith("tuned_main") or name == "tuned_batch_size"]
    assert scores["worst_tenth"].notna().all()
    assert cells["val_mean"].isna().all()
    assert cells["test_mean"].notna().all()


def test_nothing_is_recommended() -> None:
    answer = recommend_from(study())
    assert (answer.verdict, answer.reason) == (CANNOT_TELL, NO_VALIDATION)
    assert answer_lines(answer)[0] == f"Cannot tell: {NO_VALIDATION}."
    assert recommend_from(study(), tuned=False).verdict == CANNOT_TELL


def test_of_several_variants_none_is_chosen() -> None:
    arms = [synthetic.arm_info(name) for name in NAMES[:2]]
    parts = [synthetic.plan(arms, seeds=SEEDS).assign(hp_form=form) for form in ("a", "b")]
    planned = pd.concat(parts, ignore_index=True)
    planned = planned[(planned["arm"] == "dhel") | (planned["hp_form"] == "a")].reset_index(drop=True)
    planned["trial_id"], planned["config_id"] = (
        planned["trial_id"] + planned["hp_form"],
        planned["config_id"] + planned["hp_form"],
    )
    surface = synthetic.hill(peak=0.8, at=0.3, width=4.0)
    records = synthetic.run(
        planned, dict.fromkeys(NAMES[:2], surface), noise=0.01, rng=np.random.default_rng(0)
    )
    found = analyse(planned, records, synthetic.study_info(arms, seeds=SEEDS, metric=NOTHING_CHOSEN))
    assert len(found.variants["dhel"]) == 2
    assert found.decisions is not None
    assert {item.verdict for item in found.decisions.items} == {WITHHELD}
    assert math.isfinite(found.decisions.values["infonce"][AVERAGE].value)
    study_verdict(found)
    assert found.hidden == frozenset()


def compared(*metrics: Metric) -> DataSetsAnalysis:
    found = [study(metric) for metric in metrics]
    return compare_studies(
        [
            ComparedStudy(name=name, table=each.table, info=each.info)
            for name, each in zip("AB", found, strict=True)
        ]
    )


def test_two_such_studies_are_compared_without_tuned_scores() -> None:
    found = compared(NOTHING_CHOSEN, NOTHING_CHOSEN).only
    assert found is not None
    gaps = build_sections(found)["studies"].data["studies"]
    assert gaps["tuned"].isna().all()
    assert set(gaps["tuned_note"]) == {NO_VALIDATION}
    assert (gaps["mean"] == 0).all()


def test_a_study_with_validation_scores_is_another_one() -> None:
    with pytest.raises(ValueError, match="A has no validation scores, and B chooses by them"):
        compared(NOTHING_CHOSEN, Metric(name="probe10_accuracy", worst=0.1))


def test_one_loss_alone_has_its_average() -> None:
    (text, *_) = study_verdict(study(names=("infonce",))).answer
    assert f"The price of not tuning is not known ({NO_VALIDATION})" in text
    assert "test accuracy on average over the ranges" in text
