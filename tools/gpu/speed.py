"""Throughput compared with modules of torchvision and timm, eager and compiled, at inference and in training."""

from __future__ import annotations

import copy
import gc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

import archspec
from archspec.runtime.timing import clock
from tools.measure import Table, Work, interleaved
from tools.training import step

Makers = dict[str, Callable[[str], nn.Module | None]]
"""For each library, a function that creates the module of a network, or returns None if it has none."""


@dataclass(frozen=True)
class Setting:
    """One comparison."""

    network: str
    sizes: tuple[int, ...]
    mode: str
    batch: int
    dtype: torch.dtype
    device: torch.device
    compiled: bool

    @property
    def title(self) -> str:
        """The title of the comparison."""
        kind = "compiled" if self.compiled else "eager"
        return f"{self.network}: {self.mode}, batch {self.batch}, {str(self.dtype).removeprefix('torch.')}, {kind}"


def rivals() -> tuple[Makers, list[str]]:
    """The libraries to compare with, the preferred one first, and the missing ones with the reason."""
    found: Makers = {}
    missing = []
    try:
        from tests.tv import torchvision

        models = torchvision.models
        found["torchvision"] = lambda name: models.get_model(name) if name in models.list_models() else None
    except ImportError as error:
        missing.append(f"torchvision: {error}")
    try:
        import timm

        found["timm"] = lambda name: timm.create_model(name) if timm.is_model(name) else None
    except ImportError as error:
        missing.append(f"timm: {error}")
    return found, missing


def by_hand(name: str) -> nn.Module | None:
    """The handwritten module of the tests for a network that no library has; it needs torchvision."""
    try:
        from tests.zoo.handwritten import MAKERS
    except ImportError:
        return None
    return MAKERS[name]() if name in MAKERS else None


def compared(setting: Setting, makers: Makers, rounds: int) -> Table:
    """Time all contenders of one comparison in alternation; the first is another library's eager module.

    Raises:
        RuntimeError: the contenders do not fit on the device together, or one does not compile.
    """
    torch.compiler.reset()  # otherwise the second size is compiled with symbolic sizes
    images = torch.randn(setting.batch, *setting.sizes).to(setting.device, setting.dtype)
    training = setting.mode == "training"
    with torch.set_grad_enabled(training):
        works: list[tuple[str, Work]] = []
        for who, call, module in _contenders(setting, makers):
            works.append((who, step(call, module, images) if training else partial(call, images)))
        return interleaved(setting.title, works, rounds, clock=clock(setting.device), warm_up=3)


Contender = tuple[str, Callable[[Tensor], Tensor], nn.Module]


def _contenders(setting: Setting, makers: Makers) -> Iterator[Contender]:
    """The contenders: a name, what is called, and the module with its weights."""
    for library, module in _others(setting, makers):
        yield f"{library}, eager", module, module
        if setting.compiled:
            yield f"{library}, torch.compile", torch.compile(module, dynamic=False), module
        else:
            turned = _placed(module, setting, torch.channels_last)
            yield f"{library}, eager, channels last", turned, turned
    net = archspec.load(setting.network, input=setting.sizes)
    place = {"device": setting.device, "dtype": setting.dtype}
    if not setting.compiled:
        module = net.to_torch(**place).eval()
        yield "archspec: module", module, module
    best = net if setting.mode == "training" else net.optimized()
    word = "module" if setting.mode == "training" else "optimised"
    module = best.to_torch(**place, memory_format="auto").eval()
    yield f"archspec: {word}, layout of the device", module, module
    if setting.compiled:
        quick = best.to_torch(**place, memory_format="auto", compiled=True).eval()
        yield f"archspec: {word}, compiled", quick, quick


def _others(setting: Setting, makers: Makers) -> Iterator[tuple[str, nn.Module]]:
    """The modules of other libraries, or the handwritten one if no library has the network."""
    if module := by_hand(setting.network):
        yield "by hand", _placed(module, setting)
        return
    for library, make in makers.items():
        if (library == "torchvision" or not setting.compiled) and (module := make(setting.network)):
            yield library, _placed(module, setting)


def _placed(module: nn.Module, setting: Setting, layout: torch.memory_format | None = None) -> nn.Module:
    """A copy of a module on the device, in the precision and layout of the comparison."""
    there = copy.deepcopy(module).to(setting.device, setting.dtype).eval()
    return there.to(memory_format=layout) if layout else there


def tidy(device: torch.device) -> None:
    """Free the memory of the previous comparison."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()


def settings(
    networks: Sequence[tuple[str, tuple[int, ...]]],
    batches: Sequence[int],
    dtype: torch.dtype,
    device: torch.device,
    *,
    compiled: bool,
) -> Iterator[Setting]:
    """All comparisons, medium batches first, so that extreme ones are left out if time runs out."""
    order = sorted(batches, key=lambda batch: abs(batch - 32))
    for batch in order:
        for mode in ("inference", "training"):
            for name, sizes in networks:
                yield Setting(name, sizes, mode, batch, dtype, device, compiled)
