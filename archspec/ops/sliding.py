"""A window that slides over the spatial axes: its numbers along each axis, and the sizes it leaves."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from archspec.frozen import frozen
from archspec.ir.types import TensorType, format_shape
from archspec.ops.attribute_types import ConvPadding, PerAxis
from archspec.ops.base import OpError, need_spatial, per_axis
from archspec.ops.geometry import Pads, extent, same_pads, slide


@frozen(enforced=True)
class Sliding:
    """The numbers of a window along each axis, once the input is known."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    pads: tuple[Pads, ...]

    @property
    def axes(self) -> Iterator[tuple[int, int, int, Pads]]:
        """Kernel, stride, dilation and pads, axis by axis."""
        return zip(self.kernel, self.stride, self.dilation, self.pads, strict=True)

    @property
    def symmetric(self) -> bool:
        """Whether every axis is padded as much before as after, the only form PyTorch's layers take."""
        return all(before == after for before, after in self.pads)

    def overhang(self, sizes: Sequence[int], positions: Sequence[int]) -> tuple[int, ...]:
        """The rows by which the last window extends beyond the padded input, along each axis.

        Only a partial window does, which counts if the number of positions is rounded up.

        Args:
            sizes: the spatial sizes of the input.
            positions: the spatial sizes of the output.
        """
        return tuple(max(0, rows) for rows in self.signed_overhang(sizes, positions))

    def signed_overhang(self, sizes: Sequence[int], positions: Sequence[int]) -> tuple[int, ...]:
        """As `overhang`; negative if the last window ends before the padded input does."""
        axes = zip(sizes, positions, self.axes, strict=True)
        return tuple((m - 1) * s + extent(f, d) - n - sum(pads) for n, m, (f, s, d, pads) in axes)


@lru_cache(maxsize=4096)
def resolve(
    op: str,
    tensor: TensorType,
    kernel: PerAxis[int],
    stride: PerAxis[int],
    padding: ConvPadding,
    dilation: PerAxis[int],
) -> Sliding:
    """The window along every spatial axis of `tensor`, with `same`, `valid` and `causal` turned into numbers.

    Raises:
        OpError: a list that does not fit the number of spatial axes, or `causal` where there are several.
    """
    axes = need_spatial(op, tensor)
    kernels = per_axis(op, "kernel", kernel, axes)
    strides = per_axis(op, "stride", stride, axes)
    dilations = per_axis(op, "dilation", dilation, axes)
    if padding == "same":
        sizes = zip(tensor.spatial, kernels, strides, dilations, strict=True)
        pads = tuple(same_pads(*size) for size in sizes)
    elif padding == "causal":
        if axes > 1:
            raise OpError(
                "bad-padding",
                f"'{op}' with padding 'causal' works along one axis, time, and {format_shape(tensor.shape)} has {axes}",
                help="list [before, after] of every axis; [d(f - 1), 0] for time",
            )
        pads = ((extent(kernels[0], dilations[0]) - 1, 0),)
    else:
        written = per_axis(op, "padding", 0 if padding == "valid" else padding, axes)
        pads = tuple(pad if isinstance(pad, tuple) else (pad, pad) for pad in written)
    return Sliding(kernels, strides, dilations, pads)


def need_rows(op: str, mode: str, sizes: Sequence[int], pads: Sequence[Pads]) -> None:
    """Check that every axis has the rows that its padding repeats.

    Raises:
        OpError: mode `reflect` would go beyond the other end of an axis, or `circular` more than once around it.
    """
    for size, pad in zip(sizes, pads, strict=True):
        most = {"reflect": size - 1, "circular": size}.get(mode)
        if most is not None and any(rows > most for rows in pad):
            raise OpError(
                "bad-padding",
                f"'{op}' with mode {mode} cannot add {max(pad)} rows to an axis of {size}",
                help=f"at most {most} rows per side",
            )


def slid(op: str, tensor: TensorType, window: Sliding, *, ceil: bool = False) -> tuple[int, ...]:
    """Output sizes of a window that slides over the spatial axes.

    Raises:
        OpError: there is no position: the kernel is larger than the padded input, with `ceil` by its stride or more.
    """
    sizes: list[int] = []
    for size, (kernel, stride, dilation, pads) in zip(tensor.spatial, window.axes, strict=True):
        count = slide(size, kernel, stride, dilation, pads, ceil=ceil)
        if count < 1:
            spans = f" (it spans {extent(kernel, dilation)} with dilation {dilation})" if dilation > 1 else ""
            padded = f" padded to {size + sum(pads)}" if sum(pads) else ""
            missing = extent(kernel, dilation) - size - sum(pads) - (stride - 1 if ceil else 0)
            raise OpError(
                "kernel-too-large",
                f"'{op}' slides a kernel of {kernel}{spans} over an axis of {size}{padded}",
                help=f"use a kernel that fits, pad by {-(-missing // 2)} more, or give the network a larger input",
            )
        sizes.append(count)
    return tuple(sizes)


def without_usual_stride(attributes: dict[str, Any]) -> dict[str, Any]:
    """The attributes of a pooling without a stride that is the kernel, as it is where none is given."""
    usual = attributes.get("stride") == attributes["kernel"]
    return {name: value for name, value in attributes.items() if not (usual and name == "stride")}
