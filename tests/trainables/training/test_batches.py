"""Shuffled batches can be continued from any point."""

import torch

from trainables.training.batches import BatchOrder


def order() -> BatchOrder:
    return BatchOrder(20, 8, torch.Generator().manual_seed(0))


def test_an_epoch_sees_every_image_at_most_once() -> None:
    batches = order()
    drawn = [batches.next() for _ in range(4)]
    assert [len(batch) for batch in drawn] == [8, 8, 8, 8]
    first, second = torch.cat(drawn[:2]), torch.cat(drawn[2:])
    assert len(set(first.tolist())) == len(set(second.tolist())) == 16
    assert not torch.equal(first, second)


def test_it_goes_on_where_it_was_left() -> None:
    whole = order()
    expected = [whole.next() for _ in range(7)]
    for left_at in range(7):
        interrupted, fresh = order(), order()
        for _ in range(left_at):
            interrupted.next()
        fresh.next()  # wherever it was
        fresh.restore(interrupted.state())
        for batch in expected[left_at:]:
            assert torch.equal(fresh.next(), batch)
