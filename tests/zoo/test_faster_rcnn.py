"""Faster R-CNN against torchvision's, whose parts for proposals and for boxes lie around what is no static graph."""

from __future__ import annotations

import inspect
import sys
from typing import Any

import pytest
import torch
from torch import nn

import archspec
from tests.tv import torchvision
from tests.zoo.test_zoo_numbers import lively

detection, poolers = torchvision.models.detection, torchvision.ops.poolers

NAME = "faster_rcnn_resnet50_fpn"
HEIGHT, WIDTH = 128, 160
BOXES = (
    (3.0, 5.0, 20.0, 31.0), (0.0, 0.0, 160.0, 128.0), (20.5, 30.25, 61.0, 80.5), (100.0, 20.0, 101.0, 99.0),
    (1.0, 7.5, 100.0, 70.0),
)  # fmt: skip
"""x1, y1, x2, y2 in the image."""
CANONICAL = 56
"""The size of the boxes that scale 4 is for, instead of 224, so that a small image has boxes for all four."""


def theirs(device: str) -> Any:
    """As torchvision builds it for its trained weights."""
    make = detection.backbone_utils.resnet_fpn_backbone
    with torch.device(device):
        backbone = make(backbone_name="resnet50", weights=None, trainable_layers=5)
        return detection.FasterRCNN(backbone, num_classes=91).eval()


def animated(model: nn.Module) -> None:
    """Weights and statistics with which every layer does something."""
    lively(model)
    for module in model.modules():
        if isinstance(module, torchvision.ops.FrozenBatchNorm2d):
            nn.init.uniform_(module.running_mean, -0.1, 0.1)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
            nn.init.uniform_(module.weight, 0.1, 0.5)
            nn.init.uniform_(module.bias, -0.1, 0.1)


def test_the_state_dict_has_torchvisions_names_and_shapes_in_torchvisions_order():
    ours = [(key, weight.shape) for key, weight in archspec.load(NAME).graph.weights()]
    assert ours == [(key, tuple(value.shape)) for key, value in theirs("meta").state_dict().items()]


def test_parameters_and_buffers_are_torchvisions():
    net, model = archspec.load(NAME), theirs("meta")
    assert net.params == net.trainable_params == sum(p.numel() for p in model.parameters())
    assert net.buffers == sum(b.numel() for b in model.buffers())


@pytest.fixture
def uncompiled(monkeypatch):
    """torchvision compiles its pooling where it has no kernel for it, which takes longer than running it."""
    module = sys.modules[torchvision.ops.roi_align.__module__]
    monkeypatch.setattr(module, "_roi_align", inspect.unwrap(module._roi_align))


@pytest.mark.usefixtures("uncompiled")
def test_it_computes_what_torchvisions_parts_do():
    torch.manual_seed(0)
    model = theirs("cpu")
    animated(model)
    net = archspec.load(NAME, input={"image": (3, HEIGHT, WIDTH)}, regions=len(BOXES))
    ours = net.to_torch().eval()
    ours.load_state_dict(model.state_dict())
    images = torch.randn(2, 3, HEIGHT, WIDTH)
    boxes = torch.tensor([BOXES, BOXES[::-1]])
    mapper = poolers.LevelMapper(k_min=2, k_max=5, canonical_scale=CANONICAL)
    pool = poolers.MultiScaleRoIAlign(list("0123"), 7, 2, canonical_scale=CANONICAL)
    levels = torch.stack([nn.functional.one_hot(mapper([own]), 4) for own in boxes]).float()
    assert levels.sum((0, 1)).min() > 0, "a scale is not read"
    with torch.no_grad():
        features = model.backbone(images)
        objectness, deltas = detection.rpn.concat_box_prediction_layers(*model.rpn.head(list(features.values())))
        pooled = pool(features, list(boxes), [(HEIGHT, WIDTH)] * 2)
        logits, regression = model.roi_heads.box_predictor(model.roi_heads.box_head(pooled))
        made = ours(images, boxes, levels)
    for got, wanted in zip(made, (objectness, deltas, logits, regression), strict=True):
        assert wanted.std() > 1e-3, "nothing came through"
        torch.testing.assert_close(got.flatten(0, 1), wanted, rtol=1e-5, atol=1e-5 * float(wanted.abs().max()))
