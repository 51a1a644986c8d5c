"""The public pages over HTTP: words, headers, escaping, one answer to wrong codes (T-WEB)."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import httpx
import pytest
from fastapi import FastAPI
from lxml import html

from keys.errors import EngineUnavailable
from licence_store.errors import LicenceNotFound
from licence_store.links import make_code, read_code
from seal_service.plumbing.limits import Limits, RequestGuard
from seal_service.plumbing.rates import RateLimiter, limit_address
from tests.support.asgi import AppClient
from tests.support.verdicts import (
    JUDGED_AT,
    PERSON,
    make_expired,
    make_facts,
    make_finding,
    make_foreign,
    make_revoked,
    make_signature,
    make_tampered,
    make_unsigned,
    make_verdict,
)
from verifier.page_writer import PAGE_HEADERS
from verifier.verdict import Check, Result, SealFacts, Verdict
from verifier.web import WebParts, build_problem_writer, build_web_router

PUBLIC_URL = "https://zhengzhao.yunqi.example"
CODE = make_code(bytes(range(16)))
SCRIPT = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


class _Clock:
    def now(self) -> datetime:
        return JUDGED_AT


def _parts(
    verdict: Verdict | None = None,
    *,
    judge_upload: Callable[[bytes], Verdict] | None = None,
    public_url: str = PUBLIC_URL,
) -> WebParts:
    found = make_verdict() if verdict is None else verdict

    def judge_code(code: str) -> Verdict:
        if read_code(code) != bytes(range(16)):
            raise LicenceNotFound
        return found

    return WebParts(
        judge_code=judge_code,
        judge_upload=judge_upload or (lambda document: found),
        clock=_Clock(),
        public_url=public_url,
    )


def _serve(parts: WebParts) -> AppClient:
    app = FastAPI()
    app.include_router(build_web_router(parts))
    return AppClient(app)


def _client(
    verdict: Verdict | None = None, *, judge_upload: Callable[[bytes], Verdict] | None = None
) -> AppClient:
    return _serve(_parts(verdict, judge_upload=judge_upload))


def _scan(verdict: Verdict) -> httpx.Response:
    return _client(verdict).get(f"/q/{CODE}")


def _upload(client: AppClient, content: bytes = b"%PDF", name: str = "a.pdf") -> httpx.Response:
    form = httpx.Request("POST", "http://test/verify", files={"document": (name, content)})
    return client.request(
        "POST",
        "/verify",
        content=form.read(),
        headers={"content-type": form.headers["content-type"]},
    )


def _words(response: httpx.Response) -> str:
    root = html.fromstring(response.text)
    return re.sub(r"\s+", " ", root.xpath("string(//body)"))


def _heading(response: httpx.Response) -> str:
    return str(html.fromstring(response.text).xpath("string(//h1)")).strip()


# What people read


def test_a_scanned_licence_in_force_says_so_in_big_words() -> None:
    response = _scan(make_verdict())
    assert response.status_code == 200
    assert _heading(response) == "真实，现行有效"
    for expected in ("真伪", "效力", "食品经营许可证", "JY23201020010244", "金陵云栖茶点有限公司",
                     "金陵市云栖区行政审批局", "2026年11月24日 至 2031年11月23日"):  # fmt: skip
        assert expected in _words(response)


def test_a_revoked_licence_is_genuine_but_revoked_with_its_reason() -> None:
    response = _scan(make_revoked())
    assert _heading(response) == "真实，但已于2026年11月25日吊销"
    assert "原因：擅自改变经营场所，经责令改正拒不改正" in _words(response)
    assert "无效" not in _words(response).replace("自始无效", "")


def test_an_expired_licence_says_on_which_day() -> None:
    assert _heading(_scan(make_expired())) == "真实，但已于2026年11月24日到期"


def test_truth_and_force_are_two_answers() -> None:
    tiles = html.fromstring(_scan(make_revoked()).text).find_class("tile")
    assert [tile.get("class") for tile in tiles] == ["tile good", "tile bad"]
    assert "真实" in tiles[0].text_content()
    assert "已吊销" in tiles[1].text_content()


def test_a_test_licence_wears_the_test_mark() -> None:
    assert html.fromstring(_scan(make_verdict()).text).find_class("test-mark")
    real = make_verdict(licence=make_facts(test=False))
    assert not html.fromstring(_scan(real).text).find_class("test-mark")


def test_the_page_says_where_it_lives_and_when_it_was_judged() -> None:
    words = _words(_scan(make_verdict()))
    assert "zhengzhao.yunqi.example" in words
    assert "2026年11月26日 10:14:09" in words
    assert "2026-11-26T02:14:09Z" in words


@pytest.mark.parametrize(
    ("verdict", "heading"),
    [
        (make_verdict(), "真实，现行有效"),
        (make_tampered(), "无效"),
        (make_foreign(), "无法确认"),
        (make_unsigned(), "未签章"),
    ],
)
def test_an_uploaded_file_gets_one_answer(verdict: Verdict, heading: str) -> None:
    response = _upload(_client(verdict))
    assert response.status_code == 200
    assert _heading(response) == heading


def test_an_upload_page_lists_findings_with_reason_clause_and_advice() -> None:
    words = _words(_upload(_client(make_tampered())))
    for expected in ("受保护的内容在盖章后被改动", "GB/T 38540-2020, 7.3", "由颁发机构处理",
                     "请向出具机构索取原件", "/Doc_0/Pages/Page_0/Content.xml"):  # fmt: skip
        assert expected in words


def test_the_list_is_unfolded_when_something_is_wrong_with_the_file() -> None:
    changed = html.fromstring(_upload(_client(make_tampered())).text)
    sound = html.fromstring(_upload(_client(make_verdict())).text)
    assert changed.xpath("//details[@open]")
    assert not sound.xpath("//details[@open]")


def test_the_judge_gets_the_uploaded_bytes() -> None:
    seen: list[bytes] = []

    def judge(document: bytes) -> Verdict:
        seen.append(document)
        return make_unsigned()

    _upload(_client(judge_upload=judge), b"%PDF-1.7 bytes")
    assert seen == [b"%PDF-1.7 bytes"]


@pytest.mark.parametrize("path", ["/", "/verify"])
def test_the_front_page_has_the_form(path: str) -> None:
    form = html.fromstring(_client().get(path).text).forms[0]
    assert (form.method, form.action, form.get("enctype")) == (
        "POST",
        "/verify",
        "multipart/form-data",
    )
    assert form.xpath("string(.//input[@type='file']/@name)") == "document"


# Codes that lead nowhere


@pytest.mark.parametrize(
    "path",
    [
        make_code(bytes(16)),
        CODE[:-1],
        CODE + "A",
        CODE.swapcase(),
        "2" + CODE[1:],
        "%31" + CODE[1:-1],
        "１" + CODE[1:],
        "JY23201020010244",
        CODE + "/",
        CODE + "/x",
        "../q/" + CODE[:-1],
        "%00",
        "",
        "<script>",
    ],
)
def test_every_wrong_code_gets_the_same_answer(path: str) -> None:
    """T-WEB-01 to 03: nothing tells a wrong form from an unknown code."""
    client = _client()
    unknown = client.get("/q/" + make_code(b"x" * 16))
    response = client.get("/q/" + path)
    assert response.status_code == unknown.status_code == 404
    assert response.content == unknown.content
    assert dict(response.headers) == dict(unknown.headers)
    assert _heading(response) == "查无此证照，或二维码有误"


def test_a_query_string_changes_nothing() -> None:
    """T-WEB-07: there is no parameter to redirect anybody with."""
    client = _client()
    plain, extended = client.get(f"/q/{CODE}"), client.get(f"/q/{CODE}?next=https://x.example")
    assert plain.content == extended.content


# Hostile values


def test_markup_in_every_shown_field_is_escaped() -> None:
    """T-WEB-08: whatever the register or a file says is text."""
    facts = make_facts(
        name=SCRIPT,
        licence_number=SCRIPT,
        holder_name=SCRIPT,
        issuing_authority_name=SCRIPT,
        state="revoked",
        state_reason=SCRIPT,
        state_since=JUDGED_AT,
        identifier=SCRIPT,
        holder_code=SCRIPT,
    )
    signature = make_signature(
        (make_finding(reason=SCRIPT, subject=SCRIPT, clause=SCRIPT, result=Result.NOTICE),),
        kind=SCRIPT,
        signer=SCRIPT,
        seal=SealFacts(id=SCRIPT, name=SCRIPT, version=4),
    )
    verdict = make_verdict(licence=facts, signatures=(signature,), document_digest=SCRIPT)
    for response in (_scan(verdict), _upload(_client(verdict), name=SCRIPT)):
        root = html.fromstring(response.text)
        assert not root.xpath("//script | //img | //@onerror | //@style | //style | //iframe")
        assert "<script" not in response.text
        assert "alert(1)" in _words(response)


def test_the_name_of_an_uploaded_file_is_never_shown() -> None:
    response = _upload(_client(make_tampered()), name="geheim-张三.pdf")
    assert "geheim" not in response.text
    assert "张三" not in response.text


def test_a_person_is_masked_on_every_page_and_absent_from_its_title() -> None:
    """T-WEB-11."""
    verdict = make_verdict(licence=make_facts(**PERSON, licence_number=PERSON["holder_code"]))
    for response in (_scan(verdict), _upload(_client(verdict))):
        assert PERSON["holder_name"] not in response.text
        assert PERSON["holder_code"] not in response.text
        title = html.fromstring(response.text).findtext(".//title")
        assert title is not None
        assert "欧" not in title


def test_host_and_forwarded_headers_reach_neither_links_nor_words() -> None:
    """T-WEB-18."""
    headers = {"host": "evil.example", "x-forwarded-host": "evil.example", "forwarded": "host=evil"}
    assert "evil" not in _client().get(f"/q/{CODE}", headers=headers).text


# Headers


def _every_kind_of_page() -> list[httpx.Response]:
    client = _client()
    return [
        client.get("/"),
        client.get(f"/q/{CODE}"),
        client.get("/q/none"),
        _upload(client),
        client.request("POST", "/verify", content=b"no form"),
    ]


def test_every_page_has_the_protective_headers() -> None:
    """T-WEB-08, 10, 11."""
    for response in _every_kind_of_page():
        policy = response.headers["content-security-policy"]
        assert policy == (
            "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
            "frame-ancestors 'none'; base-uri 'none'"
        )
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["referrer-policy"] == "no-referrer"
        assert response.headers["x-content-type-options"] == "nosniff"
        assert "noindex" in response.headers["x-robots-tag"]
        assert response.headers["content-type"] == "text/html; charset=utf-8"
        assert "set-cookie" not in response.headers


def test_no_page_has_a_script_a_style_or_anything_from_another_host() -> None:
    for response in _every_kind_of_page():
        root = html.fromstring(response.text)
        assert not root.xpath("//script | //style | //@style | //iframe | //object")
        targets = [str(target) for target in root.xpath("//@href | //@src | //@action")]
        assert all(target.startswith("/") and not target.startswith("//") for target in targets)


def test_every_page_is_chinese_with_marked_english() -> None:
    for response in _every_kind_of_page():
        root = html.fromstring(response.text)
        assert root.get("lang") == "zh-CN"
        assert root.xpath("//*[@lang='en']")
        assert len(root.xpath("//h1")) == 1


@pytest.mark.parametrize(
    ("name", "media_type"),
    [("verifier.css", "text/css; charset=utf-8"), ("icon.svg", "image/svg+xml")],
)
def test_static_files_are_served_with_their_type(name: str, media_type: str) -> None:
    response = _client().get(f"/static/{name}")
    assert response.status_code == 200
    assert response.headers["content-type"] == media_type
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["content-security-policy"].startswith("default-src 'none'")


@pytest.mark.parametrize("name", ["base.html", "..%2Fhome.html", "verifier.css.map"])
def test_only_listed_static_files_exist(name: str) -> None:
    assert _client().get(f"/static/{name}").status_code == 404


def test_pages_below_a_path_link_below_that_path() -> None:
    response = _serve(_parts(public_url="https://gov.example/yanzheng/")).get("/")
    targets = [str(t) for t in html.fromstring(response.text).xpath("//@href | //@action")]
    assert all(target.startswith("/yanzheng/") for target in targets)


# Refusals are pages


@pytest.mark.parametrize(
    ("content_type", "body", "status", "title"),
    [
        ("text/plain", b"x", 400, "上传的内容无法读取"),
        ("multipart/form-data; boundary=xx", b"broken", 400, "上传的内容无法读取"),
        (
            "multipart/form-data; boundary=xx",
            b'--xx\r\nContent-Disposition: form-data; name="document"; filename=""\r\n\r\n\r\n'
            b"--xx--\r\n",
            422,
            "没有选择文件",
        ),
    ],
)
def test_a_refused_upload_is_a_page(
    content_type: str, body: bytes, status: int, title: str
) -> None:
    response = _client().request(
        "POST", "/verify", content=body, headers={"content-type": content_type}
    )
    assert response.status_code == status
    assert _heading(response) == title


def test_a_refusal_of_the_judge_is_a_page_without_its_details() -> None:
    def judge(document: bytes) -> Verdict:
        raise EngineUnavailable("libcrypto.so.3 at /opt/secret")

    response = _upload(_client(judge_upload=judge))
    assert response.status_code == 503
    assert int(response.headers["retry-after"]) > 0
    assert _heading(response) == "国密算法引擎不可用"
    assert "secret" not in response.text


def test_too_many_lookups_of_one_address_are_refused_with_a_page() -> None:
    """T-WEB-12: counted before the code is looked at, so a limit tells nothing about codes."""
    limiter = RateLimiter(per_minute=1, burst=2, monotonic_seconds=lambda: 0.0)
    count = limit_address(limiter)
    client = _serve(replace(_parts(), admit_lookup=count, admit_upload=count))
    assert client.get(f"/q/{CODE}").status_code == 200
    assert client.get("/q/wrong").status_code == 404
    refused = client.get(f"/q/{CODE}")
    assert refused.status_code == _upload(client).status_code == 429
    assert refused.headers["retry-after"] == "60"
    assert _heading(refused) == "请求过于频繁"


def test_a_later_revocation_is_seen_at_the_next_request() -> None:
    """T-WEB-16: nothing is remembered between requests."""
    verdicts = iter([make_verdict(), make_revoked()])
    client = _serve(replace(_parts(), judge_code=lambda code: next(verdicts)))
    assert _heading(client.get(f"/q/{CODE}")) == "真实，现行有效"
    assert "吊销" in _heading(client.get(f"/q/{CODE}"))


def test_the_pages_are_not_part_of_the_described_api() -> None:
    app = FastAPI()
    app.include_router(build_web_router(_parts()))
    assert app.openapi()["paths"] == {}


def test_the_headers_allow_no_inline_code() -> None:
    assert "unsafe" not in " ".join(PAGE_HEADERS.values())


def test_an_undecided_check_shows_who_can_decide_it() -> None:
    flaw = make_finding(Check.REVOCATION, result=Result.UNKNOWN, reason="status-unknown")
    words = _words(_upload(_client(make_verdict(flaw, is_ours=False))))
    assert "由核验方运维人员处理" in words


# Refusals of the gate before the routes


def _guarded(upload: int = 1000) -> AppClient:
    app = _client().app
    guard = RequestGuard(
        app,
        Limits(upload=upload, upload_paths=("/verify",)),
        build_problem_writer(_Clock(), PUBLIC_URL),
    )
    return AppClient(guard)


def test_an_upload_that_is_too_large_is_refused_with_a_page() -> None:
    response = _upload(_guarded(), bytes(2000))
    assert response.status_code == 413
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'; style-src 'self'" in response.headers["content-security-policy"]
    assert html.fromstring(response.text).forms


@pytest.mark.parametrize("path", ["/q/%00", f"/q/{CODE}?a=1&a=2"])
def test_a_code_the_gate_refuses_gets_the_answer_of_every_wrong_code(path: str) -> None:
    """T-WEB-02."""
    client = _guarded()
    refused, unknown = client.get(path), client.get("/q/unknown")
    assert refused.status_code == 404
    assert refused.content == unknown.content


def test_elsewhere_the_gate_answers_with_a_problem_document() -> None:
    response = _guarded().get("/v1/licences?a=1&a=2")
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/problem+json"
