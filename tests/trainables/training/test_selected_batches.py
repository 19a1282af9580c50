"""Selected batches of images: chosen by the network in training, taken up again anywhere, and paid for."""

import dataclasses
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from tests.trainables.tiny_trial import tiny
from tests.trainables.training.small import member, small_model, train
from trainables.config import DataConfig, SelectionConfig
from trainables.datasets.datasets import load_dataset
from trainables.losses import build_loss
from trainables.selection.kinds import METHODS
from trainables.selection.methods import build_selection
from trainables.selection.rounds import resolve_round
from trainables.training.checkpoint import Checkpoint
from trainables.training.member import Member
from trainables.training.selected_batches import CandidateEmbeddings, SelectedBatches
from trainables.training.trials import torch_images
from trainables.trial import run_trial, run_trials
from trainables.views.batched import build_views

OSGD = SelectionConfig(method="osgd", pool=2, keep=1)
SPECTRAL = SelectionConfig(method="spectral", pool=2)
FIXED = SelectionConfig(method="fixed")


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


class FixedEmbeddings:
    """Embeddings of 20 pairs that do not move, with a note of the rows that were asked for."""

    def __init__(self) -> None:
        self.z = F.normalize(torch.randn(2, 20, 4, generator=seeded(7)), dim=2)
        self.asked: list[list[int]] = []

    def __call__(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        self.asked.append(rows.tolist())
        return self.z[0, rows], self.z[1, rows]


def batches(config: SelectionConfig, embed: FixedEmbeddings, seed: int = 0) -> SelectedBatches:
    selection = build_selection(config, 20, 4, build_loss("infonce"))
    refresh = resolve_round(config, 20, 4).refresh
    return SelectedBatches(selection, seeded(seed), embed, refresh=refresh)


def test_batches_are_those_of_the_selection() -> None:
    config, embed = SelectionConfig(method="osgd", pool=5, keep=2), FixedEmbeddings()
    order, generator = batches(config, embed), seeded()
    selection = build_selection(config, 20, 4, build_loss("infonce"))
    for _ in range(3):
        drawn = selection.draw(generator)
        for expected in selection.choose(drawn, embed.z[0, drawn], embed.z[1, drawn], generator):
            assert torch.equal(order.next(), expected)
    assert (order.samples, len(embed.asked)) == (60, 3)
    assert order.seconds > 0


def test_a_refresh_chooses_for_several_rounds_at_once() -> None:
    config, embed = SelectionConfig(method="osgd", pool=5, keep=2, refresh=6), FixedEmbeddings()
    order = batches(config, embed)
    for _ in range(7):
        order.next()
    assert [len(rows) for rows in embed.asked] == [60, 60]
    assert order.samples == 120


@pytest.mark.parametrize("method", METHODS)
def test_it_goes_on_where_it_was_left(method: str) -> None:
    config = SelectionConfig(method=method, pool=3 if method in ("osgd", "spectral") else None)
    whole = batches(config, FixedEmbeddings())
    expected = [whole.next() for _ in range(7)]
    for left_at in range(7):
        interrupted, fresh = batches(config, FixedEmbeddings()), batches(config, FixedEmbeddings(), seed=3)
        for _ in range(left_at):
            interrupted.next()
        fresh.next()  # wherever it was
        fresh.restore(interrupted.state())
        for batch in expected[left_at:]:
            assert torch.equal(fresh.next(), batch)
        assert fresh.samples == whole.samples


def selecting(selection: SelectionConfig, seed: int = 0, **changes: object) -> Member:
    return dataclasses.replace(member(seed, **changes), selection=selection)


def weights(trained: Member) -> Tensor:
    return torch.cat([value.detach().flatten().double() for value in trained.model.state_dict().values()])


def test_the_cost_of_selection_is_counted() -> None:
    """Of 20 images in batches of 8: two candidates a round, one or both of them trained on, for 5 steps."""
    embedded = {}
    for name, config in {"osgd": OSGD, "spectral": SPECTRAL, "shuffle": SelectionConfig()}.items():
        (facts,) = train([selecting(config)])
        assert (facts.steps_done, facts.samples_seen) == (5, 40)
        assert (facts.seconds_selection > 0) == (name != "shuffle")
        assert facts.seconds_selection <= facts.seconds_pretrain
        embedded[name] = facts.samples_selection
    assert embedded == {"osgd": 5 * 16, "spectral": 3 * 16, "shuffle": 0}


def test_a_budget_in_samples_counts_what_is_embedded() -> None:
    (facts,) = train([selecting(OSGD, steps=None, samples=5 * 24)])
    assert facts.steps_planned == facts.steps_done == 5
    assert facts.samples_seen + facts.samples_selection == 5 * 24


def test_shuffle_and_fixed_train_one_network_in_the_first_epoch() -> None:
    """The null control of the machinery: in the first epoch, two steps long, they are one method."""
    ends = [selecting(SelectionConfig(method=name), steps=2) for name in ("shuffle", "fixed")]
    for each in ends:
        train([each])
    assert torch.equal(weights(ends[0]), weights(ends[1]))


def test_embedding_leaves_the_network_and_its_views_alone() -> None:
    model = small_model().train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    images = torch_images(load_dataset(DataConfig(name="digits", train_limit=20), None).train.images)
    embed = CandidateEmbeddings(
        network=model,
        images=images,
        views=build_views("digits", channels=1, size=8),
        generator=seeded(),
        device=torch.device("cpu"),
        autocast=lambda: torch.autocast("cpu", enabled=False),
    )
    z_a, z_b = embed(torch.arange(7))
    torch.testing.assert_close(z_a.norm(dim=1), torch.ones(7))
    assert z_a.shape == z_b.shape == (7, 8)
    assert not torch.equal(z_a, z_b)
    assert not z_a.requires_grad
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_long_candidate_lists_are_embedded_in_even_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []

    class Counts(CandidateEmbeddings):
        def _embed(self, images: Tensor) -> tuple[Tensor, Tensor]:
            sizes.append(len(images))
            return super()._embed(images)

    monkeypatch.setattr("trainables.training.selected_batches._PAIRS_A_PASS", 5)
    images = torch_images(load_dataset(DataConfig(name="digits", train_limit=20), None).train.images)
    embed = Counts(
        network=small_model(),
        images=images,
        views=build_views("digits", channels=1, size=8),
        generator=seeded(),
        device=torch.device("cpu"),
        autocast=lambda: torch.autocast("cpu", enabled=False),
    )
    z_a, _ = embed(torch.arange(11))
    assert sizes == [4, 4, 3]
    assert len(z_a) == 11


class _StoppedError(Exception):
    pass


@pytest.mark.parametrize("config", [OSGD, SPECTRAL, FIXED], ids=lambda config: config.method)
def test_training_goes_on_after_a_stop_as_if_nothing_had_been(
    config: SelectionConfig, tmp_path: Path
) -> None:
    """Stopped in the middle of a round: what was chosen before must not be chosen anew."""
    uninterrupted = selecting(config, steps=9)
    (expected,) = train([uninterrupted])

    def stop_at_four(facts: dict[str, object]) -> None:
        if facts["step"] == 4:
            raise _StoppedError

    place = Checkpoint(folder=tmp_path, pretrain_ids=("a",), every_seconds=0.0)
    with pytest.raises(_StoppedError):
        train([selecting(config, steps=9)], stop_at_four, checkpoint=place)
    steps: list[int] = []
    resumed = selecting(config, steps=9)
    (facts,) = train([resumed], lambda told: steps.append(told["step"]), checkpoint=place)
    assert steps[0] == 4
    assert torch.equal(weights(resumed), weights(uninterrupted))
    assert facts.samples_selection == expected.samples_selection


def test_members_that_look_at_their_network_are_not_stacked() -> None:
    with pytest.raises(ValueError, match="selection osgd: got 2 trials in one stack, must be one trial"):
        train([selecting(OSGD, 0), selecting(OSGD, 1)])
    stacked, alone = ([selecting(FIXED, seed) for seed in (0, 1)] for _ in range(2))
    train(stacked)
    for one, other in zip(stacked, alone, strict=True):
        train([other])
        torch.testing.assert_close(weights(one), weights(other), rtol=1e-4, atol=1e-4)


def test_full_is_for_a_batch_of_all_images() -> None:
    full = SelectionConfig(method="full")
    with pytest.raises(
        ValueError, match="batch_size: got 8, must be 20, all training images, for selection full"
    ):
        train([selecting(full)])
    (facts,) = train([selecting(full, batch_size=20)])
    assert facts.samples_seen == 100


def test_a_network_that_leaves_the_finite_numbers_diverges_under_every_selection() -> None:
    for config in (OSGD, SPECTRAL):
        (facts,) = train([selecting(config, lr=1e30, steps=30)])
        assert facts.diverged


def test_a_record_says_how_its_batches_were_selected_and_at_what_cost() -> None:
    config = tiny()
    task = dataclasses.replace(config.task, selection=SelectionConfig(method="osgd", pool=6, keep=3))
    record = run_trial(dataclasses.replace(config, task=task))
    assert (record.status, record.hp_selection) == ("ok", "osgd"), record.error_traceback
    assert (record.hp_pool, record.hp_keep, record.hp_refresh) == (6, 3, None)
    assert (record.samples_seen, record.samples_selection) == (6 * 16, 2 * 6 * 16)
    assert record.seconds_selection is not None
    assert record.seconds_selection > 0
    plain = run_trial(config)
    assert (plain.hp_selection, plain.samples_selection, plain.seconds_selection) == ("shuffle", 0, 0.0)
    assert plain.trial_id != record.trial_id


@pytest.mark.parametrize("selection", [OSGD, SPECTRAL], ids=lambda config: config.method)
def test_a_selecting_trial_repeats_to_the_bit(selection: SelectionConfig) -> None:
    config = tiny()
    config = dataclasses.replace(config, task=dataclasses.replace(config.task, selection=selection))
    first, second = (run_trials([config], attempts=[0]) for _ in range(2))
    (one,), (other,) = first, second
    assert one.status == "ok", one.error_traceback
    assert (one.train_loss_last, one.z_alignment) == (other.train_loss_last, other.z_alignment)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("selection", [OSGD, SPECTRAL], ids=lambda config: config.method)
def test_graphed_steps_select_what_eager_ones_do(selection: SelectionConfig) -> None:
    def on_gpu() -> Member:
        each = selecting(selection, steps=6)
        each.model.cuda()
        return each

    graphed, eager = on_gpu(), on_gpu()
    (one,), (other,) = train([graphed], execution="graphed", device="cuda"), train([eager], device="cuda")
    torch.testing.assert_close(weights(graphed), weights(eager), rtol=1e-4, atol=1e-4)
    assert one.samples_selection == other.samples_selection
