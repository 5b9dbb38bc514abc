#!/usr/bin/env python3
"""Compare archspec with torchvision and torch.onnx.export: `./tools/bench_models.py [--quick] [--json FILE]`.

Contenders alternate within one run, round after round, since the speed of a machine drifts. A table gives the median
and the minimum of each contender, and the ratio per round to the first line, torchvision's module: median, minimum and
maximum. All contenders of a table have the same weights; before timing, their outputs are compared.

An export is measured from file to file: it reads a `torch.save` checkpoint, the same for all, and overwrites an ONNX
file. Everything in between is included: building the module or network, reading and loading weights, the exporter's
default checks, and writing. A warm-up round comes first, in which Python imports torchvision's models and archspec
reads its specs. torchvision's module is built without initial weights, which the checkpoint would replace; that
saves time it usually takes. archspec is also measured from a safetensors file with the same weights.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]

import torch  # noqa: E402
from torch import Tensor, nn  # noqa: E402

import archspec  # noqa: E402
from tests.tv import torchvision  # noqa: E402
from tools.measure import Table, head, head_lines, interleaved  # noqa: E402
from tools.training import step  # noqa: E402

Predict = Callable[[Tensor], Tensor]
"""Computes the outputs of a batch."""

CLOSE = 1e-3
"""The accepted difference from torchvision's outputs, relative to the largest output: rounding in float32."""


@dataclass(frozen=True)
class Plan:
    """What to measure: networks, the side of their images, batch sizes, and the number of rounds."""

    networks: Sequence[str] = ("resnet50", "vgg16", "densenet121")
    exported: Sequence[str] = ("resnet50", "densenet121")
    side: int = 224
    batches: Sequence[int] = (1, 8)
    training_batch: int = 2
    rounds: int = 15
    compiled: bool = True


QUICK = Plan(("squeezenet1_1",), ("squeezenet1_1",), 64, (1,), 2, rounds=2, compiled=False)
"""A test run; its figures mean nothing."""


def exporters() -> dict[str, str]:
    """The forms of `torch.onnx.export`, each with the reason why it cannot be measured here, if any."""
    reason = "" if find_spec("onnxscript") else "onnxscript is not installed"
    return {"TorchScript form": "", "dynamo form": reason}


def theirs(name: str, weights: Path) -> nn.Module:
    """The module of torchvision with the weights of a checkpoint, in eval mode."""
    with torch.device("meta"):
        model = torchvision.models.get_model(name)
    model.load_state_dict(torch.load(weights, weights_only=True), assign=True)
    return model.eval()


def ours(name: str, side: int) -> archspec.Network:
    """The zoo's network for square images."""
    return archspec.load(name, input=(3, side, side))


def export(model: nn.Module, side: int, form: str, path: Path) -> None:
    """Write torchvision's module as ONNX with a dynamic batch."""
    image = torch.zeros(2, 3, side, side)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # PyTorch recommends the dynamo form
        if form == "dynamo form":
            batch = ({0: torch.export.Dim("batch")},)
            torch.onnx.export(model, (image,), path, dynamo=True, dynamic_shapes=batch, verbose=False)
        else:
            axes = {"input": {0: "batch"}}
            torch.onnx.export(model, (image,), path, dynamo=False, input_names=["input"], dynamic_axes=axes)


def session(path: Path) -> Predict:
    """ONNX Runtime on a file, with as many threads as PyTorch."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.add_session_config_entry("session.force_spinning_stop", "1")  # or its threads slow down the next contender
    running = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    name = running.get_inputs()[0].name
    return lambda images: torch.from_numpy(running.run(None, {name: images.numpy()})[0])


def contenders(name: str, plan: Plan, folder: Path) -> Iterator[tuple[str, Predict]]:
    """The contenders at inference; the others are compared with the first."""
    weights = folder / f"{name}.pth"
    model = theirs(name, weights)
    net = ours(name, plan.side)
    fast = net.optimized(weights)
    yield "torchvision, eager", model
    if plan.compiled:
        yield "torchvision, torch.compile", torch.compile(model, dynamic=False)
    yield "archspec: module", net.to_torch(weights).eval()
    yield "archspec: optimised, layout of the device", fast.to_torch(memory_format="auto").eval()
    if plan.compiled:
        yield "archspec: optimised, compiled", fast.to_torch(memory_format="auto", compiled=True).eval()
    fast.to_onnx(folder / "ours.onnx")
    yield "ONNX Runtime on archspec's optimised file", session(folder / "ours.onnx")
    for form, missing in exporters().items():
        if not missing:
            export(model, plan.side, form, folder / "theirs.onnx")
            yield f"ONNX Runtime on torch.onnx.export's, {form}", session(folder / "theirs.onnx")


def check_outputs(contenders: Sequence[tuple[str, Predict]], images: Tensor) -> None:
    """Check that all outputs are those of the first contender. Modules are compiled here, at their first call."""
    expected = contenders[0][1](images)
    for name, predict in contenders:
        difference = float((predict(images) - expected).abs().max() / expected.abs().max())
        assert difference < CLOSE, f"{name} is off by {difference:.1e}"


def inference(plan: Plan, folder: Path) -> Iterator[Table]:
    """Calls without gradients."""
    for name in plan.networks:
        for batch in plan.batches:
            yield compare(name, batch, plan, folder)


@torch.no_grad()
def compare(name: str, batch: int, plan: Plan, folder: Path) -> Table:
    """All contenders on one batch."""
    torch.compiler.reset()  # otherwise the second batch size is compiled with a symbolic batch
    images = torch.randn(batch, 3, plan.side, plan.side, generator=torch.Generator().manual_seed(0))
    models = list(contenders(name, plan, folder))
    check_outputs(models, images)
    works = [(model, partial(predict, images)) for model, predict in models]
    return interleaved(f"{name}: inference, batch {batch}", works, plan.rounds, warm_up=2)


def parity(plan: Plan, folder: Path) -> Iterator[Table]:
    """Archspec's module and torchvision's, at inference and in training, with more rounds since they differ little."""
    batch, rounds = plan.training_batch, plan.rounds * 5
    images = torch.randn(batch, 3, plan.side, plan.side)
    for name in plan.networks:
        weights = folder / f"{name}.pth"
        models = [
            ("torchvision, eager", theirs(name, weights)),
            ("archspec: module", ours(name, plan.side).to_torch(weights).eval()),
        ]
        calls = [(who, torch.no_grad()(partial(model, images[:1]))) for who, model in models]
        yield interleaved(f"{name}: forward, batch 1", calls, rounds)
        steps = [(who, step(model, model, images)) for who, model in models]
        yield interleaved(f"{name}: training step, batch {batch}", steps, rounds)


def archspec_export(name: str, weights: Path, side: int, path: Path) -> None:
    """From a checkpoint to an ONNX file with archspec."""
    ours(name, side).to_onnx(path, weights)


def torch_export(name: str, weights: Path, side: int, form: str, path: Path) -> None:
    """From a checkpoint to an ONNX file with torch.onnx.export."""
    export(theirs(name, weights), side, form, path)


def exports(plan: Plan, folder: Path) -> Iterator[Table]:
    """From a checkpoint to an ONNX file."""
    for name in plan.exported:
        weights, others = folder / f"{name}.pth", folder / f"{name}.safetensors"
        ours(name, plan.side).save_weights(others, weights)
        works = [
            (who, partial(archspec_export, name, given, plan.side, folder / "ours.onnx"))
            for who, given in (("archspec: to_onnx", weights), ("archspec: to_onnx, from safetensors", others))
        ]
        for form in (form for form, missing in exporters().items() if not missing):
            work = partial(torch_export, name, weights, plan.side, form, folder / "theirs.onnx")
            works.append((f"torch.onnx.export, {form}", work))
        yield interleaved(f"{name}: checkpoint to ONNX file", works, max(2, plan.rounds // 3))


PARTS = (inference, parity, exports)


def main() -> None:
    """Run all comparisons, or one part."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="one small network, two rounds, no torch.compile")
    parser.add_argument("--rounds", type=int, help="rounds per comparison")
    parser.add_argument("--only", choices=[part.__name__ for part in PARTS], help="run one part only")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path, help="write the results to this file")
    chosen = parser.parse_args()
    plan = QUICK if chosen.quick else Plan()
    if chosen.rounds:
        plan = replace(plan, rounds=chosen.rounds)
    torch.set_num_threads(chosen.threads)

    packages = ("torch", "torchvision", "onnx", "onnxruntime", "onnxscript")
    about = head(packages, rounds=plan.rounds, threads=chosen.threads)
    print(*head_lines(about), "ratios to the first line: median (min to max)", sep="\n")
    left_out = [f"torch.onnx.export, {form}: {missing}" for form, missing in exporters().items() if missing]
    if not plan.compiled:
        left_out.append("torch.compile: not in a quick run")
    for line in left_out:
        print(f"left out: {line}")

    tables: list[Table] = []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for name in sorted({*plan.networks, *plan.exported}):
            torch.manual_seed(0)
            torch.save(torchvision.models.get_model(name).state_dict(), folder / f"{name}.pth")
        for measured in (part for part in PARTS if chosen.only in (None, part.__name__)):
            for table in measured(plan, folder):
                print("", *table.lines(), sep="\n", flush=True)
                tables.append(table)
    if chosen.json:
        about["left_out"] = left_out
        chosen.json.write_text(json.dumps({**about, "tables": [table.as_json() for table in tables]}, indent=2) + "\n")


if __name__ == "__main__":
    main()
