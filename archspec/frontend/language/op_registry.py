"""The ops a spec may use: those of the language, and those that plugins bring."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from importlib import import_module
from importlib.metadata import entry_points
from types import ModuleType

from archspec.diagnostics import ArchspecError, Diagnostic, Span
from archspec.frontend.language.structures import CONSTRUCTS
from archspec.ops import OPS, Op

OP_KINDS: Mapping[str, type[Op]] = {op.kind: op for op in OPS}
"""The ops of the language by their names."""

GROUP = "archspec.ops"
"""The entry points under which installed packages declare ops."""

_KIND = re.compile(r"[a-z][a-z0-9_]{0,99}")


class OpRegistry:
    """Ops by their names: those of the language, those of plugins that are named, and those of installed packages.

    A plugin is a module, or the name of one, whose `OPS` are op classes. Packages are looked through when a spec uses a
    name nobody else knows. A spec can use what is declared so, and import nothing.

    Raises:
        ArchspecError: a plugin that is named cannot be imported, or its ops cannot be used.
    """

    def __init__(self, plugins: Iterable[str | ModuleType] = ()) -> None:
        faults: list[Diagnostic] = []
        named: dict[str, type[Op]] = {}
        for plugin in [plugins] if isinstance(plugins, str | ModuleType) else plugins:  # one is meant as one
            label = plugin if isinstance(plugin, str) else plugin.__name__
            try:
                module = import_module(plugin) if isinstance(plugin, str) else plugin
            except Exception as error:  # importing runs somebody's code, which may fail in any way
                faults.append(_broken(label, error))
            else:
                _enter(label, getattr(module, "OPS", None), named, faults)
        if faults:
            raise ArchspecError(faults)
        self.named: Mapping[str, type[Op]] = named
        self.ops: Mapping[str, type[Op]] = {**OP_KINDS, **named}
        self._installed: tuple[Mapping[str, type[Op]], tuple[Diagnostic, ...]] | None = None

    @property
    def asked(self) -> bool:
        """Whether installed packages were looked through."""
        return self._installed is not None

    def discover(self, kind: str, span: Span | None = None) -> type[Op] | None:
        """The op that an installed package declares under this name; None where none does.

        Raises:
            ArchspecError: none does, but there are packages whose ops cannot be used, which may be why.
        """
        if self._installed is None:
            self._installed = _installed()
        found, faults = self._installed
        if kind in self.ops or kind in found:
            return self.ops.get(kind) or found[kind]
        if faults:
            raise ArchspecError(Diagnostic(each.code, each.message, span, help=each.help) for each in faults)
        return None


def _installed() -> tuple[Mapping[str, type[Op]], tuple[Diagnostic, ...]]:
    """The ops of all installed packages, with what is wrong with some of them."""
    found: dict[str, type[Op]] = {}
    faults: list[Diagnostic] = []
    for point in sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value)):
        try:
            declared = point.load()
        except Exception as error:  # as above
            faults.append(_broken(point.value, error))
        else:
            _enter(point.value, declared.OPS if isinstance(declared, ModuleType) else declared, found, faults)
    return found, tuple(faults)


def _enter(label: str, declared: object, found: dict[str, type[Op]], faults: list[Diagnostic]) -> None:
    """Add the ops a plugin declares to those found; none of them where some cannot be used."""
    ops = tuple(declared) if isinstance(declared, Iterable) else ()
    reasons = [reason for op in ops if (reason := _reason(op, found)) is not None]
    kinds = [getattr(op, "kind", None) for op in ops]
    reasons += [f"it lists '{kind}' twice" for kind in dict.fromkeys(kinds) if kinds.count(kind) > 1]
    if not ops:
        reasons = ["it lists no ops"]
    for reason in reasons:
        help = "a plugin is a module with OPS, a list of subclasses of archspec.ops.Op"
        faults.append(Diagnostic("wrong-plugin", f"the plugin '{label}' cannot be used: {reason}", help=help))
    if not reasons:
        found.update({op.kind: op for op in ops})


def _reason(op: object, found: Mapping[str, type[Op]]) -> str | None:
    """Why a plugin cannot bring such an op."""
    if not (isinstance(op, type) and issubclass(op, Op)):
        return f"{op!r} is not an op class"
    kind = getattr(op, "kind", None)
    if not isinstance(kind, str) or not _KIND.fullmatch(kind):
        return f"'{kind}' cannot be the name of an op"
    if kind in OP_KINDS or kind in CONSTRUCTS:
        return f"'{kind}' is already part of the language"
    if found.get(kind, op) is not op:
        return f"'{kind}' is already an op of {found[kind].__module__}"
    return None


def _broken(label: str, error: Exception) -> Diagnostic:
    message = f"the plugin '{label}' cannot be imported: {type(error).__name__}: {error}"
    return Diagnostic("wrong-plugin", message, help="a plugin is the name of a Python module, as in --plugin my.ops")
