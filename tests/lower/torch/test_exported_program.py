"""Programs of `torch.export`: loaded again, they compute what the module does, at any number of samples."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import archspec
from archspec.lower.torch import inference
from archspec.lower.torch.exported_program import program
from archspec.lower.torch.instantiate import build
from archspec.lower.torch.source import About, source
from archspec.network import Network
from tests.lower.onnx.runtime import random_inputs, random_weights
from tests.op_samples import GOOD, Sample
from tests.zoo.small import small

SEVERAL = """\
archspec: 1
name: several
inputs:
  image: [3, 12, 12]
  mask: [1, 12, 12]
layers:
  - concat: {name: both, from: [image, mask]}
  - conv: {name: conv, channels: 8, kernel: 3, bias: false}
  - batch_norm: {name: norm}
  - relu: {name: relu}
  - global_avg_pool
  - flatten
  - dropout: 0.5
  - linear: {name: classes, features: 5}
outputs: {features: relu, classes: classes}
"""


def tensors(returned: object) -> list[Tensor]:
    return [returned] if isinstance(returned, Tensor) else list(returned)  # type: ignore[call-overload]


def agree(got: nn.Module, wanted: nn.Module, inputs: Iterable[Sequence[Tensor]]) -> None:
    for given in inputs:
        with torch.no_grad():
            pairs = zip(tensors(got(*given)), tensors(wanted(*given)), strict=True)
        for ours, theirs in pairs:
            torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5 * max(1, float(theirs.abs().max())))


def samples(net: Network) -> list[list[Tensor]]:
    """Inputs at two sizes of the batch, neither of them that of the trace."""
    return [[torch.from_numpy(array) for array in random_inputs(net.graph, batch).values()] for batch in (1, 3)]


@pytest.mark.parametrize("layers", ["[avg_pool: {kernel: in.spatial}]", "[relu]"])
def test_a_loaded_program_refuses_other_sizes_than_its_own(layers: str, tmp_path: Path) -> None:
    net = archspec.parse(f"archspec: 1\nname: net\ninput: [3, 8, 8]\nlayers: {layers}")
    net.to_program(tmp_path / "net.pt2")
    loaded = torch.export.load(tmp_path / "net.pt2").module()
    assert loaded(torch.zeros(3, 3, 8, 8)).shape[0] == 3
    with pytest.raises((RuntimeError, AssertionError), match=r"shape\[2\]"):
        loaded(torch.zeros(3, 3, 16, 16))


@pytest.mark.parametrize("name", ["lenet5_1998", "squeezenet1_1", "several", "several, optimized"])
def test_a_loaded_program_computes_what_the_module_does(name: str, tmp_path: Path) -> None:
    net = archspec.parse(SEVERAL) if name.startswith("several") else small(name)
    weights = random_weights(net.graph)
    compiled = net.optimized(weights) if name.endswith("optimized") else net
    compiled.to_program(tmp_path / "net.pt2", None if compiled is not net else weights)
    assert [path.name for path in tmp_path.iterdir()] == ["net.pt2"]
    loaded = torch.export.load(tmp_path / "net.pt2")
    agree(loaded.module(), net.to_torch(weights).eval(), samples(net))
    assert set(loaded.state_dict) == {key for key, _ in compiled.graph.weights()}


@pytest.mark.parametrize("sample", {sample.op.kind: sample for sample in GOOD}.values(), ids=lambda sample: sample.id)
def test_every_op_can_be_in_a_program(sample: Sample) -> None:
    graph = sample.graph
    module = build(source(graph, About())).eval()
    module.load_state_dict({key: torch.from_numpy(array) for key, array in random_weights(graph).items()})
    inputs = [[torch.from_numpy(array) for array in sample.arrays(batch)] for batch in (1, 3)]
    agree(program(module, graph).module(), module, inputs)


def test_the_same_network_is_the_same_bytes(tmp_path: Path) -> None:
    net = archspec.parse(SEVERAL)
    first, second = tmp_path / "first.pt2", tmp_path / "second.pt2"
    net.to_program(first, seed=1)
    net.to_program(second, net.weights(seed=1))
    stored = first.read_bytes()
    assert stored == second.read_bytes()
    assert str(Path(torch.__file__).parent).encode() not in stored


def test_keywords_as_names_of_layers_with_weights_are_rejected(tmp_path: Path) -> None:
    head = "archspec: 1\nname: net\ninput: [3]\nlayers: "
    archspec.parse(f"{head}[relu: {{name: def}}]").to_program(tmp_path / "relu.pt2")
    assert torch.export.load(tmp_path / "relu.pt2").module()(torch.ones(3, 3)).shape == (3, 3)
    with pytest.raises(archspec.ArchspecError, match="'class', a part of a name, is a keyword of Python"):
        archspec.parse(f"{head}[sequential: {{name: class, layers: [linear: 3]}}]").to_program(tmp_path / "no.pt2")
    assert not (tmp_path / "no.pt2").exists()


class Undecided(nn.Module):
    """Does one thing or another by the values it gets."""

    def forward(self, x: Tensor) -> Tensor:
        return x if x.sum() > 0 else -x


class ForTwo(nn.Module):
    """Takes the number of samples it is traced with, and no other."""

    def forward(self, x: Tensor) -> Tensor:
        return x + torch.ones(2, *x.shape[1:])


@pytest.mark.parametrize("module", [Undecided(), ForTwo()], ids=["data", "batch"])
def test_modules_that_cannot_be_traced_are_errors(module: nn.Module) -> None:
    with pytest.raises(archspec.ArchspecError) as error:
        program(module, archspec.load("lenet5").graph)
    (diagnostic,) = error.value.diagnostics
    assert diagnostic.code == "unsupported"
    assert diagnostic.message.startswith("torch.export cannot trace lenet5: ")


DYNAMIC = {
    "strides": ("[3, 33, 30]", "[conv: {channels: 4, kernel: 3, stride: 2}, max_pool: 2, batch_norm, relu]"),
    "same": ("[3, 33, 30]", "[conv: {channels: 4, kernel: 3, stride: 2, padding: same}, global_avg_pool]"),
    "a pyramid": ("[3, 16, 24]", "[max_pool: 2, upsample: {scale: 2, mode: bicubic}, add: [prev, input]]"),
    "slices": ("[3, 13, 14]", "[slice: {start: 2, end: -1, axis: 2}, pad: {padding: 2, mode: reflect}]"),
    "tokens": ("[8, 6, 5]", "[flatten: 2, permute: [2, 1], multi_head_attention: 2, linear: 3]"),
    "factors": ("[3, 12, 10]", "[upsample: {scale: 1.5, mode: linear}, upsample: {scale: 0.5, mode: bicubic}]"),
}  # fmt: skip


@pytest.mark.parametrize("name", DYNAMIC)
def test_a_dynamic_program_computes_what_the_module_does_or_refuses(name: str, tmp_path: Path) -> None:
    shape, layers = DYNAMIC[name]
    net = archspec.parse(f"archspec: 1\nname: net\ninput: {shape}\nlayers: {layers}")
    weights = net.weights()
    (found,) = net.to_program(tmp_path / "net.pt2", weights, dynamic=True, verify=True)
    assert found.relative <= 1e-6
    loaded, module = torch.export.load(tmp_path / "net.pt2").module(), net.to_torch(weights).eval()
    (channels, *own), accepted = net.graph.inputs[0].type.sizes, 0
    for rows, columns in ((0, 0), (1, 0), (2, 4), (-2, 6), (16, 16), (-4, 1), (1 - own[0], 0), (5, 4 - own[1])):
        x = torch.randn(3, channels, own[0] + rows, own[1] + columns)
        with torch.no_grad():
            try:
                result = loaded(x)
            except (AssertionError, RuntimeError):
                continue
            torch.testing.assert_close(result, module(x))
        accepted += 1
    assert accepted >= 3


def test_a_dynamic_program_of_a_layer_for_one_size_is_refused(tmp_path: Path) -> None:
    net = archspec.parse("archspec: 1\nname: net\ninput: [3, 8, 8]\nlayers: [flatten, linear: {name: fc, features: 3}]")
    with pytest.raises(archspec.ArchspecError, match="'net' cannot have dynamic sizes: 'fc' works at one size only"):
        net.to_program(tmp_path / "net.pt2", dynamic=True)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "layers",
    [
        "[parallel: {paths: [[max_pool: 2, upsample: 2], []], align: center_crop}]",
        "[flatten: 2, permute: [2, 1], gru: 2]",
    ],
)
def test_a_dynamic_program_that_pytorch_traces_for_some_sizes_only_is_refused(layers: str, tmp_path: Path) -> None:
    """A crop to the size of the input is no operator, and another at other sizes; recurrent layers are unrolled."""
    net = archspec.parse(f"archspec: 1\nname: net\ninput: [3, 8, 8]\nlayers: {layers}")
    with pytest.raises(archspec.ArchspecError, match=r"with dynamic sizes: its program rejects \(\d+, \d+\)"):
        net.to_program(tmp_path / "net.pt2", dynamic=True)


def test_a_program_with_wrong_outputs_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    net = archspec.parse("archspec: 1\nname: net\ninput: [3, 8, 8]\nlayers: [conv: {channels: 2, kernel: 3}]")
    right = inference.outputs
    monkeypatch.setattr(inference, "outputs", lambda *of: {name: x * 1.01 for name, x in right(*of).items()})
    with pytest.raises(archspec.ArchspecError, match=r"torch\.export and PyTorch compute different outputs for 'net'"):
        net.to_program(tmp_path / "net.pt2", verify=True)
    assert not list(tmp_path.iterdir())
