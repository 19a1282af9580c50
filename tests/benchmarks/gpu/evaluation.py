"""Time of the papers' evaluation of a frozen encoder: features and metrics, then each probe."""

import time

from study.bench.timing import wait_for
from tests.benchmarks.gpu.rows import Row, Rows
from tests.benchmarks.gpu.settings import Settings
from trainables.datasets.datasets import load_dataset
from trainables.evaluation.evaluate import evaluate
from trainables.training.trials import build_member
from trainables.turns import Turn

_SUITE = ("probe_sgd", "knn", "probe_full")

_TARGET_SECONDS = 5

_ROUNDS = 2


def evaluation(settings: Settings) -> Rows:
    """Seconds of each stage on a network with random weights, for the first trial of a process and for the next."""
    runtime = settings.runtime()
    data = load_dataset(settings.trial(256, steps=1).task.data, settings.data_root)
    for number in range(1, _ROUNDS + 1):
        for probe in _SUITE:
            config = settings.trial(256, suite=(probe,), steps=1)
            model = build_member(config, data, settings.device).model.eval()
            wait_for(settings.torch_device)
            started = time.perf_counter()
            before = 0.0
            for stage in evaluate(model, config, data, runtime):
                if not before and not isinstance(stage, Turn):  # the metrics, which come before the probe
                    wait_for(settings.torch_device)
                    before = time.perf_counter() - started
            seconds = time.perf_counter() - started
            if probe == _SUITE[0]:
                yield Row(what=f"evaluation {number}: features and metrics", value=before, unit="s")
            yield Row(what=f"evaluation {number}: {probe}", value=seconds - before, unit="s")
            if probe == _SUITE[0]:
                yield Row(
                    what=f"evaluation {number}: linear evaluation (features, metrics and {probe})",
                    value=seconds,
                    unit="s",
                    target=f"< {_TARGET_SECONDS}" if settings.on_gpu else "",
                )
