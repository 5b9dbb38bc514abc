"""The command line. Data goes to stdout, everything else to stderr; this is the one file that prints."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from warnings import catch_warnings, simplefilter

import typer

import archspec
from archspec.diagnostics import ArchspecError, Diagnostic, fail

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from archspec.loading import Compiled
    from archspec.network import Network

app = typer.Typer(
    name="archspec",
    help="A compiler for neural-network architectures: YAML in; checked shapes, PyTorch, ONNX and diagrams out.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

SpecArgument = Annotated[
    str,
    typer.Argument(help="A file, FILE:VARIANT, a name in the zoo, or - for standard input.", show_default=False),
]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", metavar="PARAM=VALUE", help="Another value for a param of the spec.")
]
InputOption = Annotated[
    list[str] | None,
    typer.Option("--input", metavar="[NAME=]SIZES", help="Another shape for an input, such as 3x512x512."),
]
PathOption = Annotated[
    list[Path] | None,
    typer.Option("--path", metavar="DIR", help="A folder to look for imports in, before the zoo.", show_default=False),
]
PluginOption = Annotated[
    list[str] | None,
    typer.Option("--plugin", metavar="MODULE", help="A Python module that brings ops.", show_default=False),
]
OutputOption = Annotated[
    Path, typer.Option("-o", "--output", help="The file to write; its ending says what.", show_default=False)
]
StrictOption = Annotated[
    bool, typer.Option("--strict/--no-strict", help="Whether all weights must fit; if not, the others start anew.")
]
OptimizeOption = Annotated[
    bool, typer.Option("-O", "--optimize", help="Make it faster for inference: fold batch normalization and such.")
]
DepthOption = Annotated[int | None, typer.Option(min=1, help="Fold what lies deeper than so many levels of names.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


class Format(StrEnum):
    """How diagnostics are printed."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"


class Direction(StrEnum):
    """Where a diagram flows to."""

    TB = "TB"
    LR = "LR"
    BT = "BT"
    RL = "RL"


class Target(StrEnum):
    """What source is written for."""

    TORCH = "torch"
    KERAS = "keras"


class Precision(StrEnum):
    """What a network computes in."""

    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
    FLOAT16 = "float16"


class Layout(StrEnum):
    """How images lie in memory."""

    CONTIGUOUS = "contiguous"
    CHANNELS_LAST = "channels_last"
    AUTO = "auto"


def main() -> None:
    """Run the command line; every mistake becomes a message and exit code 1."""
    from archspec.cli_options import arguments

    try:
        app(arguments(sys.argv[1:]))
    except ArchspecError as error:
        _report(error.diagnostics)
        sys.exit(1)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)


@app.callback(invoke_without_command=True)
def _root(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        sys.stdout.write(f"archspec {archspec.__version__}\n")
        raise typer.Exit


@app.command()
def check(
    specs: Annotated[
        list[str],
        typer.Argument(metavar="SPEC", help="Files, names in the zoo, or - for standard input.", show_default=False),
    ],
    format: Annotated[Format, typer.Option(help="How to print what is found.")] = Format.TEXT,
    allow: Annotated[list[str] | None, typer.Option(metavar="CODE", help="A warning not to give.")] = None,
    path: PathOption = None,
    plugin: PluginOption = None,
) -> None:
    """Print every mistake and warning; exit 1 if there is a mistake."""
    from archspec.cli_options import mistakes, warnings

    allowed = warnings(allow)
    everything = (diagnostic for spec in specs for diagnostic in mistakes(spec, path or (), plugin or ()))
    found = [diagnostic for diagnostic in everything if diagnostic.code not in allowed]
    if format is Format.JSON:
        sys.stdout.write(json.dumps([diagnostic.as_json() for diagnostic in found], indent=2) + "\n")
    elif format is Format.GITHUB:
        from archspec.report.diagnostics import for_github

        sys.stdout.writelines(for_github(diagnostic) + "\n" for diagnostic in found)
    else:
        _report(found, stderr=False)
    errors = sum(diagnostic.severity == "error" for diagnostic in found)
    if format is Format.TEXT:
        from archspec.report.units import plural

        counts = f"{plural(errors, 'error')}, {plural(len(found) - errors, 'warning')}"
        _say(f"{plural(len(specs), 'spec')}: {counts if found else 'no mistakes'}")
    raise typer.Exit(1 if errors else 0)


@app.command()
def summary(
    spec: SpecArgument,
    set: SetOption = None,
    input: InputOption = None,
    path: PathOption = None,
    plugin: PluginOption = None,
    depth: DepthOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print the layers: shapes, parameters, multiply-accumulates, receptive fields, memory."""
    compiled = _compile(spec, set, input, path, plugin)
    if compiled.network is not None:
        if as_json:
            sys.stdout.write(json.dumps(compiled.network.as_json(), indent=2) + "\n")
        else:
            _table(compiled.network, depth)
    _finish(compiled)


@app.command()
def compile(
    spec: SpecArgument,
    output: OutputOption,
    set: SetOption = None,
    input: InputOption = None,
    path: PathOption = None,
    plugin: PluginOption = None,
    weights: Annotated[
        Path | None, typer.Option(help="A file of safetensors or of torch.save; else first values.")
    ] = None,
    strict: StrictOption = True,
    seed: Annotated[int, typer.Option(min=0, help="For first values.")] = 0,
    opset: Annotated[int | None, typer.Option(help="The version of ONNX's operators.")] = None,
    dynamic: Annotated[bool, typer.Option("--dynamic", help="ONNX: leave height and width open.")] = False,
    no_weights: Annotated[bool, typer.Option("--no-weights", help="ONNX: weights are inputs, not stored.")] = False,
    verify: Annotated[
        bool, typer.Option("--verify", help="ONNX: keep the file only if ONNX Runtime computes what PyTorch does.")
    ] = False,
    optimize: OptimizeOption = False,
    target: Annotated[Target, typer.Option(help="What .py is source for.")] = Target.TORCH,
) -> None:
    """Compile to .py (PyTorch source), .onnx, .pt2 (torch.export), .safetensors (weights) or .json (the facts)."""
    network = _network(spec, set, input, path, plugin)
    ending = output.suffix
    if weights is not None and ending in (".py", ".json"):
        raise fail("wrong-target", f"{output} holds no weights", help="leave --weights out")
    for_onnx = {"--opset": opset is not None, "--dynamic": dynamic, "--no-weights": no_weights, "--verify": verify}
    if ending != ".onnx" and (asked := next((option for option, given in for_onnx.items() if given), None)):
        raise fail("wrong-target", f"{asked} is for ONNX, and {output} is not", help=f"leave {asked} out")
    if optimize:
        with _telling():
            network, weights = network.optimized(weights, seed, strict=strict), None
    if target is Target.KERAS and ending != ".py":
        raise fail("wrong-target", f"{output} is no source for Keras", help="end it with .py")
    if ending == ".onnx":
        with _telling():
            for difference in network.to_onnx(
                output, weights, opset=opset, seed=seed, strict=strict, dynamic=dynamic, structure=no_weights,
                verify=verify,
            ):  # fmt: skip
                _say(str(difference))
    elif ending in (".pt2", ".safetensors"):
        save = network.to_program if ending == ".pt2" else network.save_weights
        with _telling():
            save(output, weights, seed=seed, strict=strict)
    elif ending == ".py":
        network.save_source(output, target.value)
    elif ending == ".json":
        network.save_json(output)
    else:
        raise fail(
            "wrong-target",
            f"cannot tell what to write from the name {output}",
            help="end it with .py, .onnx, .pt2, .safetensors or .json",
        )
    _say(f"wrote {output}")


@app.command()
def weights(
    spec: SpecArgument,
    file: Annotated[Path, typer.Argument(help="A file of safetensors or of torch.save.", show_default=False)],
    set: SetOption = None,
    input: InputOption = None,
    path: PathOption = None,
    plugin: PluginOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print how the weights in a file fit: how many match, and which do not; exit 1 if not all do."""
    report = _network(spec, set, input, path, plugin).weights_report(file)
    sys.stdout.write((json.dumps(report.as_json(), indent=2) if as_json else report.text()) + "\n")
    raise typer.Exit(0 if report.complete else 1)


@app.command()
def bench(
    spec: SpecArgument,
    set: SetOption = None,
    input: InputOption = None,
    path: PathOption = None,
    plugin: PluginOption = None,
    device: Annotated[str, typer.Option(help="Where to run, as PyTorch calls it: cpu, cuda, cuda:1, mps.")] = "cpu",
    dtype: Annotated[Precision, typer.Option(help="What to compute in.")] = Precision.FLOAT32,
    layout: Annotated[
        Layout, typer.Option(help="How images lie in memory; auto suits the device.")
    ] = Layout.CONTIGUOUS,
    optimize: OptimizeOption = False,
    compiled: Annotated[bool, typer.Option("--compiled", help="Compile it in the way that suits the device.")] = False,
    batch: Annotated[int, typer.Option(min=1, help="Samples in a call, for throughput.")] = 32,
    seconds: Annotated[float, typer.Option(min=0, help="For each measurement.")] = 2,
    as_json: JsonOption = False,
) -> None:
    """Measure latency and throughput at inference, and what share they are of what the device can do."""
    from archspec.runtime.bench import Way
    from archspec.runtime.bench import bench as measure

    way = Way(device, dtype.value, layout.value, optimized=optimize, compiled=compiled)
    found = measure(_network(spec, set, input, path, plugin), way, batch=batch, seconds=seconds)
    sys.stdout.write((json.dumps(found.as_json(), indent=2) if as_json else found.text()) + "\n")


@app.command()
def draw(
    spec: SpecArgument,
    output: OutputOption,
    set: SetOption = None,
    input: InputOption = None,
    path: PathOption = None,
    plugin: PluginOption = None,
    depth: DepthOption = None,
    fold: Annotated[
        bool | None, typer.Option("--fold/--no-fold", help="Draw equal parts in a row once; so if --depth is given.")
    ] = None,
    rankdir: Annotated[Direction, typer.Option(help="Where the diagram flows to.")] = Direction.TB,
    show: Annotated[
        str, typer.Option(metavar="WHAT,...", help="What to write: shapes, names, params, macs, field.")
    ] = "shapes,names",
) -> None:
    """Draw the network: .svg, .png, .pdf or .dot."""
    network = _network(spec, set, input, path, plugin)
    wanted = [word.strip() for word in show.split(",") if word.strip()]
    network.draw(output, depth=depth, fold=fold, rankdir=rankdir.value, show=wanted)
    _say(f"wrote {output}")


@app.command("list")
def list_(
    text: Annotated[str, typer.Argument(help="What their name or their file is to contain.", show_default=False)] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list.")] = False,
) -> None:
    """List the zoo, or what of it contains a text; `lectures` are the small examples of lectures."""
    from archspec.cli_options import entries

    found = entries(text)
    if as_json:
        sys.stdout.write(json.dumps(found, indent=2, ensure_ascii=False) + "\n")
        return
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for heading in ("name", "spec", "summary"):
        table.add_column(heading, no_wrap=heading != "summary")
    for entry in found:
        table.add_row(entry["name"], entry["spec"], entry["summary"])
    _print_table(_console(), table)


@app.command()
def schema() -> None:
    """Print the JSON Schema of specs, for editors."""
    from archspec.frontend.language.json_schema import schema

    sys.stdout.write(json.dumps(schema(), indent=2) + "\n")


# --- what commands share --------------------------------------------------------------------------------------------


def _compile(
    spec: str,
    set: Sequence[str] | None,
    input: Sequence[str] | None,
    path: Sequence[Path] | None,
    plugin: Sequence[str] | None,
) -> Compiled:
    from archspec.cli_options import inputs, opened, params
    from archspec.loading import compile_source

    source, variant = opened(spec)
    return compile_source(
        source, variant, input=inputs(input), path=path or (), plugins=plugin or (), params=params(set)
    )


def _network(
    spec: str,
    set: Sequence[str] | None,
    input: Sequence[str] | None,
    path: Sequence[Path] | None,
    plugin: Sequence[str] | None,
) -> Network:
    """The network of a spec without mistakes; warnings are given, and mistakes end the command."""
    compiled = _compile(spec, set, input, path, plugin)
    if compiled.errors or compiled.network is None:
        raise ArchspecError(compiled.diagnostics)
    _report(compiled.diagnostics)
    return compiled.network


@contextmanager
def _telling() -> Iterator[None]:
    """Say what Python warns of meanwhile, such as weights that are not taken."""
    with catch_warnings(record=True) as heard:
        simplefilter("always", UserWarning)
        yield
    for warning in heard:
        _say(str(warning.message))


def _finish(compiled: Compiled) -> None:
    _report(compiled.diagnostics)
    if compiled.errors:
        raise typer.Exit(1)


def _table(network: Network, depth: int | None) -> None:
    from archspec.report import summary as report

    if network.title:
        typer.secho(f"{network.name}: {network.title}", bold=True)
    typer.echo("  ".join(f"{value.name} {value.type}" for value in network.graph.inputs) + "\n")
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for line, emphasis in report.table(network.facts, depth, width=width):
        # False would end the style that stands before it
        typer.secho(line, bold=emphasis in ("heading", "part") or None, dim=emphasis in ("rule", "aside") or None)
    typer.echo()
    for label, words in report.totals(network.facts):
        typer.echo(f"{label:<12} {words}")


def _print_table(console: Console, table: Table) -> None:
    """Print a table: as wide as the terminal, or as wide as it gets where there is none."""
    if console.is_terminal:
        console.print(table)
        return
    console.width = _UNBOUNDED
    console.width = console.measure(table).maximum
    with console.capture() as printed:
        console.print(table)
    sys.stdout.writelines(f"{line.rstrip()}\n" for line in printed.get().splitlines())  # the last column is padded too


_UNBOUNDED = 1_000_000


def _report(found: Iterable[Diagnostic], *, stderr: bool = True) -> None:
    """Print diagnostics, in colour on a terminal."""
    found = list(found)
    stream = sys.stderr if stderr else sys.stdout
    if not stream.isatty():
        stream.writelines(diagnostic.render() + "\n" for diagnostic in found)
    elif found:
        from archspec.report.diagnostics import coloured

        console = _console(stderr=stderr)
        for diagnostic in found:
            console.print(coloured(diagnostic), soft_wrap=True)


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")


def _console(*, stderr: bool = False) -> Console:
    from rich.console import Console

    return Console(stderr=stderr, highlight=False, markup=False, emoji=False)
