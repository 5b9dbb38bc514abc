"""The zoo's networks once more, written by hand in PyTorch from the papers: what the specs are compared with.

A file a family, whose `MAKERS` make the networks that torchvision has not. `model(name)` has shapes and no values;
where torchvision has the network it is torchvision's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

import torch
from torch import nn

from tests import tv
from tests.zoo.handwritten.common import Maker

FAMILIES = [import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__) if found.name != "common"]

MAKERS: Mapping[str, Maker] = {name: maker for family in FAMILIES for name, maker in family.MAKERS.items()}
"""What makes each network that torchvision has not."""


@cache
def model(name: str) -> nn.Module:
    """The network of a name in the zoo, in eval mode, on the meta device."""
    if name in tv.NAMES:
        return tv.meta_model(name)
    with torch.device("meta"):
        return MAKERS[name]().eval()
