#!/usr/bin/env python3
"""What archspec compiles beside what people run today: `./tools/bench_models.py [--quick] [--json FILE]`.

Everything is measured in one run, the contenders in turn, round after round, since machines drift. A table gives the
median of each and the least, and the ratio of the pairs of each round to the first line, torchvision's module: its
median, least and most. All contenders of a table have the same weights and say the same of the same images before they
are timed.

An export is file to file: a checkpoint of `torch.save` goes in, the same for all, and an ONNX file comes out, in the
place of the last. All between counts, on both sides: a module or a network is made, weights are read and loaded, the
model is checked as its exporter does by default, and written. A round that does not count comes first: in it Python
imports what describes the networks of torchvision, and archspec reads its specs. torchvision's module is made without
drawing first values that the checkpoint would replace, which spares it some time it usually takes. Ours is measured
from a file of safetensors with the same weights, too.
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

Say = Callable[[Tensor], Tensor]
"""What a contender says of a batch."""

CLOSE = 1e-3
"""How far a contender may be off torchvision's module, over the largest output: what float32 loses at most."""


@dataclass(frozen=True)
class Plan:
    """What is measured: networks, the side of their images, sizes of the batch, and how often."""

    networks: Sequence[str] = ("resnet50", "vgg16", "densenet121")
    exported: Sequence[str] = ("resnet50", "densenet121")
    side: int = 224
    batches: Sequence[int] = (1, 8)
    training_batch: int = 2
    rounds: int = 15
    compiled: bool = True


QUICK = Plan(("squeezenet1_1",), ("squeezenet1_1",), 64, (1,), 2, rounds=2, compiled=False)
"""To see that everything works; its figures say nothing."""


def exporters() -> dict[str, str]:
    """The forms of `torch.onnx.export`, and why one cannot be measured here."""
    reason = "" if find_spec("onnxscript") else "onnxscript is not installed"
    return {"TorchScript form": "", "dynamo form": reason}


def theirs(name: str, weights: Path) -> nn.Module:
    """The module of torchvision with the weights of a checkpoint, in eval mode."""
    with torch.device("meta"):
        model = torchvision.models.get_model(name)
    model.load_state_dict(torch.load(weights, weights_only=True), assign=True)
    return model.eval()


def ours(name: str, side: int) -> archspec.Network:
    """The network of the zoo for images of a side."""
    return archspec.load(name, input=(3, side, side))


def export(model: nn.Module, side: int, form: str, path: Path) -> None:
    """Write torchvision's module as ONNX, the batch left open."""
    image = torch.zeros(2, 3, side, side)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # PyTorch would rather have the dynamo form used
        if form == "dynamo form":
            batch = ({0: torch.export.Dim("batch")},)
            torch.onnx.export(model, (image,), path, dynamo=True, dynamic_shapes=batch, verbose=False)
        else:
            axes = {"input": {0: "batch"}}
            torch.onnx.export(model, (image,), path, dynamo=False, input_names=["input"], dynamic_axes=axes)


def session(path: Path) -> Say:
    """ONNX Runtime on a file, with as many threads as PyTorch."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.add_session_config_entry("session.force_spinning_stop", "1")  # its threads would disturb who comes next
    running = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    name = running.get_inputs()[0].name
    return lambda images: torch.from_numpy(running.run(None, {name: images.numpy()})[0])


def contenders(name: str, plan: Plan, folder: Path) -> Iterator[tuple[str, Say]]:
    """Who runs a network at inference, the one to compare with first."""
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


def checked(found: Sequence[tuple[str, Say]], images: Tensor) -> None:
    """See that all say what the first does; those that compile do it now."""
    expected = found[0][1](images)
    for who, say in found:
        off = float((say(images) - expected).abs().max() / expected.abs().max())
        assert off < CLOSE, f"{who} is off by {off:.1e}"


def inference(plan: Plan, folder: Path) -> Iterator[Table]:
    """Calls without gradients."""
    for name in plan.networks:
        for batch in plan.batches:
            yield compared(name, batch, plan, folder)


@torch.no_grad()
def compared(name: str, batch: int, plan: Plan, folder: Path) -> Table:
    """All contenders on one batch."""
    torch.compiler.reset()  # or a second size would be compiled for any size
    images = torch.randn(batch, 3, plan.side, plan.side, generator=torch.Generator().manual_seed(0))
    found = list(contenders(name, plan, folder))
    checked(found, images)
    works = [(who, partial(say, images)) for who, say in found]
    return interleaved(f"{name}: inference, batch {batch}", works, plan.rounds, warm_up=2)


def parity(plan: Plan, folder: Path) -> Iterator[Table]:
    """Our module beside torchvision's, called and trained. They differ little if at all, so there are more rounds."""
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
    """From a checkpoint to an ONNX file, our way."""
    ours(name, side).to_onnx(path, weights)


def torch_export(name: str, weights: Path, side: int, form: str, path: Path) -> None:
    """The same, by tracing."""
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
    """Run all comparisons, or one part of them."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a small network, two rounds, nothing compiled")
    parser.add_argument("--rounds", type=int, help="rounds of each comparison")
    parser.add_argument("--only", choices=[part.__name__ for part in PARTS], help="one part of them")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path, help="a file to write")
    chosen = parser.parse_args()
    plan = QUICK if chosen.quick else Plan()
    if chosen.rounds:
        plan = replace(plan, rounds=chosen.rounds)
    torch.set_num_threads(chosen.threads)

    packages = ("torch", "torchvision", "onnx", "onnxruntime", "onnxscript")
    about = head(packages, rounds=plan.rounds, threads=chosen.threads)
    print(*head_lines(about), "ratios to the first line: median (least to most)", sep="\n")
    left_out = [f"torch.onnx.export, {form}: {missing}" for form, missing in exporters().items() if missing]
    if not plan.compiled:
        left_out.append("what torch.compile compiles: not in a quick run")
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
