"""Random networks pass every check; their generator, and the shrinker of those that fail."""

from __future__ import annotations

from collections import defaultdict
from importlib.util import find_spec
from typing import Any

import pytest

import archspec
from archspec.frontend.language.structures import CONSTRUCTS
from archspec.ir.types import DType
from archspec.ops import OPS
from tests.random_networks.checks import CHECKS, Failure, run, smallest
from tests.random_networks.generator import generate
from tests.random_networks.layers import NOT_DRAWN
from tests.random_networks.shrink import shrink
from tests.random_networks.text import text_of

COUNT, CHUNK = 500, 25

TRIED = tuple(name for name in CHECKS if name != "Keras" or find_spec("keras"))

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # Keras' own, of PyTorch
    pytest.mark.filterwarnings("ignore:.*softmax over axis:UserWarning"),  # of one position, which attends to itself
    # of `instance_norm` without weights, which takes any number of channels
    pytest.mark.filterwarnings("ignore:input's size at dim=1 does not match num_features:UserWarning"),
]


@pytest.mark.parametrize("first", range(0, COUNT, CHUNK))
def test_random_networks_pass_every_check(first: int) -> None:
    for seed in range(first, first + CHUNK):
        spec = generate(seed)
        failures = run(spec, seed, TRIED).failures
        assert not failures, _shown(seed, *smallest(spec, seed, failures[0], tries=200))


def _shown(seed: int, spec: dict[str, Any], failure: Failure) -> str:
    return f"seed {seed}, {failure.check}: {failure.message}\n\n{text_of(spec)}"


PADDED = {"kernel": [2, 3], "padding": 1, "indices": True}
VOLUME = {"kernel": [2, 4, 3], "padding": [1, 2, 0], "stride": 2, "ceil": True, "indices": True}
DILATED = {"channels": 3, "kernel": 2, "stride": 3, "padding": "same", "dilation": 4}
LONGER = {"channels": 1, "kernel": 2, "stride": 3, "output_padding": 2}
BLIND = {"channels": 1, "kernel": 1, "stride": 2, "padding": [0, 1]}
FAR = {"kernel": 1, "stride": 3, "padding": "same"}

FOUND: dict[str, tuple[Any, list[Any]]] = {
    "indices of a padded input": ([2, 6, 5], [{"pad": 1}, {"max_pool": PADDED}]),
    "indices of a padded volume": ([2, 6, 5, 7], [{"pad": 1}, {"max_pool": VOLUME}]),
    "a stride over the kernel": ([1, 4], [{"max_pool": FAR}]),
    "its indices": ([1, 3], [{"max_pool": FAR | {"indices": True}}]),
    "a permuted volume": ([1, 2, 2, 1], [{"permute": [4, 1, 3, 2]}, {"local_response_norm": {"size": 1}}]),
    "channels that were positions": ([1, 5], [{"permute": [2, 1]}, {"local_response_norm": {"size": 3}}]),
    "axes of one size": ([4, 4], [{"rms_norm": {"axes": 2}}]),
    "half of the larger size": (
        {"a": [1, 4, 4], "b": [1, 4, 4]},
        [{"add": ["a", "b"]}, {"split": {"parts": 2, "axis": 2}}],
    ),
    "a crop from the larger size": (
        {"a": [1, 3, 3, 3], "b": [1, 3, 3, 3]},
        [
            {"max": {"name": "larger", "from": ["a", "b"]}},
            {"upsample": {"size": 2}},
            {"parallel": {"paths": [[{"upsample_like": ["prev", "larger"]}], []], "align": "center_crop"}},
        ],
    ),
    "formulas of one hash": (
        {"a": [3, 5], "b": [3, 5]},
        [
            {"mul": ["a", "b"]},
            {"conv_transpose": {"channels": 6, "kernel": 1, "stride": 2}},
            {"conv": {"channels": 1, "kernel": 1, "stride": 2}},
            {"max_pool": {"kernel": 1}},
        ],
    ),
    "names of functions in Keras": ([2, 4], [{"rms_norm": {"affine": False}}, "rms_norm"] * 2),
    "variances that Keras rounds": ([2, 4], [{"mul": 0.001}, {"add": 2.0}, "instance_norm"]),
    "another eps with the same weights": (
        [1, 4],
        [{"rms_norm": {"name": "a"}}, {"rms_norm": {"share": "a", "eps": 0.1}}],
    ),
    "attention with other weights at another size": (
        {"a": [2, 1, 1], "b": [2, 1, 1]},
        [
            {"dropout": {"name": "c", "from": "a"}},
            {"multi_head_attention": {"from": ["c", "b"], "heads": 1, "bias": False}},
        ],
    ),
    "no number": ([2, 2], ["log", {"max_pool": {"kernel": 2, "indices": True}}]),
    "rows that PyTorch rounds": ([1, 2], [{"upsample": 41}]),
    "nothing along one axis": ([1, 1, 2], [{"conv_transpose": BLIND}]),
    "taps past the end": ([1, 1], [{"conv_transpose": DILATED}, {"conv_transpose": LONGER}]),
}
"""Networks in which the checks found a fault."""


@pytest.mark.parametrize(("shape", "layers"), FOUND.values(), ids=FOUND)
def test_faults_that_were_found_stay_repaired(shape: Any, layers: list[Any]) -> None:
    inputs = {"inputs" if isinstance(shape, dict) else "input": shape}
    spec = {"archspec": 1, "name": "found", **inputs, "layers": layers}
    if isinstance(layers[-1], dict) and "indices" in layers[-1].get("max_pool", {}):
        spec["outputs"] = ["max_pool", "max_pool.indices"]
    assert run(spec, checks=TRIED).failures == ()


def test_the_generator_covers_every_op_attribute_and_structure() -> None:
    """In twice as many networks as are tested: every attribute with at least two values, every key of a structure."""
    values: dict[tuple[str, str], set[str]] = defaultdict(set)
    keys: set[tuple[str, str]] = set()
    kinds, ranks, inputs, outputs, shared = set(), set(), set(), set(), 0
    for seed in range(2 * COUNT):
        spec = generate(seed)
        graph = archspec.parse(text_of(spec)).graph
        ranks |= {len(value.type.sizes) for value in graph.inputs if value.type.dtype is DType.FLOAT32}
        inputs.add(len(graph.inputs))
        outputs.add(len(graph.outputs))
        keys |= set(_keys(spec["layers"]))
        for node in graph.nodes:
            kinds.add(node.op.kind)
            shared += node.owner is not None
            for name, value in node.op.attributes().items():
                values[node.op.kind, name].add(repr(value))
    assert kinds == {op.kind for op in OPS} - {NOT_DRAWN}
    assert not {name for name, found in values.items() if len(found) < 2}
    assert ranks == {1, 2, 3, 4}
    assert inputs >= {1, 2, 3}
    assert outputs >= {1, 2, 3}
    assert shared > 20
    assert keys >= {(kind, key) for kind, construct in CONSTRUCTS.items() for key in construct.keys}


def _keys(items: Any) -> Any:
    """The keys of every structure in plain data, with its kind."""
    if isinstance(items, dict):
        for kind, content in items.items():
            if kind in CONSTRUCTS:
                yield from ((kind, key) for key in (content if isinstance(content, dict) else ["layers"]))
            yield from _keys(content)
    elif isinstance(items, list):
        for item in items:
            yield from _keys(item)


def test_a_seed_is_one_network() -> None:
    assert [generate(seed) for seed in range(20)] == [generate(seed) for seed in range(20)]


def test_a_failure_is_shrunk_to_the_layers_that_fail() -> None:
    wide = {"conv": {"channels": 8, "kernel": 7}}
    residual = {"residual": {"layers": ["relu", wide], "shortcut": [{"conv": {"channels": 8, "kernel": 1}}]}}
    layers = [{"sequential": {"name": "a", "layers": ["relu", residual]}}, {"linear": 20}]
    small = shrink({"archspec": 1, "params": {"width": 8}, "layers": layers}, _has_a_wide_kernel)
    assert small == {"layers": [{"conv": {"channels": 3, "kernel": 7}}]}


def _has_a_wide_kernel(spec: Any) -> bool:
    """Whether a layer of the spec, at any level, has a kernel of 7 and at least 3 channels."""
    if isinstance(spec, dict) and spec.get("kernel") == 7:
        return isinstance(spec.get("channels"), int) and spec["channels"] >= 3
    inner = spec.values() if isinstance(spec, dict) else spec if isinstance(spec, list) else ()
    return any(map(_has_a_wide_kernel, inner))
