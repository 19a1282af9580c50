"""What a report must be told about a study beside its rows: names, axes, declared comparisons."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field

from analysis.claims import Claim
from analysis.metric import Metric
from trainables.store.schema import TrialRecord

Value = bool | int | float | str


@dataclass(frozen=True, kw_only=True)
class AxisInfo:
    """A hyperparameter that varies, and the measure over it that scores integrate by."""

    name: str  # column, such as "hp_temperature"
    label: str = ""  # in words with its unit, such as "batch size, pairs"; the bare column where empty
    measure: str = "log"  # log | linear | each, see `analysis.statistics.weights`
    drawn: str = ""  # measure that points were drawn by, where that was another one
    default: Value | None = None  # the loss's own; also the value of rows that leave the column empty
    #: A column with the measure of this axis by its value, such as hp_kernel, where it decides.
    cases: tuple[str, Mapping[str, str]] = field(default=("", {}))

    @property
    def bare(self) -> str:
        """The column without its prefix, as tables name it."""
        return self.name.removeprefix("hp_")

    @property
    def words(self) -> str:
        """The axis in words, without a unit."""
        return (self.label or self.bare.replace("_", " ")).split(",")[0]

    @property
    def axis_label(self) -> str:
        """The axis in words with its unit."""
        label = self.label or self.words
        return label if "," in label else f"{label} (no unit)"


BATCH_SIZE = AxisInfo(name="hp_batch_size", label="batch size, pairs")


@dataclass(frozen=True, kw_only=True)
class ArmInfo:
    """One arm of a study: a loss with the axes that it is swept over.

    `axes` begin with the x axis of surfaces (batch size), then comes the main axis (temperature or kernel scale);
    what varies further is found in the rows and may be named after these two.
    """

    label: str  # unique in the study; the value of column `arm`
    loss: str  # registered name or import path
    axes: tuple[AxisInfo, ...]
    base_lr: float = float("nan")  # base learning rate, before the batch-size rule
    lr_source: str = ""  # where that rate comes from
    #: Tuned on this study's data and protocol; false for one carried over or set by hand.
    lr_tuned: bool = True
    title: str = ""  # name shown to readers; the label where empty
    whole: str = ""  # label of the arm that this one is a part of; its own where empty
    fixed: Mapping[str, Value] = field(default_factory=dict)  # column: value that sets a part apart

    def __post_init__(self) -> None:
        if len(self.axes) < 2:
            raise ValueError(f"arm {self.label}: got {len(self.axes)} axes; x axis and main axis are needed")

    @property
    def name(self) -> str:
        """The name shown to readers."""
        return self.title or self.label

    @property
    def whole_label(self) -> str:
        """The label of the arm that this is, or is a part of."""
        return self.whole or self.label

    @property
    def x(self) -> AxisInfo:
        """The axis that is drawn along x."""
        return self.axes[0]

    @property
    def main(self) -> AxisInfo:
        """The main axis: the hyperparameter that is the loss's own."""
        return self.axes[1]

    @property
    def main_axis(self) -> str:
        """The main axis' column."""
        return self.main.name

    def axis(self, name: str) -> AxisInfo:
        """The axis of that column; one that nobody declared has the measure `each`."""
        known = {axis.name: axis for axis in self.axes}
        return known.get(name, AxisInfo(name=name, measure="each"))


@dataclass(frozen=True, kw_only=True)
class StudyInfo:
    """A study as its report needs it.

    Pairs in `null_controls` name arms that must not differ; pairs of which an arm is absent are left out.

    Raises `ValueError` for no arms, repeated labels, an unknown reference, or numbers out of range.
    """

    name: str
    metric: Metric
    arms: tuple[ArmInfo, ...]
    seeds: tuple[int, ...]
    reference: str = ""  # label of the arm that others are compared with; see `reference_arm` where empty
    null_controls: tuple[tuple[str, str], ...] = ()
    tolerance: float = 0.02  # eps of the tolerance volume, in raw units of the metric
    rank_metric: str = "z_effective_rank"
    describes: tuple[str, ...] = ()  # metrics of the representation, beside columns z_* and h_*
    imported: bool = False  # trials of another tool: nothing is known of them beyond their table
    environment: str = "data"  # column of data sets; scores of several are kept apart and then related
    drawn: bool = False  # whether the places were drawn from ranges, so that they make no grid
    #: Whether a search chose the places: they crowd where scores are good and tell nothing of the space.
    adaptive: bool = False
    description: str = ""
    task: str = ""
    data: str = ""
    encoder: str = ""
    training: str = ""
    spec_text: str = ""  # the study file
    claims: tuple[Claim, ...] = ()  # of papers, that the study tests

    def __post_init__(self) -> None:
        labels = [arm.label for arm in self.arms]
        if not labels or len(set(labels)) < len(labels):
            raise ValueError(f"arms: got labels {labels}; at least one, each once, is needed")
        if self.reference and self.reference not in labels:
            raise ValueError(f"reference: got {self.reference!r}; allowed are {labels}")
        if not 0 <= self.tolerance < self.metric.span:
            raise ValueError(
                f"tolerance: got {self.tolerance}; allowed is a difference in [0, {self.metric.span})"
            )

    @property
    def ranks_losses(self) -> bool:
        """Whether losses are compared. A study with claims, on a metric that nothing holds out, is about these."""
        return not self.claims or self.metric.held_out

    @property
    def scores(self) -> tuple[str, ...]:
        """The scores that arms are compared in, as `analysis.statistics.compare` names them."""
        return ("tuned",) if self.adaptive else ("tuned", "mean")

    @property
    def x(self) -> AxisInfo:
        """The axis that every arm is drawn over."""
        return self.arms[0].x

    @property
    def x_axis(self) -> str:
        """Its column."""
        return self.x.name

    @property
    def x_label(self) -> str:
        """It in words, with its unit."""
        return self.x.axis_label

    @property
    def reference_arm(self) -> ArmInfo:
        """The arm that others are compared with.

        That of the declared label, else the first whose loss is "infonce" whatever its label, else the first.
        """
        wanted = [arm for arm in self.arms if arm.label == self.reference]
        return (wanted or [arm for arm in self.arms if arm.loss == "infonce"] or list(self.arms))[0]

    def arm(self, label: str) -> ArmInfo:
        """The arm of that label. Raises `KeyError` where there is none."""
        return {arm.label: arm for arm in self.arms}[label]

    def with_arms(self, arms: tuple[ArmInfo, ...], **changes: object) -> "StudyInfo":
        """The same study with other arms."""
        return dataclasses.replace(self, arms=arms, **changes)  # type: ignore[arg-type]


#: Columns of a trial record, in the schema's order.
RECORD_COLUMNS = tuple(TrialRecord.__dataclass_fields__)
