"""An encoder that draws from torch's default generator."""

from torch import Tensor, nn


class Dropping(nn.Module):
    """A layer with dropout."""

    def __init__(self, *, channels: int, size: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(channels * size * size, 16), nn.Dropout(0.5))

    def forward(self, images: Tensor) -> Tensor:
        """Features of the images."""
        features: Tensor = self.layers(images)
        return features
