"""torchvision's MobileNet v2 at a width it has no name for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from tests import tv
from tests.zoo.handwritten.common import Maker

MAKERS: Mapping[str, Maker] = {
    "mobilenet_v2_140": partial(tv.torchvision.models.mobilenet_v2, width_mult=1.4),
}
