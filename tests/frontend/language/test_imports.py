"""What a spec imports: which file a name means, what its blocks see, and limits over all files together."""

from __future__ import annotations

from pathlib import Path

import pytest

import archspec
from archspec import zoo
from archspec.diagnostics import Diagnostic, Source
from archspec.frontend.language import files
from archspec.frontend.limits import MAX_IMPORT_DEPTH, MAX_IMPORTS
from archspec.frontend.yaml import tree as yaml_tree
from archspec.frontend.yaml.tree import read_file
from archspec.loading import check_source

NET = "archspec: 1\nname: net\ninput: [3, 8, 8]\n"


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def blocks(head: str = "", **layers: str) -> str:
    """A file of blocks with these layers."""
    return f"archspec: 1\n{head}blocks:\n" + "".join(f"  {name}: {{layers: [{one}]}}\n" for name, one in layers.items())


def ops(network: archspec.Network) -> list[str]:
    return [node.op.kind for node in network.graph.nodes]


def codes(found: tuple[Diagnostic, ...]) -> list[str]:
    return [each.code for each in found]


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    return write(tmp_path / "here" / "net.yaml", NET + "import: lib/b.yaml\nlayers: [b]\n")


def test_the_folder_of_the_file_comes_first_then_those_given_in_order_then_the_zoo(spec, tmp_path, monkeypatch):
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    monkeypatch.setattr(zoo, "folder", lambda: tmp_path / "zoo")
    for folder, op in ((tmp_path / "zoo", "selu"), (folders[1], "elu"), (folders[0], "tanh"), (spec.parent, "relu")):
        write(folder / "lib" / "b.yaml", blocks(b=op))
        assert ops(archspec.load(spec, path=folders)) == [op]
    assert ops(archspec.load(spec, path=folders[:1])) == ["relu"]


def test_a_text_has_no_folder(spec, tmp_path, monkeypatch):
    write(spec.parent / "lib" / "b.yaml", blocks(b="relu"))
    monkeypatch.chdir(spec.parent)
    with pytest.raises(archspec.ArchspecError, match="unknown-import"):
        archspec.parse(spec.read_text())
    assert ops(archspec.parse(spec.read_text(), path=[spec.parent])) == ["relu"]


def test_what_an_imported_file_imports_is_looked_for_beside_it(spec):
    write(spec.parent / "lib" / "b.yaml", blocks(b="c", head="import: c.yaml\n"))
    write(spec.parent / "lib" / "c.yaml", blocks(c="gelu"))
    write(spec.parent / "c.yaml", blocks(c="relu"))
    assert ops(archspec.load(spec)) == ["gelu"]


def test_a_folder_that_is_not_there_is_an_error(spec):
    assert codes(archspec.check(spec, path=[spec.parent / "none"])) == ["unreadable-file"]


def test_links_may_not_lead_out_of_the_folder_but_may_lead_about_in_it(spec, tmp_path):
    outside = write(tmp_path / "outside.yaml", blocks(b="relu"))
    link = spec.parent / "lib" / "b.yaml"
    link.parent.mkdir()
    link.symlink_to(outside)
    assert codes(archspec.check(spec)) == ["wrong-import"]
    link.unlink()
    link.symlink_to(write(spec.parent / "c.yaml", blocks(b="relu")))
    assert codes(archspec.check(spec)) == []


def test_nor_may_folders_that_are_links(spec, tmp_path):
    write(tmp_path / "outside" / "b.yaml", blocks(b="relu"))
    (spec.parent / "lib").symlink_to(tmp_path / "outside")
    assert codes(archspec.check(spec)) == ["wrong-import"]


@pytest.mark.parametrize(
    "name",
    ["/b.yaml", "../here/b.yaml", "lib/../b.yaml", "./b.yaml", "lib//b.yaml", "c:/b.yaml", "'lib\\b.yaml'",
     '"\\0b.yaml"', "//host/b.yaml", '""', "..", ". "],
)  # fmt: skip
def test_no_other_path_leads_anywhere(name, spec):
    write(spec.parent / "b.yaml", blocks(b="relu"))
    write(spec.parent / "lib" / "b.yaml", blocks(b="relu"))
    spec.write_text(NET + f"import: {name}\nlayers: [b]\n")
    assert codes(archspec.check(spec)) == ["wrong-import"]


@pytest.mark.parametrize("name", [".env", ".git/config", "lib/.b.yaml", ".lib/b.yaml", "b.txt", "b", "b.yaml.bak"])
def test_only_files_with_the_name_of_a_spec_are_read(name, spec):
    write(spec.parent / name, blocks(b="relu") + "TOKEN: hush-hush\n")
    spec.write_text(NET + f"import: {name}\nlayers: [b]\n")
    (diagnostic,) = archspec.check(spec)
    assert diagnostic.code == "wrong-import"
    assert "hush" not in diagnostic.render()


@pytest.mark.parametrize(
    "text",
    ["TOKEN=hush-hush\n", "password: hush-hush\n", "hush-hush", "- hush-hush\n", "a: [hush-hush", "# c\n\nhush:\n\t- x",
     "blocks: {hush: 1}\npassword: x\n", "layers: [hush]\n", "params: {a: hush +}\nblocks: {}\n", "hush: \xff\n",
     "hush: \x07\n", "? hush\n", "a: *hush\n", "import: [hush.yaml]\n", "a: 1\n---\nhush: 2\n"],
)  # fmt: skip
def test_a_file_that_does_not_begin_as_one_of_blocks_is_not_quoted(text, spec):
    write(spec.parent / "lib" / "c.yaml", "archspec: 1\nimport: secret.yml\nblocks: {c: {layers: [relu]}}\n")
    write(spec.parent / "lib" / "b.yaml", blocks(b="relu"))
    (spec.parent / "lib" / "secret.yml").write_bytes(text.encode("latin-1"))
    for imported in ("lib/secret.yml", "lib/c.yaml"):
        spec.write_text(NET + f"import: [lib/b.yaml, {imported}]\nlayers: [b]\n")
        (diagnostic,) = archspec.check(spec)
        assert (diagnostic.code, diagnostic.message) == (
            "wrong-import",
            f"'{'lib/' if 'secret' in imported else ''}secret.yml' is neither a spec nor a file of blocks",
        )
        assert "hush" not in diagnostic.render()


@pytest.mark.parametrize(
    "start", ["", "# c\n\n", "\ufeff", "---\n", "%YAML 1.2\n---\n", '"archspec": 1\n', "{archspec: 1, "]
)
def test_the_errors_of_a_file_of_blocks_are_reported_in_it(start, spec):
    text = "archspec: 1\nblocks: {b: {layers: [rellu]}}\n"
    if "archspec" in start:
        text = start + ("blocks: {b: {layers: [rellu]}}" + ("}" if "{" in start else ""))
        start = ""
    write(spec.parent / "lib" / "b.yaml", start + text)
    (diagnostic,) = archspec.check(spec)
    assert diagnostic.code == "unknown-op"
    assert str(spec.parent / "lib" / "b.yaml") in str(diagnostic.span)


@pytest.mark.parametrize("name", ["x" * 5000 + ".yaml", "x/" * 3000 + "x.yml", "lib.yaml", "b.yaml/b.yaml"])
def test_what_is_no_file_is_not_there(name, spec):
    write(spec.parent / "lib" / "b.yaml", blocks(b="relu"))
    spec.write_text(NET + f"import: {name}\nlayers: [b]\n")
    assert codes(archspec.check(spec)) == ["unknown-import"]


def test_a_file_is_read_once_however_many_import_it(spec, monkeypatch):
    read: list[str] = []
    real = read_file
    monkeypatch.setattr(yaml_tree, "read_file", lambda path: (read.append(path.name), real(path))[1])
    write(spec.parent / "lib" / "b.yaml", blocks(b="c, d", head="import: [c.yaml, d.yaml]\n"))
    write(spec.parent / "lib" / "c.yaml", blocks(c="d", head="import: d.yaml\n"))
    write(spec.parent / "lib" / "d.yaml", blocks(d="gelu"))
    spec.write_text(spec.read_text().replace("]\n", ", d]\n", 2).replace("lib/b.yaml", "[lib/b.yaml, lib/d.yaml]"))
    archspec.check(spec)
    assert sorted(read) == ["b.yaml", "c.yaml", "d.yaml", "net.yaml"]


def test_blocks_see_the_params_and_blocks_of_their_own_file_alone(spec):
    head = "params: {width: 5}\nimport: c.yaml\n"
    text = "archspec: 1\n" + head + "blocks:\n  b: {args: {w: width}, layers: [linear: w, c]}\n"
    write(spec.parent / "lib" / "b.yaml", text)
    write(spec.parent / "lib" / "c.yaml", blocks(c="own", own="tanh"))
    body = "import: lib/b.yaml\nparams: {width: 7}\nblocks: {own: {layers: [selu]}}\nlayers: [b, b: width, own]\n"
    spec.write_text(NET.replace("[3, 8, 8]", "[3]") + body)
    net = archspec.load(spec)
    assert ops(net) == ["linear", "tanh", "linear", "tanh", "selu"]
    assert [node.outputs[0].type.sizes for node in net.graph.nodes if node.op.kind == "linear"] == [(5,), (7,)]
    spec.write_text(spec.read_text().replace("own]", "c]"))
    assert codes(archspec.check(spec)) == ["unknown-op"]


def test_limits_are_over_all_files_together(spec, monkeypatch):
    write(spec.parent / "lib" / "b.yaml", blocks(b="relu") + "#" * 500)
    assert codes(archspec.check(spec)) == []
    monkeypatch.setattr(yaml_tree, "MAX_BYTES", 520)
    (found,) = archspec.check(spec)
    assert (found.code, str(found.span)) == ("too-large", f"{spec}:4:9")


def test_words_are_counted_over_all_files_together(spec, monkeypatch):
    write(spec.parent / "lib" / "b.yaml", blocks(b="relu"))
    monkeypatch.setattr(yaml_tree, "MAX_NODES", 24)
    (found,) = archspec.check(spec)
    assert found.code == "too-large"
    assert found.span is not None
    assert found.span.source.name.endswith("b.yaml")


def test_files_may_not_import_one_another_too_deep(spec):
    for i in range(40):
        text = blocks(f"import: {'b' * (i + 2)}.yaml\n", **{"b" * (i + 1): "relu"})
        write(spec.parent / "lib" / f"{'b' * (i + 1)}.yaml", text)
    (found,) = archspec.check(spec)
    assert found.code == "too-deep"
    assert str(found.span).endswith(f"/{'b' * MAX_IMPORT_DEPTH}.yaml:2:9")


def test_nor_may_there_be_too_many(spec):
    names = [f"lib/b{i}.yaml" for i in range(MAX_IMPORTS + 3)]
    for i, name in enumerate(names):
        write(spec.parent / name, blocks(**{f"b{i}": "relu"}))
    spec.write_text(NET + f"import: [{', '.join(names)}]\nlayers: [b0]\n")
    assert codes(archspec.check(spec)) == ["too-large"] * 3


def test_what_cannot_be_read_is_told_where_it_is_imported(spec):
    file = write(spec.parent / "lib" / "b.yaml", "")
    file.write_bytes(b"archspec: 1\n\xff")
    (found,) = archspec.check(spec)
    assert (found.code, str(found.span)) == ("not-utf8", f"{file}:2:1")


def test_a_file_of_blocks_can_be_checked_and_not_compiled(spec):
    file = write(spec.parent / "lib" / "b.yaml", blocks(b="relu", c="rellu"))
    assert codes(archspec.check(file)) == ["unknown-op"]
    file.write_text(blocks(b="relu"))
    assert archspec.check(file) == ()
    with pytest.raises(archspec.ArchspecError, match="a spec needs"):
        archspec.load(file)
    assert files.library_errors(Source("x", NET + "layers: [relu]")) is None


def test_a_mistake_in_a_block_says_where_the_block_was_called(spec):
    write(spec.parent / "lib" / "b.yaml", blocks(b="max_pool: 9"))
    (found,) = check_source(read_file(spec))
    assert str(found.span) == f"{spec.parent / 'lib' / 'b.yaml'}:3:16"
    assert found.notes[-1] == (f"in 'b', called on line 5 of {spec}",)
