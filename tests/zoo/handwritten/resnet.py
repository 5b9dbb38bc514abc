"""torchvision's ResNets with their strides where the paper has them, and without their shortcuts."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from torch import Tensor, nn

from tests import tv
from tests.zoo.handwritten.common import Maker


def stride_on_1x1(name: str) -> nn.Module:
    """torchvision's network, its strides moved from the 3x3 convolutions to the 1x1 before them."""
    network = tv.torchvision.models.get_model(name)
    for block in network.modules():
        if isinstance(block, tv.torchvision.models.resnet.Bottleneck):
            block.conv1.stride, block.conv2.stride = block.conv2.stride, block.conv1.stride
    return network


class Cut(nn.Module):
    """torchvision's basic block without its shortcut."""

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(block.conv1, block.bn1, block.relu, block.conv2, block.bn2, block.relu)

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


def plain34() -> nn.Module:
    network = tv.torchvision.models.get_model("resnet34")
    for name in ("layer1", "layer2", "layer3", "layer4"):
        setattr(network, name, nn.Sequential(*map(Cut, getattr(network, name))))
    return network


MAKERS: Mapping[str, Maker] = {
    "resnet50_v1": partial(stride_on_1x1, "resnet50"),
    "resnet101_v1": partial(stride_on_1x1, "resnet101"),
    "resnet152_v1": partial(stride_on_1x1, "resnet152"),
    "plain34": plain34,
}
