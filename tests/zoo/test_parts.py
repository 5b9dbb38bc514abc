"""The examples of networks as parts: each is compared with a module built of torchvision's backbone by hand."""

from __future__ import annotations

from collections import OrderedDict
from functools import cache
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

import archspec
from archspec import zoo
from tests import tv

SIZE = 64


def named(name: str) -> nn.Module:
    """A network of torchvision with values of its own, also in the statistics of its normalizations."""
    torch.manual_seed(0)
    model = tv.torchvision.models.get_model(name, weights=None)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.uniform_(-0.1, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    return model.eval()


def stages(resnet: nn.Module, x: Tensor) -> list[Tensor]:
    """What a ResNet has before its pooling and after each of its stages."""
    maps = [nn.functional.relu(resnet.bn1(resnet.conv1(x)))]
    x = resnet.maxpool(maps[0])
    for stage in (resnet.layer1, resnet.layer2, resnet.layer3, resnet.layer4):
        maps.append(x := stage(x))
    return maps


def double(inputs: int, width: int) -> nn.Sequential:
    return nn.Sequential(
        OrderedDict(
            conv=nn.Conv2d(inputs, width, 3, padding=1, bias=False),
            batch_norm=nn.BatchNorm2d(width),
            relu=nn.ReLU(),
            conv_1=nn.Conv2d(width, width, 3, padding=1, bias=False),
            batch_norm_1=nn.BatchNorm2d(width),
            relu_1=nn.ReLU(),
        )
    )


class UNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = named("resnet34")
        del self.encoder.fc
        self.up0, self.up1, self.up2, self.up3 = double(768, 256), double(384, 128), double(192, 64), double(128, 32)
        self.logits = nn.Conv2d(32, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        *skips, x = stages(self.encoder, x)
        for up, skip in zip((self.up0, self.up1, self.up2, self.up3), reversed(skips), strict=True):
            x = up(torch.cat([nn.functional.interpolate(x, scale_factor=2), skip], 1))
        return self.logits(nn.functional.interpolate(x, scale_factor=2))


class Pyramid(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = named("resnet50")
        del self.body.fc
        self.fpn = tv.torchvision.ops.FeaturePyramidNetwork([256, 512, 1024, 2048], 256)

    def forward(self, x: Tensor) -> list[Tensor]:
        maps = stages(self.body, x)[1:]
        return list(self.fpn(OrderedDict((str(i), value) for i, value in enumerate(maps))).values())


def head(channels: int, values: int) -> nn.Sequential:
    return nn.Sequential(
        OrderedDict(
            conv=nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False),
            batch_norm=nn.BatchNorm2d(channels),
            relu6=nn.ReLU6(),
            conv_1=nn.Conv2d(channels, 6 * values, 1),
        )
    )


class Detector(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.backbone = named("mobilenet_v3_large")
        del self.backbone.classifier
        self.scores = nn.ModuleDict({"head": head(112, 91), "head_1": head(960, 91)})
        self.boxes = nn.ModuleDict({"head": head(112, 4), "head_1": head(960, 4)})

    def forward(self, x: Tensor) -> list[Tensor]:
        maps = []
        for i, layer in enumerate(self.backbone.features):
            x = layer(x)
            maps += [x] if i in (12, 16) else []
        rows = [
            [
                one(x).permute(0, 2, 3, 1).reshape(len(x), -1, values)
                for one, x in zip(heads.values(), maps, strict=True)
            ]
            for heads, values in ((self.scores, 91), (self.boxes, 4))
        ]
        return [torch.cat(of_maps, 1) for of_maps in rows]


MODULES = {"parts/unet": UNet, "parts/fpn": Pyramid, "parts/detector": Detector}


@cache
def module(name: str) -> nn.Module:
    return MODULES[name]().eval()


def test_every_example_is_compared() -> None:
    assert [name for name, _ in zoo.names(zoo.PARTS)] == sorted(MODULES)


@pytest.mark.parametrize("name", MODULES)
def test_an_example_has_under_30_lines(name: str) -> None:
    assert len(zoo.find(name)[0].read_text("utf-8").splitlines()) < 30


@pytest.mark.parametrize("name", MODULES)
def test_the_facts_are_those_of_the_module(name: str) -> None:
    net, reference = archspec.load(name), module(name)
    assert net.params == sum(weight.numel() for weight in reference.parameters())
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        reference(torch.zeros(1, *net.inputs["input"]))
    assert 2 * net.macs == counter.get_total_flops()


@pytest.mark.parametrize("name", MODULES)
def test_the_weights_of_the_module_load_and_the_outputs_are_equal(name: str) -> None:
    net, reference = archspec.load(name, input=(3, SIZE, SIZE)), module(name)
    x = torch.randn(2, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected, found = reference(x), net.to_torch(reference).eval()(x)
    pairs = zip(found, expected, strict=True) if isinstance(expected, list) else [(found, expected)]
    for one, other in pairs:
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


# --- weights of a backbone alone ------------------------------------------------------------------------------------

BACKBONES = {"parts/unet": ("resnet34", "encoder"), "parts/fpn": ("resnet50", "body"),
             "parts/detector": ("mobilenet_v3_large", "backbone")}  # fmt: skip


@pytest.mark.parametrize("name", BACKBONES)
def test_published_weights_of_the_backbone_load_under_its_name(name: str, tmp_path: Path) -> None:
    model, part = BACKBONES[name]
    published = named(model).state_dict()
    file = tmp_path / "backbone.pth"
    torch.save(published, file)
    net = archspec.load(name, input=(3, SIZE, SIZE))
    report = net.weights_report(file)
    classifier = {key for key in published if key.startswith(("fc.", "classifier."))}
    assert set(report.matched) == {f"{part}.{key}" for key in published.keys() - classifier}
    assert {key for key, _ in report.unexpected} == {f"{part}.{key}" for key in classifier}
    with pytest.warns(UserWarning, match=f"renamed: .*to {part}\\."):
        loaded = net.to_torch(file, strict=False).state_dict()
    assert all(torch.equal(loaded[f"{part}.{key}"], published[key]) for key in published.keys() - classifier)


def test_weights_that_fit_two_parts_equally_well_are_refused() -> None:
    text = """
archspec: 1
name: two
input: [3, 32, 32]
import: resnet.yaml
layers:
  - resnet18: {name: left, until: layer1}
  - resnet18: {name: right, from: input, until: layer1}
  - add: [left, right]
"""
    net = archspec.parse(text)
    published = named("resnet18").state_dict()
    with pytest.raises(archspec.ArchspecError, match="'left' and 'right' of the network equally well"):
        net.to_torch(published)
    both = archspec.parse(text, rename={"*": "left.*"})
    with pytest.warns(UserWarning, match=r"to left\."):
        state = both.to_torch(published, strict=False).state_dict()
    assert torch.equal(state["left.conv1.weight"], published["conv1.weight"])


# --- every network as a part ----------------------------------------------------------------------------------------

WITH_OUTPUTS_FOR_TRAINING = {"googlenet": 6_624_904, "googlenet_v1": 6_998_552, "inception_v3": 23_834_568}
"""The parameters that are left of networks without their outputs for training; torchvision's, but for the second."""

FAMILIES = {path: name for name, path in reversed(list(zoo.names()))}


@pytest.mark.parametrize("name", sorted({*FAMILIES.values(), *WITH_OUTPUTS_FOR_TRAINING}))
def test_a_network_of_the_zoo_is_the_same_as_a_part(name: str) -> None:
    alone, file = archspec.load(name), zoo.find(name)[0].name
    inputs = {value.name: value.type for value in alone.graph.inputs}
    declared = {key: f"{{shape: {list(type.sizes)}, dtype: {type.dtype}}}" for key, type in inputs.items()}
    lines = ["archspec: 1", "name: whole", "inputs:", *(f"  {key}: {value}" for key, value in declared.items())]
    part = archspec.parse("\n".join([*lines, f"import: {file}", f"layers: [{name}: {{name: part}}]"]))
    assert part.macs == alone.macs
    if name in WITH_OUTPUTS_FOR_TRAINING:
        assert part.params == WITH_OUTPUTS_FOR_TRAINING[name]
    else:
        assert part.facts.fingerprint == alone.facts.fingerprint
        assert [key.removeprefix("part.") for key, _ in part.graph.weights()] == [
            key for key, _ in alone.graph.weights()
        ]
