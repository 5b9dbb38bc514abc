"""What all tests share: golden files, the flag that updates them, the verifier, and how Hypothesis works."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from archspec import loading
from archspec.diagnostics import Diagnostic
from archspec.frontend.language.spec import Spec
from archspec.ir.verifier import verify

# Workers share the cores: more threads in each would only wait for one another. Read when PyTorch is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# How long an example takes says more about the machine than about the code. A run that checks a change says the same
# each time; `--hypothesis-profile=search` looks for new examples.
settings.register_profile("archspec", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None)
settings.load_profile("archspec")

GOLDEN = Path(__file__).parent / "golden"

Golden = Callable[[str, str], None]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="update the files in tests/golden; read the diff")


@pytest.fixture(autouse=True, scope="session")
def _verified_graphs() -> Iterator[None]:
    """Runs the verifier on every graph that is built without errors."""
    compile_variant = loading._compile

    def compile_and_verify(spec: Spec, errors: Sequence[Diagnostic], *arguments: Any) -> loading.Compiled:
        compiled = compile_variant(spec, errors, *arguments)
        if compiled.network is not None and not compiled.diagnostics and not errors:
            verify(compiled.network.graph)
        return compiled

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loading, "_compile", compile_and_verify)
        yield


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """Compares a text with a file in `tests/golden`, or writes the file if `--update-golden` is given.

    def test_text(golden):
        golden("text/lenet5.txt", text(graph))
    """

    def compare(name: str, text: str) -> None:
        path = GOLDEN / name
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode("utf-8"))
        elif not path.is_file():
            pytest.fail(f"there is no tests/golden/{name}; `pytest --update-golden` writes it")
        elif text != (kept := path.read_bytes().decode("utf-8")):
            assert text.splitlines() == kept.splitlines(), f"tests/golden/{name} differs; see --update-golden"
            pytest.fail(f"tests/golden/{name} differs in its line ends")

    return compare
