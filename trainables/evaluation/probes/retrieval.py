"""The retrieval probes: is a query's own image the most similar one in the gallery?

`trainables.evaluation.retrieval` has the formulas. Only the corruptions have settings, and these probes draw no
random numbers.
"""

from functools import partial
from statistics import fmean
from typing import TYPE_CHECKING

from trainables.evaluation.probes.probe import Accuracy, Probe
from trainables.turns import in_one_turn

if TYPE_CHECKING:
    from trainables.config import ProbeConfig
    from trainables.evaluation.features import EncodedSplits


#: The settings of all probes with corrupted images.
_CORRUPTIONS = ("corruptions", "severity")


def _views(_config: "ProbeConfig", splits: "EncodedSplits", _seed: int) -> Accuracy:
    from trainables.evaluation.retrieval import retrieval_accuracy

    return lambda split: retrieval_accuracy(*splits.views(split))


def _corrupted(_config: "ProbeConfig", splits: "EncodedSplits", _seed: int) -> Accuracy:
    from trainables.evaluation.retrieval import mean_retrieval_accuracy

    return lambda split: mean_retrieval_accuracy(splits.corrupted(split), splits.labelled[split].features)


def _projected(normalised: bool, _config: "ProbeConfig", splits: "EncodedSplits", _seed: int) -> Accuracy:
    from trainables.evaluation.retrieval import mutual_retrieval_accuracy

    return lambda split: mutual_retrieval_accuracy(*splits.projected_views(split), normalised=normalised)


def _projected_corrupted(
    normalised: bool, _config: "ProbeConfig", splits: "EncodedSplits", _seed: int
) -> Accuracy:
    from trainables.evaluation.retrieval import mutual_retrieval_accuracy

    def accuracy(split: str) -> float:
        pairs = zip(*splits.corrupted_views(split), strict=True)  # one pair per corruption
        return fmean(mutual_retrieval_accuracy(z_a, z_b, normalised=normalised) for z_a, z_b in pairs)

    return accuracy


def _among_corruptions(
    normalised: bool, _config: "ProbeConfig", splits: "EncodedSplits", _seed: int
) -> Accuracy:
    from trainables.evaluation.retrieval import among_corruptions_accuracy

    return lambda split: among_corruptions_accuracy(*splits.corrupted_views(split), normalised=normalised)


_RAW = "the same by z's inner products, not normalised"

RETRIEVAL = (
    Probe(
        name="retrieval",
        description="other view of an image found among all images",
        fit=in_one_turn(_views),
        guesses_among="images",
    ),
    Probe(
        name="retrieval_corrupted",
        description="image found among all by its corrupted copy, mean over corruptions",
        fit=in_one_turn(_corrupted),
        guesses_among="images",
        corrupted=True,
        settings=_CORRUPTIONS,
    ),
    Probe(
        name="retrieval_z",
        description="other view found among all images by z's cosines, both ways",
        fit=in_one_turn(partial(_projected, True)),
        guesses_among="images",
    ),
    Probe(
        name="retrieval_z_raw",
        description=_RAW,
        fit=in_one_turn(partial(_projected, False)),
        guesses_among="images",
    ),
    Probe(
        name="retrieval_corrupted_z",
        description="other view of a corrupted image among all under that corruption, by z's cosines",
        fit=in_one_turn(partial(_projected_corrupted, True)),
        guesses_among="images",
        corrupted=True,
        settings=_CORRUPTIONS,
    ),
    Probe(
        name="retrieval_corrupted_z_raw",
        description=_RAW,
        fit=in_one_turn(partial(_projected_corrupted, False)),
        guesses_among="images",
        corrupted=True,
        settings=_CORRUPTIONS,
    ),
    Probe(
        name="retrieval_released_z",
        description="Cho et al.'s released form: among the C corruptions of one image, chance 1 / C",
        fit=in_one_turn(partial(_among_corruptions, True)),
        guesses_among="corruptions",
        corrupted=True,
        settings=_CORRUPTIONS,
    ),
    Probe(
        name="retrieval_released_z_raw",
        description=_RAW,
        fit=in_one_turn(partial(_among_corruptions, False)),
        guesses_among="corruptions",
        corrupted=True,
        settings=_CORRUPTIONS,
    ),
)
