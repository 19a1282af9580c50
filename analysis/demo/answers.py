"""A table of the exact values of the report's scores on the invented study."""

from collections.abc import Sequence

import pandas as pd

from analysis.demo.exact import (
    exact_finished_mean,
    exact_held_out_worst,
    exact_tolerance,
    exact_transfer_regret,
    exact_tuned,
    selection_chances,
)
from analysis.demo.law import DATA, LOSSES, DemoData, DemoLoss
from analysis.demo.noise import Noise

EPS = 0.02


def exact_answers(
    *,
    seeds: int,
    losses: Sequence[DemoLoss] = LOSSES,
    data: Sequence[DemoData] = DATA,
    noise: Noise | None = None,
) -> pd.DataFrame:
    """Columns data, loss, score, value (shares of 1) and how the value was computed; `seeds` is at least two.

    Tuned scores and regrets are those of what one seed's validation selects, scored on another seed. With one seed,
    the table has no such scores.
    """
    used = noise or Noise()
    rows = []
    for item in data:
        on_set = [loss.on(item) for loss in losses]
        best = max(float(loss.cell_means().max()) for loss in on_set)
        for loss in on_set:
            for score, value, found in _scores(loss, best, used, seeds):
                rows.append(
                    {"data": item.name, "loss": loss.label, "score": score, "value": value, "by": found}
                )
    if seeds > 1:
        rows += _regrets(losses, data, used)
    return pd.DataFrame(rows, columns=["data", "loss", "score", "value", "by"])


def _scores(loss: DemoLoss, best: float, noise: Noise, seeds: int) -> list[tuple[str, float, str]]:
    means, failed = loss.cell_means(), loss.failed()
    found = [
        ("mean", float(means.mean()), "closed form"),
        ("mean_finished", exact_finished_mean(means, failed), "closed form"),
        ("tolerance_own_best", exact_tolerance(means, eps=EPS), "closed form"),
        ("tolerance_best_of_all", exact_tolerance(means, eps=EPS, best=best), "closed form"),
        ("best", float(means.max()), "closed form"),
    ]
    if seeds > 1:
        found.append(("tuned", exact_tuned(means, failed, noise), "quadrature"))
        found.append(("worst", exact_held_out_worst(means, failed, noise), "simulation"))
        agreement = selection_chances(means, failed, noise)[means.argmax()]
        found.append(("chance_of_choosing_the_best", float(agreement), "quadrature"))
    return found


def _regrets(losses: Sequence[DemoLoss], data: Sequence[DemoData], noise: Noise) -> list[dict[str, object]]:
    return [
        {
            "data": target.name,
            "loss": loss.label,
            "score": f"transfer_regret_from_{source.name}",
            "value": exact_transfer_regret(
                loss.on(source).cell_means(), loss.on(target).cell_means(), loss.failed(), noise
            ),
            "by": "quadrature",
        }
        for loss in losses
        for source in data
        for target in data
        if source != target
    ]
