"""The linear classifier that the linear probes fit: one weight vector and one bias per class."""

from dataclasses import dataclass

from torch import Tensor

from trainables.evaluation.features import Labelled


@dataclass(frozen=True, kw_only=True)
class LinearClassifier:
    """`argmax_c (w_c . x + b_c)` over the C training classes. Weights with three axes hold B classifiers."""

    weights: Tensor  # (C, d) or (B, C, d)
    biases: Tensor  # (C,) or (B, C)
    classes: Tensor  # (C,), ascending

    def accuracy(self, judged: Labelled) -> float:
        """Fraction of rows with a correct prediction, in [0, 1]; the mean over the B classifiers.

        For equal scores, the prediction is the lowest class.
        """
        # Classes before images, as in training: operations along the contiguous image axis are fast.
        scores = self.weights @ judged.features.mT + self.biases[..., None]
        predicted = self.classes[scores.argmax(dim=-2)]
        return float((predicted == judged.labels).double().mean())
