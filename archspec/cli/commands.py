"""What each command does with its options; each returns the exit status."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from typing import TYPE_CHECKING

from archspec.cli.output import message, print_json, print_lines, print_summary, report
from archspec.diagnostics import ArchspecError, fail

if TYPE_CHECKING:
    from archspec.loading import Compiled
    from archspec.network import Network


def root(options: Namespace, help: Callable[[], str]) -> int:
    """`archspec` without a command: the version, or the help."""
    if options.version:
        from archspec import __version__

        print_lines([f"archspec {__version__}"])
        return 0
    print_lines(help().splitlines())
    return 2


def check(options: Namespace) -> int:
    """Report all errors and warnings; see `archspec.cli.check`."""
    from archspec.cli.check import check

    return check(options)


def summary(options: Namespace) -> int:
    """Print the table of layers, of as much of the network as could be built."""
    compiled = _compiled(options)
    if compiled.network is not None:
        complete = all(error.code == "expectation-failed" for error in compiled.errors)
        if options.json:
            from archspec.report.summary import as_json

            print_json(as_json(compiled.network.facts, compiled.network.variant, complete=complete))
        else:
            print_summary(compiled.network, options.depth, complete=complete)
    report(compiled.diagnostics)
    return 1 if compiled.errors else 0


def compile(options: Namespace) -> int:
    """Write the file that the ending of `--output` or `--target` names."""
    from archspec.cli.destination import written
    from archspec.lower.targets import COMPILED, SOURCES, for_file

    output = options.output
    target = for_file(output, options.target) if output is not None else COMPILED[options.target or SOURCES[0]]
    given = {name: value for name in _OF_TARGETS if (value := getattr(options, name)) is not None}
    for name in given:
        if name not in target.options:
            option = "--" + name.replace("_", "-")
            reason = "holds no weights" if name == "weights" else f"does not take {option}"
            raise fail("wrong-target", f"{output or target.title} {reason}", help=f"leave {option} out")
    with written(output, target.suffixes[0], text=target.text) as path:
        network = _network(options)
        if options.optimize:
            wanted = {name: given.pop(name) for name in ("weights", "seed", "strict") if name in given}
            network = network.optimized(**wanted)
        message(*target.write(network, path, given))
    return 0


_OF_TARGETS = ("weights", "seed", "strict", "opset", "dynamic", "no_weights", "functions", "verify")
"""The options of `compile` that not every target takes."""


def weights(options: Namespace) -> int:
    """Print how the weights in a file fit the network."""
    result = _network(options).weights_report(options.file)
    if options.json:
        print_json(result.as_json())
    else:
        print_lines(result.text().split("\n"))
    return 0 if result.complete else 1


def bench(options: Namespace) -> int:
    """Measure the network on a device."""
    from archspec.runtime.bench import Configuration
    from archspec.runtime.bench import bench as measure

    config = Configuration(
        options.device, options.dtype, options.layout, optimized=options.optimize, compiled=options.compiled
    )
    result = measure(_network(options), config, batch=options.batch, seconds=options.seconds)
    if options.json:
        print_json(result.as_json())
    else:
        print_lines(result.text().split("\n"))
    return 0


def draw(options: Namespace) -> int:
    """Draw the network."""
    from archspec.cli.destination import written

    shown = [word.strip() for word in options.show.split(",") if word.strip()]
    kind = options.format or "dot"
    if options.output is not None and options.format is not None and options.output.suffix != f".{kind}":
        raise fail("wrong-target", f"{options.output} does not end with .{kind}", help="leave --format out")
    with written(options.output, f".{kind}", text=kind in ("dot", "svg")) as path:
        _network(options).draw(path, depth=options.depth, fold=options.fold, rankdir=options.rankdir, show=shown)
    return 0


def list_zoo(options: Namespace) -> int:
    """List the zoo, or the networks that a text means; see `archspec.cli.zoo`."""
    from archspec.cli.zoo import list_zoo

    return list_zoo(options)


def show(options: Namespace) -> int:
    """Print or copy a spec or a file of blocks; see `archspec.cli.zoo`."""
    from archspec.cli.zoo import show

    return show(options)


def schema(options: Namespace) -> int:
    """Print the JSON Schema of specs."""
    from archspec.frontend.language.json_schema import schema
    from archspec.frontend.language.op_registry import OpRegistry

    print_json(schema(OpRegistry(options.plugin or ())))
    return 0


# --- what commands share ----------------------------------------------------------------------------------------------


def _compiled(options: Namespace) -> Compiled:
    """The spec that the options name, compiled as far as possible."""
    from archspec.cli.values import input_shapes, open_spec, params, renames
    from archspec.loading import compile_source

    source, variant = open_spec(options.spec)
    return compile_source(
        source, variant, input=input_shapes(options.input), path=options.path or (), plugins=options.plugin or (),
        params=params(options.set), rename=renames(getattr(options, "rename", None)),
        freeze=getattr(options, "freeze", None) or (),
    )  # fmt: skip


def _network(options: Namespace) -> Network:
    """The network of a spec without errors; warnings are reported.

    Raises:
        ArchspecError: the spec has errors; it carries the warnings, too.
    """
    compiled = _compiled(options)
    if compiled.errors or compiled.network is None:
        raise ArchspecError(compiled.diagnostics)
    report(compiled.diagnostics)
    return compiled.network
