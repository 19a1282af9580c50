"""Stacks hold trials of equal shapes, in even sizes, and every trial once."""

import dataclasses

from study.launch.scheduling import form_stacks, stack_key
from study.spec.tasks.images import network_stack_limit
from tests.trainables.tiny_trial import tiny
from trainables.config import EncoderConfig, ImagesTask, TrialConfig
from trainables.work import WorkUnit


def unit(config: TrialConfig, name: str, **how: bool) -> WorkUnit:
    return WorkUnit(trial_id=name, attempt=0, config=config, title="", **how)


def limit(task: ImagesTask) -> int:
    return network_stack_limit(task, pixels=64)


def with_training(config: TrialConfig, **changes: object) -> TrialConfig:
    training = dataclasses.replace(config.task.training, **changes)
    return dataclasses.replace(config, task=dataclasses.replace(config.task, training=training))


def test_seed_loss_and_rate_may_differ_and_nothing_else() -> None:
    key = stack_key(tiny())
    assert stack_key(tiny("kcl", seed=5, t=1.0)) == key
    assert stack_key(with_training(tiny(), lr=7.0)) == key
    for other in ({"batch_size": 32}, {"steps": 7}, {"momentum": 0.5}, {"precision": "bfloat16"}):
        assert stack_key(with_training(tiny(), **other)) != key


def test_stacks_are_even_and_hold_every_unit_once() -> None:
    units = [unit(tiny(seed=seed), str(seed)) for seed in range(35)]
    stacks = form_stacks(units, 2, limit=limit, stacked=True)
    assert [len(stack) for stack in stacks] == [12, 11, 12]
    assert [each for stack in stacks for each in stack] == units


def test_losses_with_the_same_trials_are_stacked_alike() -> None:
    units = [
        unit(tiny(loss, seed=seed), f"{loss}{seed}") for loss in ("dcl", "flatnce") for seed in range(21)
    ]
    stacks = form_stacks(units, 2, limit=limit, stacked=True)
    assert [[each.config.seed for each in stack] for stack in stacks[:2]] == [
        [each.config.seed for each in stack] for stack in stacks[2:]
    ]


def test_every_worker_gets_a_pack_where_there_are_few() -> None:
    units = [unit(tiny(seed=seed), str(seed)) for seed in range(6)]
    assert [len(stack) for stack in form_stacks(units, 3, limit=limit, stacked=True)] == [2, 2, 2]
    assert len(form_stacks(units[:2], 8, limit=limit, stacked=True)) == 2
    assert form_stacks([], 2, limit=limit, stacked=True) == []


def test_stacking_can_be_switched_off() -> None:
    units = [unit(tiny(seed=seed), str(seed)) for seed in range(6)]
    assert form_stacks(units, 1, limit=limit, stacked=False) == [(each,) for each in units]
    alone = [dataclasses.replace(each, kept=True) for each in units]
    assert form_stacks(alone, 1, limit=limit, stacked=True) == [(each,) for each in alone]


def test_large_batches_images_and_networks_stack_less() -> None:
    task = tiny().task
    assert network_stack_limit(task, 64) == network_stack_limit(task, 256) == 16
    large = with_training(tiny(), batch_size=256).task
    assert network_stack_limit(large, 64) == 2
    assert network_stack_limit(large, 1024) == 1
    assert network_stack_limit(with_training(tiny(), batch_size=4096).task, 64) == 1
    resnet = dataclasses.replace(task, encoder=EncoderConfig(name="resnet18"))
    assert network_stack_limit(resnet, 64) == 1
