"""Tables of several data sets, each with its own best temperature."""

import numpy as np
import pandas as pd

from analysis.data_sets import DataSetsAnalysis, analyse_data_sets
from analysis.tables.build import table_study
from analysis.tables.mapping import build_mapping

KEYS = {"metric": "acc", "data": "set"}


def rows(best: dict[str, float], *, losses: tuple[str, ...] = ("a", "b"), seeds: int = 3) -> pd.DataFrame:
    """A table of data sets, each with its best temperature; loss b is as good everywhere."""
    return pd.DataFrame(
        [
            {"set": name, "loss": loss, "seed": seed, "batch": batch, "tau": tau, "acc": acc}
            for name, at in best.items()
            for loss in losses
            for seed in range(seeds)
            for batch in (32, 64)
            for tau in (0.1, 0.2, 0.4)
            for acc in [0.8 - (0.1 * abs(np.log2(tau / at)) if loss == "a" else 0.0) + 0.001 * seed]
        ]
    )


def environments(table: pd.DataFrame, **keys: object) -> DataSetsAnalysis:
    return analyse_data_sets(*table_study(table, build_mapping({**KEYS, **keys})))
