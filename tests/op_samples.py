"""Samples of every op: attributes and inputs it must accept, and some it must reject, with the code of the error."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archspec import Network
from archspec.ir import GraphBuilder
from archspec.ir.graph import Graph, Node, Output, Scope, Value
from archspec.ir.types import DType, TensorType
from archspec.ops import OPS, Op

FILE = "tests/op_samples.py"
"""The file to edit when an op lacks samples."""

OP: dict[str, type[Op]] = {op.kind: op for op in OPS}

Sizes = tuple[int, ...]


Array = NDArray[Any]
Draw = Callable[[np.random.Generator, Sizes], Array]
"""Values of a shape, the batch among them."""


@dataclass(frozen=True)
class Sample:
    """An op with attributes, and the types of its inputs.

    `draws` says how to draw the inputs, by their numbers, that cannot hold just any values: indices, boxes.
    """

    op: Op
    inputs: tuple[TensorType, ...]
    draws: Mapping[int, Draw] = field(default_factory=dict, compare=False)

    @property
    def id(self) -> str:
        """A name for the sample: `conv(kernel=3,channels=4) 2x5x5`."""
        written = ",".join(f"{name}={_short(value)}" for name, value in self.op.explicit_attributes().items())
        types = " ".join("x".join(map(str, tensor.sizes)) or "scalar" for tensor in self.inputs)
        return f"{self.op.kind}({written}) {types}"

    @property
    def outputs(self) -> tuple[TensorType, ...]:
        return self.op.infer(self.inputs)

    @property
    def graph(self) -> Graph:
        """The graph of this one layer, called `layer`; its inputs are `x0`, `x1`, and so on, its outputs `y0`, `y1`."""
        return self.named("layer")

    def named(self, name: str) -> Graph:
        """The graph of this one layer, with a name of its own or, as one that was given none has, that of its op."""
        inputs = tuple(Value(f"x{i}", tensor) for i, tensor in enumerate(self.inputs))
        types = self.outputs
        names = [name] if len(types) == 1 else [f"{name}.{port}" for port in self.op.ports]
        made = tuple(Value(made, type) for made, type in zip(names, types, strict=True))
        node = Node(name, self.op, inputs, made, self.op.weights(self.inputs))
        body = Scope("network", "", (node,), inputs, made)
        return Graph("sample", inputs, body, tuple(Output(f"y{i}", value) for i, value in enumerate(made)))

    def arrays(self, batch: int, seed: int = 0) -> list[Array]:
        """Values for the inputs: spread enough that every branch of an activation is taken."""
        random = np.random.default_rng(seed)
        usual = {DType.INT64: _whole_numbers, DType.FLOAT32: _normal}
        draws = [self.draws.get(i, usual[tensor.dtype]) for i, tensor in enumerate(self.inputs)]
        return [draw(random, (batch, *tensor.sizes)) for draw, tensor in zip(draws, self.inputs, strict=True)]


def shared_twice(sample: Sample) -> Network:
    """A network that applies the op in one module, and again with the same weights in another."""
    b = GraphBuilder("shared")
    inputs = [b.input(f"x{i}", tensor.sizes, tensor.dtype) for i, tensor in enumerate(sample.inputs)]
    for scope, share in (("one", None), ("other", "one.layer")):
        with b.scope(scope):
            outputs = b.apply_all(sample.op, *inputs, name="layer", share=share)
        for i, value in enumerate(outputs):
            b.output(f"{scope}{i}", value)
    return Network.from_graph(b.build())


@dataclass(frozen=True)
class Bad:
    """An op with attributes, and input types it must reject with this code."""

    op: Op
    inputs: tuple[TensorType, ...]
    code: str

    @property
    def id(self) -> str:
        return f"{Sample(self.op, self.inputs).id} {self.code}"


def _short(value: Any) -> str:
    if isinstance(value, tuple):
        return "[" + ",".join(map(_short, value)) + "]"
    return str(value)


def _normal(random: np.random.Generator, shape: Sizes) -> Array:
    return random.normal(0, 3, shape).astype(np.float32)


def _whole_numbers(random: np.random.Generator, shape: Sizes) -> Array:
    return random.integers(-9, 9, shape)


def _zeros_and_ones(random: np.random.Generator, shape: Sizes) -> Array:
    return random.integers(0, 2, shape).astype(np.float32)


def _positive(random: np.random.Generator, shape: Sizes) -> Array:
    return random.uniform(0.2, 3, shape).astype(np.float32)


def _above_zero(kind: str, *inputs: Sizes, **attributes: Any) -> Sample:
    """A sample whose inputs are above 0."""
    return replace(_good(kind, *inputs, **attributes), draws=dict.fromkeys(range(len(inputs)), _positive))


def _masked(*inputs: Sizes, **attributes: Any) -> Sample:
    """A sample of attention whose last input is a mask."""
    return replace(
        _good("multi_head_attention", *inputs, mask=True, **attributes), draws={len(inputs) - 1: _zeros_and_ones}
    )


def _below(limit: int) -> Draw:
    """Whole numbers from 0 up to, but not, a limit."""
    return lambda random, shape: random.integers(0, limit, shape)


def _places(limit: int) -> Draw:
    """Different places in each channel, from 0 up to, but not, a limit."""

    def draw(random: np.random.Generator, shape: Sizes) -> Array:
        places = np.broadcast_to(np.arange(limit), (*shape[:2], limit))
        return random.permuted(places, axis=2)[..., : prod(shape[2:])].reshape(shape)

    return draw


def _unpool(sizes: Sizes, *like: Sizes, **attributes: Any) -> Sample:
    """Values, and different places for them in what the layer makes."""
    op = OP["max_unpool"](**attributes)
    types = (TensorType(sizes), TensorType(sizes, DType.INT64), *map(TensorType, like))
    return Sample(op, types, {1: _places(prod(op.infer(types)[0].spatial))})


def _good(kind: str, *inputs: Sizes, **attributes: Any) -> Sample:
    return Sample(OP[kind](**attributes), tuple(TensorType(sizes) for sizes in inputs))


def _whole(kind: str, *inputs: Sizes, **attributes: Any) -> Sample:
    """A sample whose inputs hold whole numbers."""
    sample = _good(kind, *inputs, **attributes)
    return replace(sample, inputs=tuple(replace(tensor, dtype=DType.INT64) for tensor in sample.inputs))


def _bad(code: str, kind: str, *inputs: Sizes, **attributes: Any) -> Bad:
    sample = _good(kind, *inputs, **attributes)
    return Bad(sample.op, sample.inputs, code)


def _bad_whole(kind: str, *inputs: Sizes, **attributes: Any) -> Bad:
    sample = _whole(kind, *inputs, **attributes)
    return Bad(sample.op, sample.inputs, "wrong-dtype")


def _boxes(size: int, scale: float) -> Draw:
    """Boxes in and around an image of that size; features are `scale` as large."""

    def draw(random: np.random.Generator, shape: Sizes) -> Array:
        start = random.uniform(-2, size, (*shape[:2], 2))
        extent = random.uniform(0, size, (*shape[:2], 2))
        return (np.concatenate([start, start + extent], axis=2) / scale).astype(np.float32)

    return draw


def _regions(kind: str, sizes: Sizes, boxes: int, scale: float = 1.0, **attributes: Any) -> Sample:
    sample = _good(kind, sizes, (boxes, 4), scale=scale, **attributes)
    return replace(sample, draws={1: _boxes(min(sizes[1:]), scale)})


def _bad_unpool(code: str, values: Sizes, indices: Sizes, *like: Sizes, **attributes: Any) -> Bad:
    types = (TensorType(values), TensorType(indices, DType.INT64), *map(TensorType, like))
    return Bad(OP["max_unpool"](**attributes), types, code)


def _everywhere(kind: str, **attributes: Any) -> Iterator[Sample]:
    """Samples of an op that takes any shape."""
    for sizes in ((), (5,), (3, 4), (2, 3, 4), (2, 3, 2, 4)):
        yield _good(kind, sizes, **attributes)


REDUCTIONS = (
    "reduce_mean", "reduce_sum", "reduce_prod", "reduce_max", "reduce_min", "reduce_l2", "reduce_var", "reduce_std",
)  # fmt: skip
COMPARISONS = ("equal", "not_equal", "greater", "greater_equal", "less", "less_equal")


GOOD: tuple[Sample, ...] = (
    # convolution: ranks, strides, every form of padding, dilation, groups
    _good("conv", (1, 6), channels=1, kernel=2),
    _good("conv", (3, 9), channels=4, kernel=3, stride=2, padding="same"),
    _good("conv", (4, 8), channels=6, kernel=3, padding=((2, 0),), groups=2, bias=False),
    _good("conv", (3, 9), channels=4, kernel=3, padding="causal"),
    _good("conv", (4, 8), channels=6, kernel=2, padding="causal", dilation=4, groups=2),
    _good("conv", (2, 9), channels=3, kernel=3, padding="causal", dilation=2, stride=2, bias=False),
    _good("conv", (3, 7, 7), channels=4, kernel=3),
    _good("conv", (3, 8, 9), channels=4, kernel=(3, 2), stride=(2, 1), padding=(1, 0)),
    _good("conv", (3, 8, 7), channels=2, kernel=4, padding="same"),
    _good("conv", (3, 8, 7), channels=2, kernel=(3, 4), stride=(3, 2), padding="same", dilation=(2, 1)),
    _good("conv", (4, 6, 6), channels=8, kernel=3, padding=((0, 1), (2, 1)), groups=4),
    _good("conv", (2, 9, 9), channels=3, kernel=3, dilation=2, padding=2, bias=False),
    _good("conv", (2, 3, 3), channels=3, kernel=2, padding=4),
    _good("conv", (2, 5, 5), channels=3, kernel=1, stride=2, padding="valid"),
    _good("conv", (2, 4, 5, 6), channels=3, kernel=(2, 3, 2), stride=(1, 2, 1), padding=((1, 0), (0, 0), (2, 1))),
    _good("conv", (2, 4, 4, 4), channels=4, kernel=3, padding="same", groups=2),
    *(
        _good("conv", sizes, channels=4, kernel=3, padding=padding, padding_mode=mode, **more)
        for mode in ("reflect", "replicate", "circular")
        for sizes, padding, more in (
            ((2, 6), "causal", {"dilation": 2}), ((4, 6, 5), 1, {"groups": 4}), ((2, 6, 6), "same", {"stride": 2}),
            ((2, 6, 5), ((0, 2), (1, 0)), {"bias": False}), ((2, 3, 4, 3), (0, 1, 2), {"stride": (1, 2, 1)}),
        )
    ),
    _good("conv", (2, 4, 4), channels=3, kernel=3, padding_mode="circular"),
    # transposed convolution: output padding below and above the stride, crops on one side
    _good("conv_transpose", (3, 5), channels=2, kernel=3, stride=2, padding=1, output_padding=1),
    _good("conv_transpose", (3, 5), channels=2, kernel=2, dilation=3, output_padding=2),
    _good("conv_transpose", (3, 5), channels=2, kernel=2, stride=2, dilation=4, output_padding=3, padding=1),
    _good("conv_transpose", (3, 4, 5), channels=4, kernel=2, stride=2),
    _good("conv_transpose", (4, 4, 5), channels=6, kernel=3, stride=2, padding="same", groups=2),
    _good("conv_transpose", (4, 4, 5), channels=6, kernel=4, stride=(2, 3), padding=((0, 1), (2, 1)), bias=False),
    _good("conv_transpose", (4, 4, 5), channels=2, kernel=1, stride=3, output_padding=(2, 0)),
    _good("conv_transpose", (2, 3, 3), channels=2, kernel=3, padding=((0, 2), (1, 1)), dilation=2, output_padding=1),
    _good("conv_transpose", (2, 3, 2, 4), channels=3, kernel=(2, 3, 2), stride=(2, 1, 2),
          padding=((0, 0), (1, 0), (0, 1))),
    _good("conv_transpose", (2, 2, 2, 2), channels=2, kernel=3, stride=2, padding=1, output_padding=(1, 0, 1),
          groups=2),
    # max pooling: ceil and the last window, padding on one side, dilation larger than the padding
    _good("max_pool", (2, 7), kernel=2),
    _good("max_pool", (2, 7), kernel=3, stride=2, padding=1, ceil=True),
    _good("max_pool", (2, 6), kernel=2, stride=3, padding=1, ceil=True),
    _good("max_pool", (2, 7, 8), kernel=3, stride=2, padding=1),
    _good("max_pool", (2, 7, 8), kernel=(2, 3), stride=(3, 2), padding=((0, 1), (2, 0)), ceil=True),
    _good("max_pool", (2, 7, 8), kernel=3, stride=2, padding="same"),
    _good("max_pool", (2, 9, 9), kernel=2, stride=1, padding=((1, 2), (0, 3)), dilation=3),
    _good("max_pool", (2, 9, 8), kernel=3, stride=2, dilation=2, padding=2, ceil=True),
    _good("max_pool", (2, 4, 5, 6), kernel=(1, 2, 3), stride=2, padding=(0, 1, 1), ceil=True),
    # a kernel larger than the input, which ceil lets in
    _good("max_pool", (1, 2), kernel=3, stride=3, ceil=True),
    _good("max_pool", (2, 2, 1), kernel=(4, 3), stride=3, padding=((0, 1), (0, 0)), ceil=True),
    _good("max_pool", (2, 2, 7), kernel=2, stride=4, dilation=3, ceil=True),
    _good("max_pool", (1, 1, 2, 3), kernel=3, stride=3, ceil=True, indices=True),
    *(_good("avg_pool", (2, 2, 1, 3)[: 1 + axes], kernel=4, stride=3, padding=1, ceil=True) for axes in (1, 2, 3)),
    _good("avg_pool", (2, 1, 2, 3), kernel=3, stride=3, ceil=True),
    _good("avg_pool", (2, 2, 1), kernel=3, stride=4, padding=1, ceil=True, count_include_pad=False),
    _good("avg_pool", (2, 3, 1), kernel=4, stride=4, padding=((0, 0), (1, 0)), ceil=True),
    # indices of the largest, and the way back: sizes that rounding hid, overlapping windows
    *(_good("max_pool", sizes, kernel=2, indices=True) for sizes in ((2, 7), (2, 4, 6), (3, 2, 4, 5))),
    _good("max_pool", (2, 7, 8), kernel=3, stride=2, padding=1, indices=True),
    _good("max_pool", (2, 8, 7), kernel=(3, 2), stride=(2, 3), ceil=True, indices=True),
    *(_unpool(sizes, kernel=2) for sizes in ((2, 3), (2, 3, 4), (1, 2, 2, 3))),
    _unpool((2, 4, 4), kernel=3, stride=2, padding=1),
    _unpool((2, 3, 4), kernel=(2, 3), stride=(3, 2)),
    _unpool((2, 3, 4), (5, 7, 9), kernel=2),
    _unpool((2, 3), (1, 5), kernel=2, stride=2),
    # average pooling: the same, with the padding in the mean and not
    _good("avg_pool", (2, 7), kernel=2),
    _good("avg_pool", (2, 8), kernel=3, stride=2, padding=1, ceil=True),
    _good("avg_pool", (2, 8), kernel=3, stride=2, padding=((1, 0),), ceil=True, count_include_pad=False),
    _good("avg_pool", (2, 7, 8), kernel=3, stride=2, padding=1),
    _good("avg_pool", (2, 7, 8), kernel=3, stride=2, padding=1, count_include_pad=False),
    _good("avg_pool", (2, 8, 8), kernel=3, stride=2, ceil=True),
    _good("avg_pool", (2, 8, 8), kernel=3, stride=2, ceil=True, count_include_pad=False),
    _good("avg_pool", (2, 7, 8), kernel=(2, 3), stride=(3, 2), padding=((0, 1), (2, 0)), ceil=True),
    _good("avg_pool", (2, 7, 8), kernel=(2, 3), stride=(1, 3), padding=((1, 0), (0, 2)), count_include_pad=False),
    _good("avg_pool", (2, 7, 8), kernel=2, padding="same", stride=1),
    _good("avg_pool", (2, 7, 8), kernel=4, padding="same", stride=3, count_include_pad=False),
    _good("avg_pool", (2, 4, 5, 6), kernel=(2, 3, 2), stride=2, padding=(1, 1, 0), ceil=True),
    _good("avg_pool", (2, 2, 1, 3), kernel=3, stride=1, padding=1),
    _good("avg_pool", (2, 4, 5, 6), kernel=2, stride=1, padding=((0, 1), (1, 0), (1, 1)), count_include_pad=False),
    # global and adaptive pooling: even windows, uneven ones, both, and more out than in
    *(_good("global_max_pool", sizes) for sizes in ((3, 5), (3, 4, 5), (3, 2, 4, 5))),
    *(_good("global_avg_pool", sizes) for sizes in ((3, 5), (3, 4, 5), (3, 2, 4, 5))),
    *(
        _good(kind, sizes, size=size)
        for kind in ("adaptive_max_pool", "adaptive_avg_pool")
        for sizes, size in (
            ((2, 7), 3), ((2, 7), 4), ((2, 3), 5), ((2, 1), 2), ((2, 6, 6), 6), ((2, 6, 6), 3), ((2, 6, 6), 1),
            ((2, 13, 13), 6), ((2, 7, 8), (5, 4)), ((2, 8, 7), (8, 5)), ((2, 4, 3), (7, 2)), ((2, 9, 9), (1, 4)),
            ((2, 5, 6, 7), (3, 3, 4)), ((2, 5, 6, 7), (2, 6, 7)), ((2, 4, 4, 4), 2),
        )
    ),
    # regions of interest: boxes in and beyond the image, of less than a position and of all of it
    *(
        _regions(kind, sizes, boxes, scale, size=size)
        for kind in ("roi_align", "roi_pool")
        for sizes, boxes, scale, size in (
            ((3, 9, 8), 5, 1.0, 3), ((2, 7, 12), 1, 0.25, (2, 5)), ((1, 1, 6), 4, 0.5, 2), ((2, 16, 16), 3, 1.0, 7),
        )
    ),
    _regions("roi_align", (2, 9, 8), 6, size=3, aligned=True),
    _regions("roi_align", (2, 9, 8), 6, 0.5, size=(2, 4), samples=3),
    _regions("roi_align", (2, 9, 8), 6, size=2, samples=1, aligned=True),
    # linear and normalization
    _good("linear", (6,), features=4),
    _good("linear", (6,), features=4, bias=False),
    _good("linear", (3, 6), features=4),
    _good("linear", (2, 3, 6), features=4, bias=False),
    _good("linear", (2, 2, 3, 1), features=1),
    _good("capsule_votes", (5, 3), capsules=2, features=4),
    _good("capsule_votes", (1, 1), capsules=1, features=1),
    _good("capsule_votes", (20, 2), capsules=3, features=1),
    _good("radial_basis", (6,), units=4),
    _good("radial_basis", (1,), units=1),
    _good("radial_basis", (20,), units=3),
    _good("matmul", (3, 4), (4, 5)),
    _good("matmul", (2, 3, 4), (2, 4, 1)),
    _good("matmul", (2, 1, 3, 4), (1, 5, 4, 2)),
    _good("multi_head_attention", (5, 6), heads=1),
    _good("multi_head_attention", (5, 6), heads=3, bias=False),
    _good("multi_head_attention", (1, 2), heads=2, dropout=0.5),
    _good("multi_head_attention", (5, 6), (4, 6), (4, 6), heads=2),
    _good("multi_head_attention", (1, 6), (20, 6), (20, 6), heads=6, bias=False),
    _good("multi_head_attention", (5, 6), (4, 6), heads=2, causal=True),
    _good("multi_head_attention", (5, 6), (4, 8), heads=3, bias=False),
    _good("multi_head_attention", (2, 6), (4, 3), (4, 6), heads=2, dropout=0.5),
    _good("multi_head_attention", (3, 4, 6), heads=2, causal=True),
    _good("multi_head_attention", (2, 3, 4, 6), heads=3, bias=False),
    _masked((5, 6), (5, 5), heads=2),
    _masked((5, 6), (3, 8), (1, 3), heads=2, causal=True),
    _masked((5, 6), (3, 6), (3, 4), (2, 5, 1), heads=2, bias=False),
    _masked((2, 4, 6), (2, 4, 4), heads=3, causal=True),
    _masked((2, 4, 6), (2, 3, 6), (1, 1, 4, 3), heads=3),
    _good("multi_head_attention", (2, 6, 4), heads=2, relative_bias=(2, 3)),
    _good("multi_head_attention", (4, 6), heads=3, relative_bias=(4,), causal=True, bias=False),
    _masked((3, 8, 4), (3, 8, 8), heads=2, relative_bias=(2, 2, 2), causal=True, dropout=0.1),
    *(
        sample
        for kind in ("lstm", "gru", "rnn")
        for sample in (
            _good(kind, (5, 3), features=4),
            _good(kind, (4, 2), features=3, bidirectional=True, bias=False),
            _good(kind, (3, 6), features=2, depth=2, dropout=0.5),
            _good(kind, (1, 1), features=3, depth=3, bidirectional=True),
        )
    ),
    _good("rnn", (5, 3), features=4, depth=2, bidirectional=True, function="relu"),
    _good("rnn", (5, 3), (4, 4), features=4, depth=2, bidirectional=True),
    _good("gru", (5, 3), (1, 4), features=4),
    _good("gru", (4, 3), (2, 5), features=5, bidirectional=True, bias=False),
    _good("lstm", (5, 3), (1, 4), (1, 4), features=4),
    _good("lstm", (4, 3), (6, 2), (6, 2), features=2, depth=3, bidirectional=True),
    _good("lstm", (4, 3), (2, 2), (2, 2), features=2, depth=2, bias=False),
    *(_good("batch_norm", sizes) for sizes in ((4,), (4, 3), (4, 3, 2), (4, 3, 2, 2))),
    _good("batch_norm", (4, 3, 2), affine=False),
    _good("batch_norm", (20,), affine=False, eps=0.1),
    _good("batch_norm", (4, 3, 2), eps=1e-3, momentum=0.5),
    *(_good("frozen_batch_norm", sizes) for sizes in ((4,), (4, 3), (4, 3, 2), (4, 3, 2, 2))),
    _good("frozen_batch_norm", (20, 3), eps=0.1),
    *(_good("layer_norm", sizes, axes=axes)
      for axes in (1, "channels") for sizes in ((4,), (4, 3), (4, 3, 2), (4, 3, 2, 2))),
    _good("layer_norm", (20, 3), axes=2),
    _good("layer_norm", (2, 3, 4, 2), axes=2, affine=False, eps=0.1),
    _good("layer_norm", (4, 3, 2), axes=3, eps=1e-6),
    _good("layer_norm", (20,), affine=False),
    _good("layer_norm", (4, 3, 2), axes="channels", affine=False, eps=1e-6),
    *(_good("rms_norm", sizes) for sizes in ((4,), (4, 3), (4, 3, 2), (4, 3, 2, 2))),
    _good("rms_norm", (2, 3, 4), axes=2, eps=0.1),
    _good("rms_norm", (3, 4, 4), axes=2),
    _good("rms_norm", (4, 3, 2), axes=3, affine=False),
    *(_good("group_norm", sizes, groups=2) for sizes in ((4,), (4, 3), (4, 3, 2), (4, 3, 2, 2))),
    _good("group_norm", (4, 3, 2), groups=1, eps=1e-3),
    _good("group_norm", (40, 3, 2), groups=20, affine=False),
    _good("group_norm", (3, 4), groups=3),
    *(_good("instance_norm", sizes, affine=affine)
      for affine in (True, False) for sizes in ((4, 3), (4, 3, 2), (4, 3, 2, 2))),
    _good("instance_norm", (20, 3, 1), eps=0.1),
    *(_good("local_response_norm", sizes, size=3) for sizes in ((4, 3), (4, 3, 2), (4, 3, 2, 2))),
    _good("local_response_norm", (7, 3, 3), size=5, alpha=0.5, beta=0.3, k=2.0),
    _good("local_response_norm", (3, 2, 2), size=9, alpha=1.0),
    _good("local_response_norm", (3, 4, 2), size=1, alpha=2.0, beta=1.0, k=0.5),
    *(_good("affine", sizes) for sizes in ((4,), (4, 3), (4, 3, 2), (4, 3, 2, 2))),
    *(_good("affine", sizes, bias=False) for sizes in ((4,), (4, 3, 2))),
    # parameters as layers
    *(_good("layer_scale", sizes) for sizes in ((4,), (4, 3), (4, 3, 2), (4, 3, 2, 2))),
    _good("layer_scale", (3, 4), axis=-1, value=0.1),
    _good("layer_scale", (3, 4, 2), axis=2),
    _good("parameter", (3, 5), sizes=(4,)),
    _good("parameter", (3, 5, 2), sizes=(4, 6)),
    _good("parameter", (), sizes=(2, 3, 1)),
    _whole("parameter", (3,), sizes=(2,)),
    *(_good("class_token", sizes) for sizes in ((4, 3), (1, 5), (16, 1))),
    *(_good("position_embedding", sizes) for sizes in ((4,), (5, 3), (3, 2, 4), (2, 3, 2, 2))),
    *(
        replace(_whole("embedding", sizes, entries=entries, features=features), draws={0: _below(entries)})
        for sizes, entries, features in (((), 4, 3), ((6,), 10, 2), ((2, 3), 5, 1))
    ),
    *(_good(kind, sizes, axis=axis) for kind in ("l2_normalize", "squash")
      for sizes, axis in (((5,), 1), ((3, 4), -1), ((3, 4, 2), 2), ((3, 2, 2, 2), 1))),
    _good("l2_normalize", (3, 4), eps=20.0),
    # reductions
    *(
        _good(kind, sizes, axis=axis, keepdim=keepdim)
        for kind in REDUCTIONS
        for sizes, axis in (((5,), 1), ((3, 4, 2), -1), ((3, 4, 2), (2, 3)), ((3, 2, 2, 2), (-1, 1)))
        for keepdim in (False, True)
    ),
    *(_good("argmax", sizes, axis=axis, keepdim=keepdim)
      for sizes, axis in (((5,), 1), ((3, 4, 2), -1), ((3, 4, 2), 2)) for keepdim in (False, True)),
    *(_good("cumsum", sizes, axis=axis) for sizes, axis in (((5,), 1), ((3, 4, 2), -1), ((3, 4, 2), 2))),
    # activations
    *(_good("prelu", sizes, per_channel=per_channel)
      for sizes, per_channel in (((), False), ((4,), False), ((4,), True), ((4, 3), True), ((4, 3, 2), True),
                                 ((4, 3, 2), False), ((2, 3, 2, 2), True))),
    _good("prelu", (3, 4), slope=0.1),
    *(
        sample
        for kind in (
            "relu", "relu6", "leaky_relu", "elu", "selu", "sigmoid", "hard_sigmoid", "tanh", "gelu", "silu",
            "hard_swish", "mish", "softplus", "hard_tanh", "softsign", "celu", "log_sigmoid", "dropout",
        )
        for sample in _everywhere(kind)
    ),
    _good("leaky_relu", (3, 4), slope=0.3),
    _good("leaky_relu", (3, 4), slope=-0.5),
    _good("leaky_relu", (3, 4), slope=0.0),
    _good("elu", (3, 4), alpha=0.4),
    _good("tanh", (3, 4), scale=1.7159, slope=2 / 3),
    _good("tanh", (3, 4), scale=2.0),
    _good("tanh", (3, 4), slope=-0.5),
    *_everywhere("gelu", approximate="tanh"),
    _good("celu", (3, 4), alpha=0.4),
    *_everywhere("threshold", threshold=0.5),
    _good("threshold", (3, 4), threshold=-1.0),
    *_everywhere("scale", factor=0.17),
    _good("scale", (3, 4), factor=-2.0),
    *_everywhere("clip", min=-0.5, max=2.0),
    _good("clip", (3, 4), min=0.25),
    _good("clip", (3, 4), max=0.25),
    _good("clip", (3, 4), min=0.5, max=0.5),
    # functions of each element; roots, logarithms and quotients of numbers above 0
    *(
        sample
        for kind in ("abs", "neg", "square", "exp", "erf", "sin", "cos", "floor", "ceil", "round")
        for sample in _everywhere(kind)
    ),
    *(_above_zero(kind, (3, 4)) for kind in ("sqrt", "rsqrt", "reciprocal", "log")),
    *(_above_zero(kind, sizes) for kind in ("sqrt", "rsqrt", "reciprocal", "log") for sizes in ((), (5,), (2, 3, 4))),
    _good("glu", (4,)),
    _good("glu", (4, 3, 2)),
    _good("glu", (3, 4, 6), axis=-1),
    _good("glu", (3, 4, 6, 2), axis=2),
    _good("dropout", (3, 4), p=0.0),
    *(_good("spatial_dropout", sizes) for sizes in ((3, 4), (3, 2, 4), (3, 2, 2, 4))),
    _good("spatial_dropout", (3, 4), p=0.2),
    *(_good("stochastic_depth", sizes, p=p, mode=mode)
      for sizes, p, mode in (((), 0.1, "row"), ((3, 4), 0.0, "batch"), ((3, 2, 4), 0.5, "row"))),
    *(_good(kind, sizes, axis=axis) for kind in ("softmax", "log_softmax")
      for sizes, axis in (((5,), 1), ((5,), -1), ((3, 4, 2), 1), ((3, 4, 2), 2), ((3, 4, 2), -1), ((3, 2, 2, 2), -3))),
    # joins
    *(
        _good(kind, *[sizes] * count)
        for kind in ("add", "mul", "mean", "max", "min")
        for sizes, count in (((), 2), ((4,), 2), ((3, 4), 3), ((2, 3, 4), 4), ((2, 3, 4), 1))
    ),
    *(
        _good(kind, *sizes)
        for kind in ("add", "mul", "mean", "max", "min")
        for sizes in (
            ((3, 4, 5), (3, 1, 1)), ((3, 1, 1), (1, 4, 1), (1, 1, 5)),
            ((3, 1, 1), (3, 1, 1), (3, 4, 5), (1, 4, 5)),
        )
    ),
    *(_good(kind, *sizes) for kind in ("sub", *COMPARISONS)
      for sizes in (((), ()), ((3, 4), (3, 4)), ((3, 4, 5), (3, 1, 1)), ((1, 4), (3, 1)))),
    *(_good(kind, (3, 4), number=number) for kind in ("add", "sub", "mul", "div", "min", "max", *COMPARISONS)
      for number in (2.0, -0.5)),
    *(_good(kind, (2, 1, 3), number=1.0) for kind in ("add", "sub", "mul", "div", "pow", "min", "max", *COMPARISONS)),
    *(_whole(kind, (3, 4), (3, 1)) for kind in COMPARISONS),
    *(_whole(kind, (4,), number=3.0) for kind in COMPARISONS),
    *(_above_zero(kind, *sizes) for kind in ("div", "pow") for sizes in (((3, 4), (3, 4)), ((1, 4), (3, 1)))),
    _good("pow", (3, 4), number=2.0),
    _good("pow", (3, 4), number=-1.0),
    _above_zero("pow", (3, 4), number=0.5),
    *(replace(_good("where", (3, 1), (3, 4), (1, 4)), draws={0: draw}) for draw in (_zeros_and_ones, _normal)),
    replace(_good("where", (2, 3, 4), (2, 3, 4), number=-1e9), draws={0: _zeros_and_ones}),
    Sample(OP["where"](), (TensorType((4,), DType.INT64), TensorType((4,)), TensorType((4,))), {0: _below(2)}),
    _good("concat", (2, 3), (4, 3)),
    _good("concat", (2, 3), (2, 1), (2, 4), axis=-1),
    _good("concat", (2, 3, 4), (2, 5, 4), axis=2),
    _good("concat", (2, 3, 4)),
    _whole("concat", (3,), (2,)),
    # layout
    *(_good("flatten", sizes) for sizes in ((), (4,), (3, 4), (2, 3, 4))),
    _good("flatten", (2, 3, 4), start=2),
    _good("flatten", (2, 3, 4), start=1, end=2),
    _good("flatten", (2, 3, 4, 5), start=-3, end=-2),
    _good("flatten", (2, 3), start=2),
    _whole("flatten", (2, 3)),
    _good("reshape", (2, 3, 4), sizes=(4, 6)),
    _good("reshape", (12,), sizes=(3, -1, 2)),
    _good("reshape", (1, 1), sizes=()),
    _good("reshape", (), sizes=(1, 1)),
    _whole("reshape", (4,), sizes=(2, 2)),
    _good("permute", (2, 3), order=(2, 1)),
    _good("permute", (2, 3, 4), order=(2, 3, 1)),
    _good("permute", (2, 3, 4, 5), order=(4, 1, 3, 2)),
    _whole("permute", (2, 3), order=(1, 2)),
    _good("split", (6, 4), parts=2),
    _good("split", (6,), parts=3),
    _good("split", (4, 3, 6), parts=6, axis=-1),
    _good("split", (4, 3), parts=1),
    _good("split", (6, 4, 3), sizes=(1, 3, 2)),
    _good("split", (2, 5), sizes=(4, 1), axis=2),
    _whole("split", (4,), parts=2),
    _good("slice", (6, 4), start=2),
    _good("slice", (6, 4), end=-1),
    _good("slice", (6, 4, 5), start=1, end=5, step=2),
    _good("slice", (6, 4, 5), start=-3, step=2, axis=-1),
    _good("slice", (6, 4, 5), axis=2),
    _whole("slice", (6,), start=5),
    _good("roll", (5,), shift=2),
    _good("roll", (4, 3), shift=-1, axis=-1),
    _good("roll", (4, 5, 3), shift=(2, -7), axis=(2, 3)),
    _good("roll", (2, 4, 3), shift=(0, 4), axis=(1, 2)),
    _good("roll", (2, 4, 3), shift=3, axis=(1, -1)),
    _whole("roll", (4, 2), shift=1),
    _good("flip", (5,), axis=1),
    _good("flip", (3, 4, 5), axis=-1),
    _good("flip", (3, 4, 5), axis=(3, 1)),
    _whole("flip", (3, 4), axis=(2,)),
    _good("squeeze", (1,), axis=1),
    _good("squeeze", (3, 1, 5), axis=2),
    _good("squeeze", (3, 1, 1), axis=(-1, 2)),
    _good("squeeze", (1, 3, 1, 4), axis=(1, 3)),
    _whole("squeeze", (3, 1), axis=-1),
    _good("unsqueeze", (), axis=1),
    _good("unsqueeze", (3, 4), axis=1),
    _good("unsqueeze", (3, 4), axis=-1),
    _good("unsqueeze", (3, 4, 5), axis=3),
    _whole("unsqueeze", (3,), axis=2),
    _good("expand", (1,), sizes=(3,)),
    _good("expand", (3, 1, 4), sizes=(-1, 2, 4)),
    _good("expand", (1, 1, 4), sizes=(2, 3, -1)),
    _good("expand", (1, 4), sizes=(3, -1)),
    _good("expand", (2, 1), sizes=(2, 1)),
    _whole("expand", (1, 3), sizes=(2, -1)),
    _good("tile", (3,), times=(2,)),
    _good("tile", (3, 4, 2), times=(1, 2, 3)),
    _good("tile", (2, 3), times=(1, 1)),
    _whole("tile", (2, 3), times=(2, 1)),
    _good("stack", (3, 4), (3, 4)),
    _good("stack", (3, 4), (3, 4), (3, 4), axis=-1),
    _good("stack", (3, 4, 5), axis=2),
    _good("stack", (), ()),
    _whole("stack", (3,), (3,), axis=2),
    _good("select", (4, 3), indices=(2,)),
    _good("select", (4, 3, 3), indices=(3, 0, 0, 1)),
    _good("select", (4, 3, 3), indices=(2, 1), axis=-1),
    _good("select", (20,), indices=tuple(range(0, 20, 1))[::-1]),
    _whole("select", (4,), indices=(1, 3)),
    *(
        _good("pad", sizes, padding=padding, mode=mode)
        for mode in ("constant", "reflect", "replicate", "circular")
        for sizes, padding in (((2, 4), 3), ((2, 4, 5), (1, (3, 0))), ((2, 3, 4, 5), ((0, 2), 1, (0, 0))))
    ),
    _good("pad", (2, 4), padding=1, value=-2.5),
    _good("pad", (2, 4, 4), padding=0),
    _good("pad", (2, 1), padding=4, mode="replicate"),
    _good("pad", (2, 3), padding=((0, 3),), mode="circular"),
    _good("pad_channels", (2,), channels=5),
    _good("pad_channels", (2, 3, 3), channels=4),
    _good("pad_channels", (2, 3, 3), channels=2),
    _good("pad_channels", (2, 2, 2, 2), channels=3),
    _good("center_crop", (2, 7), size=4),
    _good("center_crop", (2, 7, 8), size=(3, 8)),
    _good("center_crop", (2, 7, 8), size=(7, 8)),
    _good("center_crop", (2, 5, 6, 7), size=4),
    *(
        _good("upsample", sizes, scale=2, mode=mode, align_corners=corners)
        for sizes in ((2, 5), (2, 3, 4), (2, 2, 3, 4))
        for mode, corners in (("nearest", False), ("linear", False), ("linear", True))
    ),
    _good("upsample", (2, 3, 4), scale=(1, 3)),
    _good("upsample", (2, 3, 4), scale=1),
    _good("upsample", (1, 3), scale=41),
    _good("upsample", (2, 3, 4), scale=(3, 2), mode="bilinear"),
    _good("upsample", (2, 2, 3, 4), scale=(1, 2, 3), mode="trilinear", align_corners=True),
    _good("upsample", (2, 14), size=4),
    _good("upsample", (2, 3, 5), size=(7, 5)),
    _good("upsample", (2, 3, 5), size=(6, 2)),
    _good("upsample", (2, 2, 3, 4), size=(5, 3, 2)),
    *(
        _good("upsample", sizes, size=size, mode="linear", align_corners=corners)
        for sizes, size in (
            ((2, 5), 7), ((2, 3, 5), (1, 8)), ((2, 3, 5), (2, 3)), ((2, 2, 3, 4), (5, 3, 1)), ((2, 1, 2), 3),
        )
        for corners in (False, True)
    ),
    _good("upsample", (2, 7), scale=1.5),
    _good("upsample", (2, 7, 5), scale=(0.5, 1.25), mode="bilinear"),
    _good("upsample", (2, 5, 4), scale=1.1, mode="bilinear", align_corners=True),
    _good("upsample", (2, 2, 3, 4), scale=2.5, mode="trilinear"),
    *(
        _good("upsample", sizes, **attributes, mode="bicubic", align_corners=corners)
        for sizes, attributes in (
            ((2, 3, 4), {"scale": 2}), ((2, 5, 4), {"scale": (1.7, 0.6)}), ((2, 1, 7), {"size": (3, 1)}),
            ((2, 4, 4), {"size": (4, 1)}),
        )
        for corners in (False, True)
    ),
    *(
        _good("upsample", sizes, **attributes, mode=mode, antialias=True)
        for sizes, attributes in (
            ((2, 7, 9), {"scale": 0.5}), ((2, 5, 4), {"size": (3, 7)}), ((2, 1, 4), {"scale": 2}),
            ((2, 8, 5), {"size": 1}),
        )
        for mode in ("bilinear", "bicubic")
    ),
    _good("pixel_shuffle", (8, 2, 3), factor=2),
    _good("pixel_shuffle", (9, 1, 2), factor=3),
    _good("pixel_shuffle", (2, 3, 4), factor=1),
    _good("pixel_unshuffle", (2, 4, 6), factor=2),
    _good("pixel_unshuffle", (3, 3, 3), factor=3),
    _good("pixel_unshuffle", (2, 3, 4), factor=1),
    _good("channel_shuffle", (6, 3), groups=2),
    _good("channel_shuffle", (6, 3, 2), groups=3),
    _good("channel_shuffle", (4, 2, 2, 3), groups=4),
    *(
        _good("upsample_like", sizes, like, mode=mode, align_corners=corners)
        for sizes, like in (
            ((2, 5), (1, 9)), ((2, 3, 4), (3, 6, 8)), ((2, 3, 5), (1, 7, 5)), ((1, 2, 3, 2), (2, 4, 5, 3)),
        )
        for mode, corners in (("nearest", False), ("linear", False), ("linear", True))
    ),
    _good("upsample_like", (2, 14), (1, 4)),
    _good("upsample_like", (2, 3, 4), (1, 5, 4), mode="bilinear"),
    _good("upsample_like", (2, 3, 4), (1, 5, 2), mode="bicubic"),
    _good("upsample_like", (2, 6, 5), (1, 4, 2), mode="bilinear", antialias=True),
    _good("upsample_like", (2, 6, 5), (1, 2, 7), mode="bicubic", antialias=True),
    _good("crop_like", (2, 7), (3, 4)),
    _good("crop_like", (2, 7, 8), (1, 3, 8)),
    _good("crop_like", (2, 7, 8), (2, 7, 8)),
    _good("crop_like", (2, 9, 8), (1, 3, 4), offset=(5, 0)),
    _good("crop_like", (2, 7, 7), (1, 5, 4), offset=2),
    _good("crop_like", (2, 5, 6, 7), (1, 4, 4, 4), offset=1),
    *_everywhere("identity"),
    _whole("identity", (3,)),
)  # fmt: skip
"""What every op must take: shapes, weights, MACs and results are compared with other implementations on these."""

BAD: tuple[Bad, ...] = (
    _bad("wrong-rank", "conv", (3,), channels=2, kernel=3),
    _bad("wrong-rank", "conv", (3, 8, 8), channels=2, kernel=(3, 3, 3)),
    _bad("kernel-too-large", "conv", (3, 4, 8), channels=2, kernel=5),
    _bad("kernel-too-large", "conv", (3, 4, 4), channels=2, kernel=3, dilation=2),
    _bad("bad-padding", "conv", (3, 8, 8), channels=4, kernel=3, padding="causal"),
    _bad("bad-padding", "conv", (3, 8, 2), channels=4, kernel=3, padding=2, padding_mode="reflect"),
    _bad("bad-padding", "conv", (3, 8, 2), channels=4, kernel=7, padding="same", padding_mode="circular"),
    _bad("indivisible-channels", "conv", (3, 8, 8), channels=4, kernel=3, groups=2),
    _bad("indivisible-channels", "conv", (4, 8, 8), channels=3, kernel=3, groups=2),
    _bad_whole("conv", (3, 8, 8), channels=4, kernel=3),
    _bad("bad-output-padding", "conv_transpose", (3, 4, 4), channels=2, kernel=3, stride=2, output_padding=2),
    _bad("kernel-too-large", "conv_transpose", (3, 1, 4), channels=2, kernel=2, padding=1),
    _bad("bad-padding", "conv_transpose", (3, 4, 4), channels=2, kernel=2, stride=3, padding="same"),
    _bad("indivisible-channels", "conv_transpose", (3, 4, 4), channels=4, kernel=2, groups=2),
    _bad_whole("conv_transpose", (3, 4, 4), channels=4, kernel=2),
    *(
        bad
        for kind in ("max_pool", "avg_pool")
        for bad in (
            _bad("wrong-rank", kind, (3,), kernel=2),
            _bad("kernel-too-large", kind, (3, 2, 4), kernel=3),
            _bad("kernel-too-large", kind, (3, 2, 4), kernel=4, stride=2, ceil=True),
            _bad("bad-padding", kind, (3, 4, 4), kernel=2, padding=2),
            _bad_whole(kind, (3, 4, 4), kernel=2),
        )
    ),
    *(_bad("wrong-rank", kind, (3,)) for kind in ("global_max_pool", "global_avg_pool")),
    *(
        bad
        for kind in ("adaptive_max_pool", "adaptive_avg_pool")
        for bad in (_bad("wrong-rank", kind, (3,), size=2), _bad("wrong-rank", kind, (3, 4, 4), size=(2,)))
    ),
    _bad("wrong-rank", "roi_align", (3, 8), (5, 4), size=2),
    _bad("wrong-rank", "roi_pool", (3, 8), (5, 4), size=2),
    _bad("wrong-size", "roi_pool", (3, 8, 8), (5, 5), size=2),
    _bad("wrong-rank", "roi_align", (3, 8, 8), (5, 4), size=(2, 2, 2)),
    _bad("wrong-size", "roi_align", (3, 8, 8), (5, 5), size=2),
    _bad("wrong-size", "roi_align", (3, 8, 8), (4,), size=2),
    _bad_whole("roi_align", (3, 8, 8), (5, 4), size=2),
    _bad("wrong-rank", "linear", (), features=3),
    _bad_whole("linear", (4,), features=3),
    _bad("wrong-rank", "radial_basis", (3, 4), units=2),
    _bad("wrong-rank", "matmul", (3,), (3,)),
    _bad("wrong-rank", "matmul", (2, 3, 4), (4, 5)),
    _bad("shape-mismatch", "matmul", (3, 4), (3, 4)),
    _bad("shape-mismatch", "matmul", (2, 3, 4), (3, 4, 5)),
    _bad_whole("matmul", (3, 4), (4, 3)),
    _bad("wrong-rank", "multi_head_attention", (6,), heads=1),
    _bad("wrong-arity", "multi_head_attention", (5, 6), (4, 6), (4, 6), (5, 4), heads=2),
    _bad("wrong-arity", "multi_head_attention", (5, 6), heads=2, mask=True),
    _bad("wrong-arity", "multi_head_attention", (5, 6), (5, 6), heads=2, relative_bias=(5,)),
    _bad("shape-mismatch", "multi_head_attention", (5, 6), (4, 6), (3, 6), heads=2),
    _bad("shape-mismatch", "multi_head_attention", (2, 5, 6), (3, 4, 6), heads=2),
    _bad("shape-mismatch", "multi_head_attention", (2, 5, 6), (4, 6), heads=2),
    _bad("shape-mismatch", "multi_head_attention", (2, 5, 6), (5, 5), heads=2, mask=True),
    _bad("shape-mismatch", "multi_head_attention", (5, 6), (5, 4), heads=2, mask=True),
    _bad("shape-mismatch", "multi_head_attention", (1, 6), (4, 6), (3, 4), heads=2, mask=True),
    _bad("shape-mismatch", "multi_head_attention", (5, 6), (3, 5, 5), heads=2, mask=True),
    _bad("shape-mismatch", "multi_head_attention", (5, 6), heads=2, relative_bias=(2, 3)),
    _bad("wrong-value", "multi_head_attention", (1, 6), heads=2, relative_bias=()),
    _bad("indivisible-channels", "multi_head_attention", (5, 6), heads=4),
    _bad_whole("multi_head_attention", (5, 6), heads=2),
    *(
        bad
        for kind in ("lstm", "gru", "rnn")
        for bad in (
            _bad("wrong-rank", kind, (6,), features=2),
            _bad("wrong-rank", kind, (3, 4, 4), features=2),
            _bad("wrong-arity", kind, (3, 4), *[(1, 2)] * (1 if kind == "lstm" else 2), features=2),
            _bad("shape-mismatch", kind, (3, 4), *[(2, 2)] * (2 if kind == "lstm" else 1), features=2),
            _bad("wrong-attributes", kind, (3, 4), features=2, dropout=0.5),
            _bad_whole(kind, (3, 4), features=2),
        )
    ),
    _bad("wrong-rank", "batch_norm", ()),
    _bad("wrong-rank", "frozen_batch_norm", ()),
    _bad("wrong-rank", "layer_norm", ()),
    _bad("wrong-rank", "layer_norm", (), axes="channels"),
    _bad("wrong-rank", "layer_norm", (3, 4), axes=3),
    _bad_whole("layer_norm", (3,)),
    _bad("wrong-rank", "rms_norm", ()),
    _bad("wrong-rank", "rms_norm", (3, 4), axes=3),
    _bad_whole("rms_norm", (3,)),
    _bad("wrong-rank", "group_norm", (), groups=1),
    _bad("indivisible-channels", "group_norm", (4, 3), groups=3),
    _bad("nothing-to-normalize", "group_norm", (4,), groups=4),
    _bad("wrong-rank", "instance_norm", (4,)),
    _bad("nothing-to-normalize", "instance_norm", (4, 1, 1)),
    *(_bad_whole(kind, (3, 4), **more) for kind, more in (("group_norm", {"groups": 1}), ("instance_norm", {}))),
    _bad("wrong-rank", "local_response_norm", (4,), size=3),
    _bad("even-window", "local_response_norm", (4, 3, 3), size=4),
    _bad("wrong-rank", "affine", ()),
    _bad("wrong-axis", "layer_scale", (3, 4), axis=3),
    _bad("wrong-axis", "layer_scale", ()),
    _bad_whole("layer_scale", (3, 4)),
    _bad("wrong-rank", "class_token", (3,)),
    _bad("wrong-rank", "class_token", (3, 4, 4)),
    _bad_whole("class_token", (3, 4)),
    _bad("wrong-rank", "position_embedding", ()),
    _bad_whole("position_embedding", (3, 4)),
    _bad("wrong-dtype", "embedding", (3,), entries=4, features=2),
    _bad("wrong-rank", "prelu", (), per_channel=True),
    _bad_whole("prelu", (3,)),
    *(
        _bad_whole(kind, (3,))
        for kind in (
            "relu", "relu6", "leaky_relu", "elu", "selu", "sigmoid", "hard_sigmoid", "tanh", "gelu", "silu",
            "hard_swish", "mish", "softplus", "hard_tanh", "softsign", "celu", "log_sigmoid", "dropout", "softmax",
            "log_softmax", "abs", "neg", "square", "sqrt", "rsqrt", "reciprocal", "exp", "log", "erf", "sin", "cos",
            "floor", "ceil", "round",
        )
    ),
    _bad_whole("threshold", (3,), threshold=0.5),
    _bad_whole("scale", (3,), factor=0.5),
    _bad_whole("clip", (3,), min=0.5),
    _bad_whole("glu", (4,)),
    _bad("wrong-attributes", "clip", (3, 4)),
    _bad("wrong-attributes", "clip", (3, 4), min=1.0, max=0.5),
    _bad("wrong-size", "glu", (3, 4)),
    _bad("wrong-axis", "glu", (4, 4), axis=3),
    *(
        bad
        for kind in REDUCTIONS
        for bad in (
            _bad_whole(kind, (3, 4), axis=1),
            _bad("wrong-axis", kind, (3, 4), axis=0),
            _bad("wrong-axis", kind, (3, 4), axis=(1, -2)),
            _bad("wrong-axis", kind, (3, 4), axis=()),
        )
    ),
    *(_bad("wrong-axis", kind, (3, 4), axis=3) for kind in ("l2_normalize", "squash", "argmax", "cumsum")),
    *(_bad_whole(kind, (3, 4), axis=1) for kind in ("argmax", "cumsum")),
    *(_bad_whole(kind, (3, 4)) for kind in ("l2_normalize", "squash")),
    _bad("wrong-rank", "capsule_votes", (3,), capsules=2, features=2),
    _bad_whole("capsule_votes", (3, 4), capsules=2, features=2),
    _bad("wrong-axis", "softmax", (3,), axis=2),
    _bad("wrong-axis", "log_softmax", (3,), axis=0),
    *(
        bad
        for kind in ("add", "sub", "mul", "div", "pow", "min", "max", "mean")
        for bad in (
            _bad("shape-mismatch", kind, (3, 4), (3, 5)),
            _bad("shape-mismatch", kind, (3, 4), (3,)),
            _bad_whole(kind, (3,), (3,)),
        )
    ),
    *(
        bad
        for kind in ("sub", "div", "pow", *COMPARISONS)
        for bad in (
            _bad("wrong-arity", kind, (3,)),
            _bad("wrong-arity", kind, (3,), (3,), (3,)),
            _bad("wrong-arity", kind, (3,), (3,), number=2.0),
        )
    ),
    *(_bad("wrong-arity", kind, (3,), (3,), number=2.0) for kind in ("add", "mul", "min", "max")),
    *(_bad("shape-mismatch", kind, (3, 4), (3, 5)) for kind in COMPARISONS),
    *(Bad(OP[kind](), (TensorType((3,)), TensorType((3,), DType.INT64)), "wrong-dtype") for kind in COMPARISONS),
    *(_bad_whole(kind, (3,), number=0.5) for kind in COMPARISONS),
    _bad("wrong-arity", "where", (3,), (3,)),
    _bad("wrong-arity", "where", (3,), (3,), (3,), number=1.0),
    _bad("shape-mismatch", "where", (2,), (3,), (3,)),
    _bad_whole("where", (3,), (3,), (3,)),
    _bad("shape-mismatch", "concat", (3, 4), (3, 5)),
    _bad("wrong-axis", "concat", (3, 4), (3, 4), axis=3),
    _bad("wrong-axis", "flatten", (3, 4), start=2, end=1),
    _bad("wrong-axis", "flatten", (3, 4), start=3),
    _bad("wrong-size", "reshape", (3, 4), sizes=(5, 2)),
    _bad("wrong-size", "reshape", (3, 4), sizes=(-1, -1)),
    _bad("wrong-size", "reshape", (3, 4), sizes=(0, 12)),
    _bad("wrong-axis", "permute", (3, 4), order=(1, 1)),
    _bad("wrong-axis", "permute", (3, 4), order=(1, 3)),
    _bad("wrong-attributes", "max_pool", (1, 8), kernel=2, dilation=2, indices=True),
    _bad("bad-padding", "max_pool", (1, 8), kernel=2, padding="same", stride=1, indices=True),
    _bad("bad-padding", "max_pool", (1, 8), kernel=3, padding=2, indices=True),
    _bad("wrong-arity", "max_unpool", (1, 4), kernel=2),
    _bad("wrong-dtype", "max_unpool", (1, 4), (1, 4), kernel=2),
    _bad_unpool("shape-mismatch", (1, 4), (1, 3), kernel=2),
    _bad_unpool("shape-mismatch", (1, 4), (1, 4), (1, 10), kernel=2),
    _bad_unpool("shape-mismatch", (1, 4), (1, 4), (1, 6), kernel=2),
    _bad_unpool("shape-mismatch", (1, 4), (1, 4), (1, 8, 8), kernel=2),
    _bad_unpool("wrong-size", (1, 1), (1, 1), kernel=2, padding=1),
    _bad("wrong-attributes", "split", (4, 4)),
    _bad("wrong-attributes", "split", (4, 4), parts=2, sizes=(2, 2)),
    _bad("wrong-size", "split", (4, 4), parts=3),
    _bad("wrong-size", "split", (4, 4), parts=2**40),
    _bad("wrong-size", "split", (4, 4), sizes=(2, 1)),
    _bad("wrong-size", "split", (4, 4), sizes=()),
    _bad("wrong-axis", "split", (4, 4), parts=2, axis=3),
    _bad("wrong-index", "slice", (4, 4), start=4),
    _bad("wrong-index", "slice", (4, 4), end=5),
    _bad("wrong-index", "slice", (4, 4), start=2, end=2),
    _bad("wrong-index", "slice", (4, 4), start=-5),
    _bad("wrong-axis", "slice", (4, 4), axis=3),
    _bad("wrong-axis", "roll", (3, 4), shift=1, axis=3),
    _bad("wrong-axis", "roll", (3, 4), shift=1, axis=(1, -2)),
    _bad("wrong-axis", "roll", (3, 4), shift=1, axis=()),
    _bad("wrong-value", "roll", (3, 4), shift=(1, 2)),
    _bad("wrong-rank", "batch_norm", (3, 1, 2, 1, 2)),
    _bad("wrong-axis", "flip", (3, 4), axis=3),
    _bad("wrong-axis", "flip", (3, 4), axis=(1, -2)),
    _bad("wrong-size", "squeeze", (3, 1), axis=1),
    _bad("wrong-axis", "squeeze", (3, 1), axis=0),
    _bad("wrong-axis", "unsqueeze", (3, 4), axis=4),
    _bad("wrong-axis", "unsqueeze", (3, 4), axis=0),
    _bad("wrong-rank", "expand", (3, 1), sizes=(3,)),
    _bad("wrong-size", "expand", (3, 1), sizes=(2, 1)),
    _bad("wrong-size", "expand", (3, 1), sizes=(3, 0)),
    _bad("wrong-rank", "tile", (3, 4), times=(2,)),
    _bad("shape-mismatch", "stack", (3, 4), (3, 5)),
    _bad("shape-mismatch", "stack", (3, 4), (3,)),
    _bad("wrong-axis", "stack", (3, 4), (3, 4), axis=4),
    _bad("wrong-index", "select", (3, 4), indices=(3,)),
    _bad("wrong-index", "select", (3, 4), indices=()),
    _bad("wrong-rank", "pad", (3,), padding=1),
    _bad("bad-padding", "max_pool", (1, 1), kernel=2, dilation=2, padding="same", stride=1),
    _bad("bad-padding", "pad", (3, 4), padding=4, mode="reflect"),
    _bad("wrong-attributes", "pad", (3, 4), padding=1, mode="replicate", value=0.5),
    _bad("bad-padding", "pad", (3, 4), padding=5, mode="circular"),
    _bad("wrong-size", "pad_channels", (3, 4), channels=2),
    _bad("wrong-axis", "pad_channels", (), channels=2),
    _bad("wrong-size", "center_crop", (3, 4), size=5),
    _bad("indivisible-channels", "pixel_shuffle", (6, 2, 2), factor=2),
    _bad("wrong-rank", "pixel_shuffle", (4, 2), factor=2),
    _bad_whole("pixel_shuffle", (4, 2, 2), factor=2),
    _bad("wrong-size", "pixel_unshuffle", (3, 4, 5), factor=2),
    _bad("wrong-rank", "pixel_unshuffle", (3, 4), factor=2),
    _bad_whole("pixel_unshuffle", (3, 4, 4), factor=2),
    _bad("wrong-rank", "channel_shuffle", (4,), groups=2),
    _bad("indivisible-channels", "channel_shuffle", (4, 3), groups=3),
    _bad_whole("channel_shuffle", (4, 3), groups=2),
    _bad("wrong-rank", "spatial_dropout", (3,)),
    _bad_whole("spatial_dropout", (3, 4)),
    _bad_whole("stochastic_depth", (3, 4), p=0.5),
    _bad("wrong-rank", "upsample_like", (3, 4, 4), (3, 4)),
    _bad("wrong-rank", "upsample_like", (3,), (3, 4)),
    _bad("wrong-rank", "upsample_like", (3, 4, 4), (3, 4, 4), mode="trilinear"),
    _bad("wrong-attributes", "upsample_like", (3, 4, 4), (3, 4, 4), align_corners=True),
    _bad("wrong-rank", "crop_like", (3, 4, 4), (3, 4)),
    _bad("wrong-rank", "crop_like", (3, 4, 4), (3, 4, 4), offset=(0,)),
    _bad("wrong-size", "crop_like", (3, 4, 4), (3, 5, 4)),
    _bad("wrong-size", "crop_like", (3, 4, 4), (3, 3, 3), offset=2),
    _bad_whole("crop_like", (3, 4), (3, 4)),
    _bad("wrong-attributes", "upsample", (3, 4, 4)),
    _bad("wrong-attributes", "upsample", (3, 4, 4), scale=2, size=8),
    _bad("wrong-attributes", "upsample", (3, 4, 4), scale=2, align_corners=True),
    _bad("wrong-rank", "upsample", (3, 4, 4), scale=2, mode="trilinear"),
    _bad("wrong-rank", "upsample", (3, 4), scale=2, mode="bicubic"),
    _bad("wrong-size", "upsample", (3, 4, 1), scale=0.5),
    _bad("wrong-attributes", "upsample", (3, 4), scale=2, mode="linear", antialias=True),
    _bad("wrong-attributes", "upsample", (3, 4, 4), scale=0.5, antialias=True),
    _bad("wrong-attributes", "upsample", (3, 4, 4), scale=0.5, mode="bilinear", antialias=True, align_corners=True),
    _bad("wrong-size", "upsample", (3, 4, 4), size=(3, 1), mode="bilinear", antialias=True),
    _bad("wrong-size", "upsample_like", (3, 4, 4), (1, 3, 1), mode="bicubic", antialias=True),
)  # fmt: skip
"""Samples that ops must reject."""


def first_opset(op: Op) -> int:
    """The first opset of ONNX that can express an op; 0 for those that every opset can."""
    return 18 if op.attributes().get("antialias") else {"roi_align": 16}.get(op.kind, 0)


NEWER_ONNX = {(sample.op.kind, first_opset(sample.op)): sample for sample in GOOD if first_opset(sample.op)}
"""A sample of each kind of op that an old opset cannot express, by kind and opset."""

NEVER_REJECTS = frozenset({"identity", "parameter"})
"""Ops that accept any input."""
