"""Initial weights without torch: the distributions are those of `torch.nn.init`, the random streams are not."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  # its usual name
from torch.nn import init

from archspec.diagnostics import ArchspecError
from archspec.ir.graph import Graph
from archspec.ir.initializers import FANS, INITIALIZERS, NONLINEARITIES
from archspec.loading import parse
from archspec.lower.weights import initial
from tests.lower.weights.graphs import TEXT, code, one


@pytest.fixture
def graph() -> Graph:
    return parse(TEXT).graph


def drawn(shape: tuple[int, ...], kind: str, seed: int = 0, **options: Any) -> np.ndarray:
    (values,) = initial(one(shape, kind, **options), seed).values()
    assert values.shape == shape
    assert values.dtype == np.float32
    return values


def interpolating_(weight: Tensor) -> Tensor:
    """The weight of a transposed convolution is what one pixel becomes: here, when it is interpolated."""
    with torch.no_grad():
        weight.zero_()
        axes = weight.dim() - 2
        mode = ["linear", "bilinear", "trilinear"][axes - 1]
        for channel in range(len(weight)):
            (kernel,) = weight.shape[2:3]
            factor = (kernel + 1) // 2
            pixel = torch.zeros(1, 1, *[3] * axes)
            pixel[(0, 0, *[1] * axes)] = 1
            response = F.interpolate(pixel, scale_factor=factor, mode=mode)
            start = factor + factor // 2 - kernel // 2
            for axis in range(2, 2 + axes):
                response = response.narrow(axis, start, kernel)
            weight[channel, channel % weight.shape[1]] = response[0, 0]
    return weight


KAIMING = [{"mode": mode, "nonlinearity": kind} for mode in FANS for kind in NONLINEARITIES]

IN_TORCH: Mapping[str, tuple[Callable[..., Tensor], list[dict[str, Any]], Mapping[str, str]]] = {
    "zeros": (init.zeros_, [{}], {}),
    "ones": (init.ones_, [{}], {}),
    "constant": (init.constant_, [{"value": -0.3}, {"value": 7.0}], {"value": "val"}),
    "normal": (init.normal_, [{"mean": 0.0, "std": 1.0}, {"mean": -2.0, "std": 0.3}], {}),
    "trunc_normal": (
        init.trunc_normal_,
        [
            {"mean": 0.0, "std": 1.0}, {"mean": 0.0, "std": 0.02}, {"mean": 1.0, "std": 1.5},
            {"mean": 0.5, "std": 50.0}, {"mean": 3.0, "std": 1.0}, {"mean": -2.5, "std": 0.4},
        ],
        {},
    ),
    "uniform": (init.uniform_, [{"low": 0.0, "high": 1.0}, {"low": -0.2, "high": 0.1}], {"low": "a", "high": "b"}),
    "xavier_normal": (init.xavier_normal_, [{"gain": 1.0}, {"gain": 2.5}], {}),
    "xavier_uniform": (init.xavier_uniform_, [{"gain": 1.0}, {"gain": 2.5}], {}),
    "kaiming_normal": (init.kaiming_normal_, KAIMING, {}),
    "kaiming_uniform": (init.kaiming_uniform_, KAIMING, {}),
    "orthogonal": (init.orthogonal_, [{"gain": 1.0}, {"gain": 0.5}], {}),
    "dirac": (init.dirac_, [{}], {}),
    "bilinear": (interpolating_, [{}], {}),
}  # fmt: skip
"""Each initializer's function in torch, options to try, and the names torch has for those it calls otherwise."""

KERNELS = ("dirac", "bilinear")
"""Those that are no distribution, and for kernels alone."""

CASES = [
    pytest.param(kind, options, id=f"{kind} {' '.join(map(str, options.values()))}".strip())
    for kind, (_, cases, _) in IN_TORCH.items()
    for options in cases
    if kind not in KERNELS
]


def torchs(shape: tuple[int, ...], kind: str, options: Mapping[str, Any]) -> np.ndarray:
    function, _, names = IN_TORCH[kind]
    tensor = torch.empty(shape)
    torch.manual_seed(0)
    function(tensor, **{names.get(name, name): value for name, value in options.items()})
    return tensor.numpy()


def test_every_initializer_has_a_case() -> None:
    assert set(IN_TORCH) == set(INITIALIZERS)
    for kind, (_, cases, _) in IN_TORCH.items():
        assert all(set(options) == set(INITIALIZERS[kind]) for options in cases)


@pytest.mark.filterwarnings("ignore:mean is more than 2 std from")  # torch warns of what it gets wrong there itself
@pytest.mark.parametrize(("kind", "options"), CASES)
@pytest.mark.parametrize("shape", [(300, 400), (60, 40, 7, 5)], ids=str)
def test_the_distribution_is_torchs(kind: str, options: Mapping[str, Any], shape: tuple[int, ...]) -> None:
    """The whole distribution: both samples sorted, quantile by quantile.

    The empirical distribution functions of n samples each differ by more than c(alpha) * sqrt(2 / n), with
    c = 1.95 at alpha = 0.001, once in a thousand draws (Kolmogorov and Smirnov); the seeds here are fixed.
    """
    ours, theirs = (np.sort(values.ravel()) for values in (drawn(shape, kind, **options), torchs(shape, kind, options)))
    if kind in ("zeros", "ones", "constant"):
        np.testing.assert_array_equal(ours, theirs)
        return
    # The standard deviation of n values is known to 1 / sqrt(2 n) of itself: 0.2 % here, and 5 times that is allowed.
    np.testing.assert_allclose(ours.std(), theirs.std(), rtol=0.01)
    points = np.concatenate([ours, theirs])
    levels = [np.searchsorted(sample, points, side="right") / len(sample) for sample in (ours, theirs)]
    assert np.abs(levels[0] - levels[1]).max() < 1.95 * np.sqrt(2 / len(ours))
    if kind in ("uniform", "xavier_uniform", "kaiming_uniform"):
        spread = theirs[-1] - theirs[0]
        np.testing.assert_allclose(ours[[0, -1]], theirs[[0, -1]], atol=1e-3 * spread)


@pytest.mark.parametrize("kind", KERNELS)
@pytest.mark.parametrize("shape", [(3, 3, 5), (5, 5, 4, 4), (6, 1, 8, 8), (2, 2, 4, 4, 4), (1, 1, 1, 1)], ids=str)
def test_kernels_are_torchs(kind: str, shape: tuple[int, ...]) -> None:
    np.testing.assert_allclose(drawn(shape, kind), torchs(shape, kind, {}), atol=1e-6)


def test_an_odd_kernel_interpolates_from_its_middle() -> None:
    """By the formula: a triangle around the middle tap that is gone 2, and 3, taps from it."""
    np.testing.assert_allclose(drawn((1, 1, 3), "bilinear").ravel(), [0.5, 1, 0.5])
    np.testing.assert_allclose(drawn((1, 1, 5), "bilinear").ravel(), [1 / 3, 2 / 3, 1, 2 / 3, 1 / 3])


@pytest.mark.parametrize(
    "layer",
    [
        "conv: {channels: 4, kernel: 3, init: dirac}",
        "conv_transpose: {channels: 4, kernel: 4, stride: 2, init: bilinear}",
    ],
)
def test_kernels_are_initialized_alike_in_numpy_and_torch(layer: str) -> None:
    net = parse(f"archspec: 1\nname: net\ninput: [4, 8, 8]\nlayers:\n  - {layer}\n  - {layer}")
    state = net.to_torch().state_dict()
    for key, ours in initial(net.graph).items():
        if key.endswith("weight"):
            np.testing.assert_allclose(state[key].numpy(), ours, atol=1e-6)


def test_signs_of_orthogonal_matrices_are_random() -> None:
    """The sign of a corner is a fair coin: of 200 within 100 +- 28 all but once in 10,000 times (4 sigma)."""
    heads = sum(drawn((3, 3), "orthogonal", seed, gain=1.0)[0, 0] > 0 for seed in range(200))
    assert 72 < heads < 128


@pytest.mark.parametrize("shape", [(30, 20), (20, 30), (16, 4, 3, 3), (64, 2, 3, 3), (1, 5)], ids=str)
def test_orthogonal_rows_or_columns(shape: tuple[int, ...]) -> None:
    matrix = drawn(shape, "orthogonal", gain=3.0).reshape(shape[0], -1) / 3
    product = matrix @ matrix.T if matrix.shape[0] <= matrix.shape[1] else matrix.T @ matrix
    np.testing.assert_allclose(product, np.eye(len(product)), atol=1e-5)


@pytest.mark.parametrize(
    "options", [{"mean": 100.0, "std": 0.1}, {"mean": 0.0, "std": 0.0}, {"mean": 0.0, "std": 1e30}]
)
def test_trunc_normal_stays_within_its_bounds_and_terminates(options: Mapping[str, float]) -> None:
    values = drawn((1000,), "trunc_normal", **options)
    assert np.isfinite(values).all()
    assert np.abs(values).max() <= 2  # a = -2, b = 2: the defaults of torch.nn.init.trunc_normal_


@pytest.mark.parametrize(
    ("values", "shape"),
    [
        (((1, 2), (3, 4)), (2, 3, 2, 2)),
        ((0.5,), (4, 3)),
        (2, (2, 2)),
        ((((1.0, -1.0),),), (1, 1, 2)),
        (((1,), (2,)), (2, 5)),
    ],
)
def test_values_of_the_spec_are_repeated_along_axes_before_them(values: Any, shape: tuple[int, ...]) -> None:
    expected = torch.tensor(values, dtype=torch.float32).expand(shape).numpy()
    np.testing.assert_array_equal(drawn(shape, "values", values=values), expected)


@pytest.mark.parametrize(
    "kind", [kind for kind, (_, cases, _) in IN_TORCH.items() if "gain" in cases[0] or "mode" in cases[0]]
)
def test_a_vector_has_no_fans(kind: str) -> None:
    options = IN_TORCH[kind][1][0]
    with pytest.raises(ValueError, match="2"):
        torchs((5,), kind, options)
    with pytest.raises(ArchspecError) as error:
        drawn((5,), kind, **options)
    assert code(error) == "wrong-value"


@pytest.mark.parametrize(
    "layer", ["conv: {channels: 64, kernel: 3}", "linear: 3000", "conv_transpose: {channels: 64, kernel: 3}"]
)
def test_the_defaults_of_layers_are_torchs(layer: str) -> None:
    net = parse(f"archspec: 1\nname: net\ninput: [48, 16, 16]\nlayers:\n  - {layer}")
    theirs = {key: tensor.numpy() for key, tensor in net.to_torch().state_dict().items()}
    for key, ours in initial(net.graph).items():
        n = min(ours.size, 1000)
        assert abs(ours.mean()) < 4 * ours.std() / np.sqrt(n)
        np.testing.assert_allclose(np.abs(ours).max(), np.abs(theirs[key]).max(), rtol=20 / n)
        np.testing.assert_allclose(ours.std(), theirs[key].std(), rtol=4 / np.sqrt(n))


def test_the_same_seed_gives_the_same_values(graph: Graph) -> None:
    first, again, other = initial(graph, 3), initial(graph, 3), initial(graph, -4)
    for key in first:
        np.testing.assert_array_equal(first[key], again[key])
    assert (first["fc.weight"] != other["fc.weight"]).all()


def test_values_do_not_depend_on_the_process() -> None:
    program = (
        "from archspec.loading import parse; from archspec.lower.weights import initial; "
        f"print({{k: v.tobytes().hex() for k, v in initial(parse({TEXT!r}).graph).items()}})"
    )
    first, second = (
        subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2")
    )
    assert first == second
    assert "c1.weight" in first


def test_layers_elsewhere_do_not_change_a_weight(graph: Graph) -> None:
    longer = parse(TEXT.replace("  - relu\n", "  - relu\n  - conv: {name: new, channels: 4, kernel: 1}\n")).graph
    before, after = initial(graph), initial(longer)
    for key in before:
        np.testing.assert_array_equal(before[key], after[key])


def test_weights_of_one_shape_differ() -> None:
    values = [next(iter(initial(one((50,), "normal", key, mean=0.0, std=1.0)).values())) for key in ("a", "b")]
    assert abs(np.corrcoef(*values)[0, 1]) < 0.5


def test_every_weight_once_in_order(graph: Graph) -> None:
    found = initial(graph)
    assert list(found) == [key for key, _ in graph.weights()]
    assert not any(key.startswith("c3.") for key in found)
    assert found["bn.num_batches_tracked"].dtype == np.int64
    assert found["bn.num_batches_tracked"].shape == ()


def test_arrays_are_writable_and_share_no_memory(graph: Graph) -> None:
    for array in initial(graph).values():
        assert array.flags.writeable
        assert array.flags.c_contiguous


def test_torch_is_not_imported() -> None:
    program = "import sys, archspec.lower.weights; assert not {'torch', 'onnx'} & set(sys.modules), 'imported'"
    subprocess.run([sys.executable, "-c", program], check=True)
