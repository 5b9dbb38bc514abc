"""A name of a spec never hides a name that the generated source reads itself, whatever it is and wherever it is."""

from __future__ import annotations

import ast
import builtins
import keyword
import symtable
from collections.abc import Iterator

import pytest
import torch
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

import archspec
from archspec.frontend.expressions.parser import RESERVED as EXPRESSIONS
from archspec.lower.keras.helper_classes import helper_classes as keras_classes
from archspec.lower.reserved_names import CONTAINER_METHODS, RESERVED, is_reserved
from archspec.lower.text.code_model import Call, ParameterExpr, Syntax
from archspec.lower.text.exec_source import execute
from archspec.lower.text.names import names_read
from archspec.lower.torch.helper_classes import helper_classes as torch_classes
from tests.op_samples import OP

WORDS = {
    "network": "net", "left": "image", "right": "depth", "param": "width", "block": "unit", "argument": "channels",
    "second": "rate", "outer": "stage", "passed": "filters", "layer": "mix", "call": "first", "part": "body",
    "path": "one", "side": "aux", "output": "logits", "other": "extra",
}  # fmt: skip
"""Every place in a spec that takes a name, with a harmless one."""

DUNDERS = ("__class__", "__debug__", "__dict__", "__init__", "__x", "__x__", "_", "_x", "i", "x", "x2", "y", "input0")
WRITTEN = (
    "F", "Tensor", "OrderedDict", "torch", "nn", "self", "module", "model", "output", "inplace", "forward", "training",
    "keras", "layers", "ops", "initializers", "math", "partial", "inputs", "KerasTensor", "Conv2D", "Dense", "Listed",
    "Net", "Unit", "Stage", "unit", "stage", "channels", "1a", "0",
)  # fmt: skip
NAMES = tuple(
    dict.fromkeys(
        (*DUNDERS, *WRITTEN, *keyword.kwlist, *keyword.softkwlist, *torch_classes(), *keras_classes(),
         *sorted(RESERVED | CONTAINER_METHODS), *(name for name in dir(builtins) if name != "_"))
    )
)  # fmt: skip
"""What Python, PyTorch, Keras and the generated text itself call something."""


def spec(words: dict[str, str]) -> str:
    """A spec with these words: two blocks, one inside the other, with arguments that differ, and all structures."""
    w = {**WORDS, **words}
    unit = {
        "args": [w["argument"], w["second"]],
        "layers": [
            {"conv": {"name": w["layer"], "channels": w["argument"], "kernel": 3, "padding": [[2, 0], [2, 0]]}},
            {"dropout": {"p": f"{w['second']} / 10"}},
            {"sequential": {"name": w["part"], "naming": "index", "layers": [
                *[{"linear": {"features": 4}}] * 3, {"linear": {"features": w["second"]}}]}},
            "tanh",
        ],
    }  # fmt: skip
    outer = {
        "args": [w["passed"]],
        "layers": [
            {w["block"]: {"name": w["call"], w["argument"]: w["passed"], w["second"]: 3}},
            {w["block"]: {w["argument"]: f"{w['passed']} + 1", w["second"]: 4}},
        ],
    }
    body = {
        "archspec": 1, "name": w["network"], "params": {w["param"]: 3},
        "inputs": {w["left"]: [2, 4, 4], w["right"]: [2, 4, 4]},
        "blocks": {w["block"]: unit, w["outer"]: outer},
        "layers": [
            {"concat": [w["left"], w["right"]]},
            {w["outer"]: {"name": w["call"], w["passed"]: w["param"]}},
            {w["outer"]: {w["passed"]: 5}},
            {"parallel": {"join": "concat", "paths": {
                w["path"]: [{"conv": {"name": "shared", "channels": 2, "kernel": 1}}, "elu"], "rest": ["relu"]}}},
            {"side": {"name": w["side"], "layers": ["flatten", {"linear": 2}]}},
            {"conv": {"name": "end", "channels": 1, "kernel": 1}},
            {"conv": {"name": "again", "share": "end", "channels": 1, "kernel": 1, "from": "end", "when": "false"}},
        ],
        "outputs": {w["output"]: "end", w["other"]: w["side"]},
    }  # fmt: skip
    return yaml.safe_dump(body, sort_keys=False)


def network(words: dict[str, str]) -> archspec.Network | None:
    """The network, unless the language or PyTorch's modules do not allow such a name in such a place."""
    if len({**WORDS, **words}.values()) > len({*{**WORDS, **words}.values()}):
        return None  # the same name twice
    try:
        net = archspec.parse(spec(words))
        net.source()
    except archspec.ArchspecError:
        return None
    return net


def functions(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    if table.get_type() == "function":
        yield table
    for child in table.get_children():
        yield from functions(child)


def read_globally(text: str) -> set[str]:
    tables = functions(symtable.symtable(text, "<source>", "exec"))
    return {symbol.get_name() for table in tables for symbol in table.get_symbols() if symbol.is_global()}


def calls_and_variables(text: str) -> Iterator[tuple[set[str], set[str]]]:
    """What each function calls by its plain name, and the variables it has."""
    for function in (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)):
        inside = [*ast.walk(function)]
        called = {node.func.id for node in inside if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
        stored = {node.id for node in inside if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
        yield called, stored | {node.arg for node in inside if isinstance(node, ast.arg)}


PLAIN = archspec.parse(spec({}))


def own(text: str) -> set[str]:
    """The classes and functions of a network, apart from helpers, which are named after words of the spec."""
    table = symtable.symtable(text, "<source>", "exec")
    return {part.get_name() for part in table.get_children()} - {"PaddedConv2d"}


READ = {target: read_globally(PLAIN.source(target)) - own(PLAIN.source(target)) for target in ("torch", "keras")}
"""The names that the text reads, but for its own classes and functions, which are named after the spec."""

MODULES = ("block", "outer", "layer", "call", "part", "path", "side")
"""Places that become children of modules, whose names PyTorch restricts."""

VARIABLES = ("param", "argument", "second", "passed", "block", "outer")
"""Places whose names the language restricts."""


def rotated(start: int) -> dict[str, str]:
    """A word for each place, so that all starts together put every name into every place."""
    words = {place: NAMES[(start + 7 * i) % len(NAMES)] for i, place in enumerate(WORDS)}
    taken = {place for place in MODULES if is_reserved(words[place])}
    taken |= {place for place in VARIABLES if words[place] in EXPRESSIONS or not words[place].isidentifier()}
    return {place: word for place, word in words.items() if place not in taken}


@pytest.mark.parametrize("target", READ)
def test_no_name_hides_what_the_text_reads(target: str) -> None:
    networks = [net for start in range(len(NAMES)) if (net := network(rotated(start))) is not None]
    of_ops = sum(name in OP for name in NAMES)  # no block is called as an op
    assert len(networks) > 0.95 * len(NAMES) - of_ops
    for net in networks:
        text = net.source(target)
        names = own(text)
        assert read_globally(text) - names <= READ[target] | {"getattr"}
        for function in functions(symtable.symtable(text, "<source>", "exec")):
            bound = {*function.get_locals()} - {"self", "name", "x", "i"}
            assert not bound & READ[target], text
        for called, variables in calls_and_variables(text):
            assert not called & variables, text


texts = st.dictionaries(st.sampled_from(sorted(WORDS)), st.sampled_from(NAMES), min_size=1, max_size=4)


@settings(max_examples=40, deadline=None)
@given(texts)
@example({"argument": "super", "second": "__class__"})
@example({"argument": "__debug__", "left": "__debug__"})
@example({"argument": "inplace", "second": "Unit"})
@example({"argument": "_", "second": "i"})
@example({"network": "PaddedConv2d", "block": "padded_conv2d"})
def test_names_do_not_change_what_pytorch_computes(words: dict[str, str]) -> None:
    net = network(words)
    if net is None:
        return
    torch.manual_seed(0)
    expected, module = PLAIN.to_torch().eval(), net.to_torch().eval()
    weights = zip(module.state_dict(), expected.state_dict().values(), strict=True)
    module.load_state_dict(dict(weights))
    image, depth = torch.rand(2, 2, 4, 4), torch.rand(2, 2, 4, 4)
    with torch.no_grad():
        for got, wanted in zip(module(image, depth), expected(image, depth), strict=True):
            torch.testing.assert_close(got, wanted)


@settings(max_examples=25, deadline=None)
@given(texts)
def test_names_do_not_hinder_torchscript(words: dict[str, str]) -> None:
    net = network(words)
    if net is not None:
        with pytest.warns(DeprecationWarning, match="torch.jit.script"):
            torch.jit.script(net.to_torch())


def test_names_that_a_call_reads() -> None:
    """The roots of callees and the names in templates; not placeholders, keywords and attributes."""
    template = "torch.cat([{weight}.expand({x}.shape[0]), {x}], dim=dims(1))"
    call = Call("nn.Sequential", {"a": Call("token", template=template)}, children=(Call("Unit"), ParameterExpr("i")))
    assert {*names_read(call)} == {"nn", "torch", "dims", "Unit"}
    assert {*names_read(Call("i", {"element": Call("nn.ReLU")}, syntax=Syntax.LOOP))} == {"nn"}


def test_a_text_that_python_cannot_compile_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archspec.lower.torch.source.source", lambda graph, about: "def f(:\n")
    with pytest.raises(archspec.ArchspecError, match="Python cannot compile the torch source of 'net': invalid syntax"):
        PLAIN.source()


def test_the_network_is_what_a_text_defines_last() -> None:
    assert execute("def first():\n    pass\n\n\ndef last():\n    return first\n")() is not None
