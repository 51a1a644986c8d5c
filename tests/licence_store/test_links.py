"""Public links: one spelling each; anything else is answered like a wrong guess."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licence_store.errors import LicenceNotFound
from licence_store.links import make_code, make_link, read_code

TOKEN = bytes(range(16))


@given(st.binary(min_size=16, max_size=16))
def test_a_code_reads_back_to_its_token(token: bytes) -> None:
    assert read_code(make_code(token)) == token


def test_a_link_holds_nothing_but_address_version_and_token() -> None:
    assert make_link("https://licence.example", TOKEN) == (
        "https://licence.example/q/1AAECAwQFBgcICQoLDA0ODw"
    )


def _variants() -> list[str]:
    code = make_code(TOKEN)
    return [
        "",
        code[:-1],
        code + "A",
        code + "=",
        code.swapcase()[1:],
        "2" + code[1:],
        code[:-1] + "x",
        code[:5] + "+" + code[6:],
        code[:5] + "%" + code[6:],
        code[:5] + "Ａ" + code[6:],
        " " + code[1:],
        "１" + code[1:],
        "1" * 10_000,
    ]


@pytest.mark.parametrize("code", _variants())
def test_any_other_spelling_is_not_found(code: str) -> None:
    """T-WEB-02."""
    with pytest.raises(LicenceNotFound):
        read_code(code)


@given(st.text(max_size=40))
def test_any_text_is_a_token_or_not_found(text: str) -> None:
    with suppress(LicenceNotFound):
        assert make_code(read_code(text)) == text
