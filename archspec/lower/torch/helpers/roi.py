"""Modules of generated source: regions of interest."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class RoIAlign(nn.Module):
    """Bilinear samples at even distances in each box, averaged over its bins.

    Boxes are (N, boxes, 4), as x1, y1, x2, y2, the output (N, boxes, channels, *size).
    """

    def __init__(
        self,
        size: tuple[int, int],
        scale: float = 1.0,
        samples: int = 2,
        aligned: bool = False,
    ) -> None:
        super().__init__()
        self.size = size
        self.scale = scale
        self.samples = samples
        self.aligned = aligned

    def forward(self, x: Tensor, boxes: Tensor) -> Tensor:
        boxes = boxes.to(torch.promote_types(x.dtype, torch.float32))
        start, end = (boxes * self.scale - 0.5 * self.aligned).split(2, dim=2)
        extent = end - start if self.aligned else (end - start).clamp(min=1)
        columns = self.places(start[..., :1], extent[..., :1], self.size[1])
        rows = self.places(start[..., 1:], extent[..., 1:], self.size[0])
        inside = self.near(rows, x.shape[2]), self.near(columns, x.shape[3])
        near = inside[0][..., None] & inside[1][:, :, None]
        rows = (2 * rows + 1) / x.shape[2] - 1
        columns = (2 * columns + 1) / x.shape[3] - 1
        pairs = torch.broadcast_tensors(columns[:, :, None], rows[..., None])
        grid = torch.stack(pairs, dim=-1).flatten(1, 2)
        y = x.to(boxes.dtype)  # 16 bits are too few for positions
        y = F.grid_sample(y, grid, padding_mode="border", align_corners=False)
        y = F.avg_pool2d(y * near.flatten(1, 2)[:, None], self.samples).to(x.dtype)
        return y.unflatten(2, (boxes.shape[1], -1)).transpose(1, 2)

    def places(self, start: Tensor, extent: Tensor, bins: int) -> Tensor:
        count = bins * self.samples
        steps = torch.arange(count, dtype=start.dtype, device=start.device) + 0.5
        return start + steps * (extent / count)

    def near(self, places: Tensor, length: int) -> Tensor:
        return (places >= -1) & (places <= length)


class RoIPool(nn.Module):
    """The largest value in each bin of each box, whose corners are rounded.

    Boxes are (N, boxes, 4), as x1, y1, x2, y2, the output (N, boxes, channels, *size).
    A bin is as large as four windows of 2^i by 2^j positions, one in each of its
    corners: the largest values of all such windows are worked out first.
    """

    def __init__(self, size: tuple[int, int], scale: float = 1.0) -> None:
        super().__init__()
        self.size = size
        self.scale = scale

    def forward(self, x: Tensor, boxes: Tensor) -> Tensor:
        height, width = x.shape[2:]
        corners = boxes.float() * self.scale
        half = 0.49999997  # rounds halves away from 0; 0.5 would round itself up, too
        corners = (corners + half * corners.sign()).trunc()
        rows, i, tall = self.bins(corners[..., 1::2], self.size[0], height)
        columns, j, wide = self.bins(corners[..., ::2], self.size[1], width)
        rows = (i * self.powers(width) * height + rows) * width
        columns = j * height * width + columns
        places = rows[:, None, ..., None] + columns[..., None, :]
        windows = self.windows(x)
        read = [
            windows.gather(1, each[..., None].expand(-1, -1, windows.shape[2]))
            for each in places.flatten(0, 1).flatten(2)
        ]
        largest = torch.stack(read).amax(0).unflatten(1, places.shape[3:])
        empty = ~(tall[..., None] & wide[..., None, :])
        return largest.movedim(-1, 2).masked_fill(empty[:, :, None], 0)

    def bins(
        self, ends: Tensor, count: int, length: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        first, last = ends.split(1, dim=2)
        share = (last - first + 1).clamp(min=1) / count
        steps = torch.arange(count, device=ends.device)
        start = (first + (steps * share).floor()).clamp(0, length).long()
        stop = (first + ((steps + 1) * share).ceil()).clamp(0, length).long()
        extent = (stop - start).clamp(min=0)
        powers = 2 ** torch.arange(self.powers(length), device=ends.device)
        level = (extent[..., None] >= powers[1:]).sum(-1)
        near = start.clamp(max=length - 1)
        far = near + (extent - powers[level]).clamp(min=0)
        return torch.stack([near, far]), level, extent > 0

    def powers(self, length: int) -> int:
        count = 0  # of the powers of 2 up to a length
        while length >> count:
            count += 1
        return count

    def windows(self, x: Tensor) -> Tensor:
        found = []
        for i in range(self.powers(x.shape[2])):
            y = x
            for j in range(self.powers(x.shape[3])):
                found.append(y)
                y = torch.maximum(y, y.roll(-(1 << j), 3))  # none is read beyond
            x = torch.maximum(x, x.roll(-(1 << i), 2))
        return torch.stack(found, dim=1).movedim(2, -1).flatten(1, 3)
