"""A verifier of the tests that signs receipts: its keys, its desk, and judged documents."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import pytest

from eseal.settings import PROJECT
from keys.algorithms import KeyAlgorithm
from keys.certificates import parse_certificate
from keys.profiles import VERIFIER
from tests.support.trust import (
    NOW,
    RSA_TRUST,
    SM2,
    SM2_TRUST,
    StandingClock,
    Trust,
    make_evidence,
)
from verifier.judge import JudgeContext, judge_document
from verifier.receipts.desk import ReceiptDesk, ReceiptParts
from verifier.receipts.model import ReceiptSigner
from verifier.rules.chain import ChainEvidence
from verifier.verdict import Verdict

FONTS = PROJECT / ".cache" / "fonts"
SOFTWARE = "eseal 0.0.0"
VERIFIER_NAME = "核验服务（测试）"
needs_fonts = pytest.mark.skipif(
    not (FONTS / "fonts.json").is_file(), reason="no fonts: run scripts/setup-fonts"
)


def make_signer(
    algorithm: KeyAlgorithm, family: Trust | None = None, at: datetime = NOW
) -> ReceiptSigner:
    """Certify the verifier below a family of the tests."""
    family = family or (SM2_TRUST if algorithm is SM2 else RSA_TRUST)
    party = family.party(VERIFIER_NAME, VERIFIER)
    return ReceiptSigner(
        certificate=parse_certificate(party.certificate),
        chain=(family.authority.der,),
        sign=party.sign,
        stamp=family.stamper(at).stamp,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskSpec:
    """A desk; by default one whose receipts verify."""

    signer: Callable[[KeyAlgorithm], ReceiptSigner] = make_signer
    evidence: Callable[[], ChainEvidence] = make_evidence


def make_desk(spec: DeskSpec | None = None) -> ReceiptDesk:
    """Build the desk of a spec; its clock stands at ``NOW``."""
    spec = spec or DeskSpec()
    return ReceiptDesk(
        ReceiptParts(
            signer=spec.signer,
            evidence=spec.evidence,
            clock=StandingClock(NOW),
            randomness=lambda size: b"\x07" * size,
            fonts=FONTS,
            software=SOFTWARE,
        )
    )


def judge(document: bytes) -> Verdict:
    """Judge a document against the families of the tests."""
    return judge_document(document, JudgeContext(evidence=make_evidence()))
