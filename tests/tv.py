"""torchvision's models, also where its compiled ops cannot load, as beside a PyTorch that was built elsewhere.

On import torchvision describes its ops `nms` and `qnms` to PyTorch, and fails if no library has defined them. No model
here uses them, so a definition without a kernel is enough.
"""

from __future__ import annotations

import sys
from functools import cache

import torch
from torch import Tensor, nn

from archspec import zoo

OPS = ("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
       "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")  # fmt: skip

try:
    import torchvision
except RuntimeError:
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        del sys.modules[name]
    _LIBRARY = torch.library.Library("torchvision", "DEF")  # lives as long as its definitions
    for schema in OPS:
        _LIBRARY.define(schema)
    import torchvision

_DETECTORS = torchvision.models.list_models(torchvision.models.detection)  # they decode boxes, too
NAMES = [name for name, _ in zoo.names() if name in torchvision.models.list_models() and name not in _DETECTORS]
"""The networks of the zoo that torchvision has: they go by its names."""


@cache
def meta_model(name: str) -> nn.Module:
    """torchvision's network of a name, in eval mode, with shapes and no values."""
    start = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}  # these warn if it is not given
    if "resnet" in name and name.startswith(("deeplab", "fcn")):
        start = {"weights_backbone": None}  # or it fetches some
    with torch.device("cpu" if name.startswith("regnet") else "meta"):  # RegNets compute their widths with tensors
        return torchvision.models.get_model(name, **start).eval().to("meta")


def tensors(returned: object) -> list[Tensor]:
    """What a network returned, in one order: torchvision names what it returns, ours is a tensor or a tuple."""
    if isinstance(returned, Tensor):
        return [returned]
    named = returned._asdict() if hasattr(returned, "_asdict") else returned
    values = [named[key] for key in sorted(named, key=_order)] if isinstance(named, dict) else named
    assert isinstance(values, list | tuple)
    return [value for value in values if value is not None]


def _order(key: str) -> tuple[bool, str]:
    """What a network is for comes before what helps it learn."""
    return key.startswith("aux"), key
