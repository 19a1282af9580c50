"""ImageNet-100 and Tiny ImageNet, which are image folders under the data root.

Both are colour: their few grey images become colour, as in torchvision's `ImageFolder`. Their folder `val` is the
test split here. The validation split is taken from the training images, as for every data set.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

from trainables.datasets.folder import open_tree
from trainables.datasets.image_tree import test_tree, train_tree
from trainables.datasets.source import AbsentDataError, Source, download_command, rooted

#: Default side in pixels to which ImageNet-100 images are fitted: the size of the papers' views.
IMAGENET100_SIZE = 224

_TINY_URL = "http://cs231n.stanford.edu/tiny-imagenet-200.zip"
_TINY_FOLDER = "tiny-imagenet-200"
_TINY_MD5 = "90528d7ca1a48142e341f4ef8d21d0de"


def open_imagenet100(data_root: Path | None, size: int | None) -> Source:
    """ImageNet-100 (Tian et al. 2020, arXiv 1906.05849): 100 classes of ImageNet-1k in `imagenet100/`.

    Images are fitted to 224 pixels or to `size`; training views crop from the fitted images. Raises `DataError`.
    """
    folder = _find("imagenet100", ("imagenet100", "imagenet-100"), data_root, _BY_HAND)
    return open_tree(
        train_tree(folder), test_tree(folder), size or IMAGENET100_SIZE, colour=True, views="imagenet"
    )


def open_tiny_imagenet(data_root: Path | None, size: int | None) -> Source:
    """Tiny ImageNet: 200 classes at 64 pixels, as published in `tiny-imagenet-200/`. Raises `DataError`."""
    remedy = f"download it with `{download_command('tiny_imagenet', data_root)}`"
    folder = _find("tiny_imagenet", (_TINY_FOLDER, "tiny_imagenet"), data_root, remedy)
    return open_tree(train_tree(folder), test_tree(folder), size, colour=True)


def download_tiny_imagenet(data_root: Path) -> None:
    """Download and unpack the published archive (248 MB), if the folder is not there yet."""
    from torchvision.datasets.utils import download_url, extract_archive

    if (data_root / _TINY_FOLDER).is_dir():
        return
    download_url(_TINY_URL, str(data_root), md5=_TINY_MD5)
    with TemporaryDirectory(dir=data_root) as fresh:  # the folder appears only when it is complete
        extract_archive(str(data_root / Path(_TINY_URL).name), fresh)
        (Path(fresh) / _TINY_FOLDER).replace(data_root / _TINY_FOLDER)


_BY_HAND = (
    "it has no public download: put train/WNID/*.JPEG and val/WNID/*.JPEG of its 100 classes of ImageNet-1k "
    "(image-net.org) there"
)


def _find(name: str, folders: tuple[str, ...], data_root: Path | None, remedy: str) -> Path:
    places = [rooted(name, data_root) / folder for folder in folders]
    for place in places:
        if place.is_dir():
            return place
    raise AbsentDataError(
        f"data {name!r} not found: looked for {' and '.join(map(str, places))}; {remedy}, "
        "or set its location with --data-root or STUDY_DATA_ROOT"
    )
