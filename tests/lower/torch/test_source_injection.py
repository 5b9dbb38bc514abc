"""Nothing a spec says becomes code: whatever its words, the source has the same parts and calls the same names."""

from __future__ import annotations

import ast
import builtins
import keyword
from collections.abc import Iterator

import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

import archspec

WORDS = {
    "name": "net", "summary": "a network", "reference": "somebody, 1998", "variant": "small", "param": "width",
    "input": "image", "block": "unit", "argument": "channels", "layer": "conv", "call": "first", "part": "stage",
    "index": "i", "label": "left", "side": "aux", "output": "logits", "old": "stem", "new": "first", "axis": "zeros",
}  # fmt: skip
"""Every place in a spec that takes text of the user, with a harmless value."""

EDGES = [[[[0.5]], [[1]], [[-1]]]]

HARMLESS = archspec.ArchspecError
"""What a spec that goes too far ends in."""


def spec(words: dict[str, str]) -> str:
    """A spec with these words in it: blocks that differ, repeats, paths, a side, two outputs, numbers for a weight."""
    w = {**WORDS, **words}
    body = {
        "archspec": 1, "name": w["name"], "summary": w["summary"], "reference": w["reference"],
        "params": {w["param"]: 4},
        "variants": {w["variant"]: {"summary": w["summary"], "reference": w["reference"], w["param"]: 4}},
        "inputs": {w["input"]: [2, 8, 8]},
        "blocks": {
            w["block"]: {
                "args": [w["argument"]],
                "layers": [
                    {"conv": {"name": w["layer"], "channels": w["argument"], "kernel": 3, "padding": 1}},
                    {"batch_norm": {}},
                    "relu",
                ],
            }
        },
        "layers": [
            {w["block"]: {"name": w["call"], w["argument"]: w["param"]}},
            {"repeat": {"times": 2, "index": w["index"], "name": f"{w['part']}$(" + w["index"] + ")", "layers": [
                {w["block"]: {"name": w["call"], w["argument"]: 5}},
            ]}},
            {"parallel": {"join": "add", "paths": {
                w["label"]: [{w["block"]: {"name": w["call"], w["argument"]: 3}}],
                "other": [{"conv": {"channels": 3, "kernel": 1, "init": w["axis"]}}],
            }}},
            {"side": {"name": w["side"], "training_only": True, "layers": ["flatten", {"linear": 2}]}},
            {"conv": {"name": "edges", "channels": 1, "kernel": 1, "bias": False, "weight": EDGES}},
        ],
        "outputs": {w["output"]: "edges", "second": w["side"]},
        "rename": {w["old"]: w["new"]},
    }  # fmt: skip
    return yaml.safe_dump(body, sort_keys=False, allow_unicode=True)


def calls(tree: ast.Module) -> Iterator[str]:
    """What is called, in the words of PyTorch: a child, however it is looked up, and a class of the file's own."""
    own = {node.name for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield _called(node.func, own)


def _called(function: ast.expr, own: set[str]) -> str:
    match function:
        case ast.Name(name) if name in own:
            assert name not in dir(builtins), f"the class {name} hides Python's own"
            return "a class of the file"
        case ast.Name(name):
            return name
        case ast.Attribute(ast.Name("self"), _):
            return "a child"
        case ast.Attribute(ast.Call(ast.Name("super"), []), name):
            return f"super().{name}"
        case ast.Attribute(ast.Name("nn" | "F" | "torch" as library), name):
            return f"{library}.{name}"
        case ast.Call(ast.Name("getattr"), [ast.Name("self"), ast.Constant(str())]):
            return "a child"
        case ast.Subscript(ast.Name("self"), ast.Constant(int() | str())):
            return "a child"
        case ast.Attribute(_, name):
            return f".{name}"
    return ast.unparse(function)


def parts(tree: ast.Module) -> set[type[ast.AST]]:
    return {type(node) for node in ast.walk(tree)}


PLAIN = ast.parse(archspec.parse(spec({})).source())
CONTAINERS = [ast.parse(archspec.parse(spec({"call": name})).source()) for name in ("0", "class")]
"""The same with names that are looked up in a list and in a dictionary."""

CALLED = {*(called for tree in (PLAIN, *CONTAINERS) for called in calls(tree)), "getattr"}
"""All that may be called: what is called where every word is plain, and a child whose name Python keeps for itself."""

NODES = {node for tree in (PLAIN, *CONTAINERS) for node in parts(tree)}
"""All that the source may be made of."""

BREAKOUTS = (
    '"""', "'''", "\\", '\\"""', '"""\nimport os\nos.system("id")\n"""', "\nimport os", "{x}", "%s", "${x}", "$(1)",
    "__import__('os')", "a; import os", "a)\nexec(1", "a=1", "x\u2028import os", "\N{BOM}", "\0", "#", "a\tb", "",
)  # fmt: skip

NAMES = (
    *keyword.kwlist, *keyword.softkwlist, "exec", "eval", "open", "__import__", "__builtins__", "__class__", "__dict__",
    "torch", "nn", "F", "Tensor", "self", "super", "print", "tuple", "range", "getattr", "model", "module", "x", "y",
    "Net", "Unit", "Stage", "__x", "_", "0", "1a", "forward", "training", "weight", "OrderedDict", "annotations",
)  # fmt: skip

texts = (
    st.text(max_size=30)
    | st.sampled_from(BREAKOUTS)
    | st.sampled_from(NAMES)
    | st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,10}", fullmatch=True)
)


@settings(max_examples=400, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(WORDS)), texts, min_size=1, max_size=4))
@example({"name": "exec", "block": "print", "layer": "super"})
@example({"summary": '"""\nimport os\n"""', "reference": "\\"})
def test_names_do_not_change_what_is_called(words: dict[str, str]) -> None:
    try:
        source = archspec.parse(spec(words)).source()
    except HARMLESS:
        return
    tree = ast.parse(source)
    assert parts(tree) <= NODES
    assert set(calls(tree)) <= CALLED
    imports = [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert imports == [ast.unparse(node) for node in ast.walk(PLAIN) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert [type(node) for node in tree.body if not isinstance(node, ast.ClassDef)] == [
        type(node) for node in PLAIN.body if not isinstance(node, ast.ClassDef)
    ]


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(WORDS)), st.sampled_from(NAMES), min_size=1, max_size=3))
def test_names_do_not_change_the_network(words: dict[str, str]) -> None:
    """A network that compiles can be built, and its weights have the names of the spec."""
    try:
        net = archspec.parse(spec(words))
        module = net.to_torch()
    except HARMLESS:
        return
    assert set(module.state_dict()) == {key for key, _ in net.graph.weights()}
