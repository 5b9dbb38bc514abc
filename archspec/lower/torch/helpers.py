"""Classes and functions that generated source defines for itself where PyTorch has nothing of the kind."""

from __future__ import annotations

from collections.abc import Mapping

HELPERS: Mapping[str, str] = {
    "PaddedConv": '''
class {name}(nn.Conv{d}d):
    """A convolution with its own padding on each side."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | {size},
        pads: tuple[int, ...],
        stride: int | {size} = 1,
        dilation: int | {size} = 1,
        groups: int = 1,
        bias: bool = True,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            dilation=dilation,
            groups=groups,
            bias=bias,
        )
        self.pads = pads

    def forward(self, x: Tensor) -> Tensor:
        return self._conv_forward(F.pad(x, self.pads), self.weight, self.bias)
''',
    "CroppedConvTranspose": '''
class {name}(nn.ConvTranspose{d}d):
    """A transposed convolution that crops its own number of rows from each side."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | {size},
        crop: tuple[int, ...],
        stride: int | {size} = 1,
        output_padding: int | {size} = 0,
        dilation: int | {size} = 1,
        groups: int = 1,
        bias: bool = True,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            output_padding=output_padding,
            groups=groups,
            bias=bias,
            dilation=dilation,
        )
        self.crop = tuple(-rows for rows in crop)

    def forward(  # type: ignore[override]
        self, x: Tensor
    ) -> Tensor:
        y = F.conv_transpose{d}d(
            x,
            self.weight,
            self.bias,
            self.stride,
            output_padding=self.output_padding,
            groups=self.groups,
            dilation=self.dilation,
        )
        return F.pad(y, self.crop)
''',
    "PaddedMaxPool": '''
class {name}(nn.Module):
    """Max pooling with its own padding on each side."""

    def __init__(
        self,
        kernel_size: int | {size},
        stride: int | {size},
        pads: tuple[int, ...],
        dilation: int | {size} = 1,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = stride
        self.pads = pads
        self.dilation = dilation

    def forward(self, x: Tensor) -> Tensor:
        x = F.pad(x, self.pads, value=float("-inf"))
        return F.max_pool{d}d(x, self.kernel_size, self.stride, dilation=self.dilation)
''',
    "PaddedAvgPool": '''
class {name}(nn.Module):
    """Average pooling with its own padding on each side.

    `pads` are zeros, which count in the mean if `count_include_pad`; the rows of
    `extra` only complete the last window and never count.
    """

    def __init__(
        self,
        kernel_size: int | {size},
        stride: int | {size},
        pads: tuple[int, ...],
        extra: tuple[int, ...],
        count_include_pad: bool = True,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = stride
        self.pads = pads
        self.extra = extra
        self.counted = float(count_include_pad)

    def forward(self, x: Tensor) -> Tensor:
        ones = F.pad(torch.ones_like(x[:1, :1]), self.pads, value=self.counted)
        return self.mean(F.pad(x, self.pads)) / self.mean(ones)

    def mean(self, x: Tensor) -> Tensor:
        return F.avg_pool{d}d(F.pad(x, self.extra), self.kernel_size, self.stride)
''',
    "CapsuleVotes": '''
class CapsuleVotes(nn.Module):
    """What each capsule foretells of each of the next: a matrix for every pair."""

    def __init__(
        self,
        in_capsules: int,
        in_features: int,
        capsules: int,
        features: int,
    ) -> None:
        super().__init__()
        weight = torch.empty(in_capsules, capsules, features, in_features)
        self.weight = nn.Parameter(nn.init.normal_(weight, std=0.1))

    def forward(self, x: Tensor) -> Tensor:
        return torch.einsum("ijfk,nik->nijf", self.weight, x)
''',
    "Squash": '''
class Squash(nn.Module):
    """Vectors brought to a length below 1: |x| / (1 + |x|^2) * x."""

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, x: Tensor) -> Tensor:
        length = torch.linalg.vector_norm(x, dim=self.dim, keepdim=True)
        return length / (1 + length.square()) * x
''',
    "bilinear_": '''
def bilinear_(weight: Tensor) -> None:
    """Let a transposed convolution interpolate each channel for itself."""
    kernel = torch.ones(())
    for size in weight.shape[2:]:
        distance = (torch.arange(size) - (size - 1) / 2).abs()
        kernel = kernel.unsqueeze(-1) * (1 - distance / ((size + 1) // 2))
    weight.data.zero_()
    for channel in range(weight.shape[0]):
        weight.data[channel, channel % weight.shape[1]] = kernel
''',
    "RadialBasis": '''
class RadialBasis(nn.Module):
    """Squared distances to a prototype a unit: sum_j (x_j - w_ij)^2."""

    def __init__(self, features: int, units: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(nn.init.normal_(torch.empty(units, features)))

    def forward(self, x: Tensor) -> Tensor:
        return (x.unsqueeze(1) - self.weight).square().sum(dim=2)
''',
    "FrozenBatchNorm": '''
class FrozenBatchNorm(nn.Module):
    """Batch normalization whose statistics, scale and shift all stay as they are."""

    weight: Tensor
    bias: Tensor
    running_mean: Tensor
    running_var: Tensor

    def __init__(self, num_features: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.register_buffer("weight", torch.ones(num_features))
        self.register_buffer("bias", torch.zeros(num_features))
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))

    def forward(self, x: Tensor) -> Tensor:
        statistics = self.running_mean, self.running_var
        return F.batch_norm(x, *statistics, self.weight, self.bias, eps=self.eps)
''',
    "ChannelNorm": '''
class ChannelNorm(nn.LayerNorm):
    """Layer normalization over the channels, at each position."""

    def __init__(
        self,
        channels: int,
        eps: float = 1e-5,
        elementwise_affine: bool = True,
    ) -> None:
        super().__init__(channels, eps, elementwise_affine)

    def forward(self, x: Tensor) -> Tensor:
        y = x.movedim(1, -1)
        y = F.layer_norm(y, self.normalized_shape, self.weight, self.bias, self.eps)
        return y.movedim(-1, 1)
''',
    "Attention": '''
class Attention(nn.MultiheadAttention):
    """Multi-head attention, batch first, of a value to itself or of a query to keys.

    One input is enough, there are no masks, and weights are not returned.
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
    ) -> None:
        super().__init__(embed_dim, num_heads, dropout, bias, batch_first=True)

    def forward(  # type: ignore[override]
        self,
        query: Tensor,
        key: Tensor | None = None,
        value: Tensor | None = None,
    ) -> Tensor:
        query = query.transpose(0, 1)
        key = query if key is None else key.transpose(0, 1)
        value = key if value is None else value.transpose(0, 1)
        attended, _ = F.multi_head_attention_forward(
            query,
            key,
            value,
            self.embed_dim,
            self.num_heads,
            self.in_proj_weight,
            self.in_proj_bias,
            None,
            None,
            False,
            self.dropout,
            self.out_proj.weight,
            self.out_proj.bias,
            training=self.training,
            need_weights=False,
        )
        return attended.transpose(0, 1)
''',
    "Affine": '''
class Affine(nn.Module):
    """A learned scale, and shift, a channel."""

    def __init__(self, channels: int, bias: bool = True) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        shape = [1, -1] + [1] * (x.dim() - 2)
        x = x * self.weight.view(shape)
        return x if self.bias is None else x + self.bias.view(shape)
''',
    "StochasticDepth": '''
class StochasticDepth(nn.Module):
    """Zeroes samples, or the batch, at random while training; scales what is kept."""

    def __init__(self, p: float, mode: str = "row") -> None:
        super().__init__()
        self.p = p
        self.mode = mode

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return x
        samples = x.shape[0] if self.mode == "row" else 1
        kept = x.new_empty([samples] + [1] * (x.dim() - 1)).bernoulli_(1 - self.p)
        return x * kept.div_(1 - self.p)
''',
    "RoIAlign": '''
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
        values = F.grid_sample(x, grid, padding_mode="border", align_corners=False)
        values = F.avg_pool2d(values * near.flatten(1, 2)[:, None], self.samples)
        return values.unflatten(2, (boxes.shape[1], -1)).transpose(1, 2)

    def places(self, start: Tensor, extent: Tensor, bins: int) -> Tensor:
        count = bins * self.samples
        steps = torch.arange(count, device=start.device) + 0.5
        return start + steps * (extent / count)

    def near(self, places: Tensor, length: int) -> Tensor:
        return (places >= -1) & (places <= length)
''',
    "Permute": '''
class Permute(nn.Module):
    """Puts the axes in another order."""

    def __init__(self, *order: int) -> None:
        super().__init__()
        self.order = order

    def forward(self, x: Tensor) -> Tensor:
        return x.permute(self.order)

    def extra_repr(self) -> str:
        return str(self.order)
''',
    "RoIPool": '''
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
        corners = boxes * self.scale
        corners = (corners + 0.5 * corners.sign()).trunc()  # halves go away from 0
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
''',
    "ScaledTanh": '''
class ScaledTanh(nn.Module):
    """scale * tanh(slope * x)."""

    def __init__(self, scale: float, slope: float) -> None:
        super().__init__()
        self.scale = scale
        self.slope = slope

    def forward(self, x: Tensor) -> Tensor:
        return self.scale * torch.tanh(self.slope * x)
''',
}
"""Source text by name. `{d}` is the number of spatial axes, `{name}` the class's name with it."""


def class_name(kind: str, axes: int) -> str:
    """What a helper class is called: by the number of spatial axes, where there is one for each."""
    return f"{kind}{axes}d" if axes else kind


def helper(kind: str, axes: int | str = 0) -> tuple[str, str]:
    """The name and the text of a helper class: for a number of spatial axes where it matters, or one with its text."""
    if isinstance(axes, str):
        return kind, axes.strip("\n") + "\n"
    name = class_name(kind, axes)
    size = "tuple[" + ", ".join(["int"] * axes) + "]"
    text = HELPERS[kind].strip("\n")
    return name, text.replace("{name}", name).replace("{d}", str(axes)).replace("{size}", size) + "\n"
