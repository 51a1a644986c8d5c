"""Signed statements about the state of a seal: kept by others, checked by others."""

from dataclasses import replace
from datetime import timedelta

import pytest

from keys.errors import ServiceError
from keys.path import TrustStore, Usage, check_path
from seal_service.seals.model import SealStatus
from seal_service.seals.statements import (
    Statement,
    StatementSigner,
    canonical,
    check_statement,
    make_statement,
    sign_statement,
)
from seal_service.seals.states import SealAction, SealState
from tests.support.trust import MAKER_NAME, NOW, SM2_TRUST, YEAR, make_key

SIGNER = StatementSigner(
    certificate=SM2_TRUST.maker().certificate,
    chain=(SM2_TRUST.authority.der,),
    sign=make_key(MAKER_NAME).sign,
)
STATUS = SealStatus(
    seal_id="11320102MB9K00021D7F3A90B2C4D5E6F1",
    name="金陵市云栖区行政审批局电子证照专用章",
    state=SealState.REVOKED,
    at=NOW + timedelta(milliseconds=1),
    valid_from=NOW - YEAR,
    valid_until=NOW + YEAR,
    since=NOW,
    stop_reason="经办人张三遗失密码卡",
    last_action=SealAction.COMPROMISE,
    seal_digest=bytes(range(32)),
)


def statement() -> Statement:
    return make_statement(STATUS, NOW + timedelta(seconds=1))


def test_a_statement_is_checked_with_nothing_but_itself() -> None:
    signature = sign_statement(statement(), SIGNER)
    signer = check_statement(statement(), signature)
    assert signer.der == SIGNER.certificate
    report = check_path(
        signer,
        usage=Usage.SEAL_MAKER,
        at=NOW,
        trust=TrustStore.of([SM2_TRUST.root]),
        intermediates=(SM2_TRUST.authority,),
    )
    assert report.is_trusted


def test_a_statement_says_what_the_public_may_know_and_no_more() -> None:
    told = canonical(statement()).decode()
    assert "张三" not in told
    assert statement() == {
        "type": "seal-status",
        "version": 1,
        "seal_id": STATUS.seal_id,
        "name": STATUS.name,
        "at": "2026-11-24T04:00:00.001000Z",
        "state": "revoked",
        "state_name": "已撤销",
        "action": "compromise",
        "since": "2026-11-24T04:00:00Z",
        "valid_from": statement()["valid_from"],
        "valid_until": statement()["valid_until"],
        "seal_sm3": bytes(range(32)).hex(),
        "answered_at": "2026-11-24T04:00:01Z",
    }


@pytest.mark.parametrize(
    ("member", "value"),
    [("state", "active"), ("at", "2026-11-24T05:00:00Z"), ("seal_sm3", None), ("more", "1")],
)
def test_a_changed_statement_does_not_hold(member: str, value: str | None) -> None:
    signature = sign_statement(statement(), SIGNER)
    with pytest.raises(ServiceError):
        check_statement({**statement(), member: value}, signature)


def test_another_key_signs_no_statement() -> None:
    with pytest.raises(ServiceError):
        sign_statement(statement(), replace(SIGNER, sign=make_key("another").sign))
