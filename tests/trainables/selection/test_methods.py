"""Each way of selecting batches does what it states, and agrees with a slow implementation."""

import itertools
from collections import Counter

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from tests.reference.selection import highest_losses
from trainables.config import SelectionConfig
from trainables.losses import build_loss
from trainables.selection.kinds import LOOKING_METHODS, METHODS
from trainables.selection.methods import SELECTIONS, Selector, build_selection, build_selector
from trainables.selection.osgd import batch_losses
from trainables.training.batches import BatchOrder


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def views(n: int, *, seed: int = 0, d: int = 5) -> tuple[Tensor, Tensor]:
    drawn = torch.randn(2, n, d, generator=seeded(seed))
    z_a, z_b = F.normalize(drawn, dim=2)
    return z_a, z_b


def selector(
    method: str, n: int, batch_size: int, *, seed: int = 0, loss: object = None, **config: int
) -> Selector:
    built = loss or build_loss("infonce", temperature=0.5)
    return build_selector(SelectionConfig(method=method, **config), n, batch_size, built, seeded(seed))


def test_every_method_is_in_the_catalogue() -> None:
    assert tuple(SELECTIONS) == METHODS
    assert tuple(name for name, method in SELECTIONS.items() if method.looks) == LOOKING_METHODS


def test_full_is_one_batch_of_all() -> None:
    whole = selector("full", 7, 3)
    assert whole.next_batches(*views(7)).tolist() == [list(range(7))]


def test_fixed_is_one_partition_for_ever() -> None:
    fixed = selector("fixed", 11, 3)
    first, second = (fixed.next_batches(*views(11, seed=seed)) for seed in (0, 1))
    assert first.shape == (3, 3)
    assert len(set(first.flatten().tolist())) == 9  # and the same two pairs are always left over
    assert torch.equal(first, second)
    assert not torch.equal(first, selector("fixed", 11, 3, seed=1).next_batches(*views(11)))


def test_shuffle_is_a_new_partition_each_round() -> None:
    shuffle = selector("shuffle", 11, 3)
    rounds = [shuffle.next_batches(*views(11)) for _ in range(40)]
    assert all(len(set(batches.flatten().tolist())) == 9 for batches in rounds)
    assert not torch.equal(rounds[0], rounds[1])
    assert {pair for batches in rounds for pair in batches.flatten().tolist()} == set(range(11))


def test_shuffle_is_the_order_that_images_have_always_had() -> None:
    order, shuffle = BatchOrder(11, 3, seeded()), selector("shuffle", 11, 3)
    for batch in torch.cat([shuffle.next_batches(*views(11)) for _ in range(3)]):
        assert torch.equal(order.next(), batch)


def test_all_subsets_has_every_batch_once() -> None:
    everything = selector("all_subsets", 6, 3)
    first, second = (everything.next_batches(*views(6)) for _ in range(2))
    expected = Counter(itertools.combinations(range(6), 3))
    for batches in (first, second):
        assert Counter(tuple(sorted(batch)) for batch in batches.tolist()) == expected
    assert not torch.equal(first, second)


@pytest.mark.parametrize("loss", ["infonce", "dhel", "kcl", "flatnce"])
@pytest.mark.parametrize(("pool", "keep"), [(2, 1), (4, 4), (70, 5)])
def test_osgd_keeps_the_highest_losses(loss: str, pool: int, keep: int) -> None:
    """All C(8, 4) = 70 batches among them; FlatNCE by log xi, since its value is 1 for every batch."""
    z_a, z_b = views(8)
    built = build_loss(loss)
    selection = build_selection(SelectionConfig(method="osgd", pool=pool, keep=keep), 8, 4, built)
    drawn = selection.draw(seeded()).tolist()
    assert len({tuple(sorted(batch)) for batch in drawn}) == pool
    chosen = selector("osgd", 8, 4, loss=built, pool=pool, keep=keep).next_batches(z_a, z_b).tolist()
    assert chosen == highest_losses(drawn, z_a, z_b, lambda a, b: float(built.per_anchor(a, b).mean()), keep)


def test_osgd_draws_disjoint_batches_while_they_fit() -> None:
    selection = build_selection(SelectionConfig(method="osgd", pool=5, keep=1), 11, 2)
    generator = seeded()
    for _ in range(5):
        assert len(set(selection.draw(generator).flatten().tolist())) == 10


def test_osgd_draws_from_several_shuffles_where_there_are_too_many_batches_to_list() -> None:
    selection = build_selection(SelectionConfig(method="osgd", pool=7, keep=1), 60, 20)
    drawn = selection.draw(seeded())
    assert drawn.shape == (7, 20)
    assert len(set(drawn[:3].flatten().tolist())) == len(set(drawn[3:6].flatten().tolist())) == 60
    assert all(len(set(batch)) == 20 for batch in drawn.tolist())


def test_osgd_of_a_loss_of_ones_own_goes_by_its_value() -> None:
    def spread(z_a: Tensor, z_b: Tensor) -> Tensor:
        assert z_a.ndim == 2
        return (z_a - z_b).square().sum()

    z_a, z_b = views(12)
    selection = build_selection(SelectionConfig(method="osgd", pool=6, keep=2), 12, 2, spread)
    chosen = selector("osgd", 12, 2, loss=spread, pool=6, keep=2).next_batches(z_a, z_b).tolist()
    assert chosen == highest_losses(
        selection.draw(seeded()).tolist(), z_a, z_b, lambda a, b: float(spread(a, b)), 2
    )


def test_osgd_takes_the_first_of_equal_losses_and_notices_what_is_no_number() -> None:
    z = F.normalize(torch.ones(8, 3), dim=1)
    drawn = build_selection(SelectionConfig(method="osgd", pool=4, keep=2), 8, 2).draw(seeded())
    assert torch.equal(selector("osgd", 8, 2, pool=4, keep=2).next_batches(z, z), drawn[:2])
    broken = z.clone()
    broken[drawn[3]] = torch.nan
    chosen = selector("osgd", 8, 2, pool=4, keep=1).next_batches(broken, broken)
    assert torch.equal(chosen[0], drawn[3])


def test_batch_losses_in_blocks_are_those_in_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    z_a, z_b = (z.view(6, 4, 5) for z in views(24))
    whole = batch_losses(build_loss("ntxent"), z_a, z_b)
    monkeypatch.setattr("trainables.selection.osgd._BLOCK", 40)
    torch.testing.assert_close(batch_losses(build_loss("ntxent"), z_a, z_b), whole)


@pytest.mark.parametrize("method", METHODS)
def test_a_stack_has_the_batches_of_its_members(method: str) -> None:
    many = [views(8, seed=seed) for seed in range(3)]
    z_a, z_b = (torch.stack(each) for each in zip(*many, strict=True))
    losses = [build_loss("infonce", temperature=temperature) for temperature in (0.1, 0.5, 1.0)]
    own = build_selector(SelectionConfig(method=method), 8, 2, losses, [seeded(seed) for seed in range(3)])
    shared = selector(method, 8, 2)
    alone = [selector(method, 8, 2, seed=seed, loss=losses[seed]) for seed in range(3)]
    with_one = [selector(method, 8, 2) for _ in range(3)]
    for _ in range(3):
        assert torch.equal(
            own.next_batches(z_a, z_b),
            torch.stack([each.next_batches(*z) for each, z in zip(alone, many, strict=True)]),
        )
        assert torch.equal(
            shared.next_batches(z_a, z_b),
            torch.stack([each.next_batches(*z) for each, z in zip(with_one, many, strict=True)]),
        )


@pytest.mark.parametrize("method", METHODS)
def test_the_generator_is_all_that_the_next_round_depends_on(method: str) -> None:
    generator, z = seeded(), views(9)
    built = build_selector(SelectionConfig(method=method), 9, 2, build_loss("infonce"), generator)
    built.next_batches(*z)
    state = generator.get_state()
    expected = [built.next_batches(*z) for _ in range(2)]
    fresh = seeded(5)
    fresh.set_state(state)
    again = build_selector(SelectionConfig(method=method), 9, 2, build_loss("infonce"), fresh)
    assert all(torch.equal(again.next_batches(*z), batches) for batches in expected)


def test_embeddings_of_other_pairs_are_refused() -> None:
    with pytest.raises(ValueError, match=r"z_a: got shape \(7, 5\); allowed is \(8, d\) or \(K, 8, d\)"):
        selector("shuffle", 8, 2).next_batches(*views(7))
    two = build_selector(SelectionConfig(), 8, 2, build_loss("infonce"), [seeded(0), seeded(1)])
    with pytest.raises(ValueError, match=r"z_a: got shape \(8, 5\); allowed is \(2, 8, d\)"):
        two.next_batches(*views(8))
