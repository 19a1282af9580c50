"""The true accuracy of invented losses: a plateau over batch size and main axis, with edges where training fails.

Everything that a study estimates is known here: the optimum, the width, how batch size moves the optimum, and where
runs diverge or collapse.
"""

import dataclasses
from dataclasses import dataclass

import numpy as np

from trainables.store.schema import Status

#: Accuracy of guessing among ten classes, the score of a failed trial.
CHANCE = 0.1
#: Accuracy of a representation that has collapsed.
COLLAPSED = 0.15
#: Batch size for which optima are given, pairs.
AT_BATCH = 128

BATCH_SIZES = (32, 64, 128, 256, 512)
#: Both main axes span the same log-width around their defaults, 0.3 and 2.
TEMPERATURES = tuple(float(value) for value in np.geomspace(0.05, 1.8, 8))
KERNEL_SCALES = tuple(float(value) for value in np.geomspace(1 / 3, 12.0, 8))


@dataclass(frozen=True, kw_only=True)
class DemoLoss:
    """One invented loss: `accuracy` is its exact expectation over seeds."""

    label: str
    title: str
    peak: float  # accuracy at the optimum, batch size 128
    optimum: float  # of the main axis at batch size 128
    width: float  # of the plateau, in natural logarithms of the main axis
    drift: float = 0.0  # of the log optimum, for each e-fold of batch size: the interaction of the axes
    slope: float = 0.0  # loss of accuracy for each e-fold of batch size away from 128
    diverges_below: float = 0.0  # of the main axis
    collapses_above: float = np.inf  # of the main axis
    main_axis: str = "hp_temperature"

    @property
    def values(self) -> tuple[float, ...]:
        """The grid of the main axis."""
        return KERNEL_SCALES if self.main_axis == "hp_t" else TEMPERATURES

    @property
    def default(self) -> float:
        """The default of the main axis, the middle of its span."""
        return 2.0 if self.main_axis == "hp_t" else 0.3

    def accuracy(self, batch_size: np.ndarray, value: np.ndarray) -> np.ndarray:
        """Expected accuracy of a trial; chance for a diverged one.

        `chance + (peak - chance) exp(-z^4 / 2) - slope |ln(b / 128)|`,
        `z = (ln(y / optimum) - drift ln(b / 128)) / width`.
        """
        folds = np.log(np.asarray(batch_size) / AT_BATCH)
        z = (np.log(np.asarray(value) / self.optimum) - self.drift * folds) / self.width
        plateau = CHANCE + (self.peak - CHANCE) * np.exp(-(z**4) / 2) - self.slope * np.abs(folds)
        with_collapse = np.where(self.collapsed(value), COLLAPSED, plateau)
        return np.where(self.diverged(value), CHANCE, with_collapse)

    def diverged(self, value: np.ndarray) -> np.ndarray:
        """Whether trials at these main-axis values diverge."""
        return np.asarray(value) < self.diverges_below

    def collapsed(self, value: np.ndarray) -> np.ndarray:
        """Whether trials at these main-axis values finish with a representation of effective rank near 1."""
        return np.asarray(value) > self.collapses_above

    def status(self, value: np.ndarray) -> np.ndarray:
        """Status of trials at these main-axis values."""
        return np.where(self.diverged(value), str(Status.DIVERGED), str(Status.OK))

    def grid(self) -> tuple[np.ndarray, np.ndarray]:
        """Batch size and main axis of every cell, `(C,)` each, the main axis fastest."""
        sizes, values = np.meshgrid(BATCH_SIZES, self.values, indexing="ij")
        return sizes.ravel(), values.ravel()

    def cell_means(self) -> np.ndarray:
        """Expected accuracy of every cell, `(C,)`."""
        return self.accuracy(*self.grid())

    def failed(self) -> np.ndarray:
        """Cells `(C,)` whose trials diverge."""
        return self.diverged(self.grid()[1])

    def on(self, data: "DemoData") -> "DemoLoss":
        """The same loss on a data set."""
        return dataclasses.replace(
            self, peak=self.peak - data.harder, optimum=self.optimum * data.optimum_factor
        )


@dataclass(frozen=True, kw_only=True)
class DemoData:
    """An invented data set: how it changes every loss."""

    name: str
    harder: float = 0.0  # subtracted from every peak
    optimum_factor: float = 1.0  # multiplies every optimum


LOSSES = (
    DemoLoss(
        label="infonce", title="Loss A", peak=0.86, optimum=0.2, width=1.6, drift=0.15, slope=0.010,
        diverges_below=0.06,
    ),
    DemoLoss(label="dhel", title="Loss B", peak=0.87, optimum=0.3, width=2.8, slope=0.003),
    DemoLoss(
        label="kcl", title="Loss C", peak=0.86, optimum=1.6, width=2.2, slope=0.004, collapses_above=10.0,
        main_axis="hp_t",
    ),
    DemoLoss(label="dcl", title="Loss D", peak=0.865, optimum=0.25, width=2.0, drift=-0.1, slope=0.006),
    DemoLoss(label="flatnce", title="Loss D again", peak=0.865, optimum=0.25, width=2.0, drift=-0.1, slope=0.006),
)  # fmt: skip
#: Two losses that are the same method: only rounding separates their trials.
NULL_CONTROL = ("dcl", "flatnce")
DATA = (DemoData(name="demo_a"), DemoData(name="demo_b", harder=0.12, optimum_factor=1.6))
