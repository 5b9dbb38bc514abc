"""The integer arithmetic of sliding windows: output sizes and paddings, along one axis.

Symbols: n the input size, f the kernel size, s the stride, d the dilation, p the padding before and after.
Source of the formulas: Dumoulin and Visin, A guide to convolution arithmetic for deep learning, arXiv:1603.07285.
"""

from math import gcd

Pads = tuple[int, int]
"""Padding of one axis: before, after."""


def extent(kernel: int, dilation: int = 1) -> int:
    """Input positions a dilated kernel spans: d(f - 1) + 1."""
    return dilation * (kernel - 1) + 1


def slide(size: int, kernel: int, stride: int, dilation: int, pads: Pads, *, ceil: bool = False) -> int:
    """Positions of a window sliding over one axis: floor((n + p_before + p_after - d(f - 1) - 1) / s) + 1.

    With `ceil` the last, partial window counts too, unless it would start in the padding after the input: the rule
    PyTorch's and ONNX's pooling share. The result is below 1 when the kernel is larger than the padded input, with
    `ceil` by s or more.
    """
    room = size + sum(pads) - extent(kernel, dilation)
    if not ceil:
        return room // stride + 1
    count = -(-room // stride) + 1
    return count - 1 if (count - 1) * stride >= size + pads[0] else count


def same_pads(size: int, kernel: int, stride: int, dilation: int) -> Pads:
    """Padding that makes the output ceil(n / s); an odd row goes after the input (ONNX's SAME_UPPER)."""
    wanted = -(-size // stride)
    total = max(0, (wanted - 1) * stride + extent(kernel, dilation) - size)
    return total // 2, total - total // 2


def same_pads_at_any_size(kernel: int, stride: int, dilation: int) -> Pads | None:
    """Padding that acts as `same_pads` at every input size; None if there is none.

    The padding before the input depends on the size modulo s, unless s is 1 or the kernel has a suitable size. More
    padding than `same_pads` after the input changes nothing: no window reads it.
    """
    most = extent(kernel, dilation) - 1
    least = max(0, most - (stride - 1))
    return (most // 2, most - most // 2) if most // 2 == least // 2 else None


def ceil_pads_at_any_size(kernel: int, stride: int, dilation: int, pads: Pads) -> Pads:
    """Padding with which `slide` gives at every input size the positions that it gives with `ceil`.

    The last, partial window needs at most s - 1 more rows. With at most d(f - 1) rows after the input, no window begins
    there.
    """
    before, after = pads
    return before, min(after + stride - 1, extent(kernel, dilation) - 1)


def unslide(size: int, kernel: int, stride: int, dilation: int, pads: Pads, extra: int) -> int:
    """Output size of a transposed convolution: (n - 1)s - p_before - p_after + d(f - 1) + extra + 1."""
    return (size - 1) * stride - sum(pads) + extent(kernel, dilation) + extra


def unread(size: int, kernel: int, stride: int, dilation: int, pads: Pads, count: int) -> int:
    """Rows at the end of the input that no position of the window reads, because the stride steps over them."""
    return max(0, size + pads[0] - ((count - 1) * stride + extent(kernel, dilation)))


def adaptive_bounds(size: int, count: int) -> tuple[tuple[int, int], ...]:
    """First and last input position of each window of an adaptive pooling.

    Window i of m over n positions reads floor(i n / m) to ceil((i + 1) n / m) - 1 (PyTorch's rule).
    """
    return tuple((i * size // count, -(-(i + 1) * size // count) - 1) for i in range(count))


def adaptive_reads(size: int, count: int) -> int:
    """Input positions read by all windows of an adaptive pooling together: n + m - gcd(n, m).

    The sum over i < m of ceil((i + 1) n / m) - floor(i n / m): each window reads one position it shares with the next,
    but for the gcd(n, m) windows that end where the next begins.
    """
    return size + count - gcd(size, count)
