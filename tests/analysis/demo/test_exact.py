"""The exact values against simulation, and every score of the report against the exact values."""

import dataclasses

import numpy as np
import pytest

from analysis.demo import exact
from analysis.demo.answers import exact_answers
from analysis.demo.law import AT_BATCH, BATCH_SIZES, CHANCE, COLLAPSED, DATA, LOSSES, DemoLoss
from analysis.demo.noise import Noise, draw_scores
from analysis.demo.rows import demo_study
from analysis.statistics.scores.pairs_of_seeds import tuned_pairs, worst_pairs
from analysis.statistics.scores.tuning import tuning_curve
from analysis.study_analysis import analyse
from tests.analysis.coverage import exact_scores

BY_LABEL = {loss.label: loss for loss in LOSSES}
NOISE = Noise()
SILENT = Noise(seed=0, trial=0, validation=0, test=0, rounding=0)


def test_the_law_has_its_optimum_width_interaction_and_edges() -> None:
    loss = DemoLoss(
        label="a", title="A", peak=0.9, optimum=0.2, width=1.5, drift=0.3, slope=0.01,
        diverges_below=0.06, collapses_above=1.5,
    )  # fmt: skip
    assert loss.accuracy(AT_BATCH, 0.2) == pytest.approx(0.9)
    # one width away the plateau has fallen to exp(-1/2)
    assert loss.accuracy(AT_BATCH, 0.2 * np.exp(1.5)) == pytest.approx(CHANCE + 0.8 * np.exp(-0.5))
    # at e-fold batch size the optimum lies 0.3 e-folds higher, and 0.01 is lost
    values = np.geomspace(0.1, 1.0, 2001)
    there = loss.accuracy(AT_BATCH * np.e, values)
    assert there.max() == pytest.approx(0.89)
    assert values[there.argmax()] == pytest.approx(0.2 * np.exp(0.3), rel=2e-3)
    assert loss.accuracy(AT_BATCH, 0.05) == CHANCE
    assert loss.accuracy(AT_BATCH, 1.6) == COLLAPSED


def test_tolerance_by_hand() -> None:
    means = np.array([0.9, 0.885, 0.5, 0.2])
    assert exact.exact_tolerance(means, eps=0.02) == 0.5
    assert exact.exact_tolerance(means, eps=0.02, best=0.91) == 0.25


def test_chances_of_choosing_agree_with_simulation() -> None:
    means, failed = np.array([0.5, 0.49, 0.3, 0.45, 0.6]), np.array([False] * 4 + [True])
    drawn = means[:4] + 0.03 * np.random.default_rng(0).normal(size=(200_000, 4))
    counted = np.bincount(drawn.argmax(axis=1), minlength=5) / 200_000
    np.testing.assert_allclose(exact.choice_chances(means, failed, 0.03), counted, atol=0.004)
    assert exact.choice_chances(means, np.full(5, False), 0.0).tolist() == [0, 0, 0, 0, 1]


@pytest.mark.parametrize("seeds", [2, 5])
def test_tuned_and_worst_scores_are_unbiased_for_their_exact_values(seeds: int) -> None:
    loss = BY_LABEL["dcl"]
    means, failed = loss.cell_means(), loss.failed()
    rng = np.random.default_rng(1)
    test, validation = draw_scores(means, failed, NOISE, rng.standard_normal((400, seeds)), rng)
    even = np.full(len(means), 1 / len(means))
    for pairs, truth in (
        (tuned_pairs(test, validation), exact.exact_tuned(means, failed, NOISE)),
        (worst_pairs(test, validation, even), exact.exact_held_out_worst(means, failed, NOISE)),
    ):
        found = np.nanmean(pairs, axis=(1, 2))
        error = np.std(found, ddof=1) / np.sqrt(len(found))
        assert np.mean(found) == pytest.approx(truth, abs=3 * error)


def test_the_tuning_curve_is_unbiased_for_its_exact_value() -> None:
    loss, trials = BY_LABEL["infonce"], np.array([1, 4, 32])
    means, failed, weights = loss.cell_means(), loss.failed(), np.full(40, 1 / 40)
    truth, error = exact_scores.exact_tuning_curve(means, failed, NOISE, trials, np.random.default_rng(0))
    assert truth[0] == pytest.approx(means.mean())
    rng = np.random.default_rng(2)
    test, validation = draw_scores(means, failed, NOISE, rng.standard_normal(600), rng)
    chunks = [slice(start, start + 6) for start in range(0, 600, 6)]
    found = np.array(
        [tuning_curve(test[:, at], validation[:, at], weights, trials, rng=rng).mean for at in chunks]
    )
    spread = np.hypot(found.std(axis=0, ddof=1) / np.sqrt(len(found)), error)
    assert np.all(np.abs(found.mean(axis=0) - truth) <= 3 * spread + 1e-9)


def test_without_noise_the_report_says_the_exact_answers() -> None:
    """Rows to findings: every score of the summaries, on both data sets."""
    study = demo_study(np.random.default_rng(0), seeds=5, noise=SILENT)
    answers = exact_answers(seeds=5, noise=SILENT).set_index(["data", "loss", "score"])["value"]
    for data in DATA:
        parts = (rows[rows["data"] == data.name] for rows in (study.planned, study.records))
        findings = analyse(*parts, study.info)
        for label, summary in findings.summaries.items():
            found = {
                "mean": summary.mean.value,
                "mean_finished": summary.mean_finished.value,
                "worst": summary.worst.value,
                "tolerance_own_best": summary.tolerance.value,
                "tuned": summary.tuned.estimate.value,
                "best": summary.tuned.estimate.value,
            }
            for score, value in found.items():
                assert value == pytest.approx(answers[data.name, label, score]), (data.name, label, score)
        loss = BY_LABEL["infonce"].on(data)
        assert findings.summaries["infonce"].failed == 5 * loss.failed().sum() > 0
        kcl = BY_LABEL["kcl"].on(data)
        assert findings.summaries["kcl"].collapsed == 5 * kcl.collapsed(kcl.grid()[1]).sum() > 0


def test_the_null_control_comes_out_as_no_difference() -> None:
    study = demo_study(np.random.default_rng(3), seeds=5, data=DATA[:1])
    (control,) = analyse(study.planned, study.records, study.info).null_controls
    assert control.verdict == "no difference"
    assert 0 < control.identical < control.trials
    assert control.largest < 0.002 < control.seed_noise


def test_trials_of_one_seed_share_its_luck_between_losses() -> None:
    loud = dataclasses.replace(NOISE, seed=0.05, trial=0.001)
    study = demo_study(np.random.default_rng(4), seeds=8, data=DATA[:1], noise=loud)
    by_seed = study.records.groupby(["loss", "seed"])["test_probe10_accuracy"].mean().unstack()
    assert np.corrcoef(by_seed.loc["dhel"], by_seed.loc["dcl"])[0, 1] > 0.99


def test_one_generator_gives_one_study() -> None:
    one, other = (demo_study(np.random.default_rng(5), seeds=2).records for _ in range(2))
    assert one.equals(other)
    assert len(one) == len(DATA) * len(LOSSES) * len(BATCH_SIZES) * 8 * 2
    with pytest.raises(ValueError, match="seeds: got 0"):
        demo_study(np.random.default_rng(0), seeds=0)
