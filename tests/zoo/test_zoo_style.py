"""The specs of the zoo are what people copy from: they are complete, short, and written one way."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

import archspec
from archspec import zoo
from archspec.frontend.language import files
from archspec.frontend.language.document import SPEC
from archspec.frontend.language.spec import Expected, Spec
from archspec.frontend.yaml.tree import read_file

FILES = {path.stem: path for path in zoo.files()}
LECTURES = {f"lectures/{path.stem}": path for path in zoo.files(zoo.LECTURES)}
PARTS = {f"parts/{path.stem}": path for path in zoo.files(zoo.PARTS)}
ALL = FILES | LECTURES | PARTS
TEXTS = {stem: path.read_text("utf-8") for stem, path in ALL.items()}

MAX_LINES = {"swin": 60, "unet": 49, "resnet": 99, "efficientnet": 109}
"""The lines of specs that must stay short."""

# networks that the zoo must keep
VARIANTS = {
    "lenet": ["lenet5", "lenet5_1998"],
    "alexnet": ["alexnet", "alexnet_grouped", "alexnet_single_tower"],
    "vgg": ["vgg11", "vgg11_lrn", "vgg13", "vgg_c", "vgg16", "vgg19", "vgg11_bn", "vgg13_bn", "vgg16_bn", "vgg19_bn"],
    "resnet": [
        "resnet18",
        "resnet34",
        "resnet50",
        "resnet101",
        "resnet152",
        "resnet50_v1",
        "plain34",
        "resnext50_32x4d",
        "resnext101_32x8d",
        "resnext101_64x4d",
        "wide_resnet50_2",
        "wide_resnet101_2",
    ],
    "preact_resnet": ["preact_resnet18", "preact_resnet50", "preact_resnet152"],
    "resnet_cifar": ["resnet20_cifar", "resnet32_cifar", "resnet44_cifar", "resnet56_cifar", "resnet110_cifar"],
    "unet": ["unet", "unet_padded"],
    "wavenet": ["wavenet", "wavenet_block"],
    "yolox": ["yolox_tiny", "yolox_s", "yolox_m", "yolox_l", "yolox_x"],
    "faster_rcnn": ["faster_rcnn_resnet50_fpn"],
    "mask_rcnn": ["mask_rcnn_resnet50_fpn"],
    "fast_rcnn": ["fast_rcnn_vgg16"],
    "fcn": ["fcn32s", "fcn16s", "fcn8s", "fcn8s_atonce"],
    "segnet": ["segnet_camvid", "segnet_pascal", "segnet_basic"],
    "deeplab": ["deeplabv3_resnet50", "deeplabv3_resnet101", "fcn_resnet50", "fcn_resnet101"],
    "attention_unet": ["attention_unet"],
    "unet_resnet": ["unet_resnet18", "unet_resnet34", "unet_resnet50"],
    "vnet": ["vnet", "vnet_released"],
    "srgan": ["srgan_generator", "srgan_discriminator"],
    "capsnet": ["capsnet"],
    "mlp": ["mlp_2500_2000_1500_1000_500", "mlp_keras"],
    "autoencoder": ["autoencoder_pooled", "autoencoder_strided"],
    "ecg": ["ecg_rhythm", "ecg_cinc17"],
    "unet_3d": ["unet_3d"],
    "unet_intel": ["unet_intel_2d", "unet_intel_3d"],
    "densenet": ["densenet121", "densenet161", "densenet169", "densenet201", "densenet40_k12_cifar"],
    "squeezenet": ["squeezenet1_0", "squeezenet1_1"],
    "googlenet": ["googlenet", "googlenet_v1"],
    "inception_v3": ["inception_v3"],
    "inception_resnet_v2": ["inception_resnet_v2"],
    "xception": ["xception"],
    "zfnet": ["zfnet"],
    "fractalnet": ["fractalnet20"],
    "context": [
        "dilation8_pascal_voc",
        "dilation10_cityscapes",
        "dilation_front_end",
        "context_basic",
        "context_large",
    ],
    "mobilenet_v1": ["mobilenet_v1", "mobilenet_v1_075", "mobilenet_v1_050", "mobilenet_v1_025"],
    "mobilenet_v2": ["mobilenet_v2"],
    "vgg_attention": ["vgg16_attention"],
    "vit": ["vit_b_16", "vit_b_32"],
    "convnext": ["convnext_tiny", "convnext_small", "convnext_base", "convnext_large"],
    "efficientnet": [f"efficientnet_b{i}" for i in range(8)],
    "senet": ["se_resnet18", "se_resnet34", "se_resnet50", "se_resnet101"],
    "mobilenet_v3": ["mobilenet_v3_large", "mobilenet_v3_small"],
    "efficientnet_v2": ["efficientnet_v2_s"],
    "mnasnet": ["mnasnet0_5", "mnasnet1_0"],
    "regnet": ["regnet_x_400mf", "regnet_y_400mf", "regnet_y_3_2gf"],
    "shufflenet_v2": ["shufflenet_v2_x0_5", "shufflenet_v2_x1_0"],
    "r2plus1d": ["r2plus1d_18"],
    "mlp_mixer": ["mixer_b16_224"],
    "convmixer": ["convmixer_768_32"],
    "ghostnet": ["ghostnet_100"],
    "res2net": ["res2net50_26w_4s"],
    "dcgan": ["dcgan_generator", "dcgan_discriminator"],
    "style_transfer": ["style_transfer"],
    "pose_resnet": ["pose_resnet50"],
    "transformer": ["transformer_base", "transformer_big"],
    "swin": ["swin_t", "swin_s", "swin_b"],
    "gpt2": ["gpt2_small", "gpt2_medium", "gpt2_large", "gpt2_xl"],
    "pointnet": ["pointnet", "pointnet_vanilla", "pointnet_pytorch"],
    "lstm_tagger": ["lstm_tagger", "bilstm_tagger"],
    "retinanet": ["retinanet_resnet50_fpn"],
    "ssd": ["ssd300_vgg16"],
    "yolov8": ["yolov8n", "yolov8s", "yolov8m", "yolov8l", "yolov8x"],
    "pspnet": ["pspnet_resnet50"],
    "hrnet": ["hrnet_w18", "hrnet_w32", "hrnet_w48"],
}


@cache
def read(stem: str) -> Spec:
    spec, faults = files.read(read_file(ALL[stem]), [zoo.folder()])
    assert spec is not None
    assert not faults
    return spec


def expected(spec: Spec, variant: str) -> Expected:
    found = spec.expect or spec.expect_variants.get(variant)
    assert found is not None, f"{variant} expects nothing"
    return found


def values(text: str) -> list[str]:
    """The quoted texts of a spec, without their quotes; comments and words inside expressions do not count."""
    lines = [re.sub(r"(^| )#.*", "", line) for line in text.splitlines()]
    return re.findall(r'(?:^|[-:,\[{] ?)"([^"]+)"', "\n".join(lines), re.MULTILINE)


@pytest.mark.parametrize("stem", ALL)
def test_no_variant_has_mistakes_or_leaves_a_warning_unanswered(stem):
    assert archspec.check(ALL[stem]) == ()


@pytest.mark.parametrize("stem", ALL)
def test_it_opens_with_a_comment_a_summary_and_its_paper(stem):
    spec = read(stem)
    assert TEXTS[stem].startswith("# ")
    assert spec.name == ALL[stem].stem
    assert spec.summary
    assert re.search(r"(19|20)\d\d", spec.reference), "a reference names its year"


@pytest.mark.parametrize("stem", ALL)
def test_every_variant_says_what_it_is_and_what_must_come_out_by_which_source(stem):
    spec = read(stem)
    for variant in spec.variants.values():
        wanted = expected(spec, variant.name)
        assert variant.summary, variant.name
        assert wanted.source, variant.name
        assert "params" in wanted.facts, variant.name
        assert "macs" in wanted.facts or stem in LECTURES, variant.name
        assert "macs" in wanted.facts or wanted.layers or wanted.outputs or "output" in wanted.facts, variant.name
    assert set(spec.expect_variants) <= set(spec.variants)
    assert spec.default in spec.variants or (spec.default is None and not spec.variants)


@pytest.mark.parametrize("stem", ALL)
def test_what_a_spec_expects_is_checked(stem):
    wrong = re.sub(r"\bparams: (\d[\d_]*)", lambda found: f"params: {found[1]}1", TEXTS[stem])
    for variant in read(stem).variants:
        with pytest.raises(archspec.ArchspecError) as caught:
            archspec.parse(wrong, variant=variant)
        assert {found.code for found in caught.value.diagnostics} == {"expectation-failed"}


@pytest.mark.parametrize("stem", ALL)
def test_every_param_is_used_and_every_variant_changes_something(stem):
    spec = read(stem)
    body = re.split(r"\ninputs?:", TEXTS[stem])[1]
    values_of = {name: " ".join(re.findall(rf"\b{name}\b", body)) for name in spec.params}
    in_others = {name for default in spec.params.values() for name in default.names}
    assert [name for name, found in values_of.items() if not found and name not in in_others] == []
    choices = {variant.name: variant.params for variant in spec.variants.values()}
    written = [sorted((key, str(value.evaluate({}))) for key, value in params.items()) for params in choices.values()]
    assert all(one != other for i, one in enumerate(written) for other in written[:i])


@pytest.mark.parametrize("stem", ALL)
def test_keys_stand_in_the_order_of_the_language(stem):
    keys = re.findall(r"^([a-z]+):", TEXTS[stem], re.MULTILINE)
    assert keys == [key for key in SPEC if key in keys]
    assert TEXTS[stem].count("\n\n") >= 4, "sections are separated by blank lines"


@pytest.mark.parametrize("stem", ALL)
def test_it_is_written_in_one_style(stem):
    text = TEXTS[stem]
    assert text.endswith("\n")
    assert "\n\n\n" not in text
    assert "\t" not in text
    for number, line in enumerate(text.splitlines(), 1):
        assert line == line.rstrip(), number
        assert len(line) <= 120, number
        assert not line.lstrip().startswith("- ") or (len(line) - len(line.lstrip())) % 2 == 0, number
    assert not re.search(r"[:\[,] *'", re.sub(r"#.*|\$\(.*\)", "", text)), "quotes are double, but in `$(...)`"
    for quoted in values(text):
        assert re.search(r"[,:#\[\]{}]|^'", quoted), f'"{quoted}" needs no quotes'


@pytest.mark.parametrize("stem", MAX_LINES)
def test_it_is_short(stem):
    assert len(TEXTS[stem].splitlines()) <= MAX_LINES[stem]


@pytest.mark.parametrize("stem", VARIANTS)
def test_the_zoo_has_these_variants(stem):
    assert set(VARIANTS[stem]) <= set(read(stem).variants)


# --- finding them ---------------------------------------------------------------------------------------------------


def test_every_name_means_one_network():
    names = [name for name, _ in zoo.names()]
    assert len(set(names)) == len(names)
    stems = set(FILES)
    assert all(path.stem == name for name, path in zoo.names() if name in stems)


def test_the_names_are_those_the_specs_define():
    assert [name for name, _ in zoo.names()] == [name for stem in FILES for name in read(stem).variants]


@pytest.mark.parametrize(
    ("asked", "stem", "variant"),
    [
        ("resnet18", "resnet", "resnet18"),
        ("resnet", "resnet", None),
        ("resnet:resnet18", "resnet", "resnet18"),
        ("alexnet", "alexnet", "alexnet"),
        ("alexnet:alexnet_grouped", "alexnet", "alexnet_grouped"),
    ],
)
def test_a_network_is_found_by_its_name_or_by_its_familys(asked, stem, variant):
    assert zoo.find(asked) == (FILES[stem], variant)


@pytest.mark.parametrize(
    ("asked", "stem", "variant"),
    [("padding", "padding", None), ("padding:same", "padding", "same"), ("lenet5_table", "lenet5_table", None)],
)
def test_an_example_of_a_lecture_is_found_by_a_name_that_says_so(asked, stem, variant):
    assert zoo.find(f"lectures/{asked}") == (LECTURES[f"lectures/{stem}"], variant)
    with pytest.raises(archspec.ArchspecError, match="unknown-spec"):
        zoo.find(stem)


@pytest.mark.parametrize("name", [name for name, _ in zoo.names(zoo.LECTURES)])
def test_every_example_of_a_lecture_loads_by_its_name(name):
    assert archspec.load(name).spec.source.name == str(LECTURES[name.partition(":")[0]])


def test_a_network_is_found_by_its_file(tmp_path):
    assert zoo.find(FILES["vgg"]) == (FILES["vgg"], None)
    assert zoo.find(f"{FILES['vgg']}:vgg13") == (FILES["vgg"], "vgg13")
    with pytest.raises(archspec.ArchspecError, match="there is no file"):
        zoo.find(tmp_path / "none.yaml")


def test_a_spec_without_variants_is_found_by_its_own_name(tmp_path, monkeypatch):
    path = tmp_path / "file.yaml"
    path.write_text("archspec: 1\nname: own\ninput: [1]\nlayers: [relu]\n", "utf-8")
    monkeypatch.setattr(zoo, "folder", lambda: tmp_path)
    assert [name for name, _ in zoo.names()] == ["own"]
    assert zoo.find("own") == zoo.find("file") == (path, None)
    assert archspec.load("own").outputs == {"output": (1,)}


@pytest.mark.parametrize(
    ("asked", "help"),
    [
        ("resnet19", "resnet18"),
        ("resnets", "resnet"),
        ("nothing_like_it", "archspec list"),
        ("lectures/paddin", "lectures/padding"),
        ("lectures/nothing_like_it", "archspec list"),
    ],
)
def test_an_unknown_name_is_met_with_the_nearest(asked, help):
    with pytest.raises(archspec.ArchspecError) as caught:
        zoo.find(asked)
    (found,) = caught.value.diagnostics
    assert found.code == "unknown-spec"
    assert help in (found.help or "")


def test_the_default_of_a_family_is_what_its_name_means():
    assert Path(archspec.load("vgg").spec.source.name).stem == "vgg"
    assert archspec.load("vgg").name == "vgg16"
