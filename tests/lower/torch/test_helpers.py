"""What the classes of generated source compute, compared with PyTorch's own layers or with the formula."""

from __future__ import annotations

import itertools
from math import prod
from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from archspec.ir import GraphBuilder
from archspec.ir.graph import Graph
from archspec.lower.torch.helpers.activation import ScaledTanh, Squash
from archspec.lower.torch.helpers.attention import Attention, WindowAttention
from archspec.lower.torch.helpers.conv import CroppedConvTranspose2d, PaddedConv2d
from archspec.lower.torch.helpers.dropout import StochasticDepth
from archspec.lower.torch.helpers.initializers import bilinear_
from archspec.lower.torch.helpers.linear import CapsuleVotes, RadialBasis
from archspec.lower.torch.helpers.norm import Affine, ChannelNorm, FrozenBatchNorm
from archspec.lower.torch.helpers.pool import PaddedAvgPool2d, PaddedMaxPool2d
from archspec.lower.torch.helpers.reshape import Permute
from archspec.lower.torch.helpers.roi import RoIAlign, RoIPool
from archspec.lower.weights.initializers import initial
from archspec.ops.attention import MultiHeadAttention


@pytest.fixture
def x() -> Tensor:
    return torch.randn(2, 4, 9, 7, generator=torch.Generator().manual_seed(0))


def test_padded_conv(x: Tensor) -> None:
    conv = PaddedConv2d(4, 6, 3, (0, 1, 2, 0), stride=2, groups=2)
    expected = F.conv2d(F.pad(x, (0, 1, 2, 0)), conv.weight, conv.bias, stride=2, groups=2)
    torch.testing.assert_close(conv(x), expected)


def test_padded_conv_with_even_padding_is_pytorchs(x: Tensor) -> None:
    conv = PaddedConv2d(4, 6, (3, 5), (2, 2, 1, 1), dilation=1)
    plain = nn.Conv2d(4, 6, (3, 5), padding=(1, 2))
    plain.load_state_dict(conv.state_dict())
    torch.testing.assert_close(conv(x), plain(x))


def test_cropped_conv_transpose(x: Tensor) -> None:
    conv = CroppedConvTranspose2d(4, 6, 3, (1, 1, 1, 1), stride=2, output_padding=1)
    plain = nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1, output_padding=1)
    plain.load_state_dict(conv.state_dict())
    torch.testing.assert_close(conv(x), plain(x))


def test_cropped_conv_transpose_crops_each_side_by_its_own_rows(x: Tensor) -> None:
    conv = CroppedConvTranspose2d(4, 6, 3, (0, 1, 2, 0), stride=2)
    whole = F.conv_transpose2d(x, conv.weight, conv.bias, stride=2)
    torch.testing.assert_close(conv(x), whole[:, :, 2:, :-1])


def test_padded_max_pool(x: Tensor) -> None:
    torch.testing.assert_close(PaddedMaxPool2d(3, 2, (1, 1, 1, 1))(x), F.max_pool2d(x, 3, 2, padding=1))
    dilated = PaddedMaxPool2d(2, 1, (0, 1, 2, 0), dilation=2)
    padded = F.pad(x, (0, 1, 2, 0), value=float("-inf"))
    torch.testing.assert_close(dilated(x), F.max_pool2d(padded, 2, 1, dilation=2))


@pytest.mark.parametrize("counted", [True, False])
def test_padded_avg_pool_with_rows_that_complete_the_last_window(counted: bool, x: Tensor) -> None:
    x = F.pad(x, (0, 1, 0, 1))  # 10 x 8: windows of 3 every 2 rows, after padding by 1, leave a row over
    pool = PaddedAvgPool2d(3, 2, (1, 1, 1, 1), (0, 1, 0, 1), count_include_pad=counted)
    expected = F.avg_pool2d(x, 3, 2, padding=1, ceil_mode=True, count_include_pad=counted)
    torch.testing.assert_close(pool(x), expected)


def test_capsule_votes() -> None:
    votes = CapsuleVotes(3, 4, 5, 6)
    x = torch.randn(2, 3, 4)
    y = votes(x)
    assert y.shape == (2, 3, 5, 6)
    torch.testing.assert_close(y[1, 2, 3], votes.weight[2, 3] @ x[1, 2])


def test_radial_basis() -> None:
    basis = RadialBasis(4, 3)
    x = torch.randn(2, 4)
    torch.testing.assert_close(basis(x), torch.cdist(x, basis.weight).square())


def test_squash_keeps_directions_and_shortens() -> None:
    x = torch.tensor([[3.0, 4.0], [0.6, 0.8]])
    torch.testing.assert_close(Squash()(x), torch.tensor([[0.6, 0.8], [0.3, 0.4]]) * torch.tensor([[25 / 26], [1.0]]))


def test_scaled_tanh(x: Tensor) -> None:
    torch.testing.assert_close(ScaledTanh(1.7159, 2 / 3)(x), 1.7159 * torch.tanh(x * 2 / 3))


def test_bilinear_weights_interpolate(x: Tensor) -> None:
    conv = nn.ConvTranspose2d(4, 4, 4, stride=2, padding=1, groups=4, bias=False)
    bilinear_(conv.weight)
    expected = F.interpolate(x, scale_factor=2, mode="bilinear")
    torch.testing.assert_close(conv(x)[..., 1:-1, 1:-1], expected[..., 1:-1, 1:-1])


def test_frozen_batch_norm_is_batch_norm_at_inference(x: Tensor) -> None:
    norm = FrozenBatchNorm(4, eps=1e-3)
    assert not [*norm.parameters()]
    plain = nn.BatchNorm2d(4, eps=1e-3).eval()
    state = {name: torch.rand(4) + 0.5 for name in norm.state_dict()}
    norm.load_state_dict(state)
    plain.load_state_dict(state, strict=False)
    torch.testing.assert_close(norm(x), plain(x))


def test_channel_norm(x: Tensor) -> None:
    norm = ChannelNorm(4, eps=1e-6)
    nn.init.normal_(norm.weight)
    expected = F.layer_norm(x.permute(0, 2, 3, 1), (4,), norm.weight, norm.bias, 1e-6).permute(0, 3, 1, 2)
    torch.testing.assert_close(norm(x), expected)


@pytest.mark.parametrize("bias", [True, False])
def test_affine(bias: bool, x: Tensor) -> None:
    affine = Affine(4, bias=bias)
    nn.init.normal_(affine.weight)
    if affine.bias is not None:
        nn.init.normal_(affine.bias)
    shift: Any = 0 if affine.bias is None else affine.bias[:, None, None]
    torch.testing.assert_close(affine(x), x * affine.weight[:, None, None] + shift)
    assert (affine.bias is not None) == bias


def test_attention_is_pytorchs_without_its_weights() -> None:
    attention = Attention(8, 2).eval()
    plain = nn.MultiheadAttention(8, 2, batch_first=True).eval()
    plain.load_state_dict(attention.state_dict())
    query, key, value = torch.randn(2, 3, 8), torch.randn(2, 5, 8), torch.randn(2, 5, 8)
    torch.testing.assert_close(attention(query), plain(query, query, query)[0])
    torch.testing.assert_close(attention(query, key), plain(query, key, key)[0])
    torch.testing.assert_close(attention(query, key, value), plain(query, key, value)[0])
    blocked = torch.rand(3, 5) > 0.5
    blocked[:, 0] = False
    masked = plain(query, key, key, attn_mask=blocked)[0]
    torch.testing.assert_close(attention(query, key, mask=(~blocked).float()), masked)


@pytest.mark.parametrize("causal", [True, False])
def test_a_query_that_attends_to_nothing_gets_zeros(causal: bool) -> None:
    attention = Attention(8, 2, causal=causal).eval()
    x, mask = torch.randn(2, 3, 8), torch.ones(2, 3, 3)
    mask[0, 1] = 0
    attended = attention(x, mask=mask)
    torch.testing.assert_close(attended[0, 1], attention.out_proj.bias)
    others = attention(x)
    torch.testing.assert_close(attended[1], others[1])
    torch.testing.assert_close(attended[0, ::2], others[0, ::2])


def test_attention_is_dropped_during_training_only() -> None:
    for attention in (Attention(8, 2, dropout=0.5), WindowAttention(8, 2, (2, 3), dropout=0.5)):
        x = torch.randn(4, 6, 8)
        assert not attention(x).equal(attention(x))
        attention.eval()
        assert attention(x).equal(attention(x))


@pytest.mark.parametrize("window", [(3,), (2, 3), (2, 1, 4)])
def test_relative_positions_are_numbered_by_the_distance_in_each_direction(window: tuple[int, ...]) -> None:
    index = WindowAttention(4, 2, window).relative_position_index
    positions = [*itertools.product(*map(range, window))]
    distances = [tuple(a - b for a, b in zip(one, other, strict=True)) for one in positions for other in positions]
    assert [distances[number] for number in index.argsort()] == sorted(distances)
    assert len(set(index.tolist())) == len(set(distances)) == int(index.max()) + 1
    values = initial(window_graph(window))["attention.relative_position_index"]
    assert values.tolist() == index.tolist()


def window_graph(window: tuple[int, ...]) -> Graph:
    """Attention inside a window, as a network."""
    b = GraphBuilder("window")
    x = b.input("x", (prod(window), 4))
    b.output("y", b.apply(MultiHeadAttention(heads=2, relative_bias=window), x, name="attention"))
    return b.build()


def test_stochastic_depth(x: Tensor) -> None:
    assert StochasticDepth(0.5).eval()(x) is x
    x = torch.ones(64, 3, 2)
    rows = StochasticDepth(0.5)(x)
    assert {0.0, 2.0} == {*rows.flatten().tolist()}
    assert (rows == rows[:, :1, :1]).all()
    batch = StochasticDepth(0.5, mode="batch")(x)
    assert (batch == batch[0, 0, 0]).all()


def test_permute(x: Tensor) -> None:
    permute = Permute(0, 3, 1, 2)
    torch.testing.assert_close(permute(x), x.permute(0, 3, 1, 2))
    assert repr(permute) == "Permute((0, 3, 1, 2))"


def test_roi_align_of_a_slope_is_the_value_at_the_middle_of_each_bin() -> None:
    x = torch.arange(8.0).expand(1, 1, 8, 8)
    boxes = torch.tensor([[[1.0, 1.0, 5.0, 5.0]]])
    y = RoIAlign((2, 2))(x, boxes)
    torch.testing.assert_close(y, torch.tensor([[2.0, 4.0], [2.0, 4.0]])[None, None, None])
    y = RoIAlign((2, 2), aligned=True)(x, boxes)
    torch.testing.assert_close(y, torch.tensor([[1.5, 3.5], [1.5, 3.5]])[None, None, None])


def test_roi_pool_takes_the_largest_value_of_each_bin() -> None:
    x = torch.arange(64.0).reshape(1, 1, 8, 8)
    y = RoIPool((2, 2))(x, torch.tensor([[[0.0, 0.0, 3.0, 3.0], [2.0, 4.0, 7.0, 7.0]]]))
    assert y.shape == (1, 2, 1, 2, 2)
    assert y[0, 0, 0].tolist() == [[9, 11], [25, 27]]
    assert y[0, 1, 0].tolist() == [[44, 47], [60, 63]]


def test_roi_pool_of_an_empty_box_is_zero() -> None:
    x = torch.ones(1, 1, 4, 4)
    assert RoIPool((1, 1))(x, torch.tensor([[[9.0, 9.0, 9.0, 9.0]]])).tolist() == [[[[[0.0]]]]]
