import pytest

from seal_service.errors import MalformedDocument
from seal_service.formats.ofd.names import LocationRefused, NameTable, collision_key

NAMES: dict[str, object] = dict.fromkeys(
    ["OFD.xml", "Doc_0/Document.xml", "Doc_0/Res/a.png", "Doc_0/Tpls/T.xml", "Doc_0/b.png"]
)


def table(*, strict: bool = False, **more: object) -> NameTable:
    return NameTable.of({**NAMES, **more}, strict=strict)


@pytest.mark.parametrize(
    ("location", "base", "path"),
    [
        ("/Doc_0/Document.xml", "", "Doc_0/Document.xml"),
        ("Doc_0/Document.xml", "", "Doc_0/Document.xml"),
        (" Res/a.png ", "Doc_0", "Doc_0/Res/a.png"),
        ("./Res/../b.png", "Doc_0", "Doc_0/b.png"),
        ("../OFD.xml", "Doc_0", "OFD.xml"),
    ],
)
@pytest.mark.parametrize("strict", [True, False])
def test_locations_resolve_from_the_root_or_the_file(
    location: str, base: str, path: str, strict: bool
) -> None:
    found = table(strict=strict).resolve(location, base)
    assert (found.path, found.present, found.notice) == (path, True, "")


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize(
    "location",
    [
        "../../etc/passwd",
        "/../x",
        "http://127.0.0.1/x",
        "file:///etc/passwd",
        "//server/share",
        "\\\\server\\share",
        "C:/x",
        "a.xml?x",
        "a.xml#x",
        "a\x00.xml",
        "",
        "  ",
    ],
)
def test_locations_outside_the_package_are_refused(location: str, strict: bool) -> None:
    """T-OFD-29, T-OFD-59."""
    with pytest.raises(LocationRefused) as caught:
        table(strict=strict).resolve(location, "Doc_0")
    assert caught.value.params["reason"] == "location"
    assert isinstance(caught.value, MalformedDocument)


@pytest.mark.parametrize("strict", [True, False])
def test_a_location_with_two_readings_is_refused(strict: bool) -> None:
    """T-OFD-29: relative to the root and to the file it would mean two different entries."""
    names = table(strict=strict, **{"Doc_0/Doc_0/b.png": b""})
    with pytest.raises(LocationRefused):
        names.resolve("Doc_0/b.png", "Doc_0")


def test_a_location_counted_from_the_root_is_read_in_foreign_files_with_a_notice() -> None:
    assert table().resolve("Doc_0/b.png", "Doc_0").notice == "location-root"
    assert not table(strict=True).resolve("Doc_0/b.png", "Doc_0").present


def test_a_location_that_differs_in_case_is_refused_in_own_and_noted_in_foreign_files() -> None:
    """T-OFD-30."""
    found = table().resolve("TPLS/T.xml", "Doc_0")
    assert (found.path, found.notice) == ("Doc_0/Tpls/T.xml", "location-case")
    with pytest.raises(LocationRefused):
        table(strict=True).resolve("TPLS/T.xml", "Doc_0")


def test_a_missing_entry_is_not_present() -> None:
    found = table().resolve("nothing.xml", "Doc_0")
    assert (found.path, found.present) == ("Doc_0/nothing.xml", False)


def test_names_that_some_reader_takes_for_one_have_one_key() -> None:
    """T-OFD-02."""
    same = ["a/B.xml", "A/b.XML", "./a/b.xml", "a//b.xml", "a%2Fb.xml", "a/b.xml. ", "ａ/b.xml"]
    assert {collision_key(name) for name in same} == {"a/b.xml"}
