"""Multipart forms: every part once, whole, by its name."""

import pytest

from seal_service.plumbing.errors import MalformedRequest
from seal_service.plumbing.forms import read_form
from tests.support.sealings import BOUNDARY, make_form

TYPE = f"multipart/form-data; boundary={BOUNDARY}"


def test_parts_come_by_name_with_their_bytes() -> None:
    parts = {"order": b"{}", "document": b"\r\n--form\x00\xff", "空": b""}
    assert read_form(TYPE, make_form(parts)) == parts


@pytest.mark.parametrize(
    "content_type",
    ["", "application/json", "multipart/form-data", f"{TYPE}{'x' * 200}", "multipart/mixed; a=b"],
)
def test_other_types_are_refused(content_type: str) -> None:
    with pytest.raises(MalformedRequest):
        read_form(content_type, make_form({"a": b""}))


def test_forms_that_two_readers_could_read_differently_are_refused() -> None:
    form = make_form({"a": b"1", "b": b"2"})
    for broken in (
        form[:-6],
        form.replace(b'name="b"', b'name="a"'),
        form.replace(b'name="b"', b'name=""'),
        form.replace(b"Content-Disposition", b"X-Disposition"),
        make_form({f"part{number}": b"" for number in range(9)}),
        b"no form at all",
    ):
        with pytest.raises(MalformedRequest) as refusal:
            read_form(TYPE, broken)
        assert refusal.value.params["reason"] == "form"
