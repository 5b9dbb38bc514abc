"""Functions of generated source: crops that depend on the size of the input."""

from torch import Tensor


def center_crop(x: Tensor, size: list[int]) -> Tensor:
    """The middle of the spatial axes; an odd row is cut at the end."""
    for axis, length in enumerate(size, 2):
        x = x.narrow(axis, (x.shape[axis] - length) // 2, length)
    return x


def crop_to_smallest(paths: list[Tensor]) -> list[Tensor]:
    """The middles of all paths, as large as the smallest along each spatial axis."""
    size = [min([x.shape[i] for x in paths]) for i in range(2, paths[0].dim())]
    return [center_crop(x, size) for x in paths]
