"""The metric of a study: the columns that select and report, and how to read their values."""

from dataclasses import dataclass

import numpy as np

from analysis.names import spaced, visible
from trainables.store.schema import METRIC_WORDS

#: Why nothing is chosen in a study that holds out no validation data.
NO_VALIDATION = "no validation data, so nothing could be selected"


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A metric of trials. Statistics use *scores*, for which higher is always better; readers see `shown` values.

    The column that chooses configurations may be another quantity than the reported one, such as a validation loss
    beside a test accuracy. Then it has its own direction, and its own value of a failed trial.

    Raises `ValueError` for bounds in the wrong order or a worst outcome outside of them.
    """

    name: str  # bare, such as "probe10_accuracy"
    worst: float  # raw value of a failed trial: chance for accuracies
    worst_source: str = ""  # where that value comes from, in words
    #: Why that value is a guess, and what to do; "" where it is known. Failures then withhold decisions.
    worst_guess: str = ""
    label: str = ""  # in words, without the unit
    selects: str = ""  # column that chooses configurations; `val_<name>` where empty
    reports: str = ""  # column that is reported; `test_<name>` where empty
    bounds: tuple[float, float] = (0.0, 1.0)  # range of possible raw values
    higher_is_better: bool = True
    selects_higher_is_better: bool | None = None  # of the selecting column; as the reported one where None
    #: Value of a failed trial in the selecting column; `worst` where None.
    worst_selecting: float | None = None
    selecting_scale: float = 1.0  # from values of the selecting column as written to the reported one's unit
    selecting_apart: bool = False  # whether the selecting column is another quantity, with a scale of its own
    #: Why no configuration may be chosen; "" where the selecting column chooses. The reported column then ranks the
    #: worst tenth, and tuned scores are withheld.
    no_choice: str = ""
    factor: float = 100.0  # from raw values to shown ones
    unit: str = "%"  # of shown values, empty for pure numbers
    difference_unit: str = "points"  # of shown differences
    digits: int = 1  # decimals of shown values
    #: Smallest difference of two values, such as 1 / n for an accuracy on n images; 0 where unknown.
    step: float = 0.0

    def __post_init__(self) -> None:
        low, high = self.bounds
        if not low < high:
            raise ValueError(f"bounds: got {self.bounds}; the lower one must come first")
        if not low <= self.worst <= high:
            raise ValueError(f"worst: got {self.worst}; allowed is a value within {self.bounds}")

    @property
    def selecting_column(self) -> str:
        """The column that chooses configurations."""
        return self.selects or f"val_{self.name}"

    @property
    def reporting_column(self) -> str:
        """The column that is reported and never used to choose."""
        return self.reports or f"test_{self.name}"

    @property
    def words(self) -> str:
        """The metric in words."""
        return visible(self.label or METRIC_WORDS.get(self.name, spaced(self.name)))

    @property
    def noun(self) -> str:
        """The metric in one or a few words, for sentences."""
        return "accuracy" if self.name.endswith("accuracy") and not self.label else self.words

    @property
    def reported(self) -> str:
        """The reported metric in words, as "test accuracy"; only its name where it has no test column."""
        return f"test {self.noun}" if self.is_test else self.noun

    @property
    def is_test(self) -> bool:
        """Whether the metric is reported on test data and its name does not say so already."""
        return self.reporting_column.startswith("test_") and not self.noun.startswith("test ")

    @property
    def held_out(self) -> bool:
        """Whether the reported column differs from the one that chooses."""
        return self.selecting_column != self.reporting_column

    @property
    def on_test(self) -> bool:
        """Whether the reported values are those of test data that chooses nothing."""
        return self.held_out or bool(self.no_choice)

    @property
    def chooser(self) -> str:
        """What chooses configurations, in words."""
        return "validation" if self.held_out else "the same metric"

    @property
    def axis_label(self) -> str:
        """The reported metric with its unit, for axes and colour bars."""
        return f"{self.reported}, {self.unit}" if self.unit else self.reported

    @property
    def sign(self) -> float:
        """1, or -1 where lower is better."""
        return 1.0 if self.higher_is_better else -1.0

    @property
    def worst_score(self) -> float:
        """The score of a failed trial."""
        return self.sign * self.worst

    @property
    def chooses_highest(self) -> bool:
        """Whether higher is better in the selecting column."""
        told = self.selects_higher_is_better
        return self.higher_is_better if told is None else told

    @property
    def selecting_sign(self) -> float:
        """1, or -1 where lower is better in the selecting column."""
        return 1.0 if self.chooses_highest else -1.0

    @property
    def worst_selecting_value(self) -> float:
        """The raw value of a failed trial in the selecting column."""
        return self.worst if self.worst_selecting is None else self.worst_selecting

    @property
    def score_bounds(self) -> tuple[float, float]:
        """Lowest and highest possible score."""
        low, high = sorted(self.sign * bound for bound in self.bounds)
        return low, high

    @property
    def span(self) -> float:
        """Largest possible difference of two scores."""
        return self.bounds[1] - self.bounds[0]

    def scores(self, raw: np.ndarray) -> np.ndarray:
        """Raw values as scores, or scores as raw values."""
        return raw if self.higher_is_better else -raw

    def selecting_scores(self, raw: np.ndarray) -> np.ndarray:
        """Raw values of the selecting column as scores."""
        return self.selecting_sign * raw

    def shown(self, score: float) -> float:
        """A score as readers see it."""
        return self.sign * self.factor * score
