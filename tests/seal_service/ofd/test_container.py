import io
import zipfile

import pytest

from seal_service.errors import MalformedDocument
from seal_service.formats.ofd.container import (
    append_entries,
    make_package,
    pack,
    read_container,
    write_container,
)
from tests.support.ofd import make_ofd, make_png, make_stored, ofd_entries


def test_what_is_written_is_read_strictly_and_by_the_standard_library() -> None:
    entries = ofd_entries()
    data = write_container(entries)
    container = read_container(data, strict=True)
    assert dict(container.entries) == entries
    with zipfile.ZipFile(io.BytesIO(data)) as other:
        assert other.testzip() is None
        assert {name: other.read(name) for name in other.namelist()} == entries


def test_the_root_comes_first_and_the_rest_keeps_its_order() -> None:
    data = write_container({"b.xml": b"b", "a.xml": b"a", "OFD.xml": b"o"})
    assert read_container(data).order == ("OFD.xml", "b.xml", "a.xml")


def test_the_same_entries_give_the_same_bytes() -> None:
    assert make_ofd() == make_ofd()
    assert write_container(make_stored()) == make_ofd()


def test_pictures_are_stored_and_the_rest_is_deflated_if_it_shrinks() -> None:
    assert pack("a.png", make_png()).method == 0
    assert pack("a.jpg", b"\xff\xd8\xff" + bytes(99)).method == 0
    assert pack("a.xml", b"x" * 99).method == 8
    assert pack("a.xml", b"x").method == 0
    assert pack("a.xml", b"x" * 99, level=0).method == 0


def test_names_beyond_ascii_carry_the_utf8_flag() -> None:
    data = write_container({"OFD.xml": b"<a/>", "附件/清单.xml": b"<b/>"})
    assert read_container(data, strict=True).order == ("OFD.xml", "附件/清单.xml")
    with zipfile.ZipFile(io.BytesIO(data)) as other:
        assert other.namelist() == ["OFD.xml", "附件/清单.xml"]


@pytest.mark.parametrize("names", [("a", "A"), ("a", "a/b"), ("../a",), ("/a",), ("a\\b",)])
def test_bad_names_are_not_written(names: tuple[str, ...]) -> None:
    """T-OFD-02, 03."""
    with pytest.raises(MalformedDocument):
        write_container(dict.fromkeys(names, b""))


def test_appending_keeps_earlier_records_and_replaces_without_a_trace() -> None:
    data = make_ofd()
    longer = append_entries(data, {"Doc_0/new.xml": b"<n/>"})
    before = read_container(data)
    end = before.members[-1].end
    assert longer[:end] == data[:end]
    again = append_entries(longer, {"Doc_0/new.xml": b"<other/>"})
    container = read_container(again, strict=True)
    assert container.entries["Doc_0/new.xml"] == b"<other/>"
    assert len(container.entries) == len(before.entries) + 1
    assert again[:end] == data[:end]


def test_a_package_in_memory_unpacks_only_what_is_asked_for() -> None:
    package = make_package(make_stored())
    assert package.entries["OFD.xml"] == ofd_entries()["OFD.xml"]
    assert "nothing" not in package.entries
    assert dict(package.entries) == ofd_entries()
    assert append_entries(package, {"Doc_0/new.xml": b"<n/>"}) == append_entries(
        make_ofd(), {"Doc_0/new.xml": b"<n/>"}
    )
    assert package.digest_of("OFD.xml") == read_container(make_ofd()).digest_of("OFD.xml")
