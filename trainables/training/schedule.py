"""The learning-rate schedule: a peak from the batch-size rule, a linear warm-up, then a decay. Imports no torch."""

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trainables.config import TrainingConfig


def peak_learning_rate(config: "TrainingConfig") -> float:
    """The base learning rate, scaled by the batch-size rule of the config."""
    ratio = config.batch_size / config.lr_reference_batch
    return config.lr * {"none": 1.0, "linear": ratio, "sqrt": math.sqrt(ratio)}[config.lr_rule]


def learning_rate_factor(step: float, total: float, warmup: float = 0, shape: str = "cosine") -> float:
    """Fraction of the peak rate at `step` (from 0) of `total` steps.

    It rises linearly in the first `warmup` steps. Then it is `constant`, or falls by a `cosine` or in a `linear` way
    to zero after the last step, as torch's `CosineAnnealingLR` and `LinearLR` do. After the warm-up, all three
    numbers may be in another unit, such as epochs.
    """
    if step < warmup:
        return (step + 1) / warmup
    done, left = step - warmup, max(1, total - warmup)
    if shape == "constant":
        return 1.0
    if shape == "linear":
        return 1 - done / left
    return 0.5 * (1 + math.cos(math.pi * done / left))


def scheduled_factor(config: "TrainingConfig", step: int, steps: int, images: int) -> float:
    """Fraction of the peak rate at `step` (from 0) of a training of `steps` steps on `images` images.

    The warm-up rises step by step. By epoch, all later steps of an epoch have one factor. The last epoch of a budget
    in steps or samples may be shorter.
    """
    if config.warmup_epochs is None:
        warmup = math.ceil(config.warmup_fraction * steps)
    else:
        warmup = config.warmup_epochs * config.epoch_steps(images)
    if config.schedule_by == "step" or step < warmup:
        return learning_rate_factor(step, steps, warmup, config.lr_schedule)
    an_epoch = config.epoch_steps(images)
    risen = warmup / an_epoch
    epoch = max(step // an_epoch, risen)  # a warm-up may end within an epoch
    return learning_rate_factor(epoch, math.ceil(steps / an_epoch), risen, config.lr_schedule)


def check_warmup(config: "TrainingConfig", steps: int, images: int, budget: str = "the budget") -> None:
    """Raise `ValueError` for a warm-up in epochs that is as long as the budget of `steps` steps, or longer.

    `budget` is the budget in words, for the message.
    """
    an_epoch = config.epoch_steps(images)
    if config.warmup_epochs and config.warmup_epochs * an_epoch >= steps:
        raise ValueError(
            f"training.warmup_epochs: got {config.warmup_epochs}, must be below {budget}: "
            f"{_counted(steps, 'step')}, which {'is' if steps == 1 else 'are'} {_counted(steps / an_epoch, 'epoch')} "
            f"of {_counted(an_epoch, 'step')} at batch size {config.batch_size}"
        )


def _counted(count: float, noun: str) -> str:
    return f"{count:.6g} {noun}{'' if count == 1 else 's'}"
