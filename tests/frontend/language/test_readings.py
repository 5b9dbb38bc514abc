"""What is read in a file is kept while the file stays as it is, and never longer."""

from __future__ import annotations

from pathlib import Path

import pytest

import archspec
from archspec.diagnostics import Source
from archspec.frontend.yaml import tree as yaml
from archspec.loading import check, check_source
from tests.frontend.language.test_imports import NET, blocks, ops, write
from tests.frontend.language.test_op_registry import module, op


@pytest.fixture
def parsed(monkeypatch) -> list[str]:
    """The names of the texts whose YAML is parsed."""
    names: list[str] = []
    parse = yaml._parse

    def noted(source: Source, used: yaml.Used) -> object:
        names.append(Path(source.name).name)
        return parse(source, used)

    monkeypatch.setattr(yaml, "_parse", noted)
    return names


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    write(tmp_path / "a.yaml", blocks("import: b.yaml\n", a="b"))
    write(tmp_path / "b.yaml", blocks(b="relu"))
    return write(tmp_path / "net.yaml", NET + "import: a.yaml\nlayers: [a]\n")


def test_a_file_is_read_once(spec, parsed):
    assert archspec.load(spec).spec.layers is archspec.load(spec).spec.layers
    assert check(spec) == ()
    assert parsed == ["net.yaml", "a.yaml", "b.yaml"]


def test_a_file_that_changes_is_read_again_and_what_imports_it_sees_it(spec, parsed):
    assert ops(archspec.load(spec)) == ["relu"]
    write(spec.parent / "b.yaml", blocks(b="tanh"))
    assert ops(archspec.load(spec)) == ["tanh"]
    assert parsed == ["net.yaml", "a.yaml", "b.yaml", "b.yaml"]
    write(spec, NET + "layers: [selu]\n")
    assert ops(archspec.load(spec)) == ["selu"]


def test_a_nearer_file_of_the_same_name_is_seen_when_it_comes(tmp_path):
    spec = write(tmp_path / "here" / "net.yaml", NET + "import: b.yaml\nlayers: [b]\n")
    write(tmp_path / "there" / "b.yaml", blocks(b="relu"))
    assert ops(archspec.load(spec, path=tmp_path / "there")) == ["relu"]
    write(spec.parent / "b.yaml", blocks(b="tanh"))
    assert ops(archspec.load(spec, path=tmp_path / "there")) == ["tanh"]


def test_each_plugin_brings_its_own_op(tmp_path):
    spec = write(tmp_path / "net.yaml", NET + "layers: [twist]\n")
    one, other = op("twist"), op("twist")
    for brought in (one, other, one):
        (node,) = archspec.load(spec, plugins=[module(brought)]).graph.nodes
        assert type(node.op) is brought
    assert [each.code for each in check(spec)] == ["unknown-op"]


def test_mistakes_are_told_each_time(spec):
    write(spec.parent / "b.yaml", blocks(b="rleu"))
    first = archspec.loading.compile(spec).diagnostics
    assert [each.code for each in first] == ["unknown-op"]
    assert archspec.loading.compile(spec).diagnostics == first


def test_a_text_that_goes_by_the_name_of_a_file_is_not_that_file(spec):
    archspec.load(spec)
    assert [each.code for each in check_source(Source(str(spec), NET, spec))] == ["missing-key"]


def test_the_limits_on_all_files_of_a_spec_count_those_that_were_read_before(spec, monkeypatch):
    archspec.load(spec)
    monkeypatch.setattr(yaml, "MAX_NODES", 30)
    assert [each.code for each in check(spec)] == ["too-large"]
