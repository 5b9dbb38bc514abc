"""The ops a spec can use: those of the language and those of plugins."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from importlib import import_module
from types import ModuleType

from archspec.diagnostics import ArchspecError, Diagnostic, Span
from archspec.frontend.language.structures import CONSTRUCTS
from archspec.ops import OPS, Op
from archspec.ops.attribute_types import attributes_of

OP_KINDS: Mapping[str, type[Op]] = {op.kind: op for op in OPS}
"""The ops of the language by their names."""

GROUP = "archspec.ops"
"""The entry points under which installed packages declare ops."""

_KIND = re.compile(r"[a-z][a-z0-9_]{0,99}")


class OpRegistry:
    """Ops by their names: those of the language, of the given plugins, and of installed packages.

    A plugin is a module, or the name of one, whose `OPS` are op classes. Installed packages are searched when a spec
    uses an unknown name. A spec itself cannot import code.

    Raises:
        ArchspecError: a plugin cannot be imported, or its ops cannot be used.
    """

    def __init__(self, plugins: Iterable[str | ModuleType] = ()) -> None:
        errors: list[Diagnostic] = []
        named: dict[str, type[Op]] = {}
        for plugin in [plugins] if isinstance(plugins, str | ModuleType) else plugins:  # a single plugin
            label = plugin if isinstance(plugin, str) else plugin.__name__
            try:
                module = import_module(plugin) if isinstance(plugin, str) else plugin
            except Exception as error:  # the code of a plugin may fail in any way
                errors.append(_broken(label, error))
            else:
                _add_ops(label, getattr(module, "OPS", None), named, errors)
        if errors:
            raise ArchspecError(errors)
        self.named: Mapping[str, type[Op]] = named
        self.ops: Mapping[str, type[Op]] = {**OP_KINDS, **named}
        self._installed: tuple[Mapping[str, type[Op]], tuple[Diagnostic, ...]] | None = None

    @property
    def all_ops(self) -> Mapping[str, type[Op]]:
        """Those ops, and those of installed packages."""
        return {**_installed()[0], **self.ops}

    @property
    def asked(self) -> bool:
        """Whether installed packages were searched."""
        return self._installed is not None

    def discover(self, kind: str, span: Span | None = None) -> type[Op] | None:
        """The op of this name in an installed package; None if there is none.

        Raises:
            ArchspecError: there is none, but some packages have ops that cannot be used, which may be the cause.
        """
        if self._installed is None:
            self._installed = _installed()
        known, errors = self._installed
        if kind in self.ops or kind in known:
            return self.ops.get(kind) or known[kind]
        if errors:
            raise ArchspecError(Diagnostic(error.code, error.message, span, help=error.help) for error in errors)
        return None


def _installed() -> tuple[Mapping[str, type[Op]], tuple[Diagnostic, ...]]:
    """The ops of all installed packages, and the errors of those that cannot be used."""
    from importlib.metadata import entry_points  # a tenth of the time of a check

    known: dict[str, type[Op]] = {}
    errors: list[Diagnostic] = []
    for point in sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value)):
        try:
            declared = point.load()
        except Exception as error:  # the code of a plugin may fail in any way
            errors.append(_broken(point.value, error))
        else:
            _add_ops(point.value, declared.OPS if isinstance(declared, ModuleType) else declared, known, errors)
    return known, tuple(errors)


def _add_ops(label: str, declared: object, known: dict[str, type[Op]], errors: list[Diagnostic]) -> None:
    """Add the ops of a plugin to `known`; none of them if some cannot be used."""
    ops = tuple(declared) if isinstance(declared, Iterable) else ()
    reasons = [reason for op in ops if (reason := _reason(op, known)) is not None]
    kinds = [getattr(op, "kind", None) for op in ops]
    reasons += [f"it lists '{kind}' twice" for kind in dict.fromkeys(kinds) if kinds.count(kind) > 1]
    if not ops:
        reasons = ["it lists no ops"]
    for reason in reasons:
        help = "a plugin is a module with OPS, a list of subclasses of archspec.ops.Op"
        errors.append(Diagnostic("wrong-plugin", f"the plugin '{label}' cannot be used: {reason}", help=help))
    if not reasons:
        known.update({op.kind: op for op in ops})


def _reason(op: object, known: Mapping[str, type[Op]]) -> str | None:
    """Why an op of a plugin cannot be used; None if it can."""
    if not (isinstance(op, type) and issubclass(op, Op)):
        return f"{op!r} is not an op class"
    kind = getattr(op, "kind", None)
    if not isinstance(kind, str) or not _KIND.fullmatch(kind):
        return f"'{kind}' cannot be the name of an op"
    if kind in OP_KINDS or kind in CONSTRUCTS:
        return f"'{kind}' is already part of the language"
    if known.get(kind, op) is not op:
        return f"'{kind}' is already an op of {known[kind].__module__}"
    try:
        attributes_of(op)
    except Exception as error:  # annotations are code of the plugin
        return f"the annotations of '{kind}' cannot be evaluated: {type(error).__name__}: {error}"
    return None


def _broken(label: str, error: Exception) -> Diagnostic:
    message = f"the plugin '{label}' cannot be imported: {type(error).__name__}: {error}"
    return Diagnostic("wrong-plugin", message, help="a plugin is the name of a Python module, as in --plugin my.ops")
