"""Checks of a GPU. The summary concludes from them which execution mode `auto` may be.

Each outcome is a row whose `check` is a name below and whose value is `passed`, or why not.
"""

import itertools
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from study.bench.subject import build_subject
from tests.benchmarks.gpu.rows import NO_GPU, PASSED, Row, Rows, why
from tests.benchmarks.gpu.settings import Settings
from tests.trainables.device.concurrent_trials import results, run
from trainables.concurrent import ConcurrentGroup
from trainables.datasets.datasets import load_dataset
from trainables.training.precision import matmul_precision
from trainables.trial import run_trial

TESTS = "tests for a GPU"

_REPEAT, _ALONE = "two trainings are equal", "trials of a group are equal to trials alone"

#: The largest relative difference of a loss to that of eager steps, over all steps. In bfloat16, compiled operators
#: round less often.
_TOLERANCES = {"float32": 1e-4, "bfloat16": 2e-2}


def check_name(execution: str, check: str) -> str:
    return f"{execution}: {check}"


def close_to_eager(precision: str) -> str:
    return f"{precision} steps are close to eager ones"


#: The checks that an execution mode needs before `auto` may be it, by mode, the fastest first.
NEEDED = {
    mode: (TESTS, *(check_name(mode, each) for each in (_REPEAT, *map(close_to_eager, _TOLERANCES), _ALONE)))
    for mode in ("compiled_graphed", "graphed", "fused")
}

_REPOSITORY = Path(__file__).resolve().parents[3]

_STEPS = 20

#: The learning rates of trainings that must be equal, and of those that may differ by rounding. From 0.01 on,
#: ResNet-18 turns a change of its weights by 3e-7 into one of the loss by 0.02 within four steps.
_RATE, _SMALL_RATE = 0.1, 1e-5


def tests(settings: Settings) -> Rows:
    """The tests that are marked `gpu`; a row for each that fails."""
    words = ["-p", "no:cacheprovider", "-n", "0", "-m", "gpu", "-v", "--tb=line", "tests/trainables"]
    if not settings.on_gpu:
        words.append("--collect-only")
    command = [sys.executable, "-m", "pytest", *words]
    passed, failed, collected = 0, [], 0
    with subprocess.Popen(command, cwd=_REPOSITORY, stdout=subprocess.PIPE, text=True) as pytest:
        assert pytest.stdout is not None
        for line in pytest.stdout:
            passed += " PASSED" in line
            if found := re.match(r"(\S+::.+?) (?:FAILED|ERROR)", line):
                failed.append(found[1])
                yield Row(what=f"failed: {found[1]}", value=1)
            if found := re.search(r"(\d+)/\d+ tests collected", line):
                collected = int(found[1])
    yield Row(what="tests passed", value=passed, unit="tests")
    outcome = PASSED if passed else "failed: no test ran"
    if not settings.on_gpu:
        yield Row(what="tests collected", value=collected, unit="tests")
        outcome = NO_GPU
    if pytest.returncode:
        outcome = f"failed: {len(failed)} tests, pytest's code {pytest.returncode}"
    yield Row(what=TESTS, value=outcome, check=TESTS)


def steps(settings: Settings) -> Rows:
    """Twenty steps of ResNet-18 twice are equal to the bit, and close to eager ones."""
    for execution in _modes(settings):
        yield from _check(check_name(execution, _REPEAT), partial(_compare_twice, settings, execution))
        if execution == "eager":
            continue
        for precision in _TOLERANCES:
            yield from _closeness(settings, execution, precision)


def members(settings: Settings) -> Rows:
    """Each trial of a group has the record that it has alone, to the bit."""
    for execution in _modes(settings):
        yield from _check(check_name(execution, _ALONE), partial(_compare_alone, settings, execution))


def _modes(settings: Settings) -> Sequence[str]:
    return ("graphed", "compiled_graphed", "fused") if settings.on_gpu else ("eager",)


def _check(name: str, check: Callable[[], str]) -> Rows:
    try:
        wrong = check()
        yield Row(what=name, value=f"failed: {wrong}" if wrong else PASSED, check=name)
    except Exception as error:
        yield Row(what=name, value=f"failed: {why(error)}", check=name)


def _compare_twice(settings: Settings, execution: str) -> str:
    """What differs between two trainings; empty if nothing does."""
    (losses, weights), (others, other_weights) = (
        _train(settings, execution, "bfloat16", _RATE, number) for number in range(2)
    )
    if not torch.equal(losses, others):
        step = int((losses != others).nonzero()[0]) + 1
        return f"the losses differ from step {step} on, by {float((losses - others).abs().max()):.2g} at most"
    if not torch.equal(weights, other_weights):
        return f"the weights differ by {float((weights - other_weights).abs().max()):.2g} at most"
    return "" if losses.isfinite().all() else "a loss is not finite"


def _closeness(settings: Settings, execution: str, precision: str) -> Rows:
    name, tolerance = check_name(execution, close_to_eager(precision)), _TOLERANCES[precision]
    what = f"{execution}, {precision}: largest relative difference of a loss to eager"
    try:
        expected, _ = _train(settings, "eager", precision, _SMALL_RATE)
        found, _ = _train(settings, execution, precision, _SMALL_RATE)
    except Exception as error:
        yield Row(what=name, value=f"failed: {why(error)}", check=name)
        return
    difference = float(((found - expected) / expected).abs().max())
    yield Row(what=what, value=difference, target=f"<= {tolerance}")
    yield Row(what=name, value=PASSED if difference <= tolerance else "failed", check=name)


@cache
def _train(
    settings: Settings, execution: str, precision: str, rate: float, number: int = 0
) -> tuple[torch.Tensor, torch.Tensor]:
    """The losses `(steps,)` and all weights of a training, on the CPU. Equal for each `number`, if steps repeat."""
    config = settings.trial(32, precision=precision, lr=rate, train_images=_few(settings))
    runtime = settings.runtime(execution)
    data = load_dataset(config.task.data, settings.data_root)
    with matmul_precision(precision, settings.torch_device):
        trainer = build_subject([config], data, runtime).trainer(execution)
        for _ in range(_STEPS):
            trainer.advance()
        trainer.finish()
    weights = [each.detach().flatten().cpu() for each in trainer.members[0].model.parameters()]
    return trainer.losses[0, :_STEPS].cpu(), torch.cat(weights)


def _compare_alone(settings: Settings, execution: str) -> str:
    """What differs between the records of a group and of trials alone; empty if nothing does."""
    kinds = zip(("ntxent", "dhel", "kcl"), (32, 64, 32), itertools.count())
    configs = [
        settings.trial(size, seed=seed, loss=loss, steps=_STEPS, train_images=_few(settings))
        for loss, size, seed in kinds
    ]
    with TemporaryDirectory() as folder:
        group = ConcurrentGroup(settings.context(Path(folder), execution, len(configs)))
        records = {each.trial_id: each for each in run(group, [settings.unit(config) for config in configs])}
        group.close()
    for config in configs:
        alone = run_trial(config, runtime=settings.runtime(execution))
        there, here = results(records[alone.trial_id]), results(alone)
        if here["status"] != "ok":
            return f"{config.loss.name}: {here['status']}: {here['error_message']}"
        if wrong := [name for name in here if here[name] != there[name]]:
            name = wrong[0]
            return f"{config.loss.name}: {name} is {there[name]!r} in the group, {here[name]!r} alone"
    return ""


def _few(settings: Settings) -> int:
    return 200 if settings.quick else 2000
