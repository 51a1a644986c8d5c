"""The upload form: one file out of it, in memory, whatever a client sends (T-WEB-13, 19, 20)."""

from collections.abc import Mapping
from contextlib import suppress

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.errors import ServiceError
from seal_service.errors import DocumentTooLarge
from seal_service.plumbing.forms import MOST_PARTS
from verifier.uploads import (
    LARGEST_DOCUMENT,
    UploadMissing,
    UploadUnreadable,
    read_upload,
)

FORM = "multipart/form-data; boundary=xx"


def _encode(files: Mapping[str, tuple[str, bytes]]) -> tuple[str, bytes]:
    request = httpx.Request("POST", "http://test/verify", files=dict(files))
    return request.headers["content-type"], request.read()


def _part(name: str, content: bytes = b"abc") -> bytes:
    head = f'--xx\r\nContent-Disposition: form-data; name="{name}"; filename="a"\r\n\r\n'
    return head.encode() + content + b"\r\n"


@given(st.binary(min_size=1, max_size=300))
def test_a_file_comes_out_as_it_went_in(content: bytes) -> None:
    assert read_upload(*_encode({"document": ("证照.ofd", content)})) == content


def test_a_file_that_looks_like_the_form_itself_comes_out_whole() -> None:
    content = b"\r\n--xx\r\n--\r\n\r\n--xxx--\r\n"
    content_type, body = _encode({"document": ("a.pdf", content)})
    assert read_upload(content_type, body) == content


@pytest.mark.parametrize("name", ['"; name="other', "a\r\nX: y", "\u202efdp.exe", "../../etc/x"])
def test_a_file_name_is_not_looked_at(name: str) -> None:
    assert read_upload(*_encode({"document": (name, b"abc")})) == b"abc"


def test_the_first_document_counts_and_other_fields_do_not() -> None:
    body = _part("other", b"1") + _part("document", b"2") + _part("document", b"3") + b"--xx--\r\n"
    assert read_upload(FORM, body) == b"2"


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data",
     "multipart/form-data; boundary=", "multipart/form-data; boundary=" + "x" * 300],
)  # fmt: skip
def test_anything_but_a_form_is_refused(content_type: str) -> None:
    with pytest.raises(UploadUnreadable):
        read_upload(content_type, _part("document") + b"--xx--\r\n")


@pytest.mark.parametrize(
    "body",
    [b"", b"abc", _part("document"), _part("document")[:-5], b"--xx\r\nno header\r\n\r\n",
     b"--xx\r\n" + b"X: " + b"y" * 10_000 + b"\r\n\r\n--xx--\r\n"],
)  # fmt: skip
def test_a_form_that_is_damaged_or_ends_early_is_refused(body: bytes) -> None:
    with pytest.raises(UploadUnreadable):
        read_upload(FORM, body)


def test_a_form_of_many_parts_is_refused() -> None:
    parts = b"".join(_part(f"field{number}") for number in range(MOST_PARTS + 1))
    with pytest.raises(UploadUnreadable):
        read_upload(FORM, parts + b"--xx--\r\n")


@pytest.mark.parametrize("body", [_part("document", b""), _part("other")])
def test_a_form_without_a_file_says_so(body: bytes) -> None:
    with pytest.raises(UploadMissing):
        read_upload(FORM, body + b"--xx--\r\n")


@pytest.mark.parametrize("size", [LARGEST_DOCUMENT - 1, LARGEST_DOCUMENT])
def test_a_file_up_to_the_limit_is_taken(size: int) -> None:
    assert len(read_upload(FORM, _part("document", bytes(size)) + b"--xx--\r\n")) == size


def test_a_file_over_the_limit_is_refused() -> None:
    with pytest.raises(DocumentTooLarge):
        read_upload(FORM, _part("document", bytes(LARGEST_DOCUMENT + 1)) + b"--xx--\r\n")


@given(st.binary(max_size=400))
def test_random_bytes_raise_only_our_own_errors(noise: bytes) -> None:
    for body in (noise, _part("document") + noise, b"--xx\r\n" + noise + b"\r\n--xx--\r\n"):
        with suppress(ServiceError):
            read_upload(FORM, body)
