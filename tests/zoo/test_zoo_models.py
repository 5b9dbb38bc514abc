"""The networks of the zoo against the same networks in PyTorch: weights, shapes and multiply-accumulates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

import archspec
from archspec import zoo
from archspec.network import Network
from archspec.passes.layer_table import Layer
from tests import tv
from tests.zoo import handwritten
from tests.zoo.handwritten.autoencoder import Doubling
from tests.zoo.handwritten.capsnet import Votes
from tests.zoo.handwritten.fcn import Interpolation
from tests.zoo.handwritten.gpt2 import Tied
from tests.zoo.handwritten.lenet import Coefficient, Distances
from tests.zoo.handwritten.transformer import TiedEmbedding
from tests.zoo.small import FAMILY, random_tensors

COUNTERPARTS = [name for name, _ in zoo.names() if name in tv.NAMES or name in handwritten.MAKERS]

KINDS: Mapping[type[nn.Module], str] = {
    **dict.fromkeys((nn.Conv1d, nn.Conv2d, nn.Conv3d), "conv"),
    **dict.fromkeys((nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d), "conv_transpose"),
    **dict.fromkeys((nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d), "batch_norm"),
    **dict.fromkeys((nn.LayerNorm, tv.torchvision.models.convnext.LayerNorm2d), "layer_norm"),
    nn.InstanceNorm2d: "instance_norm",
    nn.MultiheadAttention: "multi_head_attention",
    nn.Linear: "linear",
    Coefficient: "affine",
    Doubling: "conv_transpose",
    Interpolation: "conv_transpose",
    Votes: "capsule_votes",
    nn.PReLU: "prelu",
    Distances: "radial_basis",
    nn.Embedding: "embedding",
    nn.LSTM: "lstm",
    Tied: "linear",
    TiedEmbedding: "embedding",
}
"""The modules that own weights, and the ops they are."""

MULTIPLYING = ("conv", "conv_transpose", "linear", "capsule_votes", "multi_head_attention", "matmul", "lstm")
"""The ops whose products PyTorch counts."""

LIBRARIES = [
    "unet_resnet18", "unet_resnet34", "unet_resnet50", "yolox_tiny", "yolox_s", "yolox_m", "mixer_b16_224",
    "convmixer_768_32", "pointnet_pytorch", "bilstm_tagger", "vae", "style_transfer", "attention_unet",
    "gpt2_small", "transformer_base", "yolov8n", "yolov8m", "pspnet_resnet50", "hrnet_w18",
]  # fmt: skip
"""Networks of other libraries that the hand-written ones name their weights after."""

load = cache(archspec.load)


@dataclass(frozen=True)
class Seen:
    """What one forward pass of a PyTorch module shows."""

    layers: list[tuple[str, tuple[int, ...], int]]
    """The modules with weights in the order they ran: op, output shape of one sample, parameters."""
    shapes: dict[str, tuple[int, ...]]
    """The output shape of every module without children, by its name; of its first call if it has several."""
    flops: int
    """Two for each multiply-accumulate of a convolution or a matrix product."""
    outputs: list[tuple[int, ...]]


def _works_alone(module: nn.Module) -> bool:
    """Whether a module does its work itself: attention reads its child's weights without calling it."""
    return not list(module.children()) or isinstance(module, nn.MultiheadAttention)


@cache
def watch(name: str) -> Seen:
    """Run the PyTorch network of a name on shapes alone, with hooks on its modules."""
    model = handwritten.model(name)
    layers: list[tuple[str, tuple[int, ...], int]] = []
    shapes: dict[str, tuple[int, ...]] = {}

    def hook(path: str):
        def note(module: nn.Module, _: object, output: Tensor | tuple[Tensor, ...]) -> None:
            shape = tuple((output[0] if isinstance(output, tuple) else output).shape[1:])
            shapes.setdefault(path, shape)
            if type(module) in KINDS:
                layers.append((KINDS[type(module)], shape, sum(p.numel() for p in module.parameters())))

        return note

    whole = (nn.MultiheadAttention,)  # modules that do their work themselves, and not by calling their children
    leaves = [
        (path, module) for path, module in model.named_modules() if not [*module.children()] or type(module) in whole
    ]
    hooks = [module.register_forward_hook(hook(path)) for path, module in leaves]
    inputs = random_tensors(load(name), 1, "meta")
    with FlopCounterMode(display=False) as counter:
        outputs = tv.tensors(model(*inputs))
    for handle in hooks:
        handle.remove()
    return Seen(layers, shapes, counter.get_total_flops(), [tuple(output.shape[1:]) for output in outputs])


def run(net: Network) -> list[Layer]:
    """The layers that run at inference."""
    return [layer for layer in net if not layer.training_only]


def macs_of(net: Network, *kinds: str) -> int:
    return sum(layer.macs for layer in run(net) if layer.op in kinds)


@pytest.mark.parametrize("name", [name for name in COUNTERPARTS if FAMILY[name] != "swin"])  # see `test_swin.py`
def test_every_layer_with_weights_has_the_shape_and_the_parameters_of_its_pytorch_module(name):
    ours = [(layer.op, layer.shape, layer.params) for layer in run(load(name)) if layer.op in KINDS.values()]
    assert ours == watch(name).layers


@pytest.mark.parametrize("name", COUNTERPARTS)
def test_the_network_has_the_parameters_and_buffers_of_the_pytorch_model(name):
    net, model = load(name), handwritten.model(name)
    assert net.params == sum(p.numel() for p in model.parameters())
    assert net.trainable_params == sum(p.numel() for p in model.parameters() if p.requires_grad)
    assert net.buffers == sum(b.numel() for b in model.buffers())


@pytest.mark.parametrize("name", COUNTERPARTS)
def test_macs_are_half_of_what_pytorch_counts_for_convolutions_and_matrix_products(name):
    assert 2 * macs_of(load(name), *MULTIPLYING) == watch(name).flops


@pytest.mark.parametrize("name", COUNTERPARTS)
def test_the_output_has_the_shape_of_pytorchs(name):
    outputs = [output.value.type.sizes for output in load(name).graph.outputs if not output.training_only]
    assert outputs == watch(name).outputs


@pytest.mark.parametrize("name", LIBRARIES)
def test_the_state_dict_has_the_names_and_shapes_of_the_library(name):
    ours = {key: weight.shape for key, weight in load(name).graph.weights()}
    assert ours == {key: tuple(value.shape) for key, value in handwritten.model(name).state_dict().items()}


@pytest.mark.parametrize("name", tv.NAMES)
def test_the_state_dict_has_torchvisions_names_and_shapes_in_torchvisions_order(name):
    with torch.device("meta"):
        ours = load(name).to_torch().state_dict()
    theirs = tv.meta_model(name).state_dict()
    pairs = [[(key, value.shape) for key, value in state.items()] for state in (ours, theirs)]
    one, other = map(sorted, pairs) if FAMILY[name] == "swin" else pairs  # torchvision makes a merging's norm last
    assert one == other


@pytest.mark.parametrize("name", [name for name in tv.NAMES if FAMILY[name] != "swin"])
def test_every_module_of_torchvision_is_a_layer_of_that_name_and_shape(name):
    # a residual block of torchvision calls its one `relu` several times, where ours has relu, relu_1 and relu_2
    ours = {layer.name: layer.shape for layer in load(name)}
    assert {path: ours.get(path) for path in watch(name).shapes} == watch(name).shapes
