"""Regions of interest: a feature map of fixed size for each box, as detectors use them.

Boxes are a second input, (N, boxes, 4): for each sample of the batch as many, as x1, y1, x2, y2 in pixels of the image.
So they need not say which sample they belong to, as the lists of (index, x1, y1, x2, y2) do that PyTorch and ONNX take,
and the batch axis stays what it is everywhere.
"""

from collections.abc import Sequence
from typing import ClassVar

from archspec.ir.types import TensorType
from archspec.ops.attribute_types import Count, Flag, PerAxis, Positive
from archspec.ops.base import Cost, Footprint, Op, OpError, need_float, per_axis
from archspec.ops.footprint import IDENTITY


class _Regions(Op):
    """Takes features (N, channels, height, width) and boxes; returns (N, boxes, channels, h, w)."""

    family: ClassVar[str] = "roi"

    shorthand: ClassVar[str | None] = "size"
    inputs: ClassVar[int | None] = 2
    module: ClassVar[bool] = True

    size: PerAxis[Count]
    scale: Positive = 1.0

    @property
    def sizes(self) -> tuple[int, int]:
        """The height and width of the output per box."""
        height, width = per_axis(self.kind, "size", self.size, 2)
        return height, width

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        features, boxes = inputs
        need_float(self.kind, features)
        need_float(self.kind, boxes)
        if len(features.sizes) != 3:
            raise OpError("wrong-rank", f"'{self.kind}' reads images (N, channels, height, width), got {features}")
        if len(boxes.sizes) != 2 or boxes.sizes[1] != 4:
            raise OpError(
                "wrong-size",
                f"'{self.kind}' takes boxes (N, boxes, 4) as its second input, got {boxes}",
                help="declare an input such as `boxes: [100, 4]`: x1, y1, x2, y2 for each of 100 boxes",
            )
        return (features.with_sizes(boxes.sizes[0], features.channels, *self.sizes),)

    def footprint(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType], index: int) -> Footprint:
        """A box may be anywhere in the image, so the whole image is read."""
        return {1: (1, IDENTITY)} if index else {2: (1, IDENTITY)}


class RoiAlign(_Regions):
    """The average of evenly spaced bilinear samples in each bin of a box, without rounding (He et al. 2017).

    A box of h x w bins has `samples` samples a bin and axis, in the middle of as many equal parts. A sample more than
    one position outside the image is 0, one nearer takes the edge's value. The output is (N, boxes, channels, h, w).

    Attributes:
        size: h and w, the bins of a box.
        scale: positions of the features per pixel of the image that the boxes refer to: 1/16 after a stride of 16.
        samples: samples per bin and axis.
        aligned: whether pixels are taken by their centres, half a position to the left and up; if not, boxes are at
            least one position high and wide.
    """

    kind: ClassVar[str] = "roi_align"

    samples: Count = 2
    aligned: Flag = False

    def cost(self, inputs: Sequence[TensorType], outputs: Sequence[TensorType]) -> Cost:
        taps, elements = 4 * self.samples**2, outputs[0].elements
        return Cost(other={"multiply": taps * elements, "add": (taps - 1) * elements, "divide": elements})


class RoiPool(_Regions):
    """The largest value in each bin of a box whose corners are rounded to positions (Girshick 2015); 0 in an empty bin.

    A box from x1 to x2 has n = x2 - x1 + 1 columns, of which bin i of w reads those from floor(i n / w) up to, but not,
    ceil((i + 1) n / w), as far as they are in the image. The output is (N, boxes, channels, h, w). How much is compared
    depends on the boxes and is not counted.

    PyTorch and ONNX compute b = n / w, i b and (i + 1) b in single precision, as the kernels of torchvision, Caffe and
    ONNX Runtime do. Where (i + 1) n / w is a whole number, b may be rounded up, and the bin then reads one column more:
    the last of 7 bins in a box of 57 columns. Keras computes the fractions exactly.

    Attributes:
        size: h and w, the bins of a box.
        scale: positions of the features per pixel of the image that the boxes refer to: 1/16 after a stride of 16.
    """

    kind: ClassVar[str] = "roi_pool"
