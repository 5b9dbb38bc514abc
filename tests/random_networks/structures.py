"""Parts of a random spec that hold layers: every structure of the language, and blocks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from archspec.ir.types import DType, TensorType
from tests.random_networks.drawing import Drawing, Item, Names, Part
from tests.random_networks.layers import (
    JOINS,
    attended,
    continued,
    embedded,
    fitted,
    gated,
    head,
    joined,
    layer,
    like,
    multiplied,
    parts,
    regions,
    shared,
    stable,
    subpixels,
    tokens,
    unpooled,
)

Motif = Callable[[Drawing, Names, Part], "Part | None"]
"""Draws what follows a part; None where nothing fits."""

DEEPEST = 3
"""How deep structures nest."""


def body(draw: Drawing, names: Names, type: TensorType, count: int) -> Part:
    """Layers in sequence, about as many as `count`."""
    part = Part([], type)
    for _ in range(3 * count):
        if len(part.items) >= count or draw.budget <= 0:
            break
        motif = draw.random.choices([*MOTIFS], [*MOTIFS.values()])[0]
        own = Names(outer=names)  # a part that does not fit leaves no names behind
        following = motif(draw, own, part)
        if following is not None:
            names.close(own, None)
            part = Part([*part.items, *following.items], following.type, following.name)
    return part


def _structure(draw: Drawing, names: Names) -> tuple[Names, int]:
    """The names inside a structure, and how many layers one of its lists has."""
    return Names(outer=names), draw.random.randint(1, 4)


def _keys(draw: Drawing, keys: dict[str, Any], name: str | None, before: Part) -> dict[str, Any]:
    """The keys of a structure, with a name if it has one, and sometimes with those that every item takes."""
    common: dict[str, Any] = {} if name is None else {"name": name}
    common |= {"from": before.name} if before.name is not None and draw.chance(0.3) else {}
    common |= {"when": draw.random.choice((True, "1 < 2", "len(in.shape) >= 0"))} if draw.chance(0.1) else {}
    common |= {"trainable": draw.budget % 16 != 0} if draw.budget % 8 == 0 else {}  # this draws no random number
    return {**common, **keys}


def _result(draw: Drawing, names: Names, name: str | None, item: Item, type: TensorType) -> Part:
    if name is not None:
        names.values[name] = type
    return Part([item], type, name)


def sequential(draw: Drawing, names: Names, before: Part) -> Part | None:
    """Layers in a scope of their own, with a condition or with numbers for names."""
    inner, count = _structure(draw, names)
    inside = body(draw, inner, before.type, count)
    if not inside.items:
        return None
    name = draw.name() if draw.chance(0.6) else None
    keys: dict[str, Any] = {"layers": inside.items}
    if name is not None and draw.chance(0.4):
        keys["naming"] = "index"
    names.close(inner, name)
    if name is None and not keys.keys() - {"layers"} and draw.chance(0.3):
        return Part([{"sequential": inside.items}], inside.type)
    return _result(draw, names, name, {"sequential": _keys(draw, keys, name, before)}, inside.type)


def skipped(draw: Drawing, names: Names, before: Part) -> Part | None:
    """Layers that a condition leaves out."""
    inside = body(draw, Names(), before.type, 2)
    return Part([{"sequential": {"when": "1 > 2", "layers": inside.items}}], before.type) if inside.items else None


def residual(draw: Drawing, names: Names, before: Part) -> Part | None:
    """Layers and a shortcut, joined, cropped to each other sometimes."""
    inner, count = _structure(draw, names)
    inside = body(draw, inner, before.type, count)
    join = draw.random.choice(JOINS)
    crop = len(before.type.sizes) == len(inside.type.sizes) > 1 and draw.chance(0.5)
    short = fitted(draw, before.type, inside.type, channels=join != "concat")
    if short is None or not inside.items:
        return None
    type = inside.type
    if crop:
        short = [{"conv": {"channels": type.channels, "kernel": 1}}] if before.type.channels != type.channels else []
        smallest = map(min, zip(before.type.spatial, type.spatial, strict=True))
        type = type.with_sizes(type.channels, *smallest)
        other = type.channels
    else:
        other = before.type.channels if join == "concat" else type.channels
    if join == "concat":
        type = type.with_sizes(type.channels + other, *type.spatial)
    name = draw.name() if draw.chance(0.5) else None
    keys: dict[str, Any] = {"layers": inside.items}
    keys |= {"join": join} if join != "add" or draw.chance(0.2) else {}
    keys |= {"shortcut": short} if short else {}
    keys |= {"align": "center_crop"} if crop else {}
    names.close(inner, name)
    return _result(draw, names, name, {"residual": _keys(draw, keys, name, before)}, type)


def parallel(draw: Drawing, names: Names, before: Part) -> Part | None:
    """Paths by name or in a list, joined."""
    inner, count = _structure(draw, names)
    drawn: dict[str, Part] = {}
    listed = draw.chance(0.5)
    for _ in range(draw.random.randint(1, 3)):
        path, own = draw.name(), Names(outer=inner)
        drawn[path] = body(draw, own, before.type, count) if draw.chance(0.8) else Part([], before.type)
        inner.close(own, None if listed else path)
    join = draw.random.choice(JOINS)
    target = drawn[draw.random.choice(list(drawn))].type
    types = [part.type for part in drawn.values()]
    crop = {len(type.sizes) for type in types} <= {2, 3, 4} and draw.chance(0.4)
    for part in drawn.values():
        here = part.type.with_sizes(target.channels, *part.type.spatial) if crop else target
        more = fitted(draw, part.type, here, channels=join != "concat")
        if more is None or len(part.type.sizes) != len(target.sizes):
            return None
        part.items += more
    smallest = map(min, zip(*(type.spatial for type in types), strict=True)) if crop else target.spatial
    type = target.with_sizes(target.channels, *smallest)
    if join == "concat":
        type = type.with_sizes(sum(part.type.channels for part in drawn.values()), *type.spatial)
    name = draw.name() if draw.chance(0.5) else None
    items = {path: part.items for path, part in drawn.items()}
    keys: dict[str, Any] = {"paths": list(items.values()) if listed else items}
    keys |= {"join": join} if join != "concat" or draw.chance(0.2) else {}
    keys |= {"align": "center_crop"} if crop else {}
    names.close(inner, name)
    return _result(draw, names, name, {"parallel": _keys(draw, keys, name, before)}, type)


def fan(draw: Drawing, names: Names, before: Part) -> Part | None:
    """Paths that a list generates."""
    if len(before.type.sizes) not in (2, 3, 4):
        return None
    join = draw.random.choice(JOINS)
    rates = draw.random.sample((1, 2, 3, 5), draw.random.randint(1, 3))
    width = draw.random.choice((1, 2, before.type.channels))
    draw.budget -= 2 * len(rates)
    conv = {"channels": width, "kernel": draw.random.choice((1, 3)), "padding": "same", "dilation": "rate"}
    name = draw.name() if draw.chance(0.5) else None
    layers = [{"conv": conv}, *stable(draw, before.type.with_sizes(width, *before.type.spatial), 1)]
    keys = {"over": rates, "as": "rate", "layers": layers, "join": join, "index": "number"}
    width *= len(rates) if join == "concat" else 1
    type = before.type.with_sizes(width, *before.type.spatial)
    return _result(draw, names, name, {"parallel": _keys(draw, keys, name, before)}, type)


def repeat(draw: Drawing, names: Names, before: Part) -> Part | None:
    """Layers that keep the type, several times; inside, sometimes, a residual block."""
    items = stable(draw, before.type, draw.random.randint(1, 3))
    if not items:
        return None
    items = [{"residual": items}] if draw.chance(0.3) else items
    times = draw.random.randint(1, 3)
    draw.budget -= len(items) * (times - 1)
    name = draw.name() if draw.chance(0.6) else None
    keys: dict[str, Any] = {"times": times, "layers": items}
    if name is not None and draw.chance(0.7):
        inner = draw.name()
        items.append({"identity": {"name": inner}})
        names.values |= {f"{name}.{i}.{inner}": before.type for i in range(times)}
    return _result(draw, names, name, {"repeat": _keys(draw, keys, name, before)}, before.type)


def stages(draw: Drawing, names: Names, before: Part) -> Part | None:
    """Layers once per entry of a list, which gives their width and stride."""
    if len(before.type.sizes) not in (2, 3, 4):
        return None
    entries = [[draw.random.choice((1, 2, 4)), draw.random.choice((1, 1, 2))] for _ in range(draw.random.randint(1, 3))]
    draw.budget -= 2 * len(entries)
    padding = draw.random.choice((1, "same"))
    layers = [
        {"conv": {"channels": "width", "kernel": 3, "stride": "stride", "padding": padding, "bias": draw.chance(0.5)}},
        draw.random.choice(("batch_norm", "relu", "silu", {"group_norm": 1}, {"layer_norm": {"axes": "channels"}})),
    ]
    spatial = before.type.spatial
    for _, stride in entries:
        spatial = tuple(-(-size // stride) for size in spatial)
    base = draw.name()
    keys = {"over": entries, "as": ["width", "stride"], "index": "i", "layers": layers}
    name = draw.random.choice((None, f"{base}_$i", f"$width$(i)_{base}", base))
    type = before.type.with_sizes(entries[-1][0], *spatial)
    if any(size < 2 for size in spatial) and layers[1] == {"group_norm": 1}:
        return None
    return Part([{"repeat": _keys(draw, keys, name, before)}], type)


def side(draw: Drawing, names: Names, before: Part) -> Part | None:
    """A branch that the next layer does not read, for training only sometimes."""
    inner, count = _structure(draw, names)
    inside = body(draw, inner, before.type, count)
    if not inside.items:
        return None
    keys: dict[str, Any] = {"layers": inside.items}
    name = draw.name()
    if draw.chance(0.4):
        keys["training_only"] = True
        names.training.append(name)
    else:
        names.close(inner, name)
        names.values[name] = inside.type
    return Part([{"side": _keys(draw, keys, name, before)}], before.type, before.name)


def block(draw: Drawing, names: Names, before: Part) -> Part | None:
    """A call of a block with arguments, of which one is an op or a call of another block."""
    if len(before.type.sizes) not in (2, 3, 4):
        return None
    if "cell" not in draw.blocks:
        draw.blocks |= _blocks(draw)
    width, stride, kernel = draw.random.choice((1, 2, 3, 4)), draw.random.choice((1, 2)), draw.random.choice((1, 3, 5))
    arguments = {"width": width, "stride": stride, "kernel": kernel}
    arguments |= {"act": draw.random.choice(("relu", "tanh", "identity", "gelu"))} if draw.chance(0.5) else {}
    arguments |= {"stride": 1} if (shallow := draw.chance(0.2)) else {}
    call: Item = {"cell": {**({"name": draw.name()} if draw.chance(0.6) else {}), **arguments}}
    if shallow:
        call = {"cell": width}
    draw.budget -= 4
    spatial = tuple(-(-size // (1 if shallow else stride)) for size in before.type.spatial)
    return Part([call], before.type.with_sizes(width, *spatial))


def _blocks(draw: Drawing) -> dict[str, Any]:
    """Two blocks, of which `cell` calls the other."""
    act = {"args": {"act": "relu"}, "layers": [draw.random.choice(("batch_norm", "instance_norm_or_not")), "$act"]}
    act["layers"][0] = draw.random.choice(("batch_norm", "affine", "dropout"))
    conv = {"channels": "width", "kernel": "kernel", "stride": "stride", "padding": "same"}
    inner = {"conv": {"name": "inner", "channels": "width", "kernel": 1}}
    cell = {
        "args": {"width": None, "kernel": 3, "stride": 1, "act": "tanh"},
        "layers": [{"conv": conv}, {"norm_act": {"act": "act"}}, {"residual": {"layers": [inner, {"$act": {}}]}}],
    }
    return {"norm_act": act, "cell": cell}


def merge(draw: Drawing, names: Names, before: Part) -> Part | None:
    """A call of a block with two inputs, passed by name or in order; of one with two outputs, which are then joined."""
    sizes = before.type.spatial
    fitting = {name: type for name, type in names.visible().items() if type.rank == before.type.rank}
    other = draw.pick({name: type for name, type in fitting.items() if type.spatial == sizes}, 2, 3, 4)
    if other is None or before.type.dtype is not DType.FLOAT32:
        return None
    if "merge" not in draw.blocks:
        draw.blocks |= _blocks_of_two(draw)
    passed = draw.random.choice(([other, "prev"], {"signal": "prev", "skip": other}, {"skip": other, "signal": "prev"}))
    call = {**({"name": draw.name()} if draw.chance(0.6) else {}), "from": passed}
    width = fitting[other].channels
    if draw.chance(0.4):
        call["width"] = width = draw.random.choice((1, 2, 3))
    draw.budget -= 4
    type = before.type.with_sizes(width, *sizes)
    name = call.get("name")
    if draw.chance(0.5):
        return _result(draw, names, name, {"merge": call}, type)
    if name is not None:
        names.values |= {f"{name}.{port}": type for port in ("fine", "rest")}
        if draw.chance(0.5):
            return Part([{"both": call}, {"mul": {"from": [f"{name}.rest", f"{name}.fine"]}}], type)
    return Part([{"both": call}, draw.random.choice(JOINS[:-1])], type)


def _blocks_of_two(draw: Drawing) -> dict[str, Any]:
    """A block with two inputs, and one that also returns two values."""
    pointwise = {"channels": "width", "kernel": 1}
    layers = [
        {"conv": {"name": "fine", "from": draw.random.choice(("in", "skip")), **pointwise}},
        {"conv": {"name": "rest", "from": "signal", **pointwise}},
    ]
    args = {"width": "skip.channels"}
    join = {draw.random.choice(JOINS[:-1]): ["fine", "rest"]}
    outputs: Any = draw.random.choice((["fine", "rest"], ["rest", "fine"], {"rest": "rest", "fine": "fine"}))
    return {
        "merge": {"inputs": ["skip", "signal"], "args": args, "layers": [*layers, join, "tanh"]},
        "both": {"inputs": ["skip", "signal"], "args": args, "layers": layers, "outputs": outputs},
    }


MOTIFS: Mapping[Motif, float] = {
    layer: 24, shared: 12, joined: 5, gated: 1, parts: 2, like: 2, attended: 3, continued: 1.5, multiplied: 1,
    unpooled: 2,
    regions: 2.5, embedded: 1, tokens: 2.5, head: 1, subpixels: 1.5,
    sequential: 3, skipped: 0.5, residual: 4, parallel: 4, fan: 1.5, repeat: 2, stages: 1.5, side: 1.5, block: 3,
    merge: 3.5,
}  # fmt: skip
"""How likely each motif is to be tried next."""
