"""Swin transformers: windows and their blocks against their definitions, and against torchvision's modules."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import archspec
from tests import tv

swin = tv.torchvision.models.swin_transformer


def network(layers: str, *sizes: int) -> archspec.Network:
    """A network of the blocks of windows."""
    head = f"archspec: 1\nname: net\ninput: {list(sizes)}\nimport: blocks/windows.yaml\nallow: [heavy-layer]\n"
    return archspec.parse(f"{head}layers: [{layers}]\n")


@pytest.mark.parametrize("shift", [[0, 0], [1, 2], [2, 0]])
def test_windows_are_cut_out_of_the_shifted_map_and_put_back(shift: list[int]) -> None:
    x = torch.randn(2, 6, 9, 4)
    windows = network(f"windowed: {{size: 3, shift: {shift}}}", 6, 9, 4).to_torch()(x)
    assert windows.shape == (2, 6, 9, 4)
    moved = x.roll((-shift[0], -shift[1]), (1, 2))
    cut = [moved[:, i : i + 3, j : j + 3].flatten(1, 2) for i in (0, 3) for j in (0, 3, 6)]
    torch.testing.assert_close(windows, torch.stack(cut, 1))
    both = f"windowed: {{size: 3, shift: {shift}}}, unwindowed: {{size: 3, shift: {shift}, height: 6, width: 9}}"
    torch.testing.assert_close(network(both, 6, 9, 4).to_torch()(x), x)


@pytest.mark.parametrize(("size", "shift"), [(3, [1, 2]), (3, [2, 0]), (2, [1, 1])])
def test_positions_attend_to_those_that_are_as_far_from_them_without_the_shift(size: int, shift: list[int]) -> None:
    """Rows and columns as values go the way of the map: in a window, unequal distances mean different regions."""
    rows, columns = torch.meshgrid(torch.arange(6.0), torch.arange(12.0), indexing="ij")
    places = torch.stack([rows, columns], -1)[None]
    before = network(f"windowed: {{size: {size}, shift: {shift}}}", 6, 12, 2).to_torch()(places)[0]
    after = network(f"windowed: {{size: {size}}}", 6, 12, 2).to_torch()(places)[0]
    distances = [each.unsqueeze(2) - each.unsqueeze(1) for each in (before, after)]
    wanted = (distances[0] == distances[1]).all(-1).float()
    mask = network(f"windows_of_regions: {{size: {size}, shift: {shift}}}", 6, 12, 2).to_torch()(
        torch.randn(1, 6, 12, 2)
    )
    torch.testing.assert_close(mask[0], wanted)
    assert wanted.mean() < 1


@pytest.mark.parametrize(("height", "width"), [(14, 14), (7, 14), (7, 7), (21, 7)])
@pytest.mark.parametrize("shifted", [True, False])
def test_a_layer_is_torchvisions_where_a_window_covers_an_axis_too(height: int, width: int, shifted: bool) -> None:
    torch.manual_seed(0)
    theirs = swin.SwinTransformerBlock(64, 2, [7, 7], [3 * shifted] * 2).eval()
    ours = network(f"swin_layer: {{name: b, window: 7, shifted: {str(shifted).lower()}}}", height, width, 64).to_torch()
    for parameter in theirs.parameters():
        nn.init.normal_(parameter, std=0.2)
    ours.load_state_dict({f"b.{name}": value for name, value in theirs.state_dict().items()})
    x = torch.randn(2, height, width, 64)
    with torch.no_grad():
        torch.testing.assert_close(ours.eval()(x), theirs(x), rtol=1e-4, atol=1e-4)


def test_a_merging_is_torchvisions() -> None:
    theirs = swin.PatchMerging(6)
    ours = network("patch_merging: {name: b}", 8, 4, 6).to_torch()
    ours.load_state_dict({f"b.{name}": value for name, value in theirs.state_dict().items()})
    x = torch.randn(2, 8, 4, 6)
    with torch.no_grad():
        torch.testing.assert_close(ours(x), theirs(x))


@pytest.mark.parametrize("name", ["swin_t", "swin_s", "swin_b"])
def test_the_layers_of_the_network_are_torchvisions_modules(name: str) -> None:
    kinds = {swin.ShiftedWindowAttention: "multi_head_attention", nn.LayerNorm: "layer_norm", nn.Conv2d: "conv"}
    kinds[nn.Linear] = "linear"
    model = tv.meta_model(name)
    inside = {f"{path}.{own}" for path, module in model.named_modules() if type(module) in kinds
              for own, _ in module.named_modules() if own}  # fmt: skip
    wanted = {
        path: (kinds[type(module)], sum(weight.numel() for weight in module.parameters()))
        for path, module in model.named_modules()
        if type(module) in kinds and path not in inside
    }
    found = {layer.name: (layer.op, layer.params) for layer in archspec.load(name) if layer.op in kinds.values()}
    assert found == wanted


def test_sizes_that_windows_do_not_divide_are_refused() -> None:
    with pytest.raises(archspec.ArchspecError) as caught:
        archspec.load("swin_t", input=(3, 256, 256))
    assert {found.code for found in caught.value.diagnostics} == {"wrong-size"}
    module = archspec.load("swin_t", width=32).to_torch().eval()
    for height, width in ((448, 448), (112, 448), (448, 112), (196, 224)):
        with pytest.raises((RuntimeError, ValueError)):
            module(torch.zeros(1, 3, height, width))
