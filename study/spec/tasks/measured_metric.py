"""How metrics are read that are neither validation nor test, and of which lower is better."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from analysis.metric import Metric

#: Words and units of what a trial reports; a column's own name, and none, for the others.
_WORDS = {
    "gram_distance": ("distance to the ideal Gram matrix", ""),
    "optimum_gap": ("gap to the known optimum", "nats"),
    "train_loss_full": ("full-batch loss", "nats"),
    "gradient_bias": ("relative bias of the gradient", ""),
    "gradient_variance": ("relative variance of the gradient", ""),
    "z_wasserstein_uniformity": ("Wasserstein distance to the uniform law", ""),
}


def measured_metric(name: str, records: "pd.DataFrame") -> "Metric":
    """A failed trial counts as the worst outcome among the records, as 1 where there is none."""
    from analysis.metric import Metric

    seen = records[name].dropna()
    worst = float(seen.max()) if len(seen) else 1.0
    label, unit = _WORDS.get(name, (name.replace("_", " "), ""))
    return Metric(
        name=name,
        worst=worst,
        label=label,
        selects=name,
        reports=name,
        bounds=(min(0.0, float(seen.min()) if len(seen) else 0.0), max(worst, 1.0)),
        higher_is_better=False,
        factor=1.0,
        unit=unit,
        difference_unit=unit or "units",
        digits=4,
    )
