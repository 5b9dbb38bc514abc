"""Parts of a random spec: single layers, and a few that belong together, such as joins and attention."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from archspec.ir.types import DType, TensorType, Weight
from archspec.ops import OPS, Op
from archspec.ops.attribute_types import attributes_of
from tests.op_samples import OP
from tests.random_networks.attributes import draw_op
from tests.random_networks.drawing import Drawing, Item, Names, Part, plain, written

NOT_DRAWN = "argmax"
"""The op that decides between equal numbers, which rounding may make unequal."""

UNARY = tuple(
    op.kind
    for op in OPS
    if (op.inputs == 1 or "number" in attributes_of(op)) and op.kind not in ("split", "embedding", "where", NOT_DRAWN)
)
"""The ops of one input, or of one and a number, but those that `parts`, `embedded` and `gated` draw."""

LIKELY = tuple(3 + 2 * len(attributes_of(OP[kind])) for kind in UNARY)
"""How likely each of them is: the more attributes it has, the more there is to try."""

FEWER_AXES = (
    "flatten",
    "reshape",
    "global_max_pool",
    "global_avg_pool",
    "reduce_mean",
    "reduce_sum",
    "reduce_max",
    "reduce_var",
)
"""Ops after which little is left to slide over: they are drawn less often."""

ABOVE_0 = ("sqrt", "rsqrt", "reciprocal", "log", "pow")
"""Ops that are defined, and smooth, for numbers above 0."""

JOINS = ("add", "mul", "mean", "min", "max", "concat")
"""The ops that join any number of values."""


def layer(draw: Drawing, names: Names, before: Part) -> Part | None:
    """One op of one input."""
    kind = draw.theme if draw.chance(0.35) else draw.random.choices(UNARY, LIKELY)[0]
    if kind in FEWER_AXES and kind != draw.theme and draw.chance(0.5):
        return None
    type, items = before.type, list[Item]()
    if kind in ABOVE_0:
        items = ["abs", {"add": {"number": 0.5}}]
    elif kind == "squeeze" and 1 not in type.sizes:
        axis = draw.random.randint(1, type.rank)
        type, items = type.with_sizes(*type.sizes[: axis - 1], 1, *type.sizes[axis - 1 :]), [{"unsqueeze": axis}]
    drawn = draw_op(draw.random, kind, [type])
    return None if drawn is None else part_of(draw, names, drawn, type, *items)


def part_of(
    draw: Drawing,
    names: Names,
    drawn: tuple[Op, tuple[TensorType, ...]],
    type: TensorType,
    *before: Item,
    types: Sequence[TensorType] = (),
    **keys: Any,
) -> Part:
    """The part of an op after other items, sometimes with a name, options of its weights and expressions for numbers.

    Args:
        draw: the spec.
        names: where the op is.
        drawn: the op, and the types of its outputs.
        type: the type of its first input.
        before: the items before it.
        types: the types of all its inputs, if its weights depend on others than the first.
        keys: keys of its item, such as `from_`.
    """
    op, outputs = drawn
    draw.budget -= 1
    name = draw.name() if draw.chance(0.4) else None
    weights = [weight for weight in op.weights(types or [type]) if not weight.buffer]
    if weights and draw.chance(0.25):
        keys |= _weight_options(draw, weights)
    elif weights and name and len(types) < 2:
        names.owners[name] = (op, type)
    item = written(op, name=name, **keys)
    if isinstance(item, dict) and isinstance(item[op.kind], dict) and type.sizes:
        _use_expressions(draw, item[op.kind], type)
    if name is not None:
        names.values[name] = outputs[0]
        if len(outputs) > 1:
            names.values |= {f"{name}.{port}": each for port, each in zip(op.ports, outputs, strict=True)}
    return Part([*before, item], outputs[0], name)


def _weight_options(draw: Drawing, weights: Sequence[Weight]) -> dict[str, Any]:
    initial = draw.random.choice(("zeros", "ones", "normal", 0.5, {"uniform": {"low": -0.5}}))
    options: list[dict[str, Any]] = [{"trainable": draw.chance(0.5)}, {"init": {weights[0].name: initial}}]
    if weights[0].name == "weight":
        options.append({"weight": 0.5})
    return draw.random.choice(options)


def _use_expressions(draw: Drawing, attributes: dict[str, Any], type: TensorType) -> None:
    for name in ("channels", "features"):
        if attributes.get(name) == type.channels and "from" not in attributes and draw.chance(0.3):
            attributes[name] = "in.channels"
        elif isinstance(attributes.get(name), int) and draw.chance(0.1):
            attributes[name] = f"{attributes[name]} * 2 // 2"
    spatial = [] if "from" in attributes else [*type.spatial]  # several inputs may differ in them
    for name, value in attributes.items():
        if value == spatial and draw.chance(0.5):
            attributes[name] = "in.spatial"
        elif isinstance(value, int) and not isinstance(value, bool) and value in spatial and draw.chance(0.1):
            attributes[name] = f"in.spatial[{spatial.index(value)}]"


def tokens(draw: Drawing, names: Names, before: Part) -> Part | None:
    """Positions as a sequence, and what is done to sequences."""
    if len(before.type.sizes) not in (2, 3, 4):
        return None
    type = before.type.with_sizes(prod(before.type.spatial), before.type.channels)
    flat: list[Item] = [{"flatten": 2}] if len(before.type.sizes) > 2 else []
    kinds = ("class_token", "position_embedding", "capsule_votes", "layer_norm", "rms_norm")
    kind = draw.random.choice((*kinds, "lstm", "gru", "rnn", "rnn"))  # rnn has the most attributes
    drawn = draw_op(draw.random, kind, [type])
    return None if drawn is None else part_of(draw, names, drawn, type, *flat, {"permute": [2, 1]})


def subpixels(draw: Drawing, names: Names, before: Part) -> Part | None:
    """Channels that become positions, or the other way round."""
    if len(before.type.sizes) != 3:
        return None
    factor = draw.random.choice((2, 3))
    if all(size % factor == 0 for size in before.type.spatial):
        drawn = draw_op(draw.random, "pixel_unshuffle", [before.type], factor=factor)
        return None if drawn is None else part_of(draw, names, drawn, before.type)
    type = before.type.with_sizes(factor**2 * draw.random.randint(1, 2), *before.type.spatial)
    drawn = draw_op(draw.random, "pixel_shuffle", [type], factor=factor)
    if drawn is None:
        return None
    return part_of(draw, names, drawn, type, {"conv": {"channels": type.channels, "kernel": 1}})


def head(draw: Drawing, names: Names, before: Part) -> Part | None:
    """All positions at once, or their mean, and what is done to vectors."""
    axes = len(before.type.sizes) - 1
    mean = axes in (1, 2, 3) and draw.chance(0.5)
    type = before.type.with_sizes(before.type.channels if mean else before.type.elements)
    first = draw.random.choice(("global_avg_pool", "global_max_pool", {"adaptive_avg_pool": 1}))
    drawn = draw_op(
        draw.random, draw.random.choice(("linear", "radial_basis", "batch_norm", "softmax", "reshape")), [type]
    )
    return None if drawn is None else part_of(draw, names, drawn, type, *([first] if mean else []), "flatten")


def shared(draw: Drawing, names: Names, before: Part) -> Part | None:
    """A layer that uses the weights of another, at any level, sometimes with other attributes."""
    fitting = []
    for owner, (op, type) in names.visible_owners().items():
        kept = op.attributes()
        if draw.chance(0.3):
            kept = {name: value for name, value in kept.items() if draw.chance(0.7)}
        drawn = draw_op(draw.random, op.kind, [before.type], tries=1, **kept)
        if drawn is not None and op.weights([type]) == drawn[0].weights([before.type]):
            fitting.append((owner, op, drawn))
    if not fitting:
        return None
    owner, op, (other, outputs) = draw.random.choice(fitting)
    draw.budget -= 1
    item = written(other, share=owner)
    assert isinstance(item, dict)
    attributes = op.attributes()
    different = {name: plain(value) for name, value in other.attributes().items() if value != attributes[name]}
    return Part([{op.kind: {**item[op.kind], **different}}], outputs[0])


# --- several inputs ---


def named(draw: Drawing, names: Names, before: Part) -> tuple[list[Item], str]:
    """The name of what a part returns, after a layer that gives it one if need be."""
    if before.name is not None:
        return [], before.name
    name = draw.name()
    names.values[name] = before.type
    kind = draw.random.choice(("identity", "relu", "tanh", "dropout"))
    draw.budget -= 1
    return [{kind: {"name": name}}], name


def fitted(draw: Drawing, source: TensorType, target: TensorType, *, channels: bool = True) -> list[Item] | None:
    """Layers from one type to another of as many sizes; without `channels`, these may differ after all."""
    if len(source.sizes) != len(target.sizes) or not source.sizes or (source != target and len(source.sizes) > 4):
        return None
    items: list[Item] = []
    if channels and source.channels != target.channels:
        items.append(_to_channels(draw, source, target))
    if source.spatial != target.spatial:
        items.append(_to_size(draw, source, target))
    draw.budget -= len(items)
    return items


def _to_channels(draw: Drawing, source: TensorType, target: TensorType) -> Item:
    if len(source.sizes) == 1:
        return {"linear": target.channels}
    if source.channels < target.channels and draw.chance(0.3):
        return {"pad_channels": target.channels}
    if source.channels > target.channels and draw.chance(0.3):
        return {"slice": {"end": target.channels}}
    return {"conv": {"channels": target.channels, "kernel": 1, "bias": draw.chance(0.5)}}


def _to_size(draw: Drawing, source: TensorType, target: TensorType) -> Item:
    size = list(target.spatial)
    if all(have >= want for have, want in zip(source.spatial, size, strict=True)) and draw.chance(0.5):
        return {"center_crop": size}
    return draw.random.choice(
        ({"adaptive_avg_pool": size}, {"adaptive_max_pool": size}, {"upsample": {"size": size, "mode": "linear"}})
    )


def from_(items: list[Item], source: str) -> list[Item]:
    """The items, of which the first reads `source`."""
    first, *others = items
    kind, value = next(iter(first.items())) if isinstance(first, dict) else (first, {})
    if not isinstance(value, dict):
        main = {"linear": "features", "pad_channels": "channels"}.get(kind, "size")
        value = {main: value}
    return [{kind: {"from": source, **value}}, *others]


def joined(draw: Drawing, names: Names, before: Part) -> Part | None:
    """This value and another, of any level, joined after layers that make them fit."""
    other = draw.pick(names.visible(), len(before.type.sizes))
    kind = draw.random.choice((*JOINS, "stack", "sub", "less"))
    if other is None or not before.type.sizes:
        return None
    type = names.visible()[other]
    items, name = named(draw, names, before)
    between = fitted(draw, type, before.type, channels=kind != "concat")
    if between is None:
        return None
    read = [name, "prev"] if between else draw.random.choice(([name, other], [other, name], [name, other, name]))
    right = before.type if kind != "concat" or not between else type.with_sizes(type.channels, *before.type.spatial)
    types = {name: before.type, other: type, "prev": right}
    drawn = draw_op(draw.random, kind, [types[each] for each in read])
    if drawn is None:
        return None
    before_it = [*items, *(from_(between, other) if between else ())]
    return part_of(draw, names, drawn, before.type, *before_it, from_=read)


def gated(draw: Drawing, names: Names, before: Part) -> Part | None:
    """Each channel combined with a number that depends on all positions."""
    if len(before.type.sizes) not in (2, 3, 4):
        return None
    items, name = named(draw, names, before)
    draw.budget -= 4
    joined = draw.random.choice(("mul", "add", "sub", "less", "where"))
    read = draw.random.choice(([name, "prev"], ["prev", name]))
    if joined == "where":
        read = draw.random.choice((["prev", name, name], {"from": ["prev", name], "number": -0.5}))
    # What a sigmoid returns for large negative numbers is 0 in some programs and not in others.
    squashed = "hard_sigmoid" if joined in ("less", "where") else draw.random.choice(("sigmoid", "hard_sigmoid"))
    pooled = draw.random.choice(("global_avg_pool", "global_max_pool"))
    gate = [pooled, {"conv": {"channels": "in.channels", "kernel": 1}}, squashed, {joined: read}]
    return Part([*items, *gate], before.type)


def parts(draw: Drawing, names: Names, before: Part) -> Part | None:
    """A split, of which the next layers read all parts or some."""
    drawn = draw_op(draw.random, "split", [before.type])
    if drawn is None:
        return None
    op, outputs = drawn
    name = draw.name()
    names.values |= {f"{name}.{port}": type for port, type in zip(op.ports, outputs, strict=True)}
    draw.budget -= 2
    split = written(op, name=name)
    if len(set(outputs)) == 1 and draw.chance(0.5):
        return Part([split, draw.random.choice(("add", "mul", "mean", "max"))], outputs[0])
    ports = draw.random.sample(op.ports, draw.random.randint(1, len(op.ports)))
    types = [outputs[op.ports.index(port)] for port in ports]
    drawn = draw_op(draw.random, "concat", types, axis=getattr(op, "axis"))  # noqa: B009  # of `split` alone
    if drawn is None:
        return None
    joint, (output,) = drawn
    return Part([split, written(joint, from_=[f"{name}.{port}" for port in ports])], output)


def like(draw: Drawing, names: Names, before: Part) -> Part | None:
    """Resized or cropped to the size of another value."""
    other = draw.pick(names.visible(), len(before.type.sizes))
    kind = draw.random.choice(("upsample_like", "crop_like"))
    if other is None:
        return None
    drawn = draw_op(draw.random, kind, [before.type, names.visible()[other]])
    if drawn is None:
        return None
    return part_of(draw, names, drawn, before.type, from_=["prev", other])


def attended(draw: Drawing, names: Names, before: Part) -> Part | None:
    """Attention over the positions of other values or of this one, sometimes with a mask, or inside a window."""
    *outer, positions, features = sizes = before.type.sizes if len(before.type.sizes) in (2, 3) else (0, 0, 0)
    if not positions:
        return None
    heads = draw.random.choice([number for number in range(1, features + 1) if features % number == 0])
    fixed: dict[str, Any] = {"heads": heads, "mask": draw.chance(0.4), "relative_bias": None}
    items, name = named(draw, names, before)
    keys, types = [name], [before.type]
    if draw.chance(0.3):
        fixed["relative_bias"] = (positions,) if positions % 2 else (2, positions // 2)
    elif draw.chance(0.6):
        fitting = [
            other
            for other, type in names.visible().items()
            if type.dtype is DType.FLOAT32 and len(type.sizes) == len(sizes) and type.sizes[:-2] == (*outer,)
        ]
        other = draw.random.choice(fitting or [name])
        keys += [other] * draw.random.choice((1, 2))
        types += [(before.type, names.visible().get(other, before.type))[other != name]] * (len(keys) - 1)
    if fixed["mask"]:  # rows of queries, or the mask of a key for all queries
        number = draw.random.uniform(-0.5, 0.5)
        masked = keys[-1] if draw.chance(0.5) else name
        items += [{"reduce_sum": {"from": masked, "axis": -1, "keepdim": True}}, {"greater": number}]
        mask = types[-1] if masked == keys[-1] and masked != name else before.type
        shape = (*outer, mask.sizes[-2], 1)
        if masked != name or draw.chance(0.5):
            items.append({"permute": [*range(1, len(outer) + 1), len(outer) + 2, len(outer) + 1]})
            shape = (*outer, 1, mask.sizes[-2])
        keys.append("prev")
        types.append(TensorType(shape))
    drawn = draw_op(draw.random, "multi_head_attention", types, **fixed)
    if drawn is None:
        return None
    return part_of(draw, names, drawn, before.type, *items, types=types, from_=keys)


def continued(draw: Drawing, names: Names, before: Part) -> Part | None:
    """A recurrent layer that starts from the last states of another."""
    kind = draw.random.choice(("lstm", "gru", "rnn"))
    drawn = draw_op(draw.random, kind, [before.type]) if len(before.type.sizes) == 2 else None
    if drawn is None:
        return None
    op, outputs = drawn
    name = draw.name()
    names.values |= {f"{name}.{port}": type for port, type in zip(op.ports, outputs, strict=True)}
    states = [f"{name}.{port}" for port in op.ports[1:]]
    draw.budget -= 1
    return part_of(draw, names, (op, op.infer(outputs)), outputs[0], written(op, name=name), from_=["prev", *states])


def multiplied(draw: Drawing, names: Names, before: Part) -> Part | None:
    """A matrix product of a value and its own transpose."""
    rank = len(before.type.sizes)
    if rank < 2:
        return None
    items, name = named(draw, names, before)
    order = [*range(1, rank - 1), rank, rank - 1]
    *outer, rows, columns = before.type.sizes
    turned = draw.chance(0.5)
    draw.budget -= 2
    return Part(
        [*items, {"permute": order}, {"matmul": ["prev", name] if turned else [name, "prev"]}],
        before.type.with_sizes(*outer, *((columns, columns) if turned else (rows, rows))),
    )


def unpooled(draw: Drawing, names: Names, before: Part) -> Part | None:
    """A pooling that remembers places, and its way back."""
    drawn = draw_op(draw.random, "max_pool", [before.type], indices=True, ceil=False)
    if drawn is None:
        return None
    pool, outputs = drawn
    attributes = {name: getattr(pool, name) for name in ("kernel", "stride", "padding")}
    attributes["padding"] = 0 if attributes["padding"] == "valid" else attributes["padding"]
    drawn = draw_op(draw.random, "max_unpool", [*outputs, before.type], tries=1, **attributes)
    if drawn is None:
        return None
    items, source = named(draw, names, before)
    unpool, (output,) = drawn
    name = draw.name()
    names.values |= {name: outputs[0], f"{name}.indices": outputs[1]}
    middle = stable(draw, outputs[0], draw.random.randint(0, 2))
    read = ["prev", f"{name}.indices", source][: draw.random.randint(2, 3)]
    draw.budget -= 2
    return Part([*items, written(pool, name=name), *middle, written(unpool, from_=read)], output)


def regions(draw: Drawing, names: Names, before: Part) -> Part | None:
    """Regions of interest in boxes that are an input."""
    kind = draw.random.choice(("roi_align", "roi_pool"))
    boxes = draw.inputs.get("boxes") or TensorType((draw.random.randint(1, 3), 4))
    drawn = draw_op(draw.random, kind, [before.type, boxes])
    if drawn is None:
        return None
    draw.inputs["boxes"] = boxes
    return part_of(draw, names, drawn, before.type, from_=["prev", "boxes"])


def embedded(draw: Drawing, names: Names, before: Part) -> Part | None:
    """Entries of a table that an input chooses, added."""
    tokens = draw.inputs.get("tokens") or TensorType(
        tuple(draw.random.choices((1, 2, 3, 5), k=max(0, len(before.type.sizes) - 1))), DType.INT64
    )
    drawn = draw_op(draw.random, "embedding", [tokens])
    if drawn is None:
        return None
    op, (type,) = drawn
    between = fitted(draw, type, before.type)
    if between is None:
        return None
    draw.inputs["tokens"] = tokens
    items, name = named(draw, names, before)
    draw.budget -= 2
    return Part([*items, written(op, from_="tokens"), *between, {"add": [name, "prev"]}], before.type)


def stable(draw: Drawing, type: TensorType, count: int) -> list[Item]:
    """As many layers without names, or fewer, that return the type they get."""
    items: list[Item] = []
    for _ in range(8 * count):
        following = layer(draw, Names(), Part([], type))
        if following is not None and following.type == type and len(items) < count:
            items += map(_nameless, following.items)
    return items


def _nameless(item: Item) -> Item:
    if not isinstance(item, dict):
        return item
    ((kind, value),) = item.items()
    if not isinstance(value, dict):
        return item
    value = {key: inner for key, inner in value.items() if key != "name"}
    return {kind: value} if value else kind
