"""A module at other sizes of its inputs computes what the spec means at these sizes, or refuses."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from functools import cache
from itertools import groupby
from pathlib import Path
from textwrap import dedent

import pytest
import torch
from torch import Tensor, nn

import archspec
from archspec.diagnostics import ArchspecError
from archspec.ir.types import TensorType
from archspec.lower.text.header import About
from archspec.lower.torch.instantiate import build
from archspec.lower.torch.rules import RULES
from archspec.lower.torch.source import source
from archspec.network import Network
from archspec.ops import OpError
from tests.lower.onnx.runtime import random_weights
from tests.op_references import results
from tests.op_samples import GOOD, Sample
from tests.zoo.small import DISTINCT, FAMILY, OF_ONE_SIZE, WHOLE, ZOO, small

Change = Callable[[int], int]


def plus(rows: int) -> Change:
    return lambda size: size + rows


CHANGES: dict[str, Change] = {
    **{f"{rows:+d}": plus(rows) for rows in (-3, -2, -1, 1, 2, 3)},
    "twice": lambda size: 2 * size,
    "half": lambda size: size // 2,
    "one": lambda size: 1,
}
ALONE = [CHANGES[name] for name in ("-1", "+1", "one")]
"""The changes of one axis, or of one input, alone."""

Types = tuple[TensorType, ...]


def changed(tensor: TensorType, change: Change, axes: range) -> TensorType:
    return tensor.with_sizes(*(change(size) if axis in axes else size for axis, size in enumerate(tensor.sizes)))


def at_other_sizes(types: Types) -> Iterator[Types]:
    """Other types: all axes after the channels, every axis alone, and every input alone."""
    seen = {types}
    axes = max(len(tensor.sizes) for tensor in types)
    everywhere = [(change, range(1, axes)) for change in CHANGES.values()]
    everywhere += [(change, range(axis, axis + 1)) for axis in range(axes) for change in ALONE]
    others = [tuple(changed(tensor, *each) for tensor in types) for each in everywhere]
    for i, tensor in enumerate(types if len(types) > 1 else ()):
        for change in ALONE:
            others += [(*types[:i], changed(tensor, change, range(j, axes)), *types[i + 1 :]) for j in (0, 1)]
    for other in others:
        if other not in seen and all(min(tensor.sizes, default=1) > 0 for tensor in other):
            seen.add(other)
            yield other


def meaning(sample: Sample, weights: dict[str, Tensor], inputs: list[Tensor]) -> tuple[Tensor, ...] | None:
    """What the op computes with these weights; None if it refuses the inputs, or has other weights for them."""
    try:
        sample.op.infer(sample.inputs)
    except OpError:
        return None
    shapes = {weight.name: weight.shape for weight in sample.op.weights(sample.inputs)}
    if shapes != {name: tuple(weight.shape) for name, weight in weights.items()}:
        return None
    return results(sample.op, [tensor.clone() for tensor in inputs], weights)


def returned(module: nn.Module, inputs: list[Tensor]) -> tuple[Tensor, ...] | None:
    """What a module returns at inference; None if it refuses the inputs."""
    try:
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # instance normalization does not need the channels it names
            outputs = module(*inputs)
    except (RuntimeError, ValueError, IndexError, AssertionError, torch.jit.Error):
        return None
    return outputs if isinstance(outputs, tuple) else (outputs,)


REFUSED = {
    "avg_pool": "PyTorch's pooling over three axes refuses a kernel larger than the input, even where padding helps",
    "instance_norm": "PyTorch refuses a single position",
    **dict.fromkeys(("layer_norm", "rms_norm"), "without weights it has the sizes as arguments all the same"),
}
"""Ops whose modules may refuse sizes that the op takes."""

TAKEN = {
    "group_norm": "a group of one number becomes zero, which the op refuses as useless",
    "max_pool": "windows of padding alone become minus infinity",
    "roi_align": "the number of coordinates of a box is no size",
    "roi_pool": "the number of coordinates of a box is no size",
    "slice": "nothing is taken from an axis that is too short",
}
"""Ops whose modules may take sizes that the op refuses, of which no number comes that is wrong."""

SAMPLES = {kind: [*samples] for kind, samples in groupby(sorted(GOOD, key=lambda s: s.op.kind), lambda s: s.op.kind)}


@pytest.mark.parametrize("kind", SAMPLES)
def test_ops_follow_the_size_or_refuse_it(kind: str) -> None:
    """Near the sizes of a sample, at twice and at half of them, and where an axis is one."""
    for sample in SAMPLES[kind]:
        graph = sample.graph
        module = build(source(graph, About())).eval()
        state = {key: torch.from_numpy(array) for key, array in random_weights(graph).items()}
        module.load_state_dict(state)
        (node,) = graph.nodes
        weights = {weight.name: state[node.weight_key(weight)] for weight in node.weights}
        for types in at_other_sizes(sample.inputs):
            other = Sample(sample.op, types, sample.draws)
            try:
                inputs = [torch.from_numpy(array) for array in other.arrays(2)]
                expected = meaning(other, weights, inputs)
            except (ValueError, RuntimeError):  # indices that are drawn for the sizes of the sample
                assert kind == "max_unpool"
                continue
            got = returned(module, inputs)
            if got is None:
                assert expected is None or kind in REFUSED, f"{sample.id} refuses {types}"
            elif expected is None:
                assert kind in TAKEN or not any(map(torch.numel, got)), f"{sample.id} takes {types}"
            else:
                for one, wanted in zip(got, expected, strict=True):
                    torch.testing.assert_close(one, wanted, rtol=1e-4, atol=1e-4, msg=f"{sample.id} at {types}")


def spec(tmp_path: Path, layers: str, *inputs: tuple[int, ...]) -> Path:
    """A file with a spec of these layers, with inputs `input`, or `a` and `b`."""
    sizes = [*map(list, inputs)]
    written = str(sizes[0]) if len(sizes) == 1 else str(dict(zip("ab", sizes, strict=True))).replace("'", "")
    path = tmp_path / "net.yaml"
    path.write_text(f"archspec: 1\nname: net\ninput: {written}\nlayers:\n{dedent(layers)}")
    return path


def outcomes(path: Path, **params: object) -> dict[str, str]:
    """How the module of a network does at other sizes, compared with the network made for them with its weights."""
    net = archspec.load(path, params=params)
    torch.manual_seed(0)
    module = net.to_torch().eval()
    result: dict[str, str] = {}
    for name, change in CHANGES.items():
        shapes = {key: (sizes[0], *map(change, sizes[1:])) for key, sizes in net.inputs.items()}
        if min(size for sizes in shapes.values() for size in sizes) < 1:
            continue
        inputs = [torch.randn(2, *sizes) for sizes in shapes.values()]
        got = returned(module, inputs)
        try:
            other = archspec.load(path, input=shapes if len(shapes) > 1 else next(iter(shapes.values())), params=params)
            reference = other.to_torch(module.state_dict()).eval()
        except ArchspecError:
            result[name] = "taken" if got and any(map(torch.numel, got)) else "refused"
            continue
        expected = returned(reference, inputs)
        assert expected is not None
        if got is None:
            result[name] = "refused though right"
        else:
            for one, wanted in zip(got, expected, strict=True):
                torch.testing.assert_close(one, wanted, rtol=1e-4, atol=1e-4, msg=f"{path.read_text()} {name}")
            result[name] = "equal"
    return result


ONE_LEVEL = """
  - parallel:
      align: center_crop
      join: {join}
      paths:
        skip: []
        down:
          - max_pool: 2
          - conv: {{channels: 4, kernel: 3, padding: {padding}}}
          - conv_transpose: {{channels: 3, kernel: 2, stride: 2}}
"""

FOLLOWING = {
    "conv": ("- conv: {channels: 4, kernel: 3, stride: 2, padding: same}", (3, 33, 33)),
    "convs": ("- repeat: {times: 3, layers: [conv: {channels: 4, kernel: 3, stride: 2, padding: same}]}", (3, 32, 24)),
    "conv in 1-D": ("- conv: {channels: 4, kernel: 16, stride: 2, padding: same}", (3, 32)),
    "conv in 3-D": (
        "- conv: {channels: 4, kernel: [3, 2, 5], stride: [2, 2, 3], padding: same, groups: 2, bias: false}",
        (2, 8, 9, 7),
    ),
    "dilated": ("- conv: {channels: 2, kernel: 3, stride: 3, dilation: [2, 1], padding: same}", (3, 9, 8)),
    "max_pool": ("- max_pool: {kernel: 3, stride: 2, padding: same}", (3, 9, 8)),
    "max_pool of 2": ("- max_pool: {kernel: 2, padding: same}", (3, 8, 8)),
    "avg_pool": ("- avg_pool: {kernel: 3, stride: 2, padding: same}", (3, 9, 8)),
    "avg_pool of 2": ("- avg_pool: {kernel: 2, padding: same, count_include_pad: false}", (3, 8, 8)),
    **{
        f"align, {join}, {padding}, {size}": (ONE_LEVEL.format(join=join, padding=padding), (3, size, size))
        for join, padding in (("concat", 1), ("concat", 0), ("add", 1), ("mul", 0), ("mean", 1), ("max", 0))
        for size in (8, 9)
    },
    "like": (
        """
        - conv: {name: low, channels: 3, kernel: 3, stride: 2}
        - upsample_like: {from: [low, input], mode: linear}
        - crop_like: [input, low]
        """,
        (3, 12, 11),
    ),
}  # fmt: skip

SOMETIMES_REFUSED = {
    "linear": ("- conv: {channels: 4, kernel: 3, padding: same}\n- flatten\n- linear: 5", (3, 8, 8)),
    "reshape": ("- avg_pool: 4\n- reshape: [192]\n- linear: 5", (3, 32, 32)),
    "positions": ("- conv: {channels: 4, kernel: 4, stride: 4}\n- position_embedding", (3, 8, 8)),
    "tokens": ("- permute: [2, 1]\n- position_embedding\n- multi_head_attention: {heads: 2}", (4, 3)),
    "one position": ("- conv: {channels: 4, kernel: 4, stride: 4}\n- position_embedding", (3, 4, 4)),
    "center_crop": ("- center_crop: 20", (3, 32, 32)),
    "crop_like": (
        """
        - conv: {name: low, channels: 3, kernel: 3, stride: 2}
        - crop_like: {from: [input, low], offset: 3}
        """,
        (3, 9, 9),
    ),
    "slice": ("- slice: {axis: 2, start: 1, end: 6, step: 2}", (3, 8, 8)),
    "slice from the end": ("- slice: {axis: -1, start: -6}", (3, 8, 8)),
    "slice both ways": ("- slice: {axis: -1, start: -6, end: 5}", (3, 8, 8)),
    "split": ("- split: {name: parts, parts: 2, axis: -1}\n- concat: [parts.1, parts.0]", (3, 8, 8)),
    "add": (
        """
        - max_pool: {name: low, kernel: 2, from: input}
        - conv: {name: up, channels: 3, kernel: 3, stride: 2, padding: same, from: input}
        - add: [low, up]
        """,
        (3, 6, 6),
    ),
    "pad_channels": ("- permute: [2, 1]\n- pad_channels: 10", (3, 8)),
    "layer_scale": ("- layer_scale: {axis: 2}", (3, 3)),
    "affine": ("- permute: [2, 1]\n- affine", (3, 3)),
    "capsules": ("- capsule_votes: {capsules: 2, features: 3}", (4, 3)),
    "indices": (
        """
        - max_pool: {name: pool, kernel: 2, padding: same, indices: true}
        - max_unpool: {kernel: 2, from: [pool, pool.indices]}
        """,
        (3, 8, 8),
    ),
    "indices in strides": ("- max_pool: {kernel: 3, stride: 2, padding: same, indices: true}", (3, 9, 9)),
    "pixel_unshuffle": ("- pixel_unshuffle: 2", (3, 8, 8)),
    "upsample to a size": ("- upsample: {size: 12}\n- add: [prev, prev]", (3, 8, 8)),
}  # fmt: skip


@pytest.mark.parametrize("name", FOLLOWING)
def test_networks_follow_the_size(name: str, tmp_path: Path) -> None:
    layers, sizes = FOLLOWING[name]
    assert {*outcomes(spec(tmp_path, layers, sizes)).values()} <= {"equal", "refused"}


@pytest.mark.parametrize("name", SOMETIMES_REFUSED)
def test_networks_refuse_the_sizes_that_the_spec_refuses(name: str, tmp_path: Path) -> None:
    layers, sizes = SOMETIMES_REFUSED[name]
    assert {*outcomes(spec(tmp_path, layers, sizes)).values()} <= {"equal", "refused"}


READING = {
    "kernel": "[conv: {channels: 4, kernel: 3, stride: 2, padding: 1}, avg_pool: {kernel: in.spatial}]",
    "kernel of a sequence": "[sequential: {naming: index, name: body, layers: [max_pool: {kernel: 'in.spatial[0]'}]}]",
    "condition": "[conv: {channels: 4, kernel: 3}, relu: {when: 'in.spatial[0] > 5'}]",
    "condition that is false": "[conv: {channels: 4, kernel: 3}, relu: {when: 'in.shape[-1] > 9'}]",
    "iterations": "[repeat: {times: 'in.shape[1] // 4', layers: [hard_swish]}]",
    "entries": "[repeat: {over: 'range(in.spatial[1] - 6)', layers: [hard_swish]}]",
    "argument": "[window: in.spatial]",
    "default": "[window]",
    "list": "[slice: {axis: 2, start: 'in.spatial[0] - 5'}]",
    "channels": "[permute: [2, 3, 1], slice: {axis: 1, end: in.channels // 2}]",
    "the same size of two values": "[adaptive_avg_pool: {name: a, size: 8}, window: {name: b, from: a}, "
    "window: {name: c, from: input}, add: [b, c]]",
    "a layer that nothing reads": "[relu: {name: a}, avg_pool: {from: input, kernel: in.spatial}, relu: {from: a}]",
}
"""Layers for an input of 3x8x8 that depend on sizes of which the spec reads some."""

READING_CONSTANTS = {
    "after adaptive pooling": "[adaptive_avg_pool: 3, conv: {channels: 4, kernel: in.spatial}]",
    "number of axes": "[conv: {channels: 4, kernel: 3, padding: len(in.spatial)}, relu: {when: len(in.shape) == 3}]",
    "channels": "[conv: {channels: 2 * in.channels, kernel: 1}, conv: {channels: 'in.shape[0]', kernel: 1}]",
    "an operand that does not count": "[relu: {when: 'false and in.spatial[0] > 5'}]",
}
"""Layers for an input of 3x8x8 that are the same at all sizes, though the spec reads some."""

WINDOW = "blocks: {window: {args: {size: in.spatial}, layers: [avg_pool: {kernel: size}]}}\n"


def reading(tmp_path: Path, layers: str, input: str = "input: [3, 8, 8]", more: str = "") -> Path:
    path = tmp_path / "net.yaml"
    path.write_text(f"archspec: 1\nname: net\n{input}\n{WINDOW}layers: {layers}\n{more}")
    return path


@pytest.mark.parametrize("name", READING)
def test_networks_refuse_other_sizes_if_the_spec_reads_them(name: str, tmp_path: Path) -> None:
    assert {*outcomes(reading(tmp_path, READING[name])).values()} <= {"refused", "refused though right"}


@pytest.mark.parametrize("name", READING_CONSTANTS)
def test_networks_follow_the_size_if_the_spec_reads_none_that_changes(name: str, tmp_path: Path) -> None:
    assert {*outcomes(reading(tmp_path, READING_CONSTANTS[name])).values()} <= {"equal", "refused"}


def test_the_message_names_the_size_that_the_network_is_made_for(tmp_path: Path) -> None:
    net = archspec.load(reading(tmp_path, READING["kernel"]))
    for module in (net.to_torch(), net.optimized().to_torch(), Network.from_graph(net.graph).to_torch()):
        with pytest.raises(ValueError, match=r"made for \(N, 3, 8, 8\), not .*9, 8\]"):
            module.eval()(torch.zeros(1, 3, 9, 8))


def test_networks_refuse_sizes_of_as_many_elements_that_a_reshape_would_take(tmp_path: Path) -> None:
    layers = "[reshape: '[3, in.shape[1] // 4, 4, in.shape[2] // 4, 4]', reduce_mean: [3, 5]]"
    module = archspec.load(reading(tmp_path, layers)).to_torch()
    assert returned(module, [torch.zeros(1, 3, 8, 8)]) is not None
    assert returned(module, [torch.zeros(1, 3, 4, 16)]) is None
    assert returned(module, [torch.zeros(1, 3, 16, 4)]) is None


def test_only_the_inputs_that_matter_are_of_one_size(tmp_path: Path) -> None:
    layers = """
  - avg_pool: {name: p, from: a, kernel: in.spatial}
  - adaptive_max_pool: {name: q, from: b, size: 1}
  - add: [p, q]"""
    module = archspec.load(reading(tmp_path, layers, "inputs: {a: [3, 8, 8], b: [3, 6, 6]}")).to_torch().eval()
    assert returned(module, [torch.zeros(2, 3, 8, 8), torch.zeros(2, 3, 9, 7)]) is not None
    assert returned(module, [torch.zeros(2, 3, 8, 9), torch.zeros(2, 3, 6, 6)]) is None


@pytest.mark.parametrize(
    "layers",
    ["[avg_pool: {kernel: in.spatial}]", "[slice: {axis: 2, start: -6}, adaptive_avg_pool: 1]"],
    ids=["reads", "slice"],
)
def test_parts_for_training_keep_the_rule_while_training(layers: str, tmp_path: Path) -> None:
    layers = f"[relu, side: {{name: aux, training_only: true, layers: {layers}}}, relu]"
    net = archspec.load(reading(tmp_path, layers, more="outputs: [relu_1, aux]\n"))
    module, small = net.to_torch(), [torch.zeros(2, 3, 5, 8)]
    assert returned(module.train(), [torch.zeros(2, 3, 8, 8)]) is not None
    assert returned(module.train(), small) is None
    assert returned(module.eval(), small) is not None
    assert returned(net.optimized().to_torch(), small) is not None


def test_modules_that_refuse_sizes_can_be_scripted_exported_and_compiled(tmp_path: Path) -> None:
    module = archspec.load(reading(tmp_path, READING["kernel"])).to_torch().eval()
    torch._dynamo.reset()
    x, other = torch.randn(2, 3, 8, 8), torch.randn(2, 3, 9, 9)
    shapes = ({0: torch.export.Dim("batch")},)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # torch would rather have users export
        script = torch.jit.script(module)
    for way in (
        torch.compile(module, fullgraph=True, backend="eager"),
        torch.export.export(module, (x,), dynamic_shapes=shapes).module(),
        script,
    ):
        torch.testing.assert_close(returned(way, [x]), returned(module, [x]))
        assert returned(way, [other]) is None


EXPORTED = {"conv": True, "conv in 1-D": True, "max_pool": True, "avg_pool": True, "align, concat, 0, 8": False}
"""Networks, each with whether PyTorch 2.13 can export it for any height and width.

It cannot prove of the smaller of two sizes that a slice of that length fits.
"""


@pytest.mark.parametrize("name", EXPORTED)
def test_modules_that_follow_the_size_can_be_scripted_exported_and_compiled(name: str, tmp_path: Path) -> None:
    layers, sizes = FOLLOWING[name]
    module = archspec.load(spec(tmp_path, layers, sizes)).to_torch().eval()
    example = torch.randn(2, *sizes)
    axes = enumerate(("height", "width")[: len(sizes) - 1], start=2) if EXPORTED[name] else ()
    shapes = ({0: torch.export.Dim("batch"), **{axis: torch.export.Dim(name, min=5) for axis, name in axes}},)
    traced = torch.export.export(module, (example,), dynamic_shapes=shapes).module()
    torch._dynamo.reset()
    compiled = torch.compile(module, fullgraph=True, backend="eager", dynamic=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # torch would rather have users export
        script = torch.jit.script(module)
    for rows in (0, -1, 1, 2):
        x = torch.randn(3, sizes[0], *(size + rows for size in sizes[1:]))
        expected = returned(module, [x])
        assert expected is not None
        for way in (compiled, script, *((traced,) if EXPORTED[name] or rows == 0 else ())):
            got = returned(way, [x])
            assert got is not None
            torch.testing.assert_close(got, expected)


NETWORKS = ZOO if WHOLE else sorted({FAMILY[name]: name for name in reversed(DISTINCT)}.values())
"""One network of each family, unless all are asked for."""


def calls(net: Network) -> list[object]:
    """All that the classes of the source are made of."""
    return [(node.name, node.weights, RULES.apply(node, node)) for node in net.graph.nodes]


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_of_the_zoo_follow_the_size_or_refuse_it(name: str) -> None:
    """Layers that are written alike are the same module; where some are not, the module has to refuse the size."""
    net = small(name)
    images = {key for key, sizes in net.inputs.items() if len(sizes) > 2}
    if FAMILY[name] in OF_ONE_SIZE or not images:
        pytest.skip("its weights are for one size")
    for change in CHANGES.values():
        shapes = {
            key: (sizes[0], *map(change, sizes[1:])) if key in images else sizes for key, sizes in net.inputs.items()
        }
        if min(size for sizes in shapes.values() for size in sizes) < 1:
            continue
        try:
            if calls(archspec.load(name, input=shapes, params=net.overrides)) == calls(net):
                continue
        except ArchspecError:
            pass
        if not net.graph.training_only:  # which may be what does not fit, and does not run here
            inputs = [torch.zeros(1, *sizes) for sizes in shapes.values()]
            assert returned(module(name), inputs) is None, shapes


@cache
def module(name: str) -> nn.Module:
    return small(name).to_torch().eval()
