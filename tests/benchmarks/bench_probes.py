"""Speed of the evaluation, on one thread: `python -m tests.benchmarks.bench_probes`.

Side by side in one run: the quickstart's suite of probes against scikit-learn's estimators, one fit a label draw, at
their default tolerance and at one that comes as near to the optimum as ours; the full-batch solve against
scikit-learn and `torch.optim.LBFGS` on features of ResNet-18's size; neighbours and retrieval;
and what each built-in corruption costs an image. On a GPU, where there is one, the solve and the neighbours again.
"""

from collections.abc import Callable
from typing import NoReturn

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from torch import Tensor
from torch.nn import functional as F

from tests.benchmarks.timing import seconds_each
from trainables.config import DataConfig, EncoderConfig, ProbeConfig
from trainables.datasets.datasets import load_dataset
from trainables.encoders.encoders import build_model
from trainables.evaluation.corruptions.built_in import BUILT_IN, corrupt
from trainables.evaluation.features import EncodedSplits, Labelled
from trainables.evaluation.label_draws import label_draws
from trainables.evaluation.logistic import fit_logistic
from trainables.evaluation.neighbours import knn_accuracy
from trainables.evaluation.retrieval import retrieval_accuracy
from trainables.evaluation.sgd_probe import fit_adam, fit_sgd
from trainables.evaluation.suite import probe_accuracies
from trainables.turns import finish

#: Tolerances of scikit-learn's solver: its default, and one that ends about as near to the optimum as ours.
_TOLERANCES = (1e-4, 1e-6)

_RETRIEVED = 5000


def main() -> None:
    """Print a block a question."""
    torch.set_num_threads(1)
    with threadpool_limits(1):
        _suite()
        _full_solve()
        _similarities()
        _corruptions()


def _suite() -> None:
    """Features of an untrained small_conv on digits: 997 training, 300 validation and 500 test images."""
    data = load_dataset(DataConfig(name="digits"), None)
    seed = torch.Generator().manual_seed(0)
    encoder = EncoderConfig(name="small_conv", width=16, projection_dim=64)
    model = build_model(encoder, channels=1, size=8, seed_generator=seed).eval()
    labelled = {}
    for name, split in data.splits.items():
        with torch.no_grad():
            h, _ = model(torch.tensor(split.images).float() / 255)
        labelled[name] = Labelled(features=h, labels=torch.tensor(split.labels))
    config = ProbeConfig()

    def ours() -> None:
        splits = EncodedSplits(
            labelled=labelled,
            views=_unused,
            corrupted=_unused,
            projected_views=_unused,
            corrupted_views=_unused,
            augmented=_unused,
        )
        finish(probe_accuracies(config, splits, seed=0))

    theirs = [lambda tolerance=each: _scikit_learn_suite(config, labelled, tolerance) for each in _TOLERANCES]
    seconds = seconds_each([ours, *theirs], budget=4.0)
    print(f"suite {config.suite} on digits, {config.draws} draws")
    _table(("this", *(f"scikit-learn, tol {each:g}" for each in _TOLERANCES)), seconds)


def _unused(_: object) -> NoReturn:
    raise AssertionError("this suite needs features of the plain images alone")


def _scikit_learn_suite(config: ProbeConfig, labelled: dict[str, Labelled], tolerance: float) -> None:
    """The same probes, one estimator a fit."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.preprocessing import StandardScaler

    arrays = {name: (split.features.numpy(), split.labels.numpy()) for name, split in labelled.items()}
    scaler = StandardScaler().fit(arrays["train"][0].astype(np.float64))
    scaled = {name: (scaler.transform(features), labels) for name, (features, labels) in arrays.items()}
    features, labels = scaled["train"]
    draws = [*label_draws(labels, 10, config.draws), np.arange(len(labels))]
    solver = {"C": 1 / config.l2, "tol": tolerance, "max_iter": 10_000}
    fits = [(LogisticRegression(**solver).fit(features[rows], labels[rows]), scaled) for rows in draws]
    nearest = KNeighborsClassifier(config.knn_k, metric="cosine", algorithm="brute").fit(*arrays["train"])
    for fit, judged in [*fits, (nearest, arrays)]:
        fit.score(*judged["val"])
        fit.score(*judged["test"])


def _full_solve(n: int = 10_000, d: int = 512, classes: int = 10) -> None:
    """Correlated non-negative features, as after a ReLU, with overlapping classes."""
    from sklearn.linear_model import LogisticRegression

    features, labels = _resnet_like(n, d, classes)
    fresh, truth = _resnet_like(2000, d, classes, seed=1)
    mean, deviation = features.mean(0), features.std(0)
    train, test = (((each - mean) / deviation).double() for each in (features, fresh))
    names: dict[str, Callable[[], object]] = {"this": lambda: fit_logistic(train, labels, l2=1.0)}
    for tolerance in _TOLERANCES:
        solver = LogisticRegression(tol=tolerance, max_iter=10_000)
        names[f"scikit-learn, tol {tolerance:g}"] = lambda solver=solver: solver.fit(
            train.numpy(), labels.numpy()
        )
    names["torch LBFGS, 50 steps"] = lambda: _torch_lbfgs(train, labels, classes)
    raw = Labelled(features=features, labels=labels)
    settings = {"epochs": 20, "weight_decay": 1e-4, "batch_size": 1024, "schedule": "linear"}
    for name, fit, rate in (("probe_sgd", fit_sgd, 0.1), ("probe_adam", fit_adam, 0.01)):
        names[f"{name}, 20 epochs"] = lambda fit=fit, rate=rate: finish(
            fit(raw, lr=rate, order=torch.Generator().manual_seed(0), **settings)
        )
    if torch.cuda.is_available():
        there = train.cuda(), labels.cuda()
        names["this, GPU"] = lambda: fit_logistic(*there, l2=1.0)
    print(f"full-batch solve, n = {n}, d = {d}, {classes} classes")
    _table(tuple(names), seconds_each(list(names.values())))
    accuracy = fit_logistic(train, labels, l2=1.0).accuracy(Labelled(features=test, labels=truth))
    print(f"    accuracy on fresh images {accuracy:.4f}")


def _resnet_like(n: int, d: int, classes: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    fixed, drawn = torch.Generator().manual_seed(7), torch.Generator().manual_seed(seed)
    centres, mixing = torch.randn(classes, 64, generator=fixed), torch.randn(64, d, generator=fixed) / 8
    labels = torch.randint(classes, (n,), generator=drawn)
    hidden = 0.6 * centres[labels] + torch.randn(n, 64, generator=drawn)
    return F.relu(hidden @ mixing + 0.5 * torch.randn(n, d, generator=drawn)), labels


def _torch_lbfgs(features: Tensor, labels: Tensor, classes: int) -> None:
    """The usual way in torch: a linear layer, autograd, `torch.optim.LBFGS`."""
    layer = torch.nn.Linear(features.shape[1], classes).double()
    solver = torch.optim.LBFGS(layer.parameters(), max_iter=50, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        solver.zero_grad()
        loss = F.cross_entropy(layer(features), labels, reduction="sum") + layer.weight.square().sum() / 2
        loss.backward()
        return loss

    solver.step(closure)


def _similarities(queries: int = 2000, n: int = 20_000, d: int = 512) -> None:
    from sklearn.neighbors import KNeighborsClassifier

    features, labels = _resnet_like(n, d, 10)
    fresh, truth = _resnet_like(queries, d, 10, seed=1)
    train, judged = Labelled(features=features, labels=labels), Labelled(features=fresh, labels=truth)
    theirs = KNeighborsClassifier(20, metric="cosine", algorithm="brute").fit(features, labels)
    calls: dict[str, Callable[[], object]] = {
        "matrix product alone": lambda: fresh @ features.mT,
        "knn": lambda: knn_accuracy(train, judged, ProbeConfig()),
        "knn, Euclidean": lambda: knn_accuracy(train, judged, ProbeConfig(knn_distance="euclidean")),
        "knn, weighted": lambda: knn_accuracy(train, judged, ProbeConfig(knn_weights="exponential")),
        "scikit-learn's knn": lambda: theirs.score(fresh, truth),
        "its matrix product alone": lambda: features[:_RETRIEVED] @ features[-_RETRIEVED:].mT,
        "retrieval": lambda: retrieval_accuracy(features[:_RETRIEVED], features[-_RETRIEVED:]),
    }
    if torch.cuda.is_available():
        there = [
            Labelled(features=each.features.cuda(), labels=each.labels.cuda()) for each in (train, judged)
        ]
        calls["knn, GPU"] = lambda: knn_accuracy(*there, ProbeConfig())
    print(f"{queries} queries among {n} rows, d = {d}; retrieval of {_RETRIEVED} among {_RETRIEVED}")
    _table(tuple(calls), seconds_each(list(calls.values())))


def _corruptions() -> None:
    print("corruption       | microseconds an image at 8x8 grey, 32x32 and 224x224 colour")
    rng = np.random.default_rng(0)
    sizes = [(500, 1, 8), (500, 3, 32), (16, 3, 224)]
    images = [rng.integers(0, 256, (n, channels, size, size), dtype=np.uint8) for n, channels, size in sizes]
    for name in BUILT_IN:
        calls = [lambda each=each, name=name: corrupt(each, name, 3, "test") for each in images]
        micros = [1e6 * s / len(each) for s, each in zip(seconds_each(calls), images, strict=True)]
        print(f"{name:16} | " + " ".join(f"{value:8.0f}" for value in micros))


def _table(names: tuple[str, ...], seconds: list[float]) -> None:
    for name, value in zip(names, seconds, strict=True):
        print(f"    {name:24} {value * 1e3:9.1f} ms  {value / seconds[0]:6.2f} times the first")


if __name__ == "__main__":
    main()
