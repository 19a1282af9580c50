"""Diagnostic trials find no bias where theory has none, and agree between precisions where rounding is harmless."""

import itertools
from typing import Any

import pytest
import torch

from trainables.config import DiagnosticSampling, DiagnosticTask, LossConfig, TrialConfig
from trainables.diagnostics.batches import batch_statistics, losses_and_gradients
from trainables.diagnostics.population import DEFECTS, population
from trainables.diagnostics.precision import anchor_gradients, precision_statistics
from trainables.losses import build_loss
from trainables.store.schema import Status
from trainables.trial import run_trial


def task(measure: str = "batches", *, batch_size: int = 4, **fields: Any) -> DiagnosticTask:
    values = {"n_pairs": 64, "dim": 8, "defect": "low_rank", "defect_level": 0.5} | fields
    return DiagnosticTask(
        measure=measure, training=DiagnosticSampling(batch_size=batch_size, passes=16), **values
    )


@pytest.mark.parametrize("defect", DEFECTS)
def test_populations_are_unit_norm_pairs(defect: str) -> None:
    z_a, z_b = population(task(defect=defect, view_cosine=0.7), 0)
    assert torch.allclose(z_a.norm(dim=-1), torch.ones(64, dtype=torch.float64))
    assert torch.allclose((z_a * z_b).sum(-1), torch.full((64,), 0.7, dtype=torch.float64))
    without = population(task(defect=defect, defect_level=0.0), 0)[0]
    if defect not in ("antipodes", "clusters", "half_sphere"):  # these draw numbers before the level matters
        assert torch.allclose(without, population(task(defect="none"), 0)[0])


def test_every_batch_together_is_the_population_for_kcl_alone() -> None:
    """Means over all C(N, M) batches, exactly."""
    views = torch.stack(population(task(n_pairs=8), 0))
    batches = torch.tensor(list(itertools.combinations(range(8), 3)))
    for name, unbiased in (("kcl", True), ("infonce", False), ("dhel", False)):
        loss = build_loss(name)
        values, gradients = losses_and_gradients(loss, views[:, batches])
        whole_value, whole = losses_and_gradients(loss, views[:, None])
        assert torch.allclose(values.mean(), whole_value[0]) == unbiased
        assert torch.allclose(gradients.mean(0), whole[0]) == unbiased


def test_gradients_are_those_of_a_linear_layer() -> None:
    """Against finite differences of the layer's weights."""
    views, loss, step = torch.stack(population(task(n_pairs=8), 0)), build_loss("infonce"), 1e-6
    _, (gradient,) = losses_and_gradients(loss, views[:, None])

    def value(shift: float) -> float:
        weights = torch.eye(8, dtype=torch.float64)
        weights[1, 2] += shift
        return float(loss(*torch.nn.functional.normalize(views @ weights.mT, dim=-1)))

    assert float(gradient[1, 2]) == pytest.approx((value(step) - value(-step)) / (2 * step), rel=1e-5)


def test_bias_is_found_and_not_invented() -> None:
    found = {
        name: batch_statistics(task(n_pairs=512), build_loss(name), 0, lambda value: None)
        for name in ("kcl", "infonce")
    }
    assert found["kcl"]["gradient_bias_ratio"] < 2
    assert found["kcl"]["loss_shift_ratio"] < 4
    assert found["infonce"]["loss_shift_ratio"] > 20
    assert found["infonce"]["gradient_bias_ratio"] > 3


def test_formulas_of_the_precision_study_are_the_losses() -> None:
    """In float64 the anchors' gradients are autograd's of the definition, and FlatNCE's is NT-Xent's over 1 - p."""
    z_a, z_b = population(task("precision", view_cosine=0.5), 0)
    anchors = z_a.clone().requires_grad_()
    positive = (anchors * z_b).sum(-1) / 0.3
    own = (anchors @ z_a.mT / 0.3).masked_fill(torch.eye(64, dtype=torch.bool), -torch.inf)
    cross = (anchors @ z_b.mT / 0.3).masked_fill(torch.eye(64, dtype=torch.bool), -torch.inf)
    xi = torch.cat([own, cross], -1).logsumexp(-1).exp() / positive.exp()
    (ntxent,) = torch.autograd.grad(xi.log1p().sum(), anchors, retain_graph=True)
    (flat,) = torch.autograd.grad(xi.log().sum(), anchors)
    assert torch.allclose(anchor_gradients(z_a, z_b, 0.3, False, torch.float64), ntxent)
    assert torch.allclose(anchor_gradients(z_a, z_b, 0.3, True, torch.float64), flat)
    assert not z_a.requires_grad


def test_low_precision_loses_the_signal_of_ntxent_alone() -> None:
    late = task("precision", batch_size=64, dim=32, defect="none", view_cosine=0.95)
    ntxent, flat = (precision_statistics(late, flat, 0.03, 0) for flat in (False, True))
    assert ntxent["signal"] < 1e-4
    assert ntxent["gradient_error_bfloat16"] > 0.5 > 0.2 > flat["gradient_error_bfloat16"]
    assert ntxent["gradient_error_float32"] < 0.5


@pytest.mark.parametrize(
    ("measure", "loss"), [("batches", "kcl"), ("precision", "ntxent"), ("points", "infonce")]
)
def test_a_trial_leaves_a_row_and_repeats(measure: str, loss: str) -> None:
    config = TrialConfig(seed=1, loss=LossConfig(name=loss), task=task(measure))
    record, again = run_trial(config), run_trial(config)
    assert record.status == Status.OK, record.error_traceback
    assert (record.task, record.hp_measure, record.hp_defect) == ("diagnostic", measure, "low_rank")
    for name in ("gradient_bias", "gradient_error_float32", "z_uniformity", "loss_population"):
        assert getattr(record, name) == getattr(again, name)
