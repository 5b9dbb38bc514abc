"""Functions of generated source: padding that depends on the size of the input."""

from torch import Tensor


def same_pads(
    x: Tensor, kernel: list[int], stride: list[int], dilation: list[int]
) -> list[int]:
    """Padding for `F.pad` that makes the output the input's size / stride, rounded up.

    An odd row goes after the input.
    """
    pads: list[int] = []
    for i in range(len(kernel) - 1, -1, -1):
        reach = dilation[i] * (kernel[i] - 1)
        rows = reach - (x.shape[i + 2] - 1) % stride[i]
        if reach < stride[i] - 1:
            rows = max(0, rows)
        pads += [rows // 2, rows - rows // 2]
    return pads
