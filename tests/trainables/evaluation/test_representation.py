"""Metrics of both layers as record columns, and what a dead layer leaves."""

import pytest
import torch

from trainables.evaluation.representation import representation_metrics
from trainables.metrics.effective_rank import effective_rank
from trainables.store.schema import TrialRecord


def layers(seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return 5 * torch.randn(50, 6, generator=generator), torch.randn(50, 4, generator=generator)


def test_every_metric_has_a_column() -> None:
    columns = representation_metrics(layers(0), layers(1), layers(2))
    assert set(columns) <= set(TrialRecord.__dataclass_fields__)
    assert {"h_alignment", "z_uniformity", "z_wasserstein_uniformity", "h_effective_rank", "z_dim"} <= set(
        columns
    )
    assert (columns["h_dim"], columns["z_dim"]) == (6, 4)


def test_metrics_are_those_of_unit_norm_rows() -> None:
    h, z = layers(0)
    columns = representation_metrics((h, z), (h, z), (3 * h, z))
    assert columns["h_alignment"] == pytest.approx(0, abs=1e-10)
    assert columns["h_effective_rank"] == pytest.approx(
        effective_rank(h / h.norm(dim=1, keepdim=True)), rel=1e-5
    )


def test_a_dead_layer_has_no_metrics_and_spoils_nothing() -> None:
    h, z = layers(0)
    columns = representation_metrics((torch.zeros_like(h), z), (h, z), (h, z))
    assert "h_effective_rank" not in columns
    assert columns["h_dim"] == 6
    assert "z_effective_rank" in columns
