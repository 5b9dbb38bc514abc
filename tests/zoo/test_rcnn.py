"""R-CNNs against the parts of torchvision's, which lie around what is no static graph."""

from __future__ import annotations

import inspect
import sys
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

import archspec
from tests.region_references import roi_pool
from tests.tv import torchvision
from tests.zoo.test_zoo_numbers import lively

detection, poolers = torchvision.models.detection, torchvision.ops.poolers

MODELS = {"faster_rcnn_resnet50_fpn": detection.FasterRCNN, "mask_rcnn_resnet50_fpn": detection.MaskRCNN}
HEIGHT, WIDTH = 128, 160
BOXES = (
    (3.0, 5.0, 20.0, 31.0), (0.0, 0.0, 160.0, 128.0), (20.5, 30.25, 61.0, 80.5), (100.0, 20.0, 101.0, 99.0),
    (1.0, 7.5, 100.0, 70.0),
)  # fmt: skip
"""x1, y1, x2, y2 in the image."""
CANONICAL = 56
"""The size of the boxes that scale 4 is for, instead of 224, so that a small image has boxes for all four."""


def theirs(name: str, device: str) -> Any:
    """As torchvision builds it for its trained weights."""
    make = detection.backbone_utils.resnet_fpn_backbone
    with torch.device(device):
        backbone = make(backbone_name="resnet50", weights=None, trainable_layers=5)
        return MODELS[name](backbone, num_classes=91).eval()


def animated(model: nn.Module) -> None:
    """Weights and statistics with which every layer does something."""
    lively(model)
    for module in model.modules():
        if isinstance(module, torchvision.ops.FrozenBatchNorm2d):
            nn.init.uniform_(module.running_mean, -0.1, 0.1)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
            nn.init.uniform_(module.weight, 0.1, 0.5)
            nn.init.uniform_(module.bias, -0.1, 0.1)


@pytest.mark.parametrize("name", MODELS)
def test_the_state_dict_has_torchvisions_names_and_shapes_in_torchvisions_order(name):
    ours = [(key, weight.shape) for key, weight in archspec.load(name).graph.weights()]
    assert ours == [(key, tuple(value.shape)) for key, value in theirs(name, "meta").state_dict().items()]


@pytest.mark.parametrize("name", MODELS)
def test_parameters_and_buffers_are_torchvisions(name):
    net, model = archspec.load(name), theirs(name, "meta")
    assert net.params == net.trainable_params == sum(p.numel() for p in model.parameters())
    assert net.buffers == sum(b.numel() for b in model.buffers())


@pytest.mark.parametrize("name", MODELS)
def test_macs_are_half_of_what_pytorch_counts_for_torchvisions_parts(name):
    net, model = archspec.load(name), theirs(name, "meta")
    heads = model.roi_heads
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        features = model.backbone(torch.zeros(1, *net.inputs["image"]))
        model.rpn.head(list(features.values()))
        heads.box_predictor(heads.box_head(torch.zeros(net.inputs["boxes"][0], 256, 7, 7)))
        if heads.has_mask():
            heads.mask_predictor(heads.mask_head(torch.zeros(net.inputs["found_boxes"][0], 256, 14, 14)))
    assert 2 * net.macs == counter.get_total_flops()


@pytest.fixture
def uncompiled(monkeypatch):
    """torchvision compiles its pooling where it has no kernel for it, which takes longer than running it."""
    module = sys.modules[torchvision.ops.roi_align.__module__]
    monkeypatch.setattr(module, "_roi_align", inspect.unwrap(module._roi_align))


def pooled(features: dict[str, Tensor], boxes: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """The features of all boxes by torchvision, and of each box the scale that torchvision reads, as one in four."""
    pool = poolers.MultiScaleRoIAlign(list("0123"), size, 2, canonical_scale=CANONICAL)
    mapper = poolers.LevelMapper(k_min=2, k_max=5, canonical_scale=CANONICAL)
    levels = torch.stack([nn.functional.one_hot(mapper([own]), 4) for own in boxes]).float()
    return pool(features, list(boxes), [(HEIGHT, WIDTH)] * len(boxes)), levels


@pytest.mark.usefixtures("uncompiled")
@pytest.mark.parametrize("name", MODELS)
def test_it_computes_what_torchvisions_parts_do(name):
    torch.manual_seed(0)
    model = theirs(name, "cpu")
    animated(model)
    heads = model.roi_heads
    masks = heads.has_mask()
    regions = {"regions": len(BOXES), **({"detections": 3} if masks else {})}
    net = archspec.load(name, input={"image": (3, HEIGHT, WIDTH)}, **regions)
    ours = net.to_torch(model).eval()
    images = torch.randn(2, 3, HEIGHT, WIDTH)
    boxes = torch.tensor([BOXES, BOXES[::-1]])
    with torch.no_grad():
        features = model.backbone(images)
        wanted = list(detection.rpn.concat_box_prediction_layers(*model.rpn.head(list(features.values()))))
        values, levels = pooled(features, boxes, 7)
        assert levels.sum((0, 1)).min() > 0, "a scale is not read"
        wanted += heads.box_predictor(heads.box_head(values))
        inputs = [images, boxes, levels]
        if masks:
            values, levels = pooled(features, boxes[:, 1:4], 14)
            wanted.append(heads.mask_predictor(heads.mask_head(values)))
            inputs += [boxes[:, 1:4], levels]
        made = ours(*inputs)
    for got, value in zip(made, wanted, strict=True):
        assert value.std() > 1e-3, "nothing came through"
        torch.testing.assert_close(got.flatten(0, 1), value, rtol=1e-5, atol=1e-5 * float(value.abs().max()))


# --- Fast R-CNN -----------------------------------------------------------------------------------------------------

FAST = "fast_rcnn_vgg16"


def fast_parts() -> list[nn.Module]:
    """What comes before the pooling of regions, what comes after it, and the two last layers."""
    vgg = torchvision.models.vgg16()
    return [vgg.features[:-1], vgg.classifier[:-1], nn.Linear(4096, 21), nn.Linear(4096, 4 * 21)]


def test_fast_rcnn_has_the_parameters_and_macs_of_its_parts():
    net = archspec.load(FAST)
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        parts = fast_parts()
        parts[0](torch.zeros(1, *net.inputs["image"]))
        values = parts[1](torch.zeros(net.inputs["boxes"][0], 512 * 7 * 7))
        sizes = [tuple(last(values).shape) for last in parts[2:]]
    assert net.params == sum(p.numel() for part in parts for p in part.parameters())
    assert 2 * net.macs == counter.get_total_flops()
    assert list(net.outputs.values()) == sizes


def test_fast_rcnn_starts_from_the_weights_of_vgg_and_computes_what_its_parts_do():
    torch.manual_seed(0)
    vgg = nn.ModuleDict(
        {
            "features": torchvision.models.vgg.make_layers(torchvision.models.vgg.cfgs["D"]),
            "classifier": nn.Sequential(
                nn.Linear(512 * 7 * 7, 64), nn.ReLU(), nn.Dropout(), nn.Linear(64, 64), nn.ReLU()
            ),
        }
    ).eval()
    lively(vgg)
    net = archspec.load(FAST, input={"image": (3, 64, 96)}, regions=3, hidden=64)
    with pytest.warns(UserWarning, match="box_predictor"):
        ours = net.to_torch(vgg, strict=False).eval()
    images, boxes = torch.randn(2, 3, 64, 96), torch.tensor(BOXES[:1] + BOXES[2:4]).clamp(max=95).expand(2, 3, 4)
    last = ours.box_predictor
    with torch.no_grad():
        values = roi_pool(SimpleNamespace(size=7, scale=1 / 16), [vgg["features"][:-1](images), boxes], {})
        values = vgg["classifier"](values.flatten(2))
        for got, layer in zip(ours(images, boxes), (last.cls_score, last.bbox_pred), strict=True):
            wanted = layer(values)
            assert wanted.std() > 1e-3, "nothing came through"
            torch.testing.assert_close(got, wanted, rtol=1e-5, atol=1e-5 * float(wanted.abs().max()))
