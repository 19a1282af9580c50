"""The description of a study that a report needs beside its rows: names, axes, declared comparisons."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field

from analysis.model.claims import Claim
from analysis.model.meaning import UNNAMED, Meaning
from analysis.model.metric import Metric
from analysis.names import spaced, visible
from analysis.statistics.comparisons.looks import Look
from trainables.store.schema import TrialRecord

Value = bool | int | float | str


@dataclass(frozen=True, kw_only=True)
class AxisInfo:
    """A hyperparameter that varies, and the measure over it for scores that integrate over the space."""

    name: str  # the column, such as "hp_temperature"
    #: In words and, after the last comma, its unit: "batch size, pairs"; the bare column if empty.
    label: str = ""
    measure: str = "log"  # log | linear | each, see `analysis.model.weights`
    drawn: str = ""  # measure from which points were drawn, if it differs
    default: Value | None = None  # default of the loss; also the value of rows where the column is empty
    #: Categories in their order; empty for numbers, and where the values give the order.
    order: tuple[str, ...] = ()
    #: Where another column, such as hp_kernel, decides this axis' measure: that column, and the measure by its value.
    cases: tuple[str, Mapping[str, str]] = field(default=("", {}))
    meaning: Meaning = UNNAMED
    #: Where another column, such as hp_kernel, decides the meaning: that column, and the meaning by its value.
    meanings: tuple[str, Mapping[str, Meaning]] = field(default=("", {}))

    @property
    def bare(self) -> str:
        """The column without its prefix, as in tables."""
        return self.name.removeprefix("hp_")

    @property
    def words(self) -> str:
        """The axis in words, without a unit."""
        text = self.label.rpartition(", ")[0] or self.label if self.label else spaced(self.bare)
        return visible(text)

    @property
    def axis_label(self) -> str:
        """The axis in words, with its unit if it has one."""
        return visible(self.label) if ", " in self.label else self.words


BATCH_SIZE = AxisInfo(name="hp_batch_size", label="batch size, pairs")


@dataclass(frozen=True, kw_only=True)
class ArmInfo:
    """One arm of a study: a loss with the axes over which it varies.

    The first of `axes` is the x axis of surfaces (batch size), the second is the main axis (temperature or kernel
    scale). Other hyperparameters that vary are found in the rows; `axes` may name them after these two.
    """

    label: str  # unique in the study; the value of column `arm`
    loss: str  # registered name or import path
    axes: tuple[AxisInfo, ...]
    base_lr: float = float("nan")  # base learning rate, before the batch-size rule
    lr_source: str = ""  # where that rate comes from
    #: Whether it was tuned on this study's data and protocol; false for a rate from elsewhere or a manual choice.
    lr_tuned: bool = True
    title: str = ""  # name for readers; the label where empty
    whole: str = ""  # label of the arm that this one is a part of; its label where empty
    fixed: Mapping[str, Value] = field(default_factory=dict)  # column: value that distinguishes this part

    def __post_init__(self) -> None:
        if len(self.axes) < 2:
            raise ValueError(f"arm {self.label}: got {len(self.axes)} axes; x axis and main axis are needed")

    @property
    def name(self) -> str:
        """The name for readers."""
        return visible(self.title or self.label)

    @property
    def whole_label(self) -> str:
        """The label of the whole arm: of this arm, or of the one that it is a part of."""
        return self.whole or self.label

    @property
    def x(self) -> AxisInfo:
        """The axis along x in figures."""
        return self.axes[0]

    @property
    def main(self) -> AxisInfo:
        """The main axis: the hyperparameter that belongs to the loss."""
        return self.axes[1]

    @property
    def main_axis(self) -> str:
        """The main axis' column."""
        return self.main.name

    def axis(self, name: str) -> AxisInfo:
        """The axis of that column; an undeclared one has the measure `each`."""
        known = {axis.name: axis for axis in self.axes}
        return known.get(name, AxisInfo(name=name, measure="each"))


#: The role of a column of an imported table with one value within each loss, and other values in other losses.
DIFFERS = "differs between losses"
#: The role of a column that tells whether labels train the encoder, of each loss in `ColumnMeaning.by_loss`.
TRAINS_ENCODER = "evaluation"


@dataclass(frozen=True, kw_only=True)
class ColumnMeaning:
    """What columns of an imported table were taken for."""

    columns: tuple[str, ...]
    role: str  # such as "hyperparameter"
    detail: str = ""  # why, or what they hold
    #: What it says of each loss: its value where losses differ, or whether labels train the encoder.
    by_loss: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class SettingInfo:
    """A setting of a study's trials, with the values that occur. `study.report.settings` makes them."""

    name: str  # its place in the study file, such as "encoder.width", or the column of a table
    label: str  # in words, such as "encoder width"
    group: str  # what it is a part of, such as "network"
    values: Mapping[str, tuple[Value, ...]]  # sorted values, by label of the arm; the label "" is every arm
    column: str = ""  # the record column without its prefix; "" for none
    doubt: str = ""  # why a difference need not change the compared metric; "" if it can
    digest: bool = False  # whether the values are hashes of some content


@dataclass(frozen=True, kw_only=True)
class StudyInfo:
    """A study as its report needs it.

    Pairs in `null_controls` name arms that must not differ; pairs with an absent arm are ignored.

    Raises `ValueError` for no arms, repeated labels, an unknown reference, or numbers out of range.
    """

    name: str
    metric: Metric
    arms: tuple[ArmInfo, ...]
    seeds: tuple[int, ...]
    reference: str = ""  # label of the arm with which others are compared; empty: see `reference_arm`
    null_controls: tuple[tuple[str, str], ...] = ()
    tolerance: float = 0.02  # a difference that counts as none, in raw units of the metric
    tolerance_source: str = "the default"  # how it was chosen
    rank_metric: str = "z_effective_rank"
    describes: tuple[str, ...] = ()  # metrics of the representation, besides columns z_* and h_*
    imported: bool = False  # whether the trials come from a table of another tool
    columns: tuple[ColumnMeaning, ...] = ()  # of such a table
    environment: str = "data"  # column of data sets; each is analysed separately, then they are compared
    drawn: bool = False  # whether the places were drawn from ranges and so form no grid
    #: Whether a search chose the places, which are then dense where scores are good and do not cover the space.
    adaptive: bool = False
    description: str = ""
    task: str = ""
    data: str = ""
    encoder: str = ""
    training: str = ""
    spec_text: str = ""  # the study file
    claims: tuple[Claim, ...] = ()  # claims of papers that the study tests
    settings: tuple[SettingInfo, ...] = ()  # what trials have in common, and what is swept; empty if unknown
    compared: tuple["StudyInfo", ...] = ()  # the studies of a comparison, with different names; else empty
    look: Look | None = (
        None  # which look at the results this is; None where every analysis counts as the first
    )
    look_note: str = ""  # why a later look may not know of this one

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
        """Whether losses are compared.

        A study with claims and a metric without test data is about its claims, and does not compare losses.
        """
        return not self.claims or self.metric.on_test

    @property
    def draws(self) -> bool:
        """Whether the places are a random sample of the space, and so have an error of their own."""
        return self.drawn and not self.adaptive

    @property
    def loss_words(self) -> str:
        """What readers see above the names of losses: the user's own column of an imported table, or "loss"."""
        named = [each.columns[0] for each in self.columns if each.role == "loss" and each.columns]
        return visible(spaced(named[0])) if named else "loss"

    @property
    def main_words(self) -> str:
        """The hyperparameters that belong to the losses, such as "temperature or kernel scale t"."""
        return " or ".join(dict.fromkeys(arm.main.words for arm in self.arms))

    @property
    def x(self) -> AxisInfo:
        """The x axis of every arm."""
        return self.arms[0].x

    @property
    def x_axis(self) -> str:
        """The column of the x axis."""
        return self.x.name

    @property
    def x_label(self) -> str:
        """The x axis in words, with its unit."""
        return self.x.axis_label

    @property
    def reference_arm(self) -> ArmInfo:
        """The arm with which others are compared.

        It is the arm with the declared label; otherwise the first with the loss "infonce"; otherwise the first arm.
        """
        wanted = [arm for arm in self.arms if arm.label == self.reference]
        return (wanted or [arm for arm in self.arms if arm.loss == "infonce"] or list(self.arms))[0]

    @property
    def repeats(self) -> frozenset[str]:
        """Labels of arms that repeat another arm: the later one of each null control that is not the reference.

        They are compared with what they repeat, and with nothing else.
        """
        order, reference = [arm.label for arm in self.arms], self.reference_arm.whole_label
        pairs = [pair for pair in self.null_controls if set(pair) <= set(order)]
        apart = [[label for label in pair if self.arm(label).whole_label != reference] for pair in pairs]
        return frozenset(max(labels, key=order.index) for labels in apart if labels)

    def arm(self, label: str) -> ArmInfo:
        """The arm with that label. Raises `KeyError` for an unknown label."""
        return {arm.label: arm for arm in self.arms}[label]

    def with_arms(self, arms: tuple[ArmInfo, ...], **changes: object) -> "StudyInfo":
        """The same study with other arms."""
        return dataclasses.replace(self, arms=arms, **changes)  # type: ignore[arg-type]


#: Columns of a trial record, in the order of the schema.
RECORD_COLUMNS = tuple(TrialRecord.__dataclass_fields__)
