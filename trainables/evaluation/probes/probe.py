"""What a probe of the frozen encoder declares. Each family of probes is a file of this package.

Study files, the record schema and the planner read what is declared without loading torch, so files of this package
import what computes a probe inside functions alone.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from trainables.config import ProbeConfig
    from trainables.evaluation.features import EncodedSplits

#: The accuracy of a fitted probe on the split of that name, "val" or "test", in [0, 1].
Accuracy = Callable[[str], float]


@dataclass(frozen=True, kw_only=True)
class Probe:
    """A probe, which gives the record columns `val_<name>_accuracy` and `test_<name>_accuracy`.

    A probe depends on its settings and on the features, never on which other probes are asked for or in which order.
    It is judged on the validation split, which selects, and on the test split, which reports.
    """

    name: str
    description: str  # for record columns, after "validation, " and "test, "
    #: Fits the probe, given its settings, the features and the trial's seed.
    fit: "Callable[[ProbeConfig, EncodedSplits, int], Accuracy]"
    #: What a guess picks one of: chance is 1 over their number.
    guesses_among: Literal["classes", "images", "corruptions"]
    words: str = ""  # the accuracy in words, for reports; the name where empty
    labels_a_class: int = 0  # labelled training images that every class must have
    corrupted: bool = False  # looks at corrupted images
