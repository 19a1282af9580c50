"""A table of results as a user brings it, and what its columns mean."""

import numpy as np
import pandas as pd

ROWS = pd.DataFrame(
    [
        {
            "method": loss,
            "run": run,
            "bs": bs,
            "tau": tau,
            "acc": peak - 0.1 * abs(np.log(tau / 0.2)) - 0.01 * run,
        }
        for loss, peak in (("simclr", 0.7), ("dhel", 0.8))
        for run in (1, 2, 3)
        for bs in (32, 64)
        for tau in (0.1, 0.2, 0.4)
    ]
)


KEYS = {"metric": "acc", "loss": "method", "seed": "run"}
