"""Data classes for a described and for a decoded data set, used by trials and plans."""

from dataclasses import dataclass

from trainables.datasets.source import Images, Indices


@dataclass(frozen=True, kw_only=True)
class DatasetInfo:
    """The description of a data set for one config: counts after limits, shape, classes and fingerprint."""

    name: str
    n_train: int  # labelled training images
    n_unlabelled: int  # unlabelled images, used by pre-training only
    n_val: int
    n_test: int
    channels: int
    size: int
    classes: tuple[str, ...]
    fingerprint: str
    views: str  # name of the default recipe of views
    smallest_class: int  # labelled training images of the rarest class: the limit of few-label probes
    found: str = ""  # see `Source`
    notes: tuple[str, ...] = ()  # see `Source`

    @property
    def n_pretraining(self) -> int:
        """Number of images that contrastive training uses."""
        return self.n_train + self.n_unlabelled


@dataclass(frozen=True, kw_only=True)
class Split:
    """Images as uint8 (N, C, H, W) and labels as int64 (N,), counted from 0.

    All trials of a process share the arrays, so no code may change them.
    """

    images: Images
    labels: Indices


@dataclass(frozen=True, kw_only=True)
class ImageData:
    """The three decoded splits of a data set.

    `images` holds all images in one contiguous array of `images.nbytes` bytes: labelled training images, unlabelled
    training images, validation images, test images. The other arrays are views into it. `pretraining` holds the
    images that contrastive training may use, which are the first two of these ranges. `val` is empty where the data
    configuration holds nothing out.
    """

    info: DatasetInfo
    images: Images
    pretraining: Images
    train: Split
    val: Split
    test: Split

    @property
    def splits(self) -> dict[str, Split]:
        """The splits by name, without an empty validation split."""
        held_out = {"val": self.val} if len(self.val.labels) else {}
        return {"train": self.train, **held_out, "test": self.test}
