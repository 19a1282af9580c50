"""Training on the sphere: plain SGD on raw vectors, alike alone and in a stack, paired by seed."""

import pytest
import torch
from torch.nn import functional as F

from tests.trainables.sphere.small import sphere_trial
from trainables.losses import build_loss
from trainables.sphere.batches import stacked_batches
from trainables.sphere.budget import step_count
from trainables.sphere.training import initial_embeddings, train
from trainables.training.schedule import learning_rate_factor

BLIND = ("full", "fixed", "shuffle", "all_subsets")
METHODS = (*BLIND, "osgd", "spectral")


def ignore(_: object) -> None:
    """A report for nobody."""


def test_it_is_sgd_on_raw_vectors() -> None:
    """The same path as a loop over torch's own optimiser, momentum and schedule included."""
    config = sphere_trial(steps=20, lr=0.7, training={"momentum": 0.8, "lr_schedule": "cosine"})
    z = initial_embeddings(config.task, 0).requires_grad_()
    loss, optimizer = build_loss("infonce"), torch.optim.SGD([z], lr=0.7, momentum=0.8)
    for step in range(20):
        optimizer.param_groups[0]["lr"] = 0.7
        velocity = optimizer.state.get(z, {}).get("momentum_buffer")
        (gradient,) = torch.autograd.grad(loss(*F.normalize(z, dim=-1)), z)
        optimizer.state[z]["momentum_buffer"] = gradient if velocity is None else 0.8 * velocity + gradient
        with torch.no_grad():
            z -= 0.7 * learning_rate_factor(step, 20) * optimizer.state[z]["momentum_buffer"]
    torch.testing.assert_close(train([config], "cpu", ignore).z[0], F.normalize(z.detach(), dim=-1))


@pytest.mark.parametrize(("dim", "published"), [(16, 2.346416), (4, 2.413505)])
def test_full_batches_reach_the_published_optimum(dim: int, published: float) -> None:
    configs = [sphere_trial(seed=seed, dim=dim, temperature=1.0, steps=600, lr=4.0) for seed in range(2)]
    z_a, z_b = train(configs, "cpu", ignore).z.unbind(1)
    both_directions = 2 * build_loss("infonce", temperature=1.0)(z_a, z_b)
    assert both_directions.tolist() == pytest.approx([published] * 2, abs=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_a_trial_ends_alike_alone_and_in_a_stack(method: str) -> None:
    """Up to rounding, whoever shares the stack: other seeds, temperatures and rates."""
    steps = 6 if method == "spectral" else 40
    configs = [
        sphere_trial(seed=seed, selection=method, temperature=t, lr=lr, n_pairs=8, dim=4, steps=steps)
        for seed, t, lr in ((0, 0.5, 1.0), (1, 0.5, 1.0), (1, 1.0, 0.5))
    ]
    stacked = train(configs, "cpu", ignore)
    for index, config in enumerate(configs):
        alone = train([config], "cpu", ignore)
        torch.testing.assert_close(stacked.z[index], alone.z[0], rtol=0, atol=1e-9)
        torch.testing.assert_close(stacked.last[index], alone.last[0], rtol=1e-9, atol=0)


@pytest.mark.parametrize("method", BLIND)
def test_losses_at_one_seed_see_the_same_batches(method: str) -> None:
    task = sphere_trial(selection=method, batch_size=3).task
    losses = [build_loss("infonce", temperature=t) for t in (0.1, 1.0, 1.0)]
    batches = stacked_batches(task, [4, 4, 5], losses)
    seen = [batches.next(lambda: torch.zeros(3, 2, 8, 16)) for _ in range(6)]
    assert all(torch.equal(rows[0], rows[1]) for rows in seen)
    if method != "full":
        assert not all(torch.equal(rows[0], rows[2]) for rows in seen)


def test_what_selection_looks_at_is_counted() -> None:
    looking = train([sphere_trial(selection="osgd", steps=8, batch_size=2)], "cpu", ignore)
    assert looking.samples_selection == 8 * 4 * 2  # of 4 batches of 2 in 8 pairs, the best one, 8 times
    assert looking.seconds_selection > 0
    assert train([sphere_trial(selection="shuffle", steps=8)], "cpu", ignore).samples_selection == 0


def test_initial_embeddings_come_from_the_seed_alone() -> None:
    task, aligned = sphere_trial().task, sphere_trial(init="aligned").task
    z = initial_embeddings(task, 3)
    assert torch.equal(z, initial_embeddings(sphere_trial("kcl", batch_size=4).task, 3))
    assert not torch.equal(z, initial_embeddings(task, 4))
    assert not torch.equal(z[0], z[1])
    assert torch.equal(initial_embeddings(aligned, 3)[0], initial_embeddings(aligned, 3)[1])
    torch.testing.assert_close(z.norm(dim=-1), torch.ones(2, 8, dtype=torch.float64))


def test_budgets_in_samples_pay_for_what_is_looked_at() -> None:
    def steps(method: str) -> int:
        return step_count(
            sphere_trial(selection=method, batch_size=2, steps=None, training={"samples": 80}).task
        )

    assert steps("shuffle") == steps("fixed") == 40
    assert steps("full") == 10
    assert steps("osgd") == 8  # 4 batches looked at and 1 trained on, of 2 pairs each


def test_a_member_that_diverges_leaves_the_others_alone() -> None:
    sound, wild = sphere_trial(steps=30), sphere_trial("tests.study.own_loss:Explodes", how="nan", at=8)
    trained = train([sound, wild], "cpu", ignore)
    assert trained.steps_done.tolist() == [30, 0]
    torch.testing.assert_close(trained.z[0], train([sound], "cpu", ignore).z[0], rtol=0, atol=1e-12)
