"""The command line: stdout and stderr, exit codes, and written files."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

import archspec
from archspec import zoo

FAULTY = """\
archspec: 1
name: faulty
input: [3, 224, 224]
layers:
  - conv: {name: conv1, channels: 64, kernel: 7, stride: 2, padding: 3}
  - residual:
      layers:
        - conv: {name: conv2, channels: 128, kernel: 3, stride: 2, padding: 1}
  - linear: 10
"""

WARNED = """\
archspec: 1
name: warned
input: [3, 8, 8]
layers:
  - conv: {channels: 4, kernel: 3}
  - batch_norm
"""


def _environment(columns: int) -> dict[str, str]:
    home = str(Path(archspec.__file__).parent.parent)
    return {**os.environ, "PYTHONPATH": home, "PYTHONIOENCODING": "utf-8", "COLUMNS": str(columns)}


def run(
    *arguments: str, cwd: Path | None = None, code: int = 0, given: str | None = None, columns: int = 80
) -> tuple[str, str]:
    """Run a command that must exit with `code`. Returns its stdout and stderr."""
    environment = _environment(columns)
    done = subprocess.run(
        [sys.executable, "-m", "archspec", *arguments], capture_output=True, text=True, encoding="utf-8",
        cwd=cwd, env=environment, check=False, input=given,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout, done.stderr


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "faulty.yaml").write_text(FAULTY)
    (tmp_path / "warned.yaml").write_text(WARNED)
    return tmp_path


def test_check_reports_no_errors() -> None:
    out, err = run("check", "lenet5", "resnet18")
    assert (out, err) == ("", "2 specs: no errors\n")


def test_check_prints_errors_to_stdout_and_fails(folder: Path) -> None:
    out, err = run("check", "faulty.yaml", "warned.yaml", cwd=folder, code=1)
    assert out.startswith("faulty.yaml:6:5: error[shape-mismatch]: 'add' joins unequal shapes\n")
    assert "warned.yaml:5:5: warning[bias-before-norm]" in out
    assert err == "2 specs: 1 error, 1 warning\n"


def test_warnings_alone_do_not_fail_and_can_be_allowed(folder: Path) -> None:
    out, err = run("check", "warned.yaml", cwd=folder)
    assert "bias-before-norm" in out
    out, err = run("check", "--allow", "bias-before-norm", "warned.yaml", cwd=folder)
    assert (out, err) == ("", "1 spec: no errors\n")


@pytest.mark.parametrize("code", ["bias-before-nor", "shape-mismatch"])
def test_only_warnings_can_be_allowed(folder: Path, code: str) -> None:
    out, err = run("check", "--allow", code, "faulty.yaml", cwd=folder, code=1)
    assert out == ""
    assert err.startswith(f"error[wrong-value]: --allow {code}: this is not a warning code\n    help: ")
    assert ("did you mean 'bias-before-norm'?" in err) == (code == "bias-before-nor")


def test_a_spec_on_standard_input(tmp_path: Path) -> None:
    out, err = run("check", "-", given=FAULTY, code=1)
    assert out.startswith("<stdin>:6:5: error[shape-mismatch]")
    assert err == "1 spec: 1 error, 0 warnings\n"
    assert json.loads(run("check", "--format", "json", "-", given=WARNED)[0])[0]["file"] == "<stdin>"
    assert json.loads(run("summary", "-", "--json", given=WARNED)[0])["outputs"] == {"output": [4, 6, 6]}
    run("compile", "-", "-o", "warned.py", given=WARNED, cwd=tmp_path)
    assert (tmp_path / "warned.py").read_text().startswith('"""warned in PyTorch, written by archspec from <stdin>."""')
    assert "<stdin> is empty" in run("check", "-", given="", code=1)[0]


def test_a_spec_on_standard_input_has_variants_and_imports(tmp_path: Path) -> None:
    spec = "archspec: 1\nname: n\ninput: [3, 8, 8]\nimport: parts.yaml\nparams: {w: 2}\nvariants: {wide: {w: 8}}\n"
    spec += "layers: [part: w]\n"
    (tmp_path / "parts.yaml").write_text(
        "archspec: 1\nblocks: {part: {args: [w], layers: [conv: {channels: w, kernel: 1}]}}\n"
    )
    wide, _ = run("summary", "-:wide", "--json", given=spec, cwd=tmp_path)
    assert json.loads(wide)["outputs"] == {"output": [8, 8, 8]}
    reported, _ = run("check", "-:wid", given=spec, cwd=tmp_path, code=1)
    assert "<stdin> has no variant 'wid'\n    help: did you mean 'wide'?" in reported
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert "there is no file 'parts.yaml' to import" in run("check", "-", given=spec, cwd=elsewhere, code=1)[0]


@pytest.mark.skipif(not Path("/dev/stdin").exists(), reason="this system has no such file")
def test_a_spec_may_come_through_a_pipe() -> None:
    assert run("check", "/dev/stdin", given=FAULTY, code=1)[0].startswith("/dev/stdin:6:5: error[shape-mismatch]")


def test_check_as_json(folder: Path) -> None:
    out, err = run("check", "--format", "json", "faulty.yaml", cwd=folder, code=1)
    (found,) = json.loads(out)
    assert (found["file"], found["line"], found["column"], found["code"]) == ("faulty.yaml", 6, 5, "shape-mismatch")
    assert found["help"] == "project the shortcut: conv {channels: 128, kernel: 1, stride: 2}"
    assert err == ""


def test_check_for_github(folder: Path) -> None:
    out, _ = run("check", "--format", "github", "faulty.yaml", cwd=folder, code=1)
    assert out.startswith("::error file=faulty.yaml,line=6,col=5,endLine=6,endColumn=13,title=shape-mismatch::")
    assert out.count("\n") == 1


def test_summary_json_has_its_documented_keys() -> None:
    found = json.loads(run("summary", "vgg16", "--json")[0])
    assert {"name", "variant", "inputs", "outputs", "params", "trainable_params", "buffers", "macs", "layers"} <= set(
        found
    )
    assert found["name"] == found["variant"] == "vgg16"
    assert (found["inputs"], found["outputs"]) == ({"input": [3, 224, 224]}, {"output": [1000]})
    assert (found["params"], found["macs"]) == (138_357_544, 15_470_264_320)
    layers = {layer["name"]: layer for layer in found["layers"]}
    assert set(layers["features.0"]) == {"name", "op", "output", "outputs", "params", "macs", "receptive_field"}
    # The last pooling sees 212 positions, 32 apart, the first of them 90 before the image.
    field = {"size": [212, 212], "stride": [32, 32], "offset": [-90, -90]}
    assert layers["features.30"]["receptive_field"] == field
    assert layers["classifier.0"]["receptive_field"] is None


def test_summary_json_has_every_output_of_a_layer() -> None:
    spec = "archspec: 1\nname: n\ninput: [6, 8, 8]\nlayers:\n"
    spec += "  - max_pool: {kernel: 2, indices: true}\n  - split: {sizes: [2, 4]}\n  - concat\n"
    layers = {layer["op"]: layer for layer in json.loads(run("summary", "-", "--json", given=spec)[0])["layers"]}
    assert layers["max_pool"]["outputs"] == {"output": [6, 4, 4], "indices": [6, 4, 4]}
    assert layers["split"]["outputs"] == {"0": [2, 4, 4], "1": [4, 4, 4]}
    assert layers["concat"]["outputs"] == {"output": [6, 4, 4]}
    assert all(layer["output"] == next(iter(layer["outputs"].values())) for layer in layers.values())


def test_summary_of_a_faulty_spec_shows_the_valid_layers(folder: Path) -> None:
    out, err = run("summary", "faulty.yaml", cwd=folder, code=1)
    assert "conv1" in out
    assert "conv2" in out
    assert "linear" not in out
    assert out.endswith("\nno totals, since layers with errors are left out\n")
    assert "error[shape-mismatch]" in err


def test_summary_of_a_faulty_spec_has_no_totals(tmp_path: Path) -> None:
    """Not those of parts, either; what is only expected wrongly is complete."""
    part = "layers: [sequential: {name: part, layers: [conv: {channels: 4, kernel: 1}, convv: 3]}]\n"
    (tmp_path / "faulty.yaml").write_text(text := f"archspec: 1\nname: n\ninput: [3, 8, 8]\n{part}")
    out, _ = run("summary", "faulty.yaml", cwd=tmp_path, code=1)
    assert re.search(r"^part +sequential +0 B$", out, re.MULTILINE)
    assert re.search(r"^  conv +conv +4×8×8 +16 +1 +1.02 kB$", out, re.MULTILINE)
    found = json.loads(run("summary", "faulty.yaml", "--json", cwd=tmp_path, code=1)[0])
    assert [found[key] for key in ("params", "macs", "memory", "fingerprint")] == [None] * 4
    assert found["layers"][0]["params"] == 16
    (tmp_path / "faulty.yaml").write_text(text.replace(", convv: 3", "") + "expect: {params: 3}\n")
    found = json.loads(run("summary", "faulty.yaml", "--json", cwd=tmp_path, code=1)[0])
    assert found["params"] == 16


def test_set_and_input_change_the_network() -> None:
    found = json.loads(run("summary", "resnet18", "--json", "--set", "classes=10", "--input", "3x64x64")[0])
    assert found["outputs"] == {"output": [10]}
    assert found["params"] == 11_689_512 - 990 * 513
    assert found["inputs"] == {"input": [3, 64, 64]}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["summary", "resnet81"], "there is no spec 'resnet81'"),
        (["summary", "nowhere.yaml"], "there is no file nowhere.yaml"),
        (["summary", "resnet18", "--set", "clases=10"], "has no param 'clases'"),
        (["summary", "resnet18", "--set", "classes"], "--set classes is not PARAM=VALUE"),
        (["summary", "resnet18", "--set", "classes="], "--set classes= is not PARAM=VALUE"),
        (["summary", "resnet18:small"], "'resnet18' is a variant itself"),
        (["summary", 5000 * "x"], "there is no spec 'xxx"),
        (["compile", "lenet5", "-o", "a.py", "--verify"], "a.py does not take --verify"),
        (["compile", "lenet5", "-o", "a.json", "--opset", "20"], "a.json does not take --opset"),
        (["summary", "resnet18", "--set", "classes=[1"], "--set classes:1"),
        (["summary", "resnet18", "--set", "classes=ten"], "unknown name 'ten'"),
        (["summary", "resnet18", "--input", "3x224"], "3x224 does not fit the input"),
        (["summary", "resnet18", "--input", "big"], "--input big is not sizes"),
        (["summary", "resnet18", "--input", "image=3x64x64"], "has no input 'image'"),
        (["summary", "vgg16", "--input", "3x8x8"], "kernel-too-large"),
        (["compile", "resnet18", "-o", "model.pth"], "cannot tell what to write from the name model.pth"),
        (["compile", "resnet18", "-o", "missing/model.py"], "cannot write missing/model.py"),
        (["compile", "lenet5", "-o", "model.onnx", "--opset", "3"], "3"),
        (["compile", "lenet5", "-o", "a.onnx", "--weights", "none.safetensors"], "cannot read none.safetensors"),
        (["draw", "lenet5", "-o", "lenet5.jpg"], ".jpg"),
        (["draw", "lenet5", "-o", "lenet5.svg", "--show", "colours"], "colours"),
    ],
)  # fmt: skip
def test_errors_on_the_command_line(arguments: list[str], words: str, tmp_path: Path) -> None:
    out, err = run(*arguments, cwd=tmp_path, code=1)
    assert out == "" or arguments[-1] in ("3x8x8", "classes=ten")  # a summary shows the valid layers
    assert words in err
    assert not list(tmp_path.iterdir())


def test_imports_come_from_the_folders_of_path(tmp_path: Path) -> None:
    (tmp_path / "net.yaml").write_text("archspec: 1\nname: n\ninput: [4]\nimport: b.yaml\nlayers: [b]\n")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "b.yaml").write_text("archspec: 1\nblocks: {b: {layers: [relu, linear: 3]}}\n")
    assert "error[unknown-import]" in run("check", "net.yaml", cwd=tmp_path, code=1)[0]
    run("check", "net.yaml", "--path", "mine", cwd=tmp_path)
    assert json.loads(run("summary", "net.yaml", "--json", "--path", "mine", cwd=tmp_path)[0])["params"] == 15
    run("compile", "net.yaml", "-o", "net.py", "--path", "mine", cwd=tmp_path)
    run("draw", "net.yaml", "-o", "net.dot", "--path", "mine", cwd=tmp_path)
    assert "there is no folder nowhere" in run("check", "net.yaml", "--path", "nowhere", cwd=tmp_path, code=1)[0]


def test_compile_and_draw_write_every_kind(tmp_path: Path) -> None:
    for kind in ("py", "onnx", "safetensors", "json"):
        out, err = run("compile", "lenet5", "-o", f"lenet5.{kind}", cwd=tmp_path)
        assert (out, err) == ("", f"wrote lenet5.{kind}\n")
    for kind in ("svg", "png", "pdf", "dot"):
        run("draw", "lenet5", "-o", f"lenet5.{kind}", cwd=tmp_path)
    heads = {path.suffix: path.read_bytes()[:5] for path in tmp_path.iterdir()}
    assert heads[".png"] == b"\x89PNG\r"
    assert heads[".pdf"] == b"%PDF-"
    assert heads[".dot"].startswith(b"dig")
    assert b"<svg" in (tmp_path / "lenet5.svg").read_bytes()
    assert json.loads((tmp_path / "lenet5.json").read_text())["params"] == 61_706


def test_compile_writes_keras_source(tmp_path: Path) -> None:
    out, err = run("compile", "lenet5", "-o", "lenet5.py", "--target", "keras", cwd=tmp_path)
    assert (out, err) == ("", "wrote lenet5.py\n")
    assert "import keras\n" in (tmp_path / "lenet5.py").read_text()
    _, err = run("compile", "lenet5", "-o", "lenet5.onnx", "--target", "keras", cwd=tmp_path, code=1)
    assert "error[wrong-target]: the ending of lenet5.onnx is not that of Keras 3 source" in err


def test_weights_from_a_file_equal_those_of_the_seed(tmp_path: Path) -> None:
    run("compile", "lenet5", "-o", "w.safetensors", "--seed", "7", cwd=tmp_path)
    run("compile", "lenet5", "-o", "a.onnx", "--weights", "w.safetensors", cwd=tmp_path)
    run("compile", "lenet5", "-o", "b.onnx", "--seed", "7", cwd=tmp_path)
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()


def test_list_as_json_is_the_zoo() -> None:
    found = json.loads(run("list", "--json")[0])
    assert [entry["name"] for entry in found] == [name for name, _ in zoo.names()]
    keys = {"name", "spec", "summary", "tags", "inputs", "params", "macs"}
    assert all(set(entry) == keys and entry["summary"] for entry in found)


def test_the_lectures_are_listed_separately() -> None:
    found = json.loads(run("list", "lectures", "--json")[0])
    assert [entry["name"] for entry in found] == [name for name, _ in zoo.names(zoo.LECTURES)]
    (entry,) = (entry for entry in found if entry["name"] == "lectures/lenet5_table")
    assert (entry["spec"], entry["summary"]) == ("lectures/lenet5_table.yaml", "LeNet-5 row by row")


def test_list_filters_by_name() -> None:
    found = json.loads(run("list", "wide_resnet", "--json")[0])
    assert [entry["name"] for entry in found] == ["wide_resnet50_2", "wide_resnet101_2"]
    _, error = run("list", "resnot50", code=1)
    assert "did you mean 'resnet50'" in error


def test_list_as_a_table() -> None:
    out, _ = run("list")
    row = ["resnet50", "3×224×224", "25.6", "M", "4.09", "G"]  # torchvision's figures
    assert any(line.split()[:6] == row for line in out.splitlines())
    assert not any(line.endswith(" ") for line in out.splitlines())


def test_the_examples_of_parts_are_listed_separately() -> None:
    found = json.loads(run("list", "parts", "--json")[0])
    assert [entry["name"] for entry in found] == ["parts/detector", "parts/fpn", "parts/unet"]
    assert run("show", "parts/unet")[0].startswith("# A U-Net on a ResNet")


def test_the_lectures_are_suggested_for_a_word_like_theirs() -> None:
    assert "did you mean 'lectures'?" in run("list", "lecture", code=1)[1]


def test_schema_is_json() -> None:
    assert json.loads(run("schema")[0])["title"] == "archspec"


def test_version_and_help() -> None:
    assert run("--version")[0] == f"archspec {archspec.__version__}\n"
    for command in ("check", "summary", "compile", "weights", "draw", "list", "show", "schema"):
        assert command in run("--help")[0]
        assert run(command, "--help")[0].startswith(f"Usage: archspec {command}")


def test_a_folder_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "model.py").mkdir()
    _, err = run("compile", "lenet5", "-o", "model.py", cwd=tmp_path, code=1)
    assert "error[unwritable-file]" in err
    assert [path.name for path in tmp_path.iterdir()] == ["model.py"]


def test_a_report_on_weights(tmp_path: Path) -> None:
    run("compile", "resnet20_cifar", "-o", "w.safetensors", cwd=tmp_path)
    out, err = run("weights", "resnet20_cifar", "w.safetensors", cwd=tmp_path)
    assert err == ""
    assert out.splitlines() == [
        "w.safetensors is a safetensors file with 116 tensors",
        "the weights in w.safetensors fit 'resnet20_cifar': 116 matched",
    ]
    out, _ = run("weights", "resnet20_cifar", "w.safetensors", "--set", "classes=3", "--json", cwd=tmp_path, code=1)
    found = json.loads(out)
    assert (found["complete"], len(found["matched"]), len(found["wrong_shape"])) == (False, 114, 2)


def test_weights_under_other_names(tmp_path: Path) -> None:
    """The rules that `weights` proposes are those that `--rename` takes."""
    run("compile", "lenet5", "-o", "w.safetensors", cwd=tmp_path)
    arrays = {
        f"net.{key}".replace("net.f6", "net.head"): array
        for key, array in load_file(tmp_path / "w.safetensors").items()
    }
    np.savez(tmp_path / "old.npz", **arrays)
    out, _ = run("weights", "lenet5", "old.npz", cwd=tmp_path, code=1)
    assert out.splitlines()[0] == f"old.npz is an .npz file of NumPy with {len(arrays)} tensors"
    assert out.splitlines()[-1].endswith("use rename: {head: f6}, or --rename 'head=f6'")
    rules = ("--rename", "head=f6")
    assert (
        "error[wrong-weights]"
        in run("compile", "lenet5", "-o", "a.onnx", "--weights", "old.npz", cwd=tmp_path, code=1)[1]
    )
    run("compile", "lenet5", "-o", "a.safetensors", "--weights", "old.npz", *rules, cwd=tmp_path)
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "w.safetensors").read_bytes()
    run("weights", "lenet5", "old.npz", "--rename", "net.head=f6", "--rename", "net=", cwd=tmp_path)
    for wrong in ("head", "=f6", "head=a b", "a=a"):
        assert "error[" in run("weights", "lenet5", "old.npz", "--rename", wrong, cwd=tmp_path, code=1)[1]


def test_another_head_is_reported_and_the_rest_loaded(tmp_path: Path) -> None:
    run("compile", "resnet20_cifar", "-o", "w.safetensors", cwd=tmp_path)
    change = ("compile", "resnet20_cifar", "--set", "classes=3", "--weights", "w.safetensors", "-o", "a.safetensors")
    _, err = run(*change, cwd=tmp_path, code=1)
    assert "--no-strict" in err
    _, err = run(*change, "--no-strict", cwd=tmp_path)
    assert err.splitlines()[0].endswith("do not fit 'resnet20_cifar': 2 wrong shape, 114 matched")
    assert err.splitlines()[-2:] == ["unmatched weights keep their initial values", "wrote a.safetensors"]
    run("weights", "resnet20_cifar", "a.safetensors", "--set", "classes=3", cwd=tmp_path)


def test_files_without_weights_reject_the_weights_option(tmp_path: Path) -> None:
    for kind in ("py", "json"):
        _, err = run("compile", "resnet20_cifar", "-o", f"a.{kind}", "--weights", "w.safetensors", cwd=tmp_path, code=1)
        assert f"error[wrong-target]: a.{kind} holds no weights" in err
    assert not list(tmp_path.iterdir())


def test_dynamic_onnx_is_verified(tmp_path: Path) -> None:
    _, err = run("compile", "resnet20_cifar", "-o", "a.onnx", "--dynamic", "--verify", cwd=tmp_path)
    verified, wrote = err.splitlines()
    assert verified.startswith("output: off by at most ")
    assert wrote == "wrote a.onnx"
    _, err = run("compile", "lenet5", "-o", "b.onnx", "--dynamic", cwd=tmp_path, code=1)
    assert "error[unsupported]: 'lenet5' cannot have dynamic sizes: 'f6' works at one size only" in err
    run("compile", "lenet5", "-o", "c.onnx", "--no-weights", cwd=tmp_path)
    assert (tmp_path / "c.onnx").stat().st_size < 10_000
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.onnx", "c.onnx"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["chekc"], "unknown command 'chekc'\n    help: did you mean 'check'?"),
        (["summary", "lenet5", "--dept", "2"], "unknown option --dept\n    help: did you mean '--depth'?"),
        (["summary", "lenet5", "--depth", "0"], "argument --depth: expected an integer of at least 1, got '0'"),
        (["draw", "lenet5", "-o", "a.svg", "--rankdir", "up"], "argument --rankdir: unknown value 'up'"),
        (["bench", "lenet5", "--seconds", "nan"], "argument --seconds: expected a number of seconds, got 'nan'"),
        (["check"], "required: SPEC"),
        (["list", "vgg", "resnet"], "unexpected resnet"),
    ],
)
def test_a_wrong_command_line_is_explained(arguments: list[str], words: str) -> None:
    out, err = run(*arguments, code=2)
    assert out == ""
    assert err.startswith("Usage: archspec ")
    assert words in err


def test_help_fits_the_terminal_and_shows_examples() -> None:
    for columns in (80, 160):
        for command in (
            [],
            ["check"],
            ["summary"],
            ["compile"],
            ["weights"],
            ["bench"],
            ["draw"],
            ["list"],
            ["show"],
            ["schema"],
        ):
            out, _ = run(*command, "--help", columns=columns)
            assert "\nexamples:\n  archspec " in out
            assert max(map(len, out.splitlines())) <= columns, command
            assert not re.search(r"<\w+\[|\{\w+,", out), "a metavar is a word, not a type or a list"


@pytest.mark.parametrize(
    "command",
    [
        "summary resnet50",
        "summary resnet50 --json",
        "check many.yaml",
        "check many.yaml --format json",
        "list",
        "schema",
    ],
)
def test_a_reader_that_stops_early_is_no_error(command: str, tmp_path: Path) -> None:
    many = "".join(f"  - conv: {{name: c{i}, chanels: {i}}}\n" for i in range(900))
    (tmp_path / "many.yaml").write_text(f"archspec: 1\nname: n\ninput: [3, 8, 8]\nlayers:\n{many}")
    with subprocess.Popen(
        [sys.executable, "-m", "archspec", *command.split()], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        cwd=tmp_path, env=_environment(80),
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(1)
        process.stdout.close()
        errors = process.stderr.read().decode()
    assert process.returncode in (0, 1 if "many.yaml" in command else 0, 141)
    assert "Traceback" not in errors
    assert "Broken pipe" not in errors
    assert "Exception ignored" not in errors


@pytest.mark.skipif(os.name == "nt", reason="a terminal of POSIX")
def test_diagnostics_are_coloured_on_a_terminal_only(folder: Path) -> None:
    import pty

    def shown(**more: str) -> str:
        main, terminal = pty.openpty()
        subprocess.run(
            [sys.executable, "-m", "archspec", "check", "faulty.yaml"], stdout=terminal, cwd=folder, check=False,
            env={**_environment(80), "TERM": "xterm", **more}, stderr=subprocess.PIPE,
        )  # fmt: skip
        os.close(terminal)
        return os.read(main, 100_000).decode().replace("\r\n", "\n")

    plain = run("check", "faulty.yaml", cwd=folder, code=1)[0]
    assert "\x1b[1;31merror[shape-mismatch]\x1b[0m" in shown()
    assert re.sub(r"\x1b\[[\d;]*m", "", shown()) == shown(NO_COLOR="1") == shown(TERM="dumb") == plain
