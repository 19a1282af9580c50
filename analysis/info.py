"""What a report must be told about a study beside its rows: names, defaults, declared comparisons."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from trainables.schema import TrialRecord


@dataclass(frozen=True, kw_only=True)
class ArmInfo:
    """One arm of a study: a loss and its main axis, the hyperparameter swept beside the batch size."""

    label: str  # unique in the study; the value of column `arm`
    loss: str  # registered name or import path
    main_axis: str  # column of the main axis, such as "hp_temperature" or "hp_t"
    main_axis_label: str  # in words, such as "temperature" or "kernel scale t"
    default: float  # default of the main axis; also its value in rows that leave the column empty
    base_lr: float  # base learning rate, before the batch-size rule
    lr_source: str  # where that rate comes from
    lr_tuned: bool = (
        True  # tuned on this study's data and protocol; false for one carried over or set by hand
    )
    title: str = ""  # name shown to readers; the label where empty
    measures: tuple[str, str] = ("log", "log")  # of the x axis and of the main one: log, linear or each
    #: A column with the measure of the main axis by its value, such as hp_kernel, where it decides.
    case_measures: tuple[str, Mapping[str, str]] = field(default=("", {}))

    @property
    def name(self) -> str:
        """The name shown to readers."""
        return self.title or self.label


@dataclass(frozen=True, kw_only=True)
class StudyInfo:
    """A study as its report needs it.

    `metric` is a metric's bare name: `val_<metric>` selects, `test_<metric>` reports; both are shares of 1.
    Pairs in `null_controls` name arms that must not differ; pairs of which an arm is absent are left out.

    Raises `ValueError` for no arms, repeated labels, an unknown reference, or numbers out of range.
    """

    name: str
    metric: str  # such as "probe10_accuracy"
    arms: tuple[ArmInfo, ...]
    seeds: tuple[int, ...]
    chance: float  # accuracy of guessing, 1 / classes: what a failed trial scores
    x_axis: str = "hp_batch_size"
    x_label: str = "batch size, pairs"
    reference: str = ""  # label of the arm that others are compared with; see `reference_arm` where empty
    null_controls: tuple[tuple[str, str], ...] = ()
    tolerance: float = 0.02  # eps of the tolerance volume, as a share of 1
    rank_metric: str = "z_effective_rank"
    description: str = ""
    task: str = ""
    data: str = ""
    encoder: str = ""
    training: str = ""
    spec_text: str = ""  # the study file

    def __post_init__(self) -> None:
        labels = [arm.label for arm in self.arms]
        if not labels or len(set(labels)) < len(labels):
            raise ValueError(f"arms: got labels {labels}; at least one, each once, is needed")
        if self.reference and self.reference not in labels:
            raise ValueError(f"reference: got {self.reference!r}; allowed are {labels}")
        for name in ("chance", "tolerance"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name}: got {getattr(self, name)}; allowed is a share in [0, 1)")

    @property
    def reference_arm(self) -> ArmInfo:
        """The arm that others are compared with.

        That of the declared label, else the first whose loss is "infonce" whatever its label, else the first.
        """
        wanted = [arm for arm in self.arms if arm.label == self.reference]
        return (wanted or [arm for arm in self.arms if arm.loss == "infonce"] or list(self.arms))[0]

    @property
    def metric_label(self) -> str:
        """The metric in words, without its unit."""
        probe = self.metric.removesuffix("_accuracy")
        labels = probe.removeprefix("probe")
        if probe.startswith("probe") and labels.isdigit():
            return f"accuracy with {labels} labelled image{'s' * (labels != '1')} a class"
        return {"probe_full": "accuracy with all labels", "knn": "nearest-neighbour accuracy"}.get(
            probe, self.metric.replace("_", " ")
        )

    def arm(self, label: str) -> ArmInfo:
        """The arm of that label. Raises `KeyError` where there is none."""
        return {arm.label: arm for arm in self.arms}[label]


#: Columns of a trial record, in the schema's order.
RECORD_COLUMNS = tuple(TrialRecord.__dataclass_fields__)
