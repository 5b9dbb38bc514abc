"""Draws the spec of a random network from a seed."""

from __future__ import annotations

from random import Random
from typing import Any

from archspec.ir.types import DType, TensorType
from tests.random_networks.drawing import AWKWARD, Drawing, Names
from tests.random_networks.layers import UNARY
from tests.random_networks.structures import body

SIZES = {0: (), 1: (1, 2, 5, 7, 12, 16, 33), 2: (1, 2, 3, 5, 8, 9, 12, 13, 16), 3: (1, 2, 3, 4, 5, 6)}
"""The sizes of an axis, by the number of spatial axes."""


def generate(seed: int) -> dict[str, Any]:
    """The spec of a random network, as plain data."""
    random = Random(seed)
    awkward = random.sample(AWKWARD, len(AWKWARD))
    draw = Drawing(random, budget=random.randint(2, 18), theme=UNARY[seed % len(UNARY)], awkward=awkward)
    axes = random.choice((0, 1, 1, 2, 2, 2, 2, 3, 3))
    first = _input(random, axes)
    draw.inputs["input" if draw.chance(0.6) else draw.name()] = first
    for _ in range(random.choice((0, 0, 1, 2))):
        draw.inputs[draw.name()] = (
            first if draw.chance(0.5) else _input(random, random.choice((axes, axes, axes, 0, 1)))
        )
    names = Names(values=dict(draw.inputs))
    part = body(draw, names, first, random.randint(1, 10))
    if all("1 > 2" in str(item) for item in part.items):  # nothing is left of it
        part.items.append("relu")
    if len(draw.inputs) > 1:  # or the first layer reads all of them
        part.items.insert(0, {"identity": {"from": next(iter(draw.inputs))}})
    outputs = _outputs(draw, names, part.items)
    spec: dict[str, Any] = {"archspec": 1, "name": "random"}
    if list(draw.inputs) == ["input"]:
        spec["input"] = list(first.sizes)
    else:
        spec["inputs"] = {name: _declared(type) for name, type in draw.inputs.items()}
    if draw.blocks:
        spec["blocks"] = draw.blocks
    spec["layers"] = part.items
    if outputs:
        spec["outputs"] = outputs
    if draw.chance(0.3):
        _use_params(draw, spec)
    return spec


def _input(random: Random, axes: int) -> TensorType:
    largest = random.choice(SIZES[axes] or (1,))
    sizes = [random.choice([size for size in SIZES[axes] if size <= largest]) for _ in range(axes)]
    if random.random() < 0.5:
        sizes = [largest] * axes
    return TensorType((random.choice((1, 2, 3, 4, 6, 8)), *sizes))


def _declared(type: TensorType) -> Any:
    sizes = list(type.sizes)
    return sizes if type.dtype is DType.FLOAT32 else {"shape": sizes, "dtype": "int64"}


def _outputs(draw: Drawing, names: Names, items: list[Any]) -> list[Any] | dict[str, Any]:
    """Some of the values that have names, at any level; none where the last value is the only output."""
    values = {name: type for name, type in names.values.items() if name not in draw.inputs}
    if not names.training and draw.chance(0.5):
        return []
    last = draw.name()
    items.append({"identity": {"name": last}})
    chosen = draw.random.sample(sorted(values), min(len(values), draw.random.randint(0, 3)))
    chosen = list(dict.fromkeys([last, *chosen, *names.training]))
    if draw.chance(0.5):
        return {f"out{i}" if draw.chance(0.7) else draw.name(): name for i, name in enumerate(chosen)}
    return chosen


def _use_params(draw: Drawing, spec: dict[str, Any]) -> None:
    """Params and a variant in place of some numbers."""
    holders = [
        (value, key)
        for item in spec["layers"]
        if isinstance(item, dict)
        for value in item.values()
        if isinstance(value, dict)
        for key in ("channels", "features", "kernel", "times")
        if isinstance(value.get(key), int)
    ]
    params: dict[str, Any] = {}
    for i, (holder, key) in enumerate(draw.random.sample(holders, min(2, len(holders)))):
        params[f"p{i}"], holder[key] = holder[key], f"p{i}"
    if params:
        spec["params"] = params
        if draw.chance(0.3):
            name = next(iter(params))
            spec |= {"variants": {"one": {"summary": "the same", name: params[name]}}, "default": "one"}
