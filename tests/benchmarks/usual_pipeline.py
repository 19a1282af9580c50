"""SimCLR training in the usual public style, for comparison: Pillow views in a `DataLoader`, eager float32.

The networks are ours with contiguous weights; everything around them is what public SimCLR code does: two
torchvision transforms an image, a forward pass of each pair's views together, plain autograd NT-Xent, torch's SGD.
"""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from tests.benchmarks import public_style
from tests.benchmarks.pil_views import pil_views
from trainables.config import EncoderConfig
from trainables.datasets.loaded import ImageData
from trainables.encoders.encoders import build_model
from trainables.views.recipes import VIEWS

View = Callable[[Image.Image], Tensor]


class TwoViews(Dataset[tuple[Tensor, Tensor]]):
    """Two views of each image, a Pillow image made of its pixels at every access, as torchvision's CIFAR-10 does."""

    def __init__(self, images: np.ndarray, view: View) -> None:
        self._images, self._view = images.transpose(0, 2, 3, 1), view

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        pixels = self._images[index]
        image = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
        return self._view(image), self._view(image)


class UsualTraining:
    """The usual loop; `advance()` is one step."""

    def __init__(self, encoder: EncoderConfig, data: ImageData, batch_size: int, lr: float = 0.1) -> None:
        info = data.info
        model = build_model(
            encoder, channels=info.channels, size=info.size, seed_generator=torch.Generator().manual_seed(0)
        )
        self._model = model.to(memory_format=torch.contiguous_format)
        self._optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9, weight_decay=1e-6)
        views = TwoViews(data.pretraining, pil_views(VIEWS[info.views], info.size))
        # No worker processes: they would be further cores.
        self._loader = DataLoader(views, batch_size, shuffle=True, drop_last=True, num_workers=0)
        self._batches = self._endless()

    def advance(self) -> None:
        """One optimiser step."""
        x_a, x_b = next(self._batches)
        _, z = self._model(torch.cat([x_a, x_b]))
        z_a, z_b = F.normalize(z, dim=1).chunk(2)
        loss = public_style.ntxent(z_a, z_b)
        self._optimizer.zero_grad()
        loss.backward()
        self._optimizer.step()
        loss.item()  # shown by every such loop

    def _endless(self) -> Iterator[tuple[Tensor, Tensor]]:
        while True:
            yield from self._loader
