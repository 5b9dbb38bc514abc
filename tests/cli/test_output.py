"""What the command line prints: safe on every terminal, whatever is in a spec, a file or an argument."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from safetensors.numpy import save_file

from archspec import cli, zoo
from archspec.cli import output

HOSTILE = {
    "colour": "\x1b[31m",
    "clipboard": "\x1b]52;c;cHduZWQ=\x07",  # xterm's control sequences: OSC 52 sets the clipboard
    "title in C1": "\x9d0;title\x9c",
    "line": "a\n::error file=x,line=1::b",
    "lines of Unicode": "a\x85b\u2028c\u2029d",
    "backspace": "a\x08\x7f\x0d",
    "direction": "\u202e\u2066\u200f",
    "invisible": "\u200b\u2060\ufeff\xad\U000e0041",
    "unassigned": "\u0378\ue000",
}
"""Texts that a terminal, an editor or a workflow would act on, or show as something else."""

FRAME = "archspec: 1\nname: n\ninput: [3, 8, 8]\n"
SPECS = {
    "summary": FRAME + "summary: {text}\nreference: {text}\nlayers: [relu]\n",
    "name": "archspec: 1\nname: {text}\ninput: [3, 8, 8]\nlayers: [relu]\n",
    "op": FRAME + "layers: [{text}]\n",
    "layer": FRAME + "layers: [relu: {{name: {text}}}]\n",
    "input": "archspec: 1\nname: n\ninputs: {{{text}: [3]}}\nlayers: [relu: {{from: {text}}}]\n",
    "output": FRAME + "layers: [relu]\noutputs: {{{text}: relu}}\n",
    "key": FRAME + "layers: [conv: {{{text}: 3, channels: 3, kernel: 1}}]\n",
    "value": FRAME + "layers: [conv: {{channels: {text}, kernel: 1}}]\n",
    "expression": FRAME + "params: {{p: {text}}}\nlayers: [conv: {{channels: p, kernel: 'p + 1', padding: p}}]\n",
    "reference": FRAME + "layers: [relu: {{from: {text}}}]\n",
    "import": FRAME + "import: {text}\nlayers: [relu]\n",
    "block": FRAME + "blocks: {{{text}: {{args: [{text}], layers: [relu]}}}}\nlayers: [{text}: 3]\n",
    "variant": FRAME + "variants: {{{text}: {{summary: {text}}}}}\nlayers: [relu]\n",
    "expect": FRAME + "layers: [relu]\nexpect: {{{text}: 3, outputs: {{{text}: [3]}}}}\n",
    "rename": FRAME + "rename: {{{text}: {text}}}\nlayers: [relu]\n",
    "init": FRAME + "init: {{conv: {{weight: {text}}}}}\nlayers: [relu]\n",
    "anchor": FRAME + "layers: [*{text}]\n",
}  # fmt: skip
"""Specs with a text in one of their fields."""

Printed = Callable[..., str]


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Printed:
    """Run a command in an empty folder; what it prints, stdout and stderr."""
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> str:
        cli.run(words)
        return "".join(capsys.readouterr())

    return run


def quoted(text: str) -> str:
    """A text in YAML, with every character escaped."""
    return '"' + "".join(f"\\U{ord(mark):08x}" for mark in text) + '"'


def assert_safe(text: str) -> None:
    assert all(line.isprintable() for line in text.split("\n")), ascii(text)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_no_field_of_a_spec_reaches_the_terminal_raw(printed: Printed, spec: str, text: str) -> None:
    Path("n.yaml").write_text(spec.format(text=quoted(text)))
    for command in ("check", "check --format json", "check --format github", "summary", "summary --json"):
        out = printed(*command.split(), "n.yaml")
        assert_safe(out)
        assert not any(line.startswith("::error file=x") for line in out.split("\n"))
    for words in ("compile -o n.py", "compile -o n.json", "compile --target keras -o k.py", "draw -o n.dot"):
        command, *options, file = words.split()
        assert_safe(printed(command, "n.yaml", *options, file))
        if Path(file).exists():
            assert_safe(Path(file).read_text("utf-8").expandtabs())


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_no_argument_reaches_the_terminal_raw(printed: Printed, text: str) -> None:
    for words in (
        ["check", text], ["check", f"{text}.yaml"], ["check", f"lenet5:{text}"], ["check", "lenet5", "--allow", text],
        ["check", "lenet5", "--format", text], ["check", "lenet5", f"--{text}"], ["check", "lenet5", "--path", text],
        ["check", "lenet5", "--plugin", text], ["summary", "lenet5", text], ["summary", "lenet5", "--depth", text],
        ["summary", "resnet18", "--set", f"{text}=1"], ["summary", "resnet18", "--set", f"classes={text}"],
        ["summary", "lenet5", "--input", text], ["compile", "lenet5", "-o", text], ["list", text], [text],
        ["compile", "lenet5", "-o", f"{text}.py"], ["compile", "lenet5", "-o", "a.py", f"--target={text}"],
        ["compile", "lenet5", "-o", f"none/{text}.py"], ["draw", "lenet5", "-o", f"{text}.dot"],
        ["draw", "lenet5", "-o", "a.dot", "--show", text], ["bench", "lenet5", "--device", text],
        ["bench", "lenet5", "--seconds", text], ["weights", "lenet5", text], ["weights", "lenet5", f"{text}.pth"],
    ):  # fmt: skip
        out = printed(*words)
        assert_safe(out)
        assert text not in out


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_no_name_of_a_file_reaches_the_terminal_raw(printed: Printed, text: str) -> None:
    name = f"{text}.yaml"
    Path(name).write_text(SPECS["op"].format(text="rleu"))
    for command in ("check", "check --format json", "check --format github", "summary"):
        out = printed(*command.split(), name)
        assert_safe(out)
        assert "rleu" in out
        assert not any(line.startswith("::error file=x") for line in out.split("\n"))
    Path(name).write_text(SPECS["op"].format(text="relu"))
    assert_safe(printed("compile", name, "-o", "a.py"))
    assert_safe(Path("a.py").read_text("utf-8"))


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_no_name_in_a_checkpoint_reaches_the_terminal_raw(printed: Printed, text: str) -> None:
    save_file({f"{text}.weight": np.zeros(3, np.float32)}, "w.safetensors")
    for command in ("weights lenet5 w.safetensors", "weights lenet5 w.safetensors --json",
                    "compile lenet5 -o a.safetensors --weights w.safetensors",
                    "compile lenet5 -o a.safetensors --weights w.safetensors --no-strict"):  # fmt: skip
        out = printed(*command.split())
        assert_safe(out)
        assert "weight" in out


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_no_summary_reaches_a_model_file_raw(printed: Printed, text: str) -> None:
    Path("n.yaml").write_text(SPECS["summary"].format(text=quoted(text)))
    assert printed("compile", "n.yaml", "-o", "n.onnx") == "wrote n.onnx\n"
    model = onnx.load("n.onnx")
    assert_safe("".join(entry.value for entry in model.metadata_props) + model.doc_string + model.graph.doc_string)


def test_the_zoo_is_listed_safely(printed: Printed, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("n.yaml").write_text(SPECS["summary"].format(text=quoted("".join(HOSTILE.values()))))
    monkeypatch.setattr(zoo, "folder", lambda: Path.cwd())
    for words in (["list"], ["list", "n"]):
        out = printed(*words)
        assert "::error" in out
        assert_safe(out)
    out = printed("list", "--json")
    assert_safe(out)
    assert json.loads(out)[0]["summary"] == "".join(HOSTILE.values())


def test_a_workflow_command_has_each_property_escaped(printed: Printed) -> None:
    name = "x\n::error title=a,b:c%0A\r.yaml"
    Path(name).write_text(SPECS["op"].format(text="rleu"))
    line, counts = printed("check", "--format", "github", name).splitlines()
    assert counts == "1 spec: 1 error, 0 warnings"
    # The escapes of actions/toolkit, packages/core/src/command.ts.
    assert line.startswith("::error file=x%0A%3A%3Aerror title=a%2Cb%3Ac%250A%0D.yaml,line=4,col=10,")


def test_text_that_can_be_printed_is_printed_as_it_is(printed: Printed) -> None:
    Path("n.yaml").write_text(SPECS["summary"].format(text='"Größe 3×3, 畳み込み 🎉"'), "utf-8")
    assert printed("summary", "n.yaml").startswith("n: Größe 3×3, 畳み込み 🎉\n")


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("utf-8", "── ×…é畳\ufffd"),
        ("cp1252", "-- ×…é\\u7573?"),
        ("latin-1", "-- ×~é\\u7573?"),
        ("ascii", "-- x~\\xe9\\u7573?"),
    ],
)
def test_an_encoding_that_lacks_characters(monkeypatch: pytest.MonkeyPatch, encoding: str, shown: str) -> None:
    for stream, write in (("stdout", lambda line: output.print_lines([line])), ("stderr", output.message)):
        data = io.BytesIO()
        text = io.TextIOWrapper(data, encoding, newline="\n", write_through=True)
        monkeypatch.setattr("sys." + stream, text)
        write("── ×…é畳\ufffd")
        monkeypatch.undo()
        assert data.getvalue().decode(encoding) == shown + "\n"
