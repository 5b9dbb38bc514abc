"""On the same weights the generated module computes what the hand-written one does, where torchvision has neither."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd

import archspec
from archspec.network import Network
from tests.tv import tensors
from tests.zoo.handwritten import MAKERS
from tests.zoo.small import random_tensors
from tests.zoo.test_zoo_models import KINDS

# the inputs are as small as the network takes; those of a network with several are its own
CASES: dict[str, tuple[int, ...] | None] = {
    "lenet5": (1, 32, 32),
    "lenet5_1998": (1, 32, 32),
    "alexnet_grouped": (3, 227, 227),
    "resnet50_v1": (3, 64, 64),
    "plain34": (3, 64, 64),
    "resnet20_cifar": (3, 32, 32),
    "resnet56_cifar": (3, 32, 32),
    "preact_resnet18": (3, 64, 64),
    "preact_resnet50": (3, 64, 64),
    "preact_resnet164_cifar": (3, 32, 32),
    "densenet40_k12_cifar": (3, 32, 32),
    "densenet_bc100_k12_cifar": (3, 32, 32),
    "xception": (3, 96, 96),
    "fractalnet20": (3, 32, 32),
    "inception_resnet_v2": (3, 96, 96),
    "mobilenet_v1_025": (3, 64, 64),
    "mobilenet_v2_140": (3, 64, 64),
    "se_resnet18": (3, 64, 64),
    "se_resnet50": (3, 64, 64),
    "vgg16_attention": (3, 64, 64),
    "unet": (1, 188, 188),
    "unet_padded": (3, 32, 32),
    "wavenet_block": (256, 1100),
    "yolox_tiny": (3, 32, 64),
    "yolox_m": (3, 32, 32),
    "yolov8n": (3, 64, 96),
    "yolov8m": (3, 32, 32),
    "segnet_camvid": (3, 45, 60),
    "segnet_basic": (3, 45, 60),
    "attention_unet": (3, 32, 48),
    "unet_resnet18": (3, 64, 32),
    "unet_resnet50": (3, 32, 32),
    "srgan_generator": (3, 8, 10),
    "srgan_generator_per_channel": (3, 8, 8),
    "capsnet": None,
    "capsnet_one_round": None,
    "mlp_1000_500": (1, 29, 29),
    "mlp_keras": (1, 28, 28),
    "autoencoder_pooled": (1, 28, 28),
    "autoencoder_strided": (1, 28, 28),
    "ecg_cinc17": (1, 512),
    "unet_intel_2d": (1, 32, 32),
    "unet_intel_2d_upsampling": (1, 32, 48),
    "unet_intel_3d": (1, 16, 16, 32),
    "context_basic": (21, 32, 32),
    "context_large": (21, 32, 32),
    "mixer_b16_224": (3, 224, 224),
    "convmixer_768_32": (3, 32, 32),
    "ghostnet_100": (3, 64, 64),
    "res2net50_26w_4s": (3, 64, 64),
    "dcgan_generator": (100, 1, 1),
    "dcgan_discriminator": (3, 64, 64),
    "style_transfer": (3, 32, 40),
    "pose_resnet50": (3, 64, 32),
    "pspnet_resnet50": (3, 65, 49),
    "hrnet_w18": (3, 64, 32),
    "pointnet": (3, 40),
    "lstm_tagger": None,
    "bilstm_tagger": None,
    "vae": None,
    "pointnet_pytorch": (3, 24),
}


def in_order(model: nn.Module, *inputs: torch.Tensor) -> list[nn.Module]:
    """The modules with weights in the order they run."""
    ran: list[nn.Module] = []
    hooks = [
        module.register_forward_hook(lambda module, *_: ran.append(module))
        for module in model.modules()
        if type(module) in KINDS
    ]
    model(*inputs)
    for hook in hooks:
        hook.remove()
    return ran


def lively(model: nn.Module) -> None:
    """Weights that preserve the signal through every layer, and statistics other than the initial ones."""
    for module in model.modules():
        if isinstance(module, _BatchNorm):
            nn.init.uniform_(module.running_mean, -0.1, 0.1)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
            nn.init.uniform_(module.weight, 0.5, 1.5)
        elif isinstance(module, _ConvNd | nn.Linear):
            nn.init.kaiming_normal_(module.weight)


def copy_weights(net: Network, ours: nn.Module, theirs: list[nn.Module]) -> None:
    """Give each layer of ours the weights of the module that runs in its place."""
    nodes = [layer.node for layer in net if layer.node.weights]
    for node, source in zip(nodes, theirs, strict=True):
        target, values = ours.get_submodule(node.name).state_dict(), source.state_dict()
        assert target.keys() == values.keys(), node.name
        for name, value in target.items():
            value.copy_(values[name].view_as(value))


@pytest.mark.parametrize("name", CASES)
def test_the_generated_module_computes_what_the_hand_written_one_does(name):
    torch.manual_seed(0)
    theirs, net = MAKERS[name](), archspec.load(name, input=CASES[name])
    inputs = random_tensors(net)
    lively(theirs)
    ours = net.to_torch()
    with torch.no_grad():
        copy_weights(net, ours, in_order(theirs.eval(), *(x[:1] for x in inputs)))
        for got, wanted in zip(tensors(ours.eval()(*inputs)), tensors(theirs(*inputs)), strict=True):
            assert wanted.std() > 1e-3, "nothing came through"
            torch.testing.assert_close(got, wanted, rtol=1e-5, atol=1e-5 * float(wanted.abs().max()))


@pytest.mark.parametrize("name", ["resnet20_cifar", "preact_resnet18"])
def test_it_does_so_while_training_and_learns_the_same_statistics(name):
    torch.manual_seed(0)
    theirs, x = MAKERS[name](), torch.randn(4, *CASES[name])
    net = archspec.load(name, input=CASES[name])
    ours = net.to_torch()
    with torch.no_grad():
        modules = in_order(theirs.eval(), x)
        copy_weights(net, ours, modules)
        wanted = theirs.train()(x)
        torch.testing.assert_close(ours.train()(x), wanted, rtol=1e-5, atol=1e-5 * float(wanted.abs().max()))
    norms = [ours.get_submodule(layer.name) for layer in net if layer.op == "batch_norm"]
    theirs_norms = [module for module in modules if isinstance(module, _BatchNorm)]
    for ours_norm, theirs_norm in zip(norms, theirs_norms, strict=True):
        torch.testing.assert_close(ours_norm.running_mean, theirs_norm.running_mean, rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(ours_norm.running_var, theirs_norm.running_var, rtol=1e-5, atol=1e-6)


def test_the_sides_of_boxes_are_means_of_0_to_15():
    model = archspec.load("yolov8n").to_torch()
    distances = model.get_parameter("model.22.dfl.conv.weight")
    assert not distances.requires_grad
    assert distances.flatten().tolist() == list(range(16))


def test_the_bitmaps_stay_as_they_are_while_the_rest_learns():
    model = archspec.load("lenet5_1998").to_torch()
    assert sum(p.numel() for p in model.parameters() if p.requires_grad) == 60_000
    before = model.state_dict()["output.weight"].clone()
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1)
    model(torch.randn(2, 1, 32, 32)).sum().backward()
    optimizer.step()
    assert set(before.unique().tolist()) == {-1.0, 1.0}
    assert torch.equal(model.state_dict()["output.weight"], before)
