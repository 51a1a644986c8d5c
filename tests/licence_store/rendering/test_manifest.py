"""Template manifests: read whole, or refused with the fault named."""

import shutil
from pathlib import Path

import pytest

from licence_store.codes import check_licence_type_code
from licence_store.rendering.errors import RenderingFault
from licence_store.rendering.manifest import FieldType, load_template, load_templates
from tests.licence_store.rendering.samples import BUSINESS, FOOD, TEMPLATES


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    target = tmp_path / "business_licence"
    shutil.copytree(TEMPLATES / "business_licence", target)
    return target


def spoil(folder: Path, old: str, new: str) -> None:
    path = folder / "manifest.toml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def test_the_two_licence_types_are_found_by_code() -> None:
    templates = load_templates(TEMPLATES)
    assert {code: template.name for code, template in templates.items()} == {
        BUSINESS: "营业执照",
        FOOD: "食品经营许可证",
    }
    for code in templates:
        check_licence_type_code(code)


def test_a_seal_of_42_mm_has_its_place_on_the_page() -> None:
    for template in load_templates(TEMPLATES).values():
        (seal,) = template.seals
        assert (seal.width_mm, seal.height_mm) == (42, 42)
        assert seal.x_mm + seal.width_mm < template.page_size_mm[0]
        assert seal.y_mm + seal.height_mm < template.page_size_mm[1]


def test_the_printed_qr_code_is_at_least_26_mm() -> None:
    assert all(t.qr.size_mm >= 26 for t in load_templates(TEMPLATES).values())


def test_fields_carry_type_and_label() -> None:
    fields = {field.name: field for field in load_templates(TEMPLATES)[BUSINESS].fields}
    assert fields["uscc"].type is FieldType.USCC
    assert fields["business_scope"].type is FieldType.MULTI_LINE
    assert fields["business_scope"].max_length >= 600
    assert fields["domicile"].label == "住所"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('name = "营业执照"', ""),
        ("width_mm = 297", 'width_mm = "wide"'),
        ('type = "uscc"', 'type = "unheard-of"'),
        ('number_field = "uscc"', 'number_field = "nothing"'),
        ('emblem = "assets/medallion.svg"', 'emblem = "assets/absent.svg"'),
        ("[page]", "[page"),
    ],
)
def test_a_faulty_manifest_is_refused(copy: Path, old: str, new: str) -> None:
    spoil(copy, old, new)
    with pytest.raises(RenderingFault):
        load_template(copy)


def test_two_templates_for_one_type_are_refused(copy: Path) -> None:
    shutil.copytree(copy, copy.parent / "another")
    with pytest.raises(RenderingFault, match="two templates"):
        load_templates(copy.parent)
