"""Ops that plugins bring: which are taken, which refused, and when installed packages are looked through."""

from __future__ import annotations

from importlib import metadata
from importlib.metadata import EntryPoint
from types import ModuleType
from typing import ClassVar

import pytest

import archspec
from archspec.frontend.language.op_registry import OpRegistry
from archspec.ops import Op

NET = "archspec: 1\nname: net\ninput: [3, 8, 8]\n"


def op(name: str, **attributes: object) -> type[Op]:
    annotations = {"kind": ClassVar[str], **attributes}
    return type("Own", (Op,), {"kind": name, "__module__": __name__, "__annotations__": annotations})


def module(*ops: object, name: str = "mine") -> ModuleType:
    made = ModuleType(name)
    made.OPS = ops
    return made


def install(monkeypatch: pytest.MonkeyPatch, **declared: object) -> list[str]:
    """Let packages declare these; the names of those that are imported are added to the list."""
    imported: list[str] = []

    class Point(EntryPoint):
        def load(self) -> object:
            imported.append(self.name)
            found = declared[self.name]
            if isinstance(found, Exception):
                raise found
            return found

    points = [Point(name, f"{name}.ops", "archspec.ops") for name in declared]
    monkeypatch.setattr(metadata, "entry_points", lambda group: points)
    return imported


def codes(text: str, **more: object) -> list[str]:
    try:
        archspec.parse(NET + text, **more)
    except archspec.ArchspecError as error:
        return [found.code for found in error.diagnostics]
    return []


def test_a_module_that_is_named_brings_its_ops():
    net = archspec.parse(NET + "layers: [twist, relu]", plugins=[module(op("twist"))])
    assert [node.op.kind for node in net.graph.nodes] == ["twist", "relu"]
    assert codes("layers: [twist]") == ["unknown-op"]


@pytest.mark.parametrize(
    "computed", ["layers: [twist]", "params: {op: twist}\nlayers: [$op]", "layers: [relu]\ninit: {twist: 1}"]
)
def test_packages_are_imported_when_a_name_is_unknown_and_not_before(computed, monkeypatch):
    imported = install(monkeypatch, a=module(op("turn")), b=[op("twist")])
    assert codes("blocks: {b: {layers: [relu]}}\nlayers: [b, relu]") == []
    assert imported == []
    assert codes(computed) == []
    assert imported == ["a", "b"]


def test_a_package_that_fails_is_told_where_an_op_is_missing_and_nowhere_else(monkeypatch):
    install(monkeypatch, a=ImportError("no such thing"), b=[op("twist")])
    assert codes("layers: [twist]") == []
    with pytest.raises(archspec.ArchspecError) as caught:
        archspec.parse(NET + "layers: [twisted]")
    first, second = caught.value.diagnostics
    assert (first.code, second.code) == ("unknown-op", "wrong-plugin")
    assert first.span == second.span
    assert "ImportError: no such thing" in second.message


@pytest.mark.parametrize(
    ("ops", "reason"),
    [
        ([op("relu")], "'relu' is already part of the language"),
        ([op("repeat")], "'repeat' is already part of the language"),
        ([op("Not a name")], "cannot be the name of an op"),
        ([3], "3 is not an op class"),
        ([], "lists no ops"),
        ([op("twist"), op("twist")], "twice"),
        ([op("twist", size="Size")], "the annotations of 'twist' cannot be evaluated: NameError: name 'Size'"),
    ],
)
def test_what_cannot_be_used_is_refused(ops, reason):
    with pytest.raises(archspec.ArchspecError, match="wrong-plugin") as caught:
        OpRegistry([module(*ops)])
    assert reason in caught.value.diagnostics[0].message


def test_two_plugins_cannot_bring_one_name():
    twist = op("twist")
    assert "twist" in OpRegistry([module(twist), module(twist, name="other")]).ops
    with pytest.raises(archspec.ArchspecError, match="already"):
        OpRegistry([module(twist), module(op("twist"), name="other")])


def test_a_module_that_is_not_there_is_an_error():
    assert codes("layers: [relu]", plugins=["no.such.module"]) == ["wrong-plugin"]


def test_the_blocks_of_a_spec_go_before_packages_but_not_before_what_is_named(monkeypatch):
    install(monkeypatch, a=[op("twist")])
    own = "blocks: {twist: {layers: [relu]}}\nlayers: [twist]"
    assert [node.op.kind for node in archspec.parse(NET + own).graph.nodes] == ["relu"]
    assert "name-taken" in codes(own, plugins=[module(op("twist"))])


def test_a_target_without_a_rule_says_so():
    net = archspec.parse(NET + "layers: [twist]", plugins=[module(op("twist"))])
    with pytest.raises(archspec.ArchspecError, match="unsupported"):
        net.source()
    lost = op("twist")
    lost.rules = {"PyTorch": "no.such.module:rule"}
    net = archspec.parse(NET + "layers: [twist]", plugins=[module(lost)])
    with pytest.raises(archspec.ArchspecError, match="wrong-plugin"):
        net.source()
