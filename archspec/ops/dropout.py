"""What is dropped at random while training, in larger pieces than elements: channels, samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from archspec.ir.types import TensorType
from archspec.ops.attribute_types import Fraction
from archspec.ops.base import Op, need_float, need_spatial


class Dropout(Op):
    """Zeroes elements at random while training and scales the others by 1 / (1 - p); afterwards it does nothing.

    Attributes:
        p: the share of elements zeroed.
    """

    kind: ClassVar[str] = "dropout"
    family: ClassVar[str] = "dropout"
    shorthand: ClassVar[str | None] = "p"
    module: ClassVar[bool] = True
    identity_at_inference: ClassVar[bool] = True

    p: Fraction = 0.5

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        need_float(self.kind, inputs[0])
        return (inputs[0],)


class SpatialDropout(Op):
    """Zeroes whole channels at random while training and scales the others by 1 / (1 - p); afterwards does nothing.

    Neighbouring positions are alike, so that dropping single elements would take little away (Tompson et al. 2015).

    Attributes:
        p: the share of channels zeroed.
    """

    kind: ClassVar[str] = "spatial_dropout"
    family: ClassVar[str] = "dropout"
    shorthand: ClassVar[str | None] = "p"
    module: ClassVar[bool] = True
    identity_at_inference: ClassVar[bool] = True

    p: Fraction = 0.5

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        need_float(self.kind, inputs[0])
        need_spatial(self.kind, inputs[0])
        return (inputs[0],)


class StochasticDepth(Op):
    """Zeroes whole samples at random while training and scales the others by 1 / (1 - p); afterwards does nothing.

    At the end of a residual branch it leaves the shortcut alone in its place (Huang et al. 2016).

    Attributes:
        p: the share of samples zeroed.
        mode: whether each sample of a batch (`row`) or all of them together (`batch`) are zeroed or kept.
    """

    kind: ClassVar[str] = "stochastic_depth"
    family: ClassVar[str] = "dropout"
    shorthand: ClassVar[str | None] = "p"
    module: ClassVar[bool] = True
    identity_at_inference: ClassVar[bool] = True

    p: Fraction
    mode: Literal["row", "batch"] = "row"

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        need_float(self.kind, inputs[0])
        return (inputs[0],)
