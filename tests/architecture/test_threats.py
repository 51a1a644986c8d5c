"""Threats: each listed attack is cited by a test (``threat_ids.toml``)."""

import re
import tomllib

from tests.architecture.tree import PROJECT, modules

CITED = re.compile(r"T-([A-Z]{2,4})-(\d{2})((?:\s*(?:,|and)\s*\d{2}\b|\.\.\d{2}\b)*)")
MORE = re.compile(r"(\.\.)?(\d{2})")


def read_citations(text: str) -> set[str]:
    """Return the ids a text cites; knows ``T-X-01..03`` and ``T-X-01, 02``."""
    cited = set()
    for family, first, rest in CITED.findall(text):
        numbers = [int(first)]
        for is_range, number in MORE.findall(rest):
            numbers += range(numbers[-1] + 1, int(number) + 1) if is_range else [int(number)]
        cited |= {f"T-{family}-{number:02}" for number in numbers}
    return cited


def _listed() -> dict[str, str]:
    listed = tomllib.loads((PROJECT / "tests/architecture/threat_ids.toml").read_text("utf-8"))
    return dict(listed["threats"])


def _cited_by_tests() -> dict[str, set[str]]:
    """Return what each test module cites, these rules left aside."""
    return {
        module.name: read_citations(module.text)
        for module in modules("tests")
        if not module.name.startswith("tests.architecture")
    }


def test_every_listed_threat_is_cited_by_a_test() -> None:
    cited = set().union(*_cited_by_tests().values())
    assert sorted(set(_listed()) - cited) == []


def test_a_threat_is_cited_where_a_test_can_fail() -> None:
    """A module that cites ids but holds no test proves nothing."""
    empty = [
        module.name
        for module in modules("tests")
        if module.name.rpartition(".")[2].startswith("test_")
        and read_citations(module.text)
        and not any(function.name.startswith("test_") for function in module.functions())
    ]
    assert empty == []


def test_the_list_is_in_order_and_has_words() -> None:
    listed = _listed()
    assert all(re.fullmatch(r"T-[A-Z]{2,4}-\d{2}", key) and words for key, words in listed.items())
    families = list(dict.fromkeys(key.rpartition("-")[0] for key in listed))
    assert list(listed) == sorted(
        listed, key=lambda key: (families.index(key.rpartition("-")[0]), key)
    )


def test_citations_are_read_in_every_form() -> None:
    text = "T-API-06, 08: and T-OFD-01..03; T-SES-12 T-PDF-01 and 04"
    assert read_citations(text) == {
        "T-API-06", "T-API-08", "T-OFD-01", "T-OFD-02", "T-OFD-03", "T-SES-12",
        "T-PDF-01", "T-PDF-04",
    }  # fmt: skip
