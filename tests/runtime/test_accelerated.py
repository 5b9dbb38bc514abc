"""Modules that ONNX Runtime runs if it can: the same outputs, and the module itself for all other calls."""

from __future__ import annotations

import copy
import io
import pickle
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import onnxruntime
import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import prune

import archspec
from archspec.runtime import accelerated, device
from archspec.runtime.accelerated import AcceleratedModule
from archspec.runtime.device import layout

NET = """
archspec: 1
name: net
inputs:
  image: [3, 9, 9]
  word: {shape: [2], dtype: int64}
layers:
  - sequential:
      name: seen
      layers:
        - conv: {name: conv, from: image, channels: 4, kernel: 3, bias: false}
        - batch_norm
        - dropout
        - side: {name: aux, training_only: true, layers: [global_avg_pool, flatten, linear: 2]}
        - relu
        - global_avg_pool
        - flatten
  - embedding: {name: read, from: word, entries: 5, features: 4}
  - flatten: {name: flat}
  - linear: {name: said, features: 4}
  - add: {name: both, from: [seen, said]}
outputs: {both: both, seen: seen, aux: seen.aux}
"""


@pytest.fixture
def net() -> archspec.Network:
    return archspec.parse(NET)


@pytest.fixture
def runs(monkeypatch) -> list[str]:
    """One entry per call that ONNX Runtime runs."""
    runs: list[str] = []
    session = onnxruntime.InferenceSession

    class Counting(session):  # type: ignore[valid-type,misc]
        def run(self, *arguments: Any, **options: Any) -> Any:
            runs.append("run")
            return super().run(*arguments, **options)

    monkeypatch.setattr(onnxruntime, "InferenceSession", Counting)
    return runs


def inputs(batch: int = 2, size: int = 9) -> tuple[Tensor, Tensor]:
    return torch.randn(batch, 3, size, size), torch.randint(0, 5, (batch, 2))


def assert_close(outputs: Any, expected: Any) -> None:
    assert isinstance(outputs, tuple) == isinstance(expected, tuple)
    torch.testing.assert_close(outputs, expected, rtol=1e-5, atol=1e-6)


def compiled(net: archspec.Network) -> AcceleratedModule:
    torch.manual_seed(0)
    module = net.to_torch(compiled=True).eval()
    assert isinstance(module, AcceleratedModule)
    return module


@torch.no_grad()
def test_outputs_are_those_of_the_module_for_any_batch(net, runs):
    model = compiled(net)
    for batch in (1, 5):
        given = inputs(batch)
        assert_close(model(*given), model.module(*given))
    assert len(runs) == 2


@torch.no_grad()
def test_one_output_is_a_tensor(runs):
    model = compiled(archspec.load("lenet5"))
    images = torch.randn(3, 1, 32, 32).transpose(2, 3)
    assert_close(model(images), model.module(images))
    assert runs == ["run"]


def test_a_network_whose_spec_reads_sizes_refuses_others(runs):
    model = compiled(
        archspec.parse("archspec: 1\nname: net\ninput: [3, 8, 8]\nlayers: [avg_pool: {kernel: in.spatial}]")
    )
    with torch.no_grad():
        model(torch.zeros(1, 3, 8, 8))
        with pytest.raises(ValueError, match=r"made for \(N, 3, 8, 8\)"):
            model(torch.zeros(1, 3, 16, 16))
    assert runs == ["run"]


def test_the_module_runs_calls_with_gradients_training_and_other_sizes(net, runs):
    model = compiled(net)
    out, *_ = model(*inputs())
    out.sum().backward()
    assert all(weight.grad is not None for name, weight in model.module.named_parameters() if "aux" not in name)
    with torch.no_grad():
        model(*inputs(size=12))
        model(*inputs(batch=0))
        with torch.autocast("cpu", torch.bfloat16):
            model(*inputs())
        model.double()(*(given.double() if given.is_floating_point() else given for given in inputs()))
        model.float().train()
        assert len(model(*inputs())) == 3
    assert runs == []


CHANGES: dict[str, Callable[[AcceleratedModule], object]] = {
    "trained": lambda model: [weight.mul_(2) for weight in model.train().parameters()] and model.eval(),
    "loaded": lambda model: model.load_state_dict({key: weight * 2 for key, weight in model.state_dict().items()}),
    "replaced": lambda model: [setattr(weight, "data", weight * 2) for weight in model.parameters()],
    "rounded": lambda model: model.bfloat16().float(),
    "another layer": lambda model: setattr(model, "said", nn.Linear(8, 4)),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@torch.no_grad()
def test_changed_weights_are_copied_once_they_are_stable(net, runs, change):
    model = compiled(net)
    given = inputs()
    before = model(*given)
    change(model)
    expected = model.module(*given)
    assert not torch.equal(expected[0], before[0])
    for _ in range(3):
        assert_close(model(*given), expected)
    assert len(runs) in (3, 4)  # the first call after a change may be the module's


SURGERY: dict[str, Callable[[AcceleratedModule], object]] = {
    "a layer of another class": lambda model: setattr(model, "said", nn.Sequential(nn.Linear(8, 4), nn.ReLU())),
    "a layer of another width": lambda model: setattr(model, "said", nn.Linear(8, 1)),
    "pruning": lambda model: prune.l1_unstructured(model.said, "weight", 0.5),
    "a hook": lambda model: model.said.register_forward_hook(lambda layer, given, made: made * 2),
}


@pytest.mark.parametrize("change", SURGERY.values(), ids=SURGERY)
@pytest.mark.parametrize("warm", [False, True])
@torch.no_grad()
def test_a_module_of_another_structure_runs_itself(net, runs, change, warm):
    model = compiled(net)
    given = inputs()
    if warm:
        model(*given)
    change(model)
    expected = model.module(*given)
    for _ in range(3):
        assert_close(model(*given), expected)
    assert len(runs) == warm


@torch.no_grad()
def test_weights_of_a_functional_call_are_used_for_that_call(net, runs):
    model = compiled(net)
    given = inputs()
    before = model(*given)
    temporary = {key: weight * 2 for key, weight in model.module.state_dict().items()}
    expected = torch.func.functional_call(model.module, temporary, given)
    assert_close(
        torch.func.functional_call(model, {f"module.{key}": weight for key, weight in temporary.items()}, given),
        expected,
    )
    assert_close(model(*given), before)
    assert len(runs) == 2


@torch.no_grad()
def test_the_module_runs_inputs_that_numpy_cannot_represent(runs):
    model = compiled(archspec.load("lenet5"))
    images = torch.randn(3, 1, 32, 32)
    negated = torch.complex(images, images).conj().imag
    assert_close(model(negated), model.module(negated))
    assert_close(model(images.to_mkldnn()).to_dense(), model.module(images))
    assert_close(torch.func.vmap(model)(images[None])[0], model.module(images))
    assert runs == []


@torch.no_grad()
def test_tracing_sees_the_module(runs):
    model = compiled(archspec.load("lenet5"))
    images, others = torch.randn(2, 3, 1, 32, 32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tracing is deprecated
        traced = torch.jit.trace(model, images, check_trace=False)
    exported = torch.export.export(model, (images,)).module()
    for run in (traced, exported):
        assert_close(run(others), model.module(others))
    assert runs == []


@torch.no_grad()
def test_inputs_may_be_named(net, runs):
    model = compiled(net)
    image, word = inputs()
    assert_close(model(word=word, image=image), model.module(image, word))
    assert runs == ["run"]
    with pytest.raises(TypeError, match="word"):
        model(image, picture=word)


@torch.no_grad()
def test_indices_out_of_range_raise_the_module_s_error(net, runs):
    model = compiled(net)
    image, word = inputs()
    for wrong in (word - 6, word + 6):  # ONNX counts negative ones from the end
        with pytest.raises(IndexError):
            model(image, wrong)
    assert_close(model(image, word), model.module(image, word))
    assert runs[-1] == "run"


@pytest.mark.parametrize("step", ["__init__", "run"])
@torch.no_grad()
def test_if_onnx_runtime_fails_the_module_runs_with_a_warning(net, monkeypatch, step):
    def failing(*arguments: object, **options: object) -> None:
        raise NotImplementedError("no kernel for Conv")

    monkeypatch.setattr(onnxruntime.InferenceSession, step, failing)
    model, given = compiled(net), inputs()
    with pytest.warns(UserWarning, match="ONNX Runtime cannot run Net, so PyTorch runs it: no kernel for Conv"):
        outputs = model(*given)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_close(outputs, model(*given))
    assert_close(outputs, model.module(*given))


def test_attributes_are_those_of_the_module(net):
    model = compiled(net)
    assert model.said is model.module.said
    model.said = nn.Linear(8, 1)
    assert model.module.said is model.said
    with pytest.raises(AttributeError, match="'Net' object has no attribute 'unsaid'"):
        _ = model.unsaid


@torch.no_grad()
def test_concurrent_first_calls_open_one_session(net, runs, monkeypatch):
    opened: list[object] = []
    session = onnxruntime.InferenceSession
    monkeypatch.setattr(onnxruntime, "InferenceSession", lambda *a, **o: opened.append(a) or session(*a, **o))
    model, given = compiled(net), inputs()

    def call(_: int) -> Any:
        with torch.no_grad():
            return model(*given)

    with ThreadPoolExecutor(4) as pool:
        for made in pool.map(call, range(8)):
            assert_close(made, model.module(*given))
    assert (len(opened), len(runs)) == (1, 8)


@torch.no_grad()
def test_copies_run(net):
    model = compiled(net)
    given = inputs()
    expected = model(*given)
    buffer = io.BytesIO()
    torch.save(model, buffer)
    buffer.seek(0)
    copies = (copy.deepcopy(model), pickle.loads(pickle.dumps(model)), torch.load(buffer, weights_only=False))
    for copied in copies:
        assert isinstance(copied, nn.Module)
        assert_close(copied(*given), expected)


def test_torch_compile_is_used_if_onnx_runtime_cannot_run_it(net, monkeypatch):
    compiled: list[tuple[nn.Module, dict[str, Any]]] = []

    def record(module: nn.Module, **options: Any) -> nn.Module:
        compiled.append((module, options))
        return module

    monkeypatch.setattr(device.torch, "compile", record)
    net.to_torch(compiled=True, dtype=torch.bfloat16)
    monkeypatch.setattr(accelerated, "is_installed", lambda module: module != "onnxruntime")
    net.to_torch(compiled=True)
    monkeypatch.undo()
    monkeypatch.setattr(device.torch, "compile", record)
    monkeypatch.setattr("archspec.runtime.session.LIMIT", 100)
    net.to_torch(compiled=True)
    assert [options for _, options in compiled] == [{"options": {"freezing": True}}] * 3
    assert not any(isinstance(module, AcceleratedModule) for module, _ in compiled)


def test_the_default_device_and_type_are_pytorch_s(net, monkeypatch):
    monkeypatch.setattr(device.torch, "compile", lambda module, **options: module)
    with torch.device("meta"):
        assert not isinstance(net.to_torch(compiled=True), AcceleratedModule)
    torch.set_default_dtype(torch.float64)
    try:
        assert not isinstance(net.to_torch(compiled=True), AcceleratedModule)
        assert isinstance(net.to_torch(compiled=True, dtype=torch.float32), AcceleratedModule)
    finally:
        torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("error", [archspec.ArchspecError([]), ImportError("onnx is broken")])
def test_torch_compile_is_used_if_onnx_cannot_express_the_network(net, monkeypatch, error):
    def refused(*arguments: object) -> object:
        raise error

    monkeypatch.setattr("archspec.runtime.session.runtime_for", refused)
    called: list[nn.Module] = []
    monkeypatch.setattr(device.torch, "compile", lambda module, **options: called.append(module) or module)
    assert net.to_torch(compiled=True) is called[0]


LAYOUTS: dict[str, tuple[str, Callable[[Tensor], bool]]] = {
    "images": ("[3, 8, 8]", lambda weight: weight.is_contiguous(memory_format=torch.channels_last)),
    "volumes": ("[3, 8, 8, 8]", lambda weight: weight.is_contiguous(memory_format=torch.channels_last_3d)),
    "sequences": ("[3, 8]", Tensor.is_contiguous),
}


@pytest.mark.parametrize(("shape", "laid_out"), LAYOUTS.values(), ids=LAYOUTS)
def test_convolutions_over_two_and_three_axes_are_channels_last_on_a_cpu(shape, laid_out):
    net = archspec.parse(f"archspec: 1\nname: net\ninput: {shape}\nlayers: [conv: {{channels: 4, kernel: 3}}]")
    assert laid_out(net.to_torch(memory_format="auto").conv.weight)
    assert net.to_torch().conv.weight.is_contiguous()


@pytest.mark.parametrize(("padding", "expected"), [(0, torch.channels_last), (1, None)])
def test_auto_avoids_channels_last_on_a_gpu_where_gradients_of_average_pooling_are_wrong(padding, expected):
    pool = f"avg_pool: {{kernel: 3, padding: {padding}}}"
    layers = f"conv: {{channels: 4, kernel: 3}}, {pool}"
    net = archspec.parse(f"archspec: 1\nname: net\ninput: [3, 8, 8]\nlayers: [{layers}]")
    cuda, cpu = torch.device("cuda"), torch.device("cpu")
    assert layout(net.graph, cuda, torch.bfloat16, "auto") == expected
    assert layout(net.graph, cuda, torch.bfloat16, "channels_last") == torch.channels_last
    assert layout(net.graph, cpu, torch.float32, "auto") == torch.channels_last


@pytest.mark.parametrize("shape", ["[3, 8, 8]", "[3, 8, 8, 8]"])
def test_weights_with_other_axes_keep_their_layout(shape):
    layers = "layer_scale, position_embedding, conv: {channels: 4, kernel: 3}, flatten, linear: 2"
    net = archspec.parse(f"archspec: 1\nname: net\ninput: {shape}\nlayers: [{layers}]")
    assert net.to_torch(memory_format="channels_last")(torch.ones(2, *net.inputs["input"])).shape == (2, 2)
