"""What users do with a module: copy it, store it, script, export and compile it, move it and change its precision."""

from __future__ import annotations

import copy
import io
import pickle
import warnings
from collections.abc import Callable
from functools import cache

import pytest
import torch
from torch import Tensor, nn

from tests.zoo.small import FAMILY, ZOO, small

NETWORKS = (
    "lenet5_1998", "alexnet_grouped", "vgg11", "resnet18", "unet_padded", "densenet40_k12_cifar", "googlenet",
    "autoencoder_strided",
)  # fmt: skip
"""One network for each way the source is put together: tables of numbers, groups, `nn.Sequential`, classes with
parameters, classes that hold one another, joins of many, outputs that are only there while training, padding that
depends on the size.
"""

NOT_REDUCED = {name for name in NETWORKS if any(layer.op == "local_response_norm" for layer in small(name))}
"""PyTorch 2.13 has no local response normalization of bfloat16 or half on a CPU."""

TOLERANCE = 1e-5
"""Of the largest output: what another order of additions changes in float32."""


@cache
def module(name: str) -> nn.Module:
    """The network in eval mode, always with the same weights. Nobody may change it."""
    torch.manual_seed(0)
    return small(name).to_torch().eval()


@cache
def images(name: str) -> Tensor:
    """Two samples."""
    (sizes,) = small(name).inputs.values()
    return torch.randn(2, *sizes, generator=torch.Generator().manual_seed(1))


def run(model: Callable[[Tensor], object], batch: Tensor) -> Tensor:
    """What a network says of a batch: the one tensor it returns in eval mode."""
    with torch.no_grad():
        returned = model(batch)
    assert isinstance(returned, Tensor)
    return returned


def close(got: Tensor, expected: Tensor, tolerance: float = TOLERANCE) -> None:
    assert got.dtype == expected.dtype
    assert got.shape == expected.shape
    assert (got - expected).abs().max() <= tolerance * expected.abs().max()


@cache
def expected(name: str) -> Tensor:
    return run(module(name), images(name))


def through_pickle(model: nn.Module) -> nn.Module:
    loaded: nn.Module = pickle.loads(pickle.dumps(model))
    return loaded


def through_a_file(model: nn.Module) -> nn.Module:
    file = io.BytesIO()
    torch.save(model, file)
    file.seek(0)
    loaded: nn.Module = torch.load(file, weights_only=False)
    return loaded


def scripted(model: nn.Module) -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # torch would rather have users export
        compiled: nn.Module = torch.jit.script(model)
    return compiled


def compiled(model: nn.Module) -> Callable[[Tensor], object]:
    torch._dynamo.reset()
    return torch.compile(model, fullgraph=True, backend="eager")


WAYS: tuple[Callable[[nn.Module], Callable[[Tensor], object]], ...] = (
    copy.deepcopy, through_pickle, through_a_file, scripted, compiled, nn.DataParallel,
)  # fmt: skip


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
@pytest.mark.parametrize("name", NETWORKS)
def test_transformed_modules_compute_the_same(
    name: str, way: Callable[[nn.Module], Callable[[Tensor], object]]
) -> None:
    close(run(way(module(name)), images(name)), expected(name))


@pytest.mark.parametrize("name", NETWORKS)
def test_a_deep_copy_does_not_share_weights(name: str) -> None:
    for way in (copy.deepcopy, through_pickle, through_a_file):
        copied = way(module(name))
        assert isinstance(copied, nn.Module)
        ours, theirs = module(name).state_dict(), copied.state_dict()
        assert list(ours) == list(theirs)
        assert not {t.data_ptr() for t in ours.values()} & {t.data_ptr() for t in theirs.values()}


@pytest.mark.parametrize("dynamic", [False, True], ids=["static", "dynamic"])
@pytest.mark.parametrize("name", NETWORKS)
def test_modules_can_be_exported(name: str, dynamic: bool) -> None:
    batch = images(name)
    shapes = ({0: torch.export.Dim("batch", min=1, max=64)},) if dynamic else None
    program = torch.export.export(module(name), (batch,), dynamic_shapes=shapes).module()
    close(run(program, batch), expected(name))
    if dynamic:
        close(run(program, batch[:1].repeat(3, 1, 1, 1)), expected(name)[:1].expand(3, *expected(name).shape[1:]))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=["bfloat16", "half"])
@pytest.mark.parametrize("name", [name for name in NETWORKS if name not in NOT_REDUCED])
def test_modules_run_in_lower_precision(name: str, dtype: torch.dtype) -> None:
    """Every layer takes the type it is given: the numbers are those of that precision, with 8 bits or 11."""
    reduced = copy.deepcopy(module(name)).to(dtype)
    got = run(reduced, images(name)[:1].to(dtype))
    assert got.dtype == dtype
    assert {t.dtype for t in reduced.state_dict().values() if t.is_floating_point()} == {dtype}
    assert torch.isfinite(got).all()
    close(got.float(), expected(name)[:1], tolerance=0.1)


@pytest.mark.parametrize("name", NETWORKS)
def test_modules_run_channels_last(name: str) -> None:
    turned = copy.deepcopy(module(name)).to(memory_format=torch.channels_last)
    close(run(turned, images(name).contiguous(memory_format=torch.channels_last)), expected(name))


@pytest.mark.parametrize("name", NETWORKS)
def test_modules_can_be_created_on_the_meta_device(name: str) -> None:
    """On the device `meta` it has shapes alone; its weights can then be given to it."""
    with torch.device("meta"):
        empty = small(name).to_torch().eval()
    assert all(tensor.is_meta for tensor in empty.state_dict().values())
    assert run(empty, images(name).to("meta")).shape == expected(name).shape
    empty.load_state_dict(module(name).state_dict(), assign=True)
    close(run(empty, images(name)), expected(name))


OTHER_FAMILIES = sorted(
    {FAMILY[name]: name for name in reversed(ZOO) if FAMILY[name] not in {FAMILY[name] for name in NETWORKS}}.values()
)


@pytest.mark.parametrize("name", OTHER_FAMILIES)
def test_every_family_can_be_scripted(name: str) -> None:
    """What the layers of a script compute is in `test_rules.py`."""
    with torch.device("meta"):
        model = small(name).to_torch()
    assert list(scripted(model).state_dict()) == list(model.state_dict())
