"""The page of a changed file over HTTP: escaped, without script, pictures inline (T-WEB-08)."""

from dataclasses import replace
from datetime import datetime

import httpx
from fastapi import FastAPI
from lxml import html

from tests.support.asgi import AppClient
from tests.support.verdicts import JUDGED_AT, make_tampered
from verifier.comparing import (
    Comparison,
    FieldDifference,
    LineDifference,
    PageDifference,
    Place,
    Side,
    WordDifferences,
)
from verifier.page_writer import PAGE_HEADERS
from verifier.verdict import Verdict
from verifier.web import WebParts, build_web_router

SCRIPT = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


class _Clock:
    def now(self) -> datetime:
        return JUDGED_AT


def _words(theirs: str) -> WordDifferences:
    field = FieldDifference(
        place=Place.INDEX,
        item="CertificateHolderName",
        label="持证主体",
        ours="金陵云栖茶点有限公司",
        theirs=theirs,
    )
    line = LineDifference(page=1, ours="甲", theirs=theirs)
    return WordDifferences(fields=(field,), lines=(line,), our_pages=1, their_pages=1)


def _found(side: Side = Side.LIBRARY, theirs: str = "金陵云溪茶点有限公司") -> Comparison:
    page = PageDifference(number=1, boxes_mm=((1, 1, 1, 1),), ours=b"OURS", theirs=b"THEIRS")
    return Comparison(side=side, words=_words(theirs), pages=(page,), compared_pages=1)


def _upload(found: Comparison | None, verdict: Verdict | None = None) -> httpx.Response:
    judged = make_tampered() if verdict is None else verdict
    parts = WebParts(
        judge_code=lambda code: judged,
        judge_upload=lambda document: judged,
        compare=lambda document, answered: found,
        clock=_Clock(),
        public_url="https://zhengzhao.yunqi.example",
    )
    app = FastAPI()
    app.include_router(build_web_router(parts))
    form = httpx.Request("POST", "http://test/verify", files={"document": ("a.ofd", b"PK")})
    return AppClient(app).request(
        "POST",
        "/verify",
        content=form.read(),
        headers={"content-type": form.headers["content-type"]},
    )


def _sources(answer: httpx.Response) -> list[str]:
    return [str(source) for source in html.fromstring(answer.text).xpath("//img/@src")]


def test_what_was_changed_stands_side_by_side() -> None:
    answer = _upload(_found(), make_tampered())
    assert answer.status_code == 200
    cells = html.fromstring(answer.text).xpath("//table[@class='differences']//td/text()")
    assert cells == ["金陵云栖茶点有限公司", "金陵云溪茶点有限公司"]
    assert "改动之处" in answer.text


def test_only_the_received_page_is_pictured() -> None:
    answer = _upload(_found(), make_tampered())
    assert _sources(answer) == ["data:image/png;base64,VEhFSVJT"]


def test_both_states_of_a_pdf_are_pictured() -> None:
    sources = _sources(_upload(_found(Side.SEALED_REVISION)))
    assert len(sources) == 2
    assert all(source.startswith("data:image/png;base64,") for source in sources)


def test_without_a_comparison_the_page_says_nothing_of_it() -> None:
    for found, verdict in ((None, None), (_found(), replace(make_tampered(), licence=None))):
        assert "改动之处" not in _upload(found, verdict).text


def test_values_of_the_file_are_escaped_and_no_script_runs() -> None:
    answer = _upload(_found(Side.SEALED_REVISION, theirs=SCRIPT))
    root = html.fromstring(answer.text)
    assert root.xpath("//script | //@onerror | //*[@style]") == []
    assert SCRIPT in root.xpath("//table[@class='differences']//td/text()")
    assert answer.headers["content-security-policy"] == PAGE_HEADERS["Content-Security-Policy"]


def test_every_picture_says_what_it_shows() -> None:
    answer = _upload(_found(Side.SEALED_REVISION))
    texts = html.fromstring(answer.text).xpath("//img/@alt")
    assert texts == [
        "第 1 页，签章时，不同之处以红框标出",
        "第 1 页，现在，不同之处以红框标出",
    ]
