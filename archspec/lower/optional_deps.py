"""Third parties that a target needs and that may be absent."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from archspec.diagnostics import fail


def require(module: str, what: str, package: str | None = None, *, help: str | None = None) -> None:
    """See that a library can be imported, before it is.

    Args:
        module: what is imported.
        what: what needs it, in words that begin a sentence.
        package: what pip calls it, if not as the module.
        help: what mends it, if more than to install it.

    Raises:
        ArchspecError: it cannot.
    """
    try:
        import_module(module)
    except ImportError as error:
        name = package or module
        raise fail(
            "missing-library",
            f"{what} needs {name}, which cannot be imported: {error}",
            help=help or f"pip install {name}",
        ) from error


def is_installed(module: str) -> bool:
    """Whether a library is there, without importing it."""
    return find_spec(module) is not None
