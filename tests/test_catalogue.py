"""The catalogue of the zoo: what is found, and the facts it shows without building a network."""

from __future__ import annotations

import pytest

from archspec import catalogue, zoo
from archspec.catalogue import entries, search
from archspec.cli.zoo import _table
from archspec.diagnostics import ArchspecError
from archspec.frontend.elaborate import builder
from archspec.report.text_table import wrapped
from archspec.zoo_tags import MEANINGS, TAGS


def test_every_network_has_its_facts_from_its_spec(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is built, so that a list of the zoo takes time for reading the specs only."""
    monkeypatch.delattr(builder, "build")
    found = list(entries())
    assert [entry.name for entry in found] == [name for name, _ in zoo.names()]
    assert [
        entry.name for entry in found if not (entry.params is not None and entry.macs is not None and entry.inputs)
    ] == []
    facts = {entry.name: (entry.inputs, entry.params, entry.macs) for entry in found}
    assert facts["resnet50"] == ({"input": (3, 224, 224)}, 25_557_032, 4_089_184_256)  # torchvision


@pytest.mark.parametrize(
    ("text", "first", "others"),
    [
        ("U-Net", "unet", {"unet_3d", "unet_resnet34"}),
        ("resnet50", "resnet50", {"resnet50_v1", "wide_resnet50_2"}),
        ("transformer", "vit_b_16", {"vit_b_32"}),
        ("Detector", "faster_rcnn_resnet50_fpn", {"yolox_s"}),
        ("segmentation", "dilation8_camvid", {"deeplabv3_resnet50", "fcn8s", "unet", "vnet"}),
        ("super-resolution", "srgan_generator", set()),
        ("segment", "unet", {"segnet_camvid"}),
        ("3D", "unet_3d", {"vnet"}),
        ("magnetic", "vnet", set()),
    ],
)
def test_search(text: str, first: str, others: set[str]) -> None:
    names = [entry.name for entry in search(text)]
    assert first in names
    assert others <= {*names}
    assert len(names) < 80


def test_what_is_not_found_is_suggested() -> None:
    for text, help in (("segmantation", "did you mean 'segmentation'?"), ("qqq", "tags are classification, ")):
        with pytest.raises(ArchspecError, match="nothing in the zoo is called") as error:
            search(text)
        assert help in str(error.value)


def test_tags_are_those_of_specs_and_have_a_meaning() -> None:
    stems = {path.stem for path in zoo.files()}
    assert TAGS.keys() <= stems, "remove what is no longer in the zoo"
    assert {tag for tags in TAGS.values() for tag in tags} == MEANINGS.keys()


@pytest.mark.parametrize("columns", [80, 160])
def test_the_table_fits_a_terminal(columns: int) -> None:
    lines = wrapped(_table(list(catalogue.entries())), columns)
    assert max(map(len, lines)) <= columns
    assert lines[0].split() == ["name", "input", "params", "MACs", "summary"]
    assert not any(line.endswith(" ") for line in lines)
