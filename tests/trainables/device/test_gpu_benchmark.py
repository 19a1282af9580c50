"""The parts of the GPU benchmark that use a GPU go through on the pretended device, also within CUDA graphs."""

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from tests.benchmarks.gpu import checks, evaluation, facts, groups
from tests.benchmarks.gpu.checks import NEEDED, TESTS
from tests.benchmarks.gpu.rows import PASSED, Row, Rows
from tests.benchmarks.gpu.settings import Settings
from tests.trainables.device.device_state import Device


def rows_of(part: Callable[[Settings], Rows], out: Path) -> list[Row]:
    options = {"data_root": None, "out": out, "seconds": 60, "epochs": 1, "execution": "graphed"}
    return list(part(Settings(device="cuda", quick=True, **options)))  # type: ignore[arg-type]


@pytest.mark.slow
def test_each_check_that_auto_needs_passes(cuda: Device, tmp_path: Path) -> None:
    rows = [*rows_of(checks.steps, tmp_path), *rows_of(checks.members, tmp_path)]
    outcomes = {row.check: row.value for row in rows if row.check}
    needed = {name for names in NEEDED.values() for name in names} - {TESTS}
    assert outcomes == dict.fromkeys(needed, PASSED)


@pytest.mark.slow
def test_steps_that_differ_fail_their_check(
    cuda: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build, numbers = checks.build_subject, count(1)
    monkeypatch.setattr(checks, "_STEPS", 3)

    def other_losses(configs, data, runtime):  # type: ignore[no-untyped-def]
        if runtime.execution == "eager":
            return build(configs, data, runtime)
        params = {"temperature": 0.1 * next(numbers)}  # another one in each training
        changed = [replace(each, loss=replace(each.loss, params=params)) for each in configs]
        return build(changed, data, runtime)

    checks._train.cache_clear()
    monkeypatch.setattr(checks, "build_subject", other_losses)
    rows = rows_of(checks.steps, tmp_path)
    checks._train.cache_clear()
    assert {row.value == PASSED for row in rows if row.check} == {False}


@pytest.mark.slow
def test_times_of_groups_and_of_an_evaluation(cuda: Device, tmp_path: Path) -> None:
    rows = rows_of(groups.at_32, tmp_path)
    cases = [(row.execution, row.at_once) for row in rows if row.at_once]
    assert cases == [(mode, count) for mode, counts in groups._CASES.items() for count in counts]
    assert not [row for row in rows if not isinstance(row.value, float)]
    named = {row.what for row in rows_of(evaluation.evaluation, tmp_path)}
    assert "evaluation 2: linear evaluation (features, metrics and probe_sgd)" in named
    device, versions = rows_of(facts.facts, tmp_path)
    assert (device.what, versions.what) == (facts.DEVICE, facts.VERSIONS)
