"""Every network of the zoo against the figures that were published of it, gathered under tests/reference."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import archspec
from archspec import zoo
from archspec.ir.graph import Node, Scope
from archspec.network import Network

REFERENCE = Path(__file__).parent.parent / "reference"
ZOO = [name for name, _ in zoo.names()]

Row = dict[str, str]

load = cache(archspec.load)


TABLES = sorted(REFERENCE.glob("*/*.csv"))


def rows(path: Path) -> list[Row]:
    """The lines of a table, by the names of its columns."""
    with path.open(newline="") as table:
        return list(csv.DictReader(table))


def by_network(kind: str) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for path in sorted((REFERENCE / kind).glob("*.csv")):
        for row in rows(path):
            found[row["network"]].append(row)
    return found


NETWORKS = by_network("networks")
LAYERS = by_network("layers")


def parts(region: Scope) -> Iterator[tuple[str, Node | Scope]]:
    """Every layer and every named part of a network, by its path."""
    for item in region.items:
        if isinstance(item, Scope):
            yield from parts(item)
        if item.name is not None:
            yield item.name, item


def facts_of(net: Network, name: str) -> Row:
    """The figures of a layer or a part, as the table of layers writes them."""
    part = dict(parts(net.graph.body))[name]
    nodes = [part] if isinstance(part, Node) else list(part.nodes())
    costs = [net.facts.costs[node] for node in nodes]
    value = part.outputs[0]
    facts = {
        "shape": "x".join(map(str, value.type.sizes)),
        "params": sum(cost.params for cost in costs),
        "macs": sum(cost.macs for cost in costs),
    }
    field = net.facts.fields_of(value)[net.graph.inputs[0].name]  # the image, where there is another input
    if not field.everything:
        (window,) = set(field.windows)
        facts |= {"field": window.size, "least": min(window.sizes), "stride": window.stride, "padding": -window.offset}
    return {fact: str(figure) for fact, figure in facts.items()}


def test_there_are_figures_for_every_network_of_the_zoo_and_for_no_other():
    assert set(NETWORKS) == set(ZOO)
    assert set(LAYERS) <= set(ZOO)


@pytest.mark.parametrize("path", TABLES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_table_holds_the_networks_of_one_spec(path):
    stems = {network: file.stem for network, file in zoo.names()}
    assert {stems[row["network"]] for row in rows(path)} == {path.stem}


@pytest.mark.parametrize("name", ZOO)
def test_a_network_has_the_published_totals(name):
    net = load(name)
    norms = sum(layer.op == "batch_norm" for layer in net)
    ours = {
        "params": net.params,
        "trainable_params": net.trainable_params,
        "running_stats": net.buffers - norms,  # without the count of batches that each normalization keeps
        "macs": net.macs,
    }
    for row in NETWORKS[name]:
        published = {fact: int(row[fact]) for fact in ours if row[fact]}
        assert {fact: ours[fact] for fact in published} == published, row["source"]


@pytest.mark.parametrize("name", LAYERS)
def test_its_layers_have_the_published_figures(name):
    wrong = []
    for row in LAYERS[name]:
        ours = facts_of(load(name), row["layer"])
        published = {fact: row[fact] for fact in ("shape", "params", "macs", "field", "least", "stride", "padding")}
        wrong += [(row, ours) for fact, figure in published.items() if figure and ours.get(fact) != figure]
    assert not wrong


@pytest.mark.parametrize("path", TABLES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_figure_names_its_source(path):
    table = rows(path)
    assert all(row["source"] for row in table)
    assert len({tuple(row.values()) for row in table}) == len(table)


# osmr/imgclsmob, pytorch/README.md: the CIFAR networks with projections (option B)
@pytest.mark.parametrize(("n", "params"), [(3, 272_474), (5, 466_906), (7, 661_338), (9, 855_770), (18, 1_730_714)])
def test_the_cifar_networks_with_option_b(n, params):
    assert archspec.load("resnet20_cifar", n=n, shortcut="projection").params == params


def test_depths_the_zoo_does_not_name():
    # He 2015, table 6: 1202 layers and 19.4 million parameters, by the formula; with option B osmr/imgclsmob
    assert archspec.load("resnet20_cifar", n=200).params == 19_421_274
    assert archspec.load("resnet20_cifar", n=200, shortcut="projection").params == 19_424_026
    # osmr/imgclsmob, pytorch/README.md: PreResNet-1001 for CIFAR-10, and PreResNet-200b
    assert archspec.load("preact_resnet164_cifar", depths=[111, 111, 111]).params == 10_327_706
    assert archspec.load("preact_resnet50", depths=[3, 24, 36, 3]).params == 64_666_280


@pytest.mark.parametrize(
    ("changes", "params"),
    [
        # Huang 2017, table 2: 7.0, 27.2, 15.3 and 25.6 million, by the formulas; those with bottlenecks also imgclsmob
        ({"depths": [32] * 3, "bottleneck": False, "compression": 1, "width": 16}, 6_979_642),
        ({"depths": [32] * 3, "bottleneck": False, "compression": 1, "width": 16, "growth": 24}, 27_249_082),
        ({"depths": [41] * 3, "growth": 24}, 15_324_406),
        ({"depths": [31] * 3, "growth": 40}, 25_624_430),
        # osmr/imgclsmob, pytorch/README.md: DenseNet-BC-40 (k=12) and, with compression, DenseNet-40 (k=12)
        ({"depths": [6] * 3}, 176_122),
        ({"depths": [12] * 3, "bottleneck": False}, 599_050),
    ],
)
def test_densenets_for_cifar_of_other_sizes(changes, params):
    assert archspec.load("densenet_bc100_k12_cifar", **changes).params == params


# osmr/imgclsmob, pytorch/README.md: ResNet-10, -26, BC-26b, PreResNet-26, -BC-26b, -269b, ResNeXt-14 (16x4d),
# -26 (32x2d), -101 (32x4d), SE-ResNet-10, -26, -BC-26b
@pytest.mark.parametrize(
    ("name", "changes", "params"),
    [
        ("resnet18", {"depths": [1, 1, 1, 1]}, 5_418_792),
        ("resnet18", {"depths": [3, 3, 3, 3]}, 17_960_232),
        ("resnet50", {"depths": [2, 2, 2, 2]}, 15_995_176),
        ("preact_resnet18", {"depths": [3, 3, 3, 3]}, 17_958_568),
        ("preact_resnet50", {"depths": [2, 2, 2, 2]}, 15_987_624),
        ("preact_resnet50", {"depths": [3, 30, 48, 8]}, 102_065_832),
        ("resnext50_32x4d", {"depths": [1, 1, 1, 1], "groups": 16}, 7_127_336),
        ("resnext50_32x4d", {"depths": [2, 2, 2, 2], "base": 2}, 9_924_136),
        ("resnext101_32x8d", {"base": 4}, 44_177_704),
        ("se_resnet18", {"depths": [1, 1, 1, 1]}, 5_463_332),
        ("se_resnet18", {"depths": [3, 3, 3, 3]}, 18_093_852),
        ("se_resnet50", {"depths": [2, 2, 2, 2]}, 17_395_976),
    ],
)
def test_residual_networks_of_other_sizes(name, changes, params):
    assert archspec.load(name, **changes).params == params


def test_squeezenets_at_227():
    # DeepScale/SqueezeNet, by the prototxt files. That of 1.0 pads its last convolution, so that 15x15 positions are
    # classified where the paper's table and torchvision have 13x13.
    assert archspec.load("squeezenet1_1", input=(3, 227, 227)).macs == 387_747_520
    padding = (15 * 15 - 13 * 13) * 512 * 1000
    assert archspec.load("squeezenet1_0", input=(3, 227, 227)).macs + padding == 861_339_936


# Howard 2017, table 7: 418, 290 and 186 million
@pytest.mark.parametrize(("size", "macs"), [(192, 418_121_728), (160, 290_675_200), (128, 186_400_768)])
def test_mobilenet_v1_at_other_resolutions(size, macs):
    assert archspec.load("mobilenet_v1", input=(3, size, size)).macs == macs


# tf-slim, mobilenet/README.md: 509, 209, 97 and 59 million; 5.34, 2.61, 1.95 and 1.66 million parameters, which leave
# out those of batch normalization, as many as its running statistics
@pytest.mark.parametrize(
    ("width", "params", "macs"), [(1.3, 5.34, 509), (0.75, 2.61, 209), (0.5, 1.95, 97), (0.35, 1.66, 59)]
)
def test_mobilenet_v2_as_tf_slim_counts_it(width, params, macs):
    net = archspec.load("mobilenet_v2", width=width)
    norms = 2 * sum(layer.shape[0] for layer in net if layer.op == "batch_norm")
    assert round((net.params - norms) / 1e6, 2) == params
    assert round(net.macs / 1e6) == macs


# timm 1.0.31: mobilenetv2_035, _050 and _075
@pytest.mark.parametrize(("width", "params"), [(0.35, 1_677_128), (0.5, 1_968_680), (0.75, 2_636_424)])
def test_mobilenet_v2_at_other_widths(width, params):
    assert archspec.load("mobilenet_v2", width=width).params == params


def test_se_resnet152():
    # hujie-frank/SENet, by its prototxt file
    net = archspec.load("se_resnet50", depths=[3, 8, 36, 3])
    assert (net.params, net.macs) == (66_821_848, 11_288_993_792)


# torchvision 0.28: vit_l_16 and vit_l_32; vit_b_16 for 384x384
@pytest.mark.parametrize(
    ("changes", "params"),
    [
        ({"width": 1024, "depth": 24}, 304_326_632),
        ({"width": 1024, "depth": 24, "patch": 32}, 306_535_400),
        ({"size": 384}, 86_859_496),
    ],
)
def test_vision_transformers_of_other_sizes(changes, params):
    assert archspec.load("vit_b_16", **changes).params == params


def test_a_unet_for_one_class_has_one_row_of_weights_less_in_its_head():
    # the figure of padded implementations without normalization, for 1 channel and 1 class
    assert archspec.load("unet", classes=1).params == 31_030_593


def test_vgg16_read_as_a_convolution_sees_404_positions():
    # Long, Shelhamer, Darrell. Fully convolutional networks, CVPR 2015, table 1: 404 for VGG-16, 355 for AlexNet.
    # Their score layer is the first linear layer slid as a convolution: 7x7 over pool5 here, 6x6 for AlexNet.
    vgg = load("vgg16").facts.fields[load("vgg16")["features.30"].node.outputs[0]].windows[0]
    alexnet = load("alexnet_grouped").facts.fields[load("alexnet_grouped")["pool5"].node.outputs[0]].windows[0]
    assert vgg.size + 6 * vgg.stride == 404
    assert alexnet.size + 5 * alexnet.stride == 355
