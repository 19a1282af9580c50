"""The ResNet encoders: torchvision's networks with a stem for the image size (He et al. 2016, arXiv 1512.03385)."""

from torch import nn

from trainables.encoders.footprint import CIFAR_STEM_MAX_SIZE


def build_resnet(name: str, *, channels: int, size: int) -> nn.Module:
    """`resnet18` or `resnet50` without its classifier: (M, C, H, W) to (M, 512) or (M, 2048).

    Up to 64 pixels, the stem is the one for CIFAR (Chen et al. 2020, arXiv 2002.05709, appendix B.9): a 3x3
    convolution with stride 1 and no max-pool. Above, it is the one for ImageNet: 7x7 with stride 2 and max-pool.
    """
    from torchvision import models  # not at the top of the module: the import takes seconds

    network = getattr(models, name)(weights=None)
    if size <= CIFAR_STEM_MAX_SIZE:
        network.conv1 = nn.Conv2d(channels, 64, 3, stride=1, padding=1, bias=False)
        network.maxpool = nn.Identity()
    elif channels != 3:
        network.conv1 = nn.Conv2d(channels, 64, 7, stride=2, padding=3, bias=False)
    nn.init.kaiming_normal_(network.conv1.weight, mode="fan_out", nonlinearity="relu")
    network.fc = nn.Identity()
    return network
