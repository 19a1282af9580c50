"""Retrieval: orthogonal features are found, features that say nothing score chance."""

import pytest
import torch

from trainables.evaluation import cosine
from trainables.evaluation.retrieval import mean_retrieval_accuracy, retrieval_accuracy


@pytest.fixture(autouse=True)
def _several_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cosine, "_BLOCK", 200)


def test_orthogonal_features_are_found() -> None:
    assert retrieval_accuracy(5 * torch.eye(30), torch.eye(30)) == 1.0
    assert retrieval_accuracy(torch.eye(30).roll(1, 0), torch.eye(30)) == 0.0


def test_the_share_of_images_found() -> None:
    queries = torch.eye(30)
    queries[:6] = torch.eye(30)[6:12]  # six queries look like other images
    assert retrieval_accuracy(queries, torch.eye(30)) == pytest.approx(24 / 30)


@pytest.mark.parametrize("row", [[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]])
def test_a_collapsed_encoder_scores_chance(row: list[float]) -> None:
    collapsed = torch.tensor([row]).expand(40, 3)
    assert retrieval_accuracy(collapsed, collapsed) == pytest.approx(1 / 40)


def test_ties_count_as_a_choice_at_random() -> None:
    pairs = torch.eye(20).repeat_interleave(2, dim=0)  # each feature belongs to two images
    assert retrieval_accuracy(pairs, pairs) == pytest.approx(1 / 2)


def test_mean_over_sets_of_queries() -> None:
    sets = [torch.eye(8), torch.eye(8).roll(1, 0), torch.eye(8), torch.eye(8)]
    assert mean_retrieval_accuracy(iter(sets), torch.eye(8)) == pytest.approx(0.75)
