"""The declaration of a probe of the frozen encoder. Each family of probes is one file of this package.

Study files, the record schema and the planner read the declarations without importing torch. The files of this
package therefore import the code that computes a probe only inside functions.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from trainables.turns import Turns

if TYPE_CHECKING:
    from trainables.config import ProbeConfig
    from trainables.evaluation.features import EncodedSplits

#: Maps the name of a split, "val" or "test", to the accuracy of a fitted probe on it, in [0, 1].
Accuracy = Callable[[str], float]


@dataclass(frozen=True, kw_only=True)
class Probe:
    """A probe with the record columns `val_<name>_accuracy` and `test_<name>_accuracy`.

    A probe depends on its settings and on the features, but never on the other probes of the suite or their order.
    Its accuracy on the validation split serves selection; its accuracy on the test split is reported.
    """

    name: str
    description: str  # for record columns, after "validation, " and "test, "
    #: Fits the probe from its settings, the features and the trial's seed. A long fit pauses, so that other trials of
    #: the same GPU train meanwhile.
    fit: "Callable[[ProbeConfig, EncodedSplits, int], Turns[Accuracy]]"
    #: The candidates of a random guess. Chance is 1 over their number.
    guesses_among: Literal["classes", "images", "corruptions"]
    words: str = ""  # the accuracy in words, for reports; if empty, reports use the name
    labels_a_class: int = 0  # number of labelled training images that every class must have
    corrupted: bool = False  # whether the probe uses corrupted images
    #: The number of epochs for which it embeds new crops of all training images.
    augmented_epochs: "Callable[[ProbeConfig], int]" = lambda config: 0
    settings: tuple[str, ...] = ()  # the fields of `ProbeConfig` that change its accuracy
