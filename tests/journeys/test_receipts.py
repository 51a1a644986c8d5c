"""A bank's story over real HTTP: verify, keep a receipt, check it years later by the root alone."""

import base64
import json
from pathlib import Path

import httpx
import pytest

from keys.path import TrustStore
from keys.revocation import RevocationEvidence
from tests.journeys.service import SECONDS, Kit, Running, issue, make_body, running
from verifier.judge import JudgeContext, judge_document
from verifier.receipts.json_form import check_json_receipt
from verifier.rules.chain import ChainEvidence
from verifier.verdict import Outcome

pytestmark = pytest.mark.journey


def trust_of(service: Running) -> ChainEvidence:
    """Return what anyone may read of the installation: roots and lists, no intermediates."""
    installation = service.service.installation
    return ChainEvidence(
        trust=TrustStore.of(installation.pki.trust.roots),
        revocation=RevocationEvidence(crls=installation.pki.crls),
        now=service.service.clock.now(),
    )


def encoded(*files: bytes) -> list[str]:
    return [base64.b64encode(data).decode() for data in files]


def test_receipts_of_both_forms_verify_by_the_root_alone(service_on_sqlite: Running) -> None:
    """T-WEB-15."""
    with service_on_sqlite.client() as client:
        document = _licence(client, "RECEIPT-1")
        answers = {
            form: client.post(
                f"/v1/verifications/receipts?format={form}",
                content=document,
                headers={"content-type": "application/ofd"},
            )
            for form in ("json", "pdf")
        }
    assert [answer.status_code for answer in answers.values()] == [200, 200]
    evidence = trust_of(service_on_sqlite)
    checked = check_json_receipt(answers["json"].content, evidence)
    assert checked.signature.outcome is Outcome.VALID
    assert checked.is_for(document)
    assert checked.statement["headline"] == {"zh": "真实，现行有效", "en": "Genuine and in force"}
    verdict = judge_document(answers["pdf"].content, JudgeContext(evidence=evidence))
    assert verdict.outcome is Outcome.VALID


def test_a_caller_brings_its_own_evidence(service_on_sqlite: Running) -> None:
    pki = service_on_sqlite.service.installation.pki
    evidence = {
        "trust": encoded(*(root.der for root in pki.trust.roots)),
        "intermediates": encoded(*(authority.der for authority in pki.intermediates)),
        "crls": encoded(*pki.crls),
    }
    with service_on_sqlite.client() as client:
        document = _licence(client, "RECEIPT-2")
        answers = [
            client.post(
                "/v1/verifications",
                files={
                    "document": ("a.ofd", document),
                    "evidence": ("evidence.json", json.dumps(part), "application/json"),
                },
            )
            for part in (evidence, {})
        ]
    bodies = [answer.json() for answer in answers]
    assert [body["verdict"] for body in bodies] == ["valid", "indeterminate"]
    assert [body["in_force"] for body in bodies] == [None, None]
    assert [body["licence"] for body in bodies] == [None, None]


def test_a_folder_from_before_receipts_signs_them_after_the_next_start(
    kit: Kit, tmp_path: Path
) -> None:
    """Keys and certificates are made when the first receipt is asked for."""
    certificates = tmp_path / "data" / "pki" / "certificates"
    assert not list(certificates.glob("*verifier*"))
    for _ in range(2):
        with running(kit) as service, service.client() as client:
            answer = client.post(
                "/v1/verifications/receipts?format=json",
                content=b"%PDF-1.7",
                headers={"content-type": "application/pdf"},
            )
            assert answer.status_code == 200, answer.text
    assert len(list(certificates.glob("*verifier*"))) == 1


def _licence(client: httpx.Client, case_number: str) -> bytes:
    issued = issue(client, make_body(case_number)).json()
    address = f"/v1/licences/{issued['identifier']}/files/ofd"
    answer = client.get(address, timeout=SECONDS)
    assert answer.status_code == 200
    return answer.content
