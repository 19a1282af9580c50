"""On a GPU, trials that run at the same time give the records of trials that run alone, to the bit."""

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch

from tests.trainables.device.concurrent_trials import CONFIGS, DROPPING, group_of, results, run, sized, unit
from trainables.config import TrialConfig
from trainables.runtime import Runtime
from trainables.trial import run_trial

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")]


def check_alone(configs: Sequence[TrialConfig], store: Path, execution: str) -> None:
    group = group_of(store, execution=execution)
    records = run(group, [unit(config) for config in configs])
    group.close()
    by_id = {record.trial_id: results(record) for record in records}
    for config in configs:
        alone = run_trial(config, runtime=Runtime(device="cuda", execution=execution))
        assert by_id[alone.trial_id] == results(alone)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("execution", ["eager", "graphed", "compiled_graphed"])
def test_trials_on_a_gpu_give_the_records_that_they_give_alone(
    tmp_path: Path, execution: str, precision: str
) -> None:
    configs = [sized(each, each.task.training.batch_size, precision=precision) for each in CONFIGS]
    check_alone(configs, tmp_path, execution)


@pytest.mark.parametrize("execution", ["eager", "graphed"])
def test_trials_with_dropout_draw_what_they_draw_alone(tmp_path: Path, execution: str) -> None:
    check_alone(DROPPING, tmp_path, execution)
