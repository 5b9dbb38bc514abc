"""Functions of generated source: resizing."""

from torch import Tensor


def several_columns(x: Tensor) -> Tensor:
    """The result of antialias: of one column, its rows would all be the first."""
    if x.shape[3] == 1 and x.shape[2] != 1:
        raise ValueError("antialias does not resize to one column")
    return x
