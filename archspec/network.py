"""`Network`, the object that users work with: a checked graph, its facts, and its targets."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from warnings import warn

from archspec.diagnostics import did_you_mean, fail
from archspec.frontend.language.spec import Spec
from archspec.ir.graph import Graph
from archspec.ir.printer import to_text
from archspec.lower import atomic_write
from archspec.lower.optional_deps import require
from archspec.passes.facts import Facts
from archspec.passes.layer_table import Layer, layers
from archspec.passes.memory import Memory
from archspec.report import units
from archspec.report.origin import Origin

if TYPE_CHECKING:
    import keras
    import networkx as nx
    import torch
    from torch import nn

    from archspec.lower.verify import OutputDifference
    from archspec.lower.weights import WeightsReport
    from archspec.runtime.options import Layout


class Network:
    """A checked graph, with its facts and everything it can be written as."""

    def __init__(
        self,
        spec: Spec | None,
        variant: str | None,
        graph: Graph,
        overrides: Mapping[str, Any] | None = None,
        own_weights: Mapping[str, Any] | None = None,
    ) -> None:
        """Wrap a graph, with the spec it was built from if there is one.

        `overrides` are the params that were passed to `load`. `own_weights` are used unless others are passed.
        """
        self.spec, self.variant = spec, variant
        self.graph = graph
        self.overrides = dict(overrides or {})
        self._own_weights = own_weights
        self._origin = Origin.of(spec, variant)

    @classmethod
    def from_graph(cls, graph: Graph) -> Network:
        """A network without a spec: of a graph that `archspec.ir.GraphBuilder` built, or that was transformed.

        All of it works as for a spec.

        Raises:
            ArchspecError: `invalid-graph`, if the verifier rejects the graph.
        """
        from archspec.ir.verifier import verify

        verify(graph)
        return cls(None, None, graph)

    @property
    def name(self) -> str:
        return self.graph.name

    @property
    def title(self) -> str:
        """One line about it: the variant's summary, or the spec's; empty without a spec."""
        return self._origin.title

    @property
    def reference(self) -> str:
        """Where it was published; empty without a spec."""
        return self._origin.reference

    @property
    def inputs(self) -> dict[str, tuple[int, ...]]:
        """The shapes of the inputs by name, without the batch axis."""
        return {value.name: value.type.sizes for value in self.graph.inputs}

    @property
    def outputs(self) -> dict[str, tuple[int, ...]]:
        """The shapes of the outputs by name, without the batch axis."""
        return {output.name: output.value.type.sizes for output in self.graph.outputs}

    @cached_property
    def facts(self) -> Facts:
        """Everything the analyses know about the graph."""
        return Facts(self.graph)

    @property
    def params(self) -> int:
        """Parameters, shared ones once."""
        return self.facts.total.params

    @property
    def trainable_params(self) -> int:
        """Parameters that learn."""
        return self.facts.total.trainable_params

    @property
    def buffers(self) -> int:
        """Elements of buffers, such as running means."""
        return self.facts.total.buffers

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one sample's forward pass."""
        return self.facts.total.macs

    @property
    def memory(self) -> Memory:
        """Activation memory of one sample, in bytes."""
        return self.facts.memory

    @cached_property
    def layers(self) -> dict[str, Layer]:
        """The layers by name, in order."""
        return {name: layer for name, layer in self._named.items() if not layer.part}

    @cached_property
    def _named(self) -> dict[str, Layer]:
        """The layers and the named parts; a layer takes precedence over a part of the same name."""
        rows = list(layers(self.facts))
        return {layer.name: layer for layer in sorted(rows, key=lambda layer: not layer.part)}

    def __getitem__(self, name: str) -> Layer:
        """The layer or the part with a name: `net["layer1.0.conv1"]`, `net["layer1"]`.

        Raises:
            KeyError: there is none; the nearest name is suggested.
        """
        if name in self._named:
            return self._named[name]
        help = did_you_mean(str(name), self._named)
        raise KeyError(f"'{self.name}' has no layer '{name}'" + (f": {help}" if help else ""))

    def __iter__(self) -> Iterator[Layer]:
        return iter(self.layers.values())

    @property
    def text(self) -> str:
        """The graph in its canonical text form."""
        return to_text(self.graph)

    def summary(self, depth: int | None = None, width: int | None = None) -> str:
        """The table of layers and the totals, as text; at most `width` columns wide if that is given."""
        from archspec.report import summary

        return summary.text(self.facts, depth, width=width)

    def optimized(self, weights: object = None, seed: int = 0, *, strict: bool = True) -> Network:
        """A network with the same outputs at inference and fewer layers, together with its weights.

        Batch normalization is folded into the layer before it, padding into the convolution after it; layers for
        training only are removed. The transforms are in `archspec.lower.optimize`.

        Args:
            weights: a module, a state dict, or a file of weights; else initial values drawn with `seed`.
            seed: for initial values.
            strict: whether all weights must fit; see `weights`.

        Raises:
            ArchspecError: the weights do not fit.
        """
        from archspec.lower.optimize import optimized

        graph, arrays = optimized(self.graph, self.weights(weights, seed, strict=strict))
        return Network(self.spec, self.variant, graph, self.overrides, arrays)

    # --- targets ---

    def source(self, target: str = "torch") -> str:
        """The network as source code: a Python file that needs only the library of the target.

        Args:
            target: `torch`, or `keras` for a functional model of Keras 3, as it is at inference.

        Raises:
            ArchspecError: the target cannot express the network, or there is no such target.
        """
        from archspec.lower.targets import write_source
        from archspec.lower.text.header import About

        inputs = " and ".join(units.size(sizes) for sizes in self.inputs.values())
        facts = f"{self.params:,} parameters, {self.macs:,} MACs for one input of {inputs}"
        return write_source(self.graph, target, About(self._origin.file, self.title, self.reference, facts))

    def to_torch(
        self,
        weights: object = None,
        *,
        strict: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        memory_format: Layout | None = None,
        compiled: bool = False,
    ) -> nn.Module:
        """The network as a plain `nn.Module`: the text of `source`, executed.

        Args:
            weights: a module, a state dict, or a file of safetensors or of `torch.save`; else initial values as in the
                spec, drawn from torch's own generator.
            strict: whether all weights must fit; if not, those that fit are loaded, and a `UserWarning` lists the rest.
            device: the device to run on; else PyTorch's default device.
            dtype: the precision of the weights; else PyTorch's default.
            memory_format: `channels_last`, or `auto` for the fastest known one of the device.
            compiled: whether to compile it when it first runs; `archspec.runtime.device` has the rules, as for `auto`.

        Raises:
            ArchspecError: PyTorch cannot express the network, the weights do not fit it, or there is no such device.
        """
        require("torch", "a module")
        from archspec.lower.torch.instantiate import build, build_with
        from archspec.runtime.device import place

        weights = self._own_weights if weights is None else weights
        fitting = None if weights is None else self._loaded(weights, strict, caller=3)
        source = self.source()
        module = build(source) if fitting is None else build_with(source, self.graph, fitting)
        return place(module, self.graph, device=device, dtype=dtype, memory_format=memory_format, compiled=compiled)

    def to_keras(self, weights: object = None, *, seed: int = 0, strict: bool = True) -> keras.Model:
        """The network as a functional model of Keras 3, channels first: the text of `source("keras")`, executed.

        Args:
            weights: a module, a state dict or a file of weights; else initial values as in the spec, drawn with `seed`.
            seed: for initial values.
            strict: whether all weights must fit; see `weights`.

        Raises:
            ArchspecError: Keras cannot express the network, or the weights do not fit it.
        """
        require("keras", "a Keras model")
        from archspec.lower.keras.instantiate import build

        return build(self.source("keras"), self.graph, self._weights(weights, seed, strict))

    def to_onnx(
        self,
        path: str | Path,
        weights: object = None,
        *,
        opset: int | None = None,
        seed: int = 0,
        strict: bool = True,
        dynamic: bool = False,
        structure: bool = False,
        functions: bool = False,
        verify: bool = False,
    ) -> tuple[OutputDifference, ...]:
        """Write the network as an ONNX file, directly from the graph, as it is at inference.

        Args:
            path: the file to write; whole or not at all.
            weights: a module, a state dict or a file of weights; else initial values drawn with `seed`.
            opset: the version of ONNX's operator set.
            seed: for initial values.
            strict: whether all weights must fit; see `weights`.
            dynamic: leave height and width dynamic, where the network allows it. The batch always is.
            structure: store no weights: they become inputs of the model, after the network's own.
            functions: write the blocks of the spec as functions of the model; those that do the same share one.
            verify: keep the file only if ONNX Runtime computes what `to_torch` does; with `dynamic` at several sizes.

        Returns:
            The difference of each output, if verified.

        Raises:
            ArchspecError: the weights do not fit, ONNX cannot express the network, or not at other sizes; the file
                cannot be written, or its outputs differ.
        """
        require("onnx", "an ONNX file")
        from archspec.lower.onnx import OPSET, RUNTIME_OPSET, export, loaded, save
        from archspec.lower.verify import Verification

        if structure and (verify or weights is not None):
            raise fail("wrong-target", "a file without weights cannot be combined with weights or a verification")
        for library in ("torch", "onnxruntime") if verify else ():
            require(library, "the verification of an ONNX file")
        others = self._at_other_sizes() if dynamic else []
        arrays = None if structure else self._weights(weights, seed, strict)
        check = Verification(loaded, self.graph, arrays, others) if verify else None
        model = export(
            self.graph, arrays, opset=opset or OPSET, dynamic=dynamic, functions=functions, about=self._about()
        )
        save(model, Path(path), accept=check)
        if opset is not None and opset > RUNTIME_OPSET:
            warn(f"the newest ONNX Runtime loads opsets up to {RUNTIME_OPSET}, not {opset}", stacklevel=2)
        return check.differences if check else ()

    def to_program(
        self,
        path: str | Path,
        weights: object = None,
        *,
        seed: int = 0,
        strict: bool = True,
        dynamic: bool = False,
        verify: bool = False,
    ) -> tuple[OutputDifference, ...]:
        """Write the network as a program of `torch.export` (.pt2), as it is at inference; see `to_onnx`.

        Raises:
            ArchspecError: the weights do not fit, `torch.export` cannot trace the network, or not at other sizes; the
                file cannot be written, or its outputs differ.
        """
        require("torch", "a torch.export program", oldest=(2, 8))
        arrays = self._weights(weights, seed, strict)
        others = self._at_other_sizes() if dynamic else None
        from archspec.lower.torch.exported_program import write  # which needs NumPy, as `_weights` says

        return write(Path(path), self.to_torch(arrays), self.graph, arrays, others, verify=verify)

    def _about(self) -> dict[str, str]:
        """Facts to store with a model."""
        from archspec.report import summary

        return summary.stored(self.facts, self._origin.spec, self.variant, self.title, self.reference)

    def _at_other_sizes(self) -> list[Graph]:
        """The graphs of the network at other sizes; see `at_other_sizes`."""
        from archspec.lower.dynamic.dynamic_sizes import at_other_sizes

        optimize = self._own_weights is not None
        return at_other_sizes(self.graph, self.spec, self.variant, self.overrides, optimize=optimize)

    def weights(self, given: object = None, seed: int = 0, *, strict: bool = True) -> dict[str, Any]:
        """The weights as NumPy arrays by their names in the state dict.

        Args:
            given: a module, a state dict, or a file of safetensors or of `torch.save`; else initial values drawn with
                `seed`.
            seed: for initial values.
            strict: whether all weights must fit; if not, the others keep their initial values, with a `UserWarning`.

        Raises:
            ArchspecError: the weights do not fit the network.
        """
        return {key: array.copy() for key, array in self._weights(given, seed, strict).items()}

    def weights_report(self, weights: object) -> WeightsReport:
        """How weights fit the network, name by name; only the header of a safetensors file is read.

        Args:
            weights: a module, a state dict, or a file of safetensors or of `torch.save`.

        Raises:
            ArchspecError: the file cannot be read.
        """
        from archspec.lower.weights import examined
        from archspec.siblings import with_siblings

        return with_siblings(examined(self.graph, weights, rename=self._origin.rename), self, weights)

    def _weights(self, given: object, seed: int, strict: bool) -> dict[str, Any]:
        """As `weights`, without a copy: for immediate use."""
        from archspec.lower import weights

        given = self._own_weights if given is None else given
        fitting = {} if given is None else self._loaded(given, strict, caller=4)
        complete = len(fitting) == sum(1 for _ in self.graph.weights())
        return dict(fitting if complete else {**weights.initial(self.graph, seed), **fitting})

    def _loaded(self, given: object, strict: bool, caller: int) -> Mapping[str, Any]:
        """The given weights that fit the network. A warning about the others points `caller` calls up the stack."""
        from archspec.lower.weights import loaded
        from archspec.siblings import with_siblings

        rename = () if given is self._own_weights else self._origin.rename  # its own weights have its names
        advice = None if self._own_weights is None else "pass weights of the original network to optimized(weights)"
        fitting, report = loaded(self.graph, given, rename=rename, strict=strict, advice=advice)
        if not report.complete:
            warn(f"{report.text(advice=False)}\nunmatched weights keep their initial values", stacklevel=caller)
        elif isinstance(given, str | Path) and (note := with_siblings(report, self, given).note):
            warn(note, stacklevel=caller)
        return fitting

    def save_source(self, path: str | Path, target: str = "torch") -> None:
        """Write `source` to a file, whole or not at all."""
        atomic_write.write_text(Path(path), self.source(target))

    def save_weights(self, path: str | Path, weights: object = None, *, seed: int = 0, strict: bool = True) -> None:
        """Write the weights as a safetensors file; see `weights`."""
        from archspec.lower.weights import to_file

        to_file(self._weights(weights, seed, strict), Path(path))

    def save_json(self, path: str | Path) -> None:
        """Write `as_json` to a file, whole or not at all."""
        import json

        atomic_write.write_text(Path(path), json.dumps(self.as_json(), indent=2) + "\n")

    def draw(
        self,
        path: str | Path,
        *,
        depth: int | None = None,
        fold: bool | None = None,
        rankdir: str = "TB",
        show: Collection[str] = ("shapes", "names"),
    ) -> None:
        """Draw the network: .svg, .png, .pdf or .dot by the file's ending.

        Args:
            path: the file to write; whole or not at all.
            depth: draw everything below this depth of names as one box.
            fold: draw equal parts in sequence once, marked ×N; by default only with `depth`.
            rankdir: the direction of the diagram: TB, LR, BT or RL.
            show: what to show of each layer: any of shapes, names, params, macs, field.

        Raises:
            ArchspecError: unknown ending, no Graphviz to draw with, or the file cannot be written.
        """
        from archspec.lower.graphviz import draw, render

        render(draw(self.graph, depth=depth, fold=fold, rankdir=rankdir, show=show), Path(path))

    def as_json(self) -> dict[str, Any]:
        """The summary as one object; shapes are those of one sample, without the batch axis."""
        from archspec.report import summary

        return summary.as_json(self.facts, self.variant)

    def to_networkx(self) -> nx.DiGraph:
        """The network as a `networkx.DiGraph`; `archspec.passes.networkx_graph` documents its attributes.

        Raises:
            ArchspecError: networkx is not installed.
        """
        require("networkx", "a graph of networkx")
        from archspec.passes.networkx_graph import to_networkx

        return to_networkx(self.facts)

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        from html import escape

        return f"<pre>{escape(self.summary())}</pre>"

    def __repr__(self) -> str:
        return f"<Network {self.name}: {len(self.graph.nodes)} layers, {self.params:,} params, {self.macs:,} MACs>"
