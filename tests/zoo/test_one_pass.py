"""SSD and RetinaNet against torchvision's, up to the rows of anchors that it decodes outside any static graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

import archspec
from tests.tv import torchvision
from tests.zoo.test_rcnn import animated

detection = torchvision.models.detection


def ssd() -> nn.Module:
    made: nn.Module = detection.ssd300_vgg16(weights=None, weights_backbone=None)
    return made


def retinanet() -> nn.Module:
    """As torchvision builds it for its trained weights."""
    blocks = torchvision.ops.feature_pyramid_network.LastLevelP6P7(256, 256)
    backbone = detection.backbone_utils.resnet_fpn_backbone(
        backbone_name="resnet50", weights=None, trainable_layers=5, returned_layers=[2, 3, 4], extra_blocks=blocks
    )
    made: nn.Module = detection.RetinaNet(backbone, num_classes=91)
    return made


MODELS: Mapping[str, tuple[Callable[[], nn.Module], tuple[int, int]]] = {
    "ssd300_vgg16": (ssd, (300, 300)),
    "retinanet_resnet50_fpn": (retinanet, (128, 160)),
}
"""How torchvision builds it, and a picture that is small enough for a test."""


def theirs(name: str, device: str) -> Any:
    with torch.device(device):
        return MODELS[name][0]().eval()


@pytest.mark.parametrize("name", MODELS)
def test_weights_have_torchvisions_names_and_shapes(name):
    net = archspec.load(name)
    model = theirs(name, "meta")
    assert net.params == sum(p.numel() for p in model.parameters())
    renamed = {"backbone.scale.weight": "backbone.scale_weight"}
    ours = {renamed.get(key, key): shape for key, shape in ((key, weight.shape) for key, weight in net.graph.weights())}
    assert ours == {key: tuple(value.shape) for key, value in model.state_dict().items()}


@pytest.mark.parametrize("name", MODELS)
def test_macs_are_half_of_what_pytorch_counts_for_torchvisions_parts(name):
    net, model = archspec.load(name), theirs(name, "meta")
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        model.head(list(model.backbone(torch.zeros(1, *net.inputs["input"])).values()))
    assert 2 * net.macs == counter.get_total_flops()


@pytest.mark.parametrize("name", MODELS)
def test_torchvisions_weights_load_and_its_rows_are_computed(name):
    torch.manual_seed(0)
    model = theirs(name, "cpu")
    animated(model)
    ours = archspec.load(name, input=(3, *MODELS[name][1])).to_torch(model).eval()
    images = torch.randn(1, 3, *MODELS[name][1])
    with torch.no_grad():
        wanted = model.head(list(model.backbone(images).values()))
        made = ours(images)
    for got, key in zip(made, ("cls_logits", "bbox_regression"), strict=True):
        assert wanted[key].std() > 1e-3, "nothing came through"
        scale = float(wanted[key].abs().max())
        torch.testing.assert_close(got, wanted[key], rtol=1e-5, atol=1e-5 * scale)
