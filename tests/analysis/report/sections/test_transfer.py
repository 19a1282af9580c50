"""The section on transfer gives the regret of another environment's choice, and is absent if there is none."""

import numpy as np
import pandas as pd
import pytest

from analysis.demo.law import DATA, LOSSES, DemoLoss
from analysis.demo.rows import demo_study
from analysis.model.aligned import align_cells
from analysis.model.cells import build_cells
from analysis.report.sections.tuning.transfer import transfer_section
from analysis.statistics.scores.cross_fitting import held_out_cells
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
    assert "stays 0.0 [0.0, 0.0], moves 20.0 [20.0, 20.0]" in content.sentences[0]
    row = content.tables[0].rows[0]
    assert [cell.text for cell in row] == ["moves", "20.0", "20.0", "16 → 256", "2 × 2", "3"]


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


def test_intervals_hold_the_regret_of_what_was_chosen() -> None:
    """95 % or more, for the configurations that the halves chose; their own luck is in no interval."""
    loss, hits, rng = LOSSES[0], [], np.random.default_rng(0)
    truth = [_in_order(loss.on(data)) for data in DATA]
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
        found, chosen = transfer_regret(aligned.test, aligned.validation), held_out_cells(aligned.validation)
        for a, b in ((0, 1), (1, 0)):
            regret = (truth[b][chosen[b]] - truth[b][chosen[a]]).mean()
            hits.append(found.low[a, b] - 1e-12 <= regret <= found.high[a, b] + 1e-12)
    assert np.mean(hits) >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / len(hits))


def _in_order(loss: DemoLoss) -> np.ndarray:
    """Exact cell means in the order of the axes' values, the main axis fastest."""
    sizes, values = loss.grid()
    return loss.cell_means()[np.lexsort((values, sizes))]
