"""What a linear probe fits: one weight vector and one bias a class."""

from dataclasses import dataclass

from torch import Tensor

from trainables.evaluation.features import Labelled


@dataclass(frozen=True, kw_only=True)
class LinearClassifier:
    """`argmax_c (w_c . x + b_c)` over the C classes that were seen; B classifiers where weights have three axes."""

    weights: Tensor  # (C, d) or (B, C, d)
    biases: Tensor  # (C,) or (B, C)
    classes: Tensor  # (C,), ascending

    def accuracy(self, judged: Labelled) -> float:
        """Share of rows whose label is predicted, mean over the B classifiers, in [0, 1].

        Equal scores go to the lowest class.
        """
        # Classes before images, here and in training: what runs along the images runs fast.
        scores = self.weights @ judged.features.mT + self.biases[..., None]
        predicted = self.classes[scores.argmax(dim=-2)]
        return float((predicted == judged.labels).double().mean())
