"""A small convolutional network for images of 8x8 to 32x32 pixels. The quickstart study uses it as its encoder."""

from torch import Tensor, nn


class SmallConv(nn.Module):
    """Three 3x3 convolutions with batch norm and ReLU, followed by the mean over all positions.

    `x (M, C, H, W) -> h (M, 4 * width)`. The convolutions have `width`, `2 * width` and `4 * width` channels. Strides
    are 1, 2, 2 for images below 16 pixels, and 2, 2, 2 otherwise. Raises `ValueError` for a width below 1.
    """

    def __init__(self, *, channels: int, size: int, width: int = 16) -> None:
        super().__init__()
        if width < 1:
            raise ValueError(f"width: got {width}; allowed are integers from 1")
        self.stages = nn.Sequential(
            _stage(channels, width, stride=1 if size < 16 else 2),
            _stage(width, 2 * width, stride=2),
            _stage(2 * width, 4 * width, stride=2),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.stages(x).mean(dim=(2, 3))


def _stage(channels: int, width: int, *, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, width, 3, stride=stride, padding=1, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(inplace=True),
    )
