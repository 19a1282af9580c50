"""Retrieval: orthogonal features are found, features that say nothing score chance."""

import pytest
import torch

from trainables.evaluation import cosine
from trainables.evaluation.retrieval import (
    among_corruptions_accuracy,
    mean_retrieval_accuracy,
    mutual_retrieval_accuracy,
    retrieval_accuracy,
)


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


def test_lengths_matter_to_raw_inner_products_alone() -> None:
    """A long row of the gallery takes every query that is not orthogonal to it."""
    directions = torch.eye(6) + 0.1
    gallery = directions.clone()
    gallery[2] *= 100
    assert retrieval_accuracy(directions, gallery) == 1.0
    assert retrieval_accuracy(directions, gallery, normalised=False) == pytest.approx(1 / 6)


def test_both_ways_are_averaged() -> None:
    z_a, z_b = torch.eye(6) + 0.1, torch.eye(6) + 0.1
    z_b[2] *= (
        100  # taken by all queries of the first views; looking from the second views, each finds its own
    )
    assert mutual_retrieval_accuracy(z_a, z_b, normalised=False) == pytest.approx((1 / 6 + 1) / 2)
    assert mutual_retrieval_accuracy(z_a, z_b, normalised=True) == 1.0


def slow_among_corruptions(z_a: torch.Tensor, z_b: torch.Tensor) -> float:
    """Image by image, as the released code does, without ties."""
    corruptions, images, _ = z_a.shape
    hits = 0
    for image in range(images):
        similarity = z_a[:, image] @ z_b[:, image].T
        for corruption in range(corruptions):
            hits += int(similarity[corruption].argmax()) == corruption
            hits += int(similarity[:, corruption].argmax()) == corruption
    return hits / (2 * corruptions * images)


@pytest.mark.parametrize("normalised", [True, False])
def test_the_released_form_is_that_image_by_image(normalised: bool) -> None:
    generator = torch.Generator().manual_seed(0)
    z_a = torch.randn(5, 40, 7, generator=generator)
    z_b = z_a + torch.randn(5, 40, 7, generator=generator)
    got = among_corruptions_accuracy(z_a, z_b, normalised=normalised)
    if normalised:
        z_a, z_b = (z / z.norm(dim=2, keepdim=True) for z in (z_a, z_b))
    assert got == pytest.approx(slow_among_corruptions(z_a, z_b))
    assert 0.3 < got < 0.95


def test_the_released_form_ignores_what_tells_images_apart() -> None:
    """Corruptions that leave no trace score chance, 1 / C, though every image is found among all images."""
    images = torch.eye(12).expand(4, 12, 12)
    assert among_corruptions_accuracy(images, images, normalised=True) == pytest.approx(1 / 4)
    assert mutual_retrieval_accuracy(images[0], images[0], normalised=True) == 1.0


def test_the_released_form_needs_corruptions_alone() -> None:
    """Projections that tell the corruption and nothing of the image score 1, and chance among all images."""
    corruptions = torch.eye(4)[:, None].expand(4, 12, 4)
    assert among_corruptions_accuracy(corruptions, corruptions, normalised=True) == 1.0
    assert mutual_retrieval_accuracy(corruptions[0], corruptions[0], normalised=True) == pytest.approx(1 / 12)
