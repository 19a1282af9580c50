"""Time of the papers' evaluation of a frozen encoder: features and metrics, then each probe."""

import time

from study.bench.timing import wait_for
from tests.benchmarks.gpu.rows import Row, Rows
from tests.benchmarks.gpu.settings import Settings
from trainables.datasets.datasets import load_dataset
from trainables.evaluation.evaluate import evaluate
from trainables.training.trials import build_member

_SUITE = ("probe_sgd", "knn", "probe_full")

_TARGET_SECONDS = 5

_ROUNDS = 2


def evaluation(settings: Settings) -> Rows:
    """Seconds of each stage on a network with random weights, for the first trial of a process and for the next."""
    config, runtime = settings.trial(256, suite=_SUITE, steps=1), settings.runtime()
    data = load_dataset(config.task.data, settings.data_root)
    model = build_member(config, data, settings.device).model.eval()
    for number in range(1, _ROUNDS + 1):
        stages = evaluate(model, config, data, runtime)
        seconds = {}
        for name in ("features and metrics", None, *_SUITE):
            started = time.perf_counter()
            next(stages)
            wait_for(settings.torch_device)
            if name is None:  # the pause before the first probe
                continue
            seconds[name] = time.perf_counter() - started
            yield Row(what=f"evaluation {number}: {name}", value=seconds[name], unit="s")
            if name == "probe_sgd":
                yield Row(
                    what=f"evaluation {number}: linear evaluation (features, metrics and probe_sgd)",
                    value=sum(seconds.values()),
                    unit="s",
                    target=f"< {_TARGET_SECONDS}" if settings.on_gpu else "",
                )
