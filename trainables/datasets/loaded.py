"""What a data set is to those who use it: described, and decoded."""

from dataclasses import dataclass

from trainables.datasets.source import Images, Indices


@dataclass(frozen=True, kw_only=True)
class DatasetInfo:
    """A data set as a config uses it: counts after limits, shape, classes and identity."""

    name: str
    n_train: int  # with labels
    n_unlabelled: int  # seen by pre-training alone
    n_val: int
    n_test: int
    channels: int
    size: int
    classes: tuple[str, ...]
    fingerprint: str
    views: str  # name of the recipe that suits the set by default
    smallest_class: (
        int  # labelled training images of the rarest class: the most that a few-label probe can ask
    )

    @property
    def n_pretraining(self) -> int:
        """Images that contrastive training sees."""
        return self.n_train + self.n_unlabelled


@dataclass(frozen=True, kw_only=True)
class Split:
    """Images as uint8 (N, C, H, W) and labels as int64 (N,), counted from 0.

    The arrays are shared by all trials of a process and must not be changed.
    """

    images: Images
    labels: Indices


@dataclass(frozen=True, kw_only=True)
class ImageData:
    """The three splits of a data set, decoded.

    `images` holds them all, contiguous: training images with a label, those without, validation, test. The
    other arrays are views of it, so whoever moves `images` to a device (`images.nbytes`) has moved everything.
    `pretraining` is what contrastive training may see: its first two stretches.
    """

    info: DatasetInfo
    images: Images
    pretraining: Images
    train: Split
    val: Split
    test: Split

    @property
    def splits(self) -> dict[str, Split]:
        """The splits by name."""
        return {"train": self.train, "val": self.val, "test": self.test}
