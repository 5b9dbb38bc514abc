"""The architecture, checked on the source: layers, third-party imports, lazy imports, public names and words."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import archspec
import archspec.ir
import archspec.plugin
from archspec.diagnostic_codes import CODES

ROOT = Path(archspec.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))

LAYERS = {
    "diagnostic_codes": 0, "file_kinds": 0, "frozen": 0, "diagnostics": 0.5, "edits": 0.6, "ir": 1, "ops": 2,
    "frontend": 3, "passes": 3, "lower": 4, "zoo_tags": 4, "plugin": 4.5, "report": 5, "zoo": 5, "expect_check": 5,
    "catalogue": 5.2, "runtime": 5.5, "siblings": 5.5, "network": 6, "runtime/bench": 6.2, "loading": 6.5,
    "expect_update": 6.6, "fixes": 6.6, "cli": 7, "__init__": 7, "__main__": 8,
}  # fmt: skip

ALLOWED_IN = {
    "yaml": ("frontend/yaml/syntax_errors.py", "frontend/yaml/tree.py"),
    "pydantic": ("ops/attribute_validation.py",),
    "networkx": ("frontend/", "passes/", "ir/"),
    "torch": ("lower/torch/", "lower/weights/checkpoint.py", "runtime/"),
    "keras": ("lower/keras/",),
    "numpy": ("runtime/", "lower/onnx/", "lower/optimize/", "lower/weights/", "lower/verify.py"),
    "onnx": ("lower/onnx/", "runtime/"),
    "onnxruntime": ("lower/onnx/", "runtime/"),
    "safetensors": ("lower/weights/",),
    "graphviz": ("lower/graphviz/",),
    "pygraphviz": ("lower/graphviz/",),
}
"""The files and packages that may import each third-party library."""

PAGES = (
    "README.md", "CONTRIBUTING.md", "specs/README.md", "specs/USAGE.md", "specs/OPS.md", "archspec/README.md",
    "archspec/PLUGINS.md",
)  # fmt: skip
"""The pages for users and contributors."""

TYPES_ONLY = {"network.py": {"torch", "keras", "networkx"}, "runtime/bench.py": {"torch"}}
"""The libraries that a file may import for annotations only."""


def relative(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def layer(module: str) -> str:
    """The layer that a module belongs to: a key of `LAYERS`."""
    path = module.removesuffix(".py")
    return path if path in LAYERS else path.split("/")[0]


def imports(file: Path) -> Iterator[tuple[str, bool]]:
    """The modules that a file imports, at any level of nesting, and whether for annotations only."""
    tree = ast.parse(file.read_text())
    typing = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node in typing) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "archspec":
            yield from ((f"archspec.{alias.name}", node in typing) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            yield node.module or "", node in typing


@pytest.mark.parametrize("file", FILES, ids=relative)
def test_files_import_only_lower_layers(file: Path) -> None:
    own = layer(relative(file))
    for module, _ in imports(file):
        head, _, rest = module.partition(".")
        other = layer(rest.replace(".", "/"))
        if head == "archspec" and other in LAYERS and other != own:
            assert LAYERS[other] < LAYERS[own], f"{relative(file)} is in layer {LAYERS[own]} and imports {module}"


@pytest.mark.parametrize("file", FILES, ids=relative)
def test_third_party_libraries_are_imported_only_where_allowed(file: Path) -> None:
    for module, types_only in imports(file):
        head = module.partition(".")[0]
        if head == "archspec" or head in sys.stdlib_module_names:
            continue
        assert head in ALLOWED_IN, f"{relative(file)} imports {head}: add it to ALLOWED_IN"
        allowed = any(relative(file).startswith(prefix) for prefix in ALLOWED_IN[head])
        assert allowed or (types_only and head in TYPES_ONLY.get(relative(file), ())), (
            f"{relative(file)} imports {head}"
        )


@pytest.mark.parametrize("file", FILES, ids=relative)
def test_every_file_has_a_docstring_and_at_most_450_lines(file: Path) -> None:
    text = file.read_text()
    assert ast.get_docstring(ast.parse(text)), f"{relative(file)} has no docstring"
    assert len(text.splitlines()) <= 450, f"{relative(file)} has more than 450 lines: split it"


@pytest.mark.parametrize("target", ["torch", "onnx", "keras"])
def test_an_op_and_its_rules_are_in_files_of_its_family(target: str) -> None:
    """`ops/pool.py`, `lower/torch/rules/pool.py`, `lower/onnx/rules/pool.py`, `lower/keras/rules/pool.py`."""
    from archspec.ops import OPS

    rules = import_module(f"archspec.lower.{target}.rules").RULES
    for op in OPS:
        assert op.__module__ == f"archspec.ops.{op.family}", op
        folder, _, file = rules[op].__module__.rpartition(".")
        assert folder == f"archspec.lower.{target}.rules"
        assert file in (op.family, "common"), f"the rule of '{op.kind}' belongs in {folder}.{op.family}"


FRONTEND = ("yaml", "expressions", "language", "elaborate")
"""The packages of the front end. Each imports only those before it."""


@pytest.mark.parametrize("package", FRONTEND)
def test_packages_of_the_front_end_import_only_earlier_ones(package: str) -> None:
    above = {f"archspec.frontend.{other}" for other in FRONTEND[FRONTEND.index(package) + 1 :]}
    for file in (ROOT / "frontend" / package).glob("*.py"):
        modules = {".".join(module.split(".")[:3]) for module, _ in imports(file)}
        assert modules.isdisjoint(above), f"{relative(file)} imports {modules & above}"


SLOW = (
    "pydantic", "torch", "keras", "onnx", "numpy", "matplotlib", "networkx", "graphviz", "pygraphviz", "safetensors",
)  # fmt: skip


@pytest.mark.parametrize(
    "statement",
    [
        "import archspec",
        "import archspec.cli.parser",
        "import archspec; assert not [d for d in archspec.check('resnet18') if d.severity == 'error']",
        "from archspec.cli import run; run(['check', 'resnet50'])",
        "import archspec; archspec.load('resnet18').macs",
        "import archspec; archspec.load('resnet18').source()",
        "import archspec; archspec.load('resnet18').source('keras')",
    ],
)
def test_slow_libraries_are_imported_lazily(statement: str) -> None:
    # The source of a PyTorch module is text, so writing it needs no torch.
    script = f"{statement}\nimport sys\nprint([name for name in {SLOW!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_check_imports_no_slow_module_of_python() -> None:
    slow = {"dataclasses", "inspect", "importlib.metadata", "json", "shutil", "tempfile"}
    script = f"""
import sys
before = set(sys.modules)
from archspec.cli import run
run(["check", "resnet50"])
print({slow} & (set(sys.modules) - before))"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_the_package_and_the_command_line_import_no_compiler() -> None:
    # `archspec --version`, `--help` and `import archspec` take little longer than Python's own start.
    script = "import archspec, archspec.cli.parser, sys; print([m for m in sys.modules if m.startswith('archspec')])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded, light = set(ast.literal_eval(done.stdout)), {"archspec", "archspec.report", "archspec.report.colours"}
    assert {layer(name.removeprefix("archspec.").replace(".", "/")) for name in loaded - light} == {
        "cli", "diagnostics", "diagnostic_codes", "frozen"
    }  # fmt: skip
    assert not {"pydantic", "yaml"} & loaded


def test_public_names() -> None:
    """These lists are the public API: record changes to them in the changelog."""
    assert archspec.__all__ == ["ArchspecError", "Diagnostic", "Layer", "Network", "check", "load", "parse"]
    assert archspec.ir.__all__ == [
        "DType", "Graph", "GraphBuilder", "Initializer", "Node", "Operation", "Output", "Scope", "TensorType", "Value",
        "Weight", "to_text", "verify",
    ]  # fmt: skip
    assert archspec.plugin.__all__ == [
        "NOT_READ", "Axes", "Cost", "Count", "Flag", "Footprint", "KerasRule", "LayerCall", "ModuleCall", "Natural",
        "Number", "OnnxBuilder", "OnnxRule", "Op", "OpError", "PerAxis", "Positive", "TorchRule", "WeightLayout",
        "Whole", "Window", "along", "call", "function", "need_axis", "need_float", "need_spatial", "per_axis",
        "pointwise", "unsupported", "windows",
    ]  # fmt: skip
    for module in (archspec, archspec.ir, archspec.plugin):
        assert all(hasattr(module, name) for name in module.__all__)
        with pytest.raises(AttributeError):
            _ = module.something_else


def test_only_one_module_prints() -> None:
    """It makes every line safe for a terminal. The worker of Graphviz writes a picture to its parent process."""
    for file in FILES:
        if relative(file) in ("cli/output.py", "lower/graphviz/render_worker.py"):
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                assert called != "print", relative(file)
                assert not re.fullmatch(r"sys\.(__)?std(out|err)(__)?(\.buffer)?\.write(lines)?", called), file


def test_no_class_name_is_defined_twice() -> None:
    """Helpers are left out: classes copied into generated source have the names of their ops."""
    places: dict[str, list[str]] = {}
    for file in FILES:
        if "/helpers/" not in relative(file):
            for node in ast.parse(file.read_text()).body:
                if isinstance(node, ast.ClassDef):
                    places.setdefault(node.name, []).append(relative(file))
    assert not {name: files for name, files in places.items() if len(files) > 1}


RETIRED = (
    "Refusal", "UNSEEN", "Inflow", "inflow", "lender", "remedy", "cure", "Weighing", "weighing", "NO_WISHES", "wishes",
    "Vocabulary", "poisoned", "hosted", "Hosted", "held against", "start anew", "starts anew", "what would mend",
    "come out as", "flows in", "flow in", "flow out", "flows out", "mistake", "mistakes",
)  # fmt: skip
"""Words that standard terms replace (see CONTRIBUTING.md, style)."""


@pytest.mark.parametrize("file", [*FILES, *(ROOT.parent / page for page in PAGES)], ids=str)
def test_retired_words_are_not_used(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert not [word for word in RETIRED if re.search(rf"\b{word}\b", text)], file


def test_codes_are_documented_and_used() -> None:
    texts = {relative(file): file.read_text() for file in FILES if file.name != "diagnostic_codes.py"}
    for code, about in CODES.items():
        assert about.doc.endswith("."), code
        assert any(f'"{code}"' in text for text in texts.values()), f"{code} is never reported"
