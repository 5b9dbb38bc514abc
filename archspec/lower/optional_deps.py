"""Libraries that may not be installed: checked before use, with a diagnostic that says how to install them."""

from __future__ import annotations

import re
from importlib import import_module
from importlib.util import find_spec

from archspec.diagnostics import fail

_EXTRAS = {"torch": "torch", "keras": "keras", "onnxruntime": "onnxruntime"} | {
    "graphviz_pure": "draw",
    "pygraphviz": "pdf",
}
"""The extra of archspec that installs a library, for libraries that are not dependencies."""

_HINTS = {"keras": "; with KERAS_BACKEND=torch it runs on PyTorch"}
"""What to add to the command that installs a library."""


def install_command(library: str) -> str:
    """The command that installs a library: its extra if it has one, otherwise the package of that name."""
    if extra := _EXTRAS.get(library):
        return f"pip install 'archspec-compiler[{extra}]'"
    return f"pip install {library}"


def require(module: str, what: str, oldest: tuple[int, int] = (0, 0)) -> None:
    """Check that a library can be imported.

    Args:
        module: the library, which has the same name as its package.
        what: what needs it, as the start of a sentence.
        oldest: the oldest version that suffices, if older ones can be used for other things.

    Raises:
        ArchspecError: `missing-library`, if it cannot be imported or is too old.
    """
    try:
        installed = str(getattr(import_module(module), "__version__", ""))
    except ImportError as error:
        missing = (error.name or module).partition(".")[0]  # it may be a library that the module itself imports
        message = f"{what} needs {module}, which cannot be imported: {error}"
        raise fail("missing-library", message, help=install_command(missing) + _HINTS.get(module, "")) from error
    numbers = re.match(r"(\d+)\.(\d+)", installed)
    if numbers and (int(numbers[1]), int(numbers[2])) < oldest:
        message = f"{what} needs {module} {oldest[0]}.{oldest[1]} or newer, and {installed} is installed"
        raise fail("missing-library", message, help=install_command(module).replace("install", "install --upgrade"))


def is_installed(module: str) -> bool:
    """Whether a library is installed, without importing it."""
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):  # ValueError: the module is in sys.modules without a spec
        return False
