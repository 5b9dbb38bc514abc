"""The targets: every kind of file that a network can be written as, and the function that writes it.

A target is declared here once. The command line takes file endings and options from this table, `Network.source` takes
names. The code that writes a file is imported when it is first used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from archspec.diagnostics import did_you_mean, fail
from archspec.frozen import field, frozen

if TYPE_CHECKING:
    from archspec.ir.graph import Graph
    from archspec.lower.text.header import About


class Saves(Protocol):
    """A network as the command line uses it: an object with the `save` methods of targets."""

    def __getattribute__(self, name: str, /) -> Any: ...


@frozen(enforced=True)
class Target:
    """A kind of file that a network is written as.

    Attributes:
        name: its name for `--target` and `Network.source`.
        title: a description of its files for help and messages.
        suffixes: the suffixes of its files; only source targets may share a suffix.
        save: the method of `Network` that writes a file.
        options: the options of `compile` that it supports, each with the keyword of `save` that it sets.
        source: for Python source, the function `module:name` that writes a graph as text.
        arguments: more keywords for `save`.
        compiled: whether `archspec compile` writes it; diagrams have another command.
        text: whether all its files are text.
    """

    name: str
    title: str
    suffixes: tuple[str, ...]
    save: str
    options: Mapping[str, str] = field(default_factory=dict)
    source: str | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    compiled: bool = True
    text: bool = False

    def write(self, network: Saves, path: Path, options: Mapping[str, Any]) -> Sequence[str]:
        """Write a network to a file atomically and return the lines of its report.

        Raises:
            ArchspecError: the target cannot express the network, or the file cannot be written.
        """
        keywords = {self.options[name]: value for name, value in options.items()}
        result = getattr(network, self.save)(path, **keywords, **self.arguments)
        return [str(line) for line in result or ()]


_WEIGHTS = {"weights": "weights", "seed": "seed", "strict": "strict"}

TARGETS: tuple[Target, ...] = (
    Target("torch", "PyTorch source", (".py",), "save_source", source="archspec.lower.torch.source:source", text=True),
    Target(
        "keras", "Keras 3 source", (".py",), "save_source",
        source="archspec.lower.keras.source:source", arguments={"target": "keras"}, text=True,
    ),
    Target(
        "onnx", "ONNX model", (".onnx",), "to_onnx",
        {**_WEIGHTS, "opset": "opset", "dynamic": "dynamic", "no_weights": "structure",
         "functions": "functions", "verify": "verify"},
    ),
    Target(
        "program", "program of torch.export", (".pt2",), "to_program",
        {**_WEIGHTS, "dynamic": "dynamic", "verify": "verify"},
    ),
    Target("weights", "weights", (".safetensors",), "save_weights", _WEIGHTS),
    Target("facts", "shapes, parameters and all other facts as JSON", (".json",), "save_json", text=True),
    Target("diagram", "diagram", (".svg", ".png", ".pdf", ".dot"), "draw", compiled=False),
)  # fmt: skip

SOURCES: tuple[str, ...] = tuple(target.name for target in TARGETS if target.source)
"""The targets that are Python source, the default first."""


COMPILED: Mapping[str, Target] = {target.name: target for target in TARGETS if target.compiled}
"""The targets of `archspec compile` by name."""


def for_file(path: Path, name: str | None = None) -> Target:
    """The target of a file's suffix.

    Args:
        path: the file.
        name: one of `COMPILED`, to select one of those that share the suffix, or for a suffix that no target has.

    Raises:
        ArchspecError: no target has the suffix, and none is named; or the file is not what the named target writes.
    """
    matching = [target for target in TARGETS if path.suffix in target.suffixes]
    named = None if name is None else COMPILED[name]
    if not matching and named is None:
        suffixes = [suffix for target in COMPILED.values() for suffix in target.suffixes]
        known = list(dict.fromkeys(suffixes))
        help = f"end it with {', '.join(known[:-1])} or {known[-1]}, or say --target"
        raise fail("wrong-target", f"cannot tell what to write from the name {path}", help=help)
    if matching and not matching[0].compiled:
        raise fail("wrong-target", f"{path} is a diagram", help=f"archspec draw SPEC -o {path}")
    if named is None:
        return matching[0]
    if matching and named not in matching:
        help = f"end it with {named.suffixes[0]}, or leave --target out"
        raise fail("wrong-target", f"the ending of {path} is not that of {named.title}", help=help)
    return named


def write_source(graph: Graph, target: str, about: About) -> str:
    """The network as source for a target.

    Raises:
        ArchspecError: the target cannot express something the graph asks for, there is no such source, or the rule of
            a plugin writes something that Python cannot compile.
    """
    entry = next((known.source for known in TARGETS if known.name == target and known.source), None)
    if entry is None:
        help = did_you_mean(target, SOURCES) or f"choose {' or '.join(SOURCES)}"
        raise fail("wrong-target", f"there is no source for '{target}'", help=help)
    module, _, function = entry.partition(":")
    text: str = getattr(import_module(module), function)(graph, about)
    try:
        compile(text, f"<{graph.name}>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        message = f"Python cannot compile the {target} source of '{graph.name}': {error}"
        raise fail("unsupported", message, help=f"check the {target} rules of the plugins in use") from error
    return text
