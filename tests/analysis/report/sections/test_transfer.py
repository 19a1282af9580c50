"""The section on transfer gives the regret of another environment's choice, and is absent if there is none."""

import numpy as np
import pandas as pd
import pytest

from analysis.demo.exact import exact_transfer_regret
from analysis.demo.law import DATA, LOSSES
from analysis.demo.noise import Noise
from analysis.demo.rows import demo_study
from analysis.model.aligned import align_cells
from analysis.model.cells import build_cells
from analysis.model.info import BATCH_SIZE, AxisInfo
from analysis.model.meaning import Meaning
from analysis.report.sections.tuning.transfer import transfer_section
from analysis.statistics.sensitivity.transfer import transfer_regret
from analysis.study_analysis import StudyAnalysis, analyse
from tests.analysis import synthetic
from tests.analysis.conftest import Study

SEEDS = (0, 1, 2, 3)


def drifting() -> StudyAnalysis:
    """The best temperature of one loss moves with the batch size; of another it stays."""
    arms = [synthetic.arm_info("moves"), synthetic.arm_info("stays")]
    planned = synthetic.plan(arms, seeds=SEEDS, batch_sizes=(16, 256), values=(0.1, 0.2, 0.4))

    def moving(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return 0.9 - 0.1 * np.abs(np.log2(y / np.where(x == 16, 0.1, 0.4)))

    still = synthetic.hill(peak=0.8, at=0.2, width=5.0)
    records = synthetic.run(planned, {"moves": moving, "stays": still})
    return analyse(planned, records, synthetic.study_info(arms, seeds=SEEDS))


def test_regret_between_batch_sizes_is_the_drop_at_the_other_s_best() -> None:
    content = transfer_section(drifting())
    assert content is not None
    data = content.data["transfer_batch_size"].set_index(["arm", "tuned_at", "used_at"])["regret"]
    assert data["moves", "16", "256"] == pytest.approx(0.2)
    assert data["moves", "256", "16"] == pytest.approx(0.2)
    assert data["stays"].tolist() == pytest.approx([0, 0, 0, 0])
    row = content.tables[0].rows[0]
    assert [cell.text for cell in row] == ["moves", "20.0"]


def test_regret_between_losses_of_like_axes() -> None:
    content = transfer_section(drifting())
    assert content is not None
    data = content.data["transfer_loss"].set_index(["tuned_at", "used_at"])["regret"]
    # "stays" chooses 16 and 0.2, one step from the best temperature of "moves"
    assert data["stays", "moves"] == pytest.approx(0.1)


def test_losses_of_other_axes_and_one_batch_size_have_no_section(study: Study) -> None:
    planned, records, info = study
    planned = planned[(planned["hp_batch_size"] == 64) & (planned["arm"] != "dhel")]
    arms = tuple(arm for arm in info.arms if arm.label != "dhel")
    assert transfer_section(analyse(planned, records, info.with_arms(arms))) is None


def test_scales_of_two_kernels_are_not_one_configuration() -> None:
    """Both losses have the axis `t` with the same values, which mean something else."""

    def regrets(*kernels: str) -> bool:
        arms = []
        for label, kernel in zip("ab", kernels, strict=True):
            main = AxisInfo(
                name="hp_t", label="kernel scale t", meaning=Meaning(of=f"kernel {kernel} of kcl")
            )
            arms.append(synthetic.arm_info(label, axes=(BATCH_SIZE, main)))
        planned = synthetic.plan(arms, seeds=SEEDS)
        records = synthetic.run(planned, dict.fromkeys("ab", synthetic.hill(peak=0.9, at=1.0, width=6.0)))
        content = transfer_section(analyse(planned, records, synthetic.study_info(arms, seeds=SEEDS)))
        assert content is not None
        return "transfer_loss" in content.data

    assert regrets("imq", "imq")
    assert not regrets("imq", "log")


def test_a_search_has_no_section(study: Study) -> None:
    planned, records, info = study
    assert (
        transfer_section(analyse(planned, records, info.with_arms(info.arms, drawn=True, adaptive=True)))
        is None
    )


def test_budgets_are_environments_too() -> None:
    arm = synthetic.arm_info("a")
    short = synthetic.plan([arm], seeds=SEEDS, batch_sizes=(64,))
    long = short.assign(hp_epochs=50, trial_id=short["trial_id"] + "l", config_id=short["config_id"] + "l")
    records = [
        synthetic.run(short, {"a": synthetic.hill(peak=0.7, at=0.05, width=5.0)}),
        synthetic.run(long, {"a": synthetic.hill(peak=0.9, at=0.3, width=5.0)}),
    ]
    planned = pd.concat([short, long])
    content = transfer_section(analyse(planned, pd.concat(records), synthetic.study_info([arm], seeds=SEEDS)))
    assert content is not None
    regret = content.data["transfer_epochs"].set_index(["tuned_at", "used_at"])["regret"]
    # grid values: 0.05 is the best of the short budget, 0.316 that of the long one
    assert regret["12", "50"] == pytest.approx((np.log(0.05 / 0.3) ** 2 - np.log(0.1**0.5 / 0.3) ** 2) / 25)


def test_intervals_hold_the_expected_regret() -> None:
    """95 % or more, for choices by any one seed."""
    loss, hits, rng = LOSSES[0], [], np.random.default_rng(0)
    means = [loss.on(data).cell_means() for data in DATA]
    truth = {
        (a, b): exact_transfer_regret(means[a], means[b], loss.on(DATA[b]).failed(), Noise())
        for a, b in ((0, 1), (1, 0))
    }
    for _ in range(40):
        study = demo_study(rng, seeds=5, losses=[loss])
        arm = study.info.arms[0]
        parts = {
            data.name: build_cells(
                study.records[study.records["data"] == data.name], arm, study.info.metric, arm.axes
            )
            for data in DATA
        }
        aligned = align_cells(parts)
        found = transfer_regret(aligned.test, aligned.validation)
        for (a, b), regret in truth.items():
            hits.append(found.low[a, b] - 1e-12 <= regret <= found.high[a, b] + 1e-12)
    assert np.mean(hits) >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / len(hits))
