"""OCSP answers about imported certificates: asked for in time, checked, kept, believed."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from eseal.outside_status import RETRY
from eseal.trust_source import TrustSource
from keys.crl import RevocationReason, RevokedEntry
from keys.ocsp import encode_ocsp_error, encode_ocsp_request, parse_ocsp_request
from keys.pki import SEAL_MAKER_KEY
from keys.responder import STATUS_VALIDITY
from keys.revocation import CertificateStatus, check_revocation
from seal_service.formats import asn1
from tests.support.authority import responder_of
from tests.support.imported import KEY, Imported, another_pki, outside_of
from tests.support.outside import Outside as Server
from tests.support.outside import closed_port, outside
from tests.support.pki import NOW, SM2, MadePKI, revoke
from tests.support.sealed_ofd import SealedSpec, seal_document
from tests.support.seals import Party, SealSpec
from tests.verifier.verdicts import doubts, faults
from verifier.judge import JudgeContext, judge_document
from verifier.rules.chain import ChainEvidence
from verifier.verdict import Verdict

GOOD, REVOKED, UNKNOWN = (
    CertificateStatus.GOOD,
    CertificateStatus.REVOKED,
    CertificateStatus.UNKNOWN,
)
PATH = "/ocsp"
HALF, MINUTE = STATUS_VALIDITY / 2, timedelta(minutes=1)
HOLD = RevocationReason.CERTIFICATE_HOLD


@pytest.fixture
def server() -> Iterator[Server]:
    with outside() as found:
        yield found


@pytest.fixture
def other(tmp_path: Path) -> MadePKI:
    return another_pki(tmp_path / "other")


class Scene:
    """An imported certificate whose authority answers for its status."""

    def __init__(self, folder: Path, server: Server, other: MadePKI) -> None:
        self.server = server
        self.imported = Imported(folder, server, other, ocsp_url=server.url(PATH))
        self.clock = self.imported.clock
        self.source = TrustSource(self.imported.ours.pki, self.imported.outside)
        self.answer()

    def answer(self) -> None:
        """Let the authority answer as it should."""
        self.server.answer = responder_of(self.imported.other, self.clock).answer_status

    def refresh(self) -> int:
        return self.imported.outside.refresh_ocsp(self.clock.now())

    def status(self) -> CertificateStatus:
        """Judge the imported certificate by what was kept."""
        now = self.clock.now()
        imported, evidence = self.imported, self.source.material().revocation
        return check_revocation(
            imported.certificate, imported.issuer, evidence, at=now, now=now
        ).status

    @property
    def file(self) -> Path:
        """The kept answer."""
        return next((self.imported.ours.folder / "pki/outside/ocsp").glob("*.ors"))


@pytest.fixture
def scene(tmp_path: Path, server: Server, other: MadePKI) -> Scene:
    return Scene(tmp_path, server, other)


# Asked and believed


def test_a_certificate_without_a_list_is_good_by_a_kept_answer(scene: Scene) -> None:
    assert scene.status() is UNKNOWN
    assert scene.refresh() == 1
    assert scene.status() is GOOD
    assert scene.server.asked == [("POST", PATH)]
    assert scene.imported.outside.lists_in_use() == ()


def test_a_revoked_certificate_is_revoked_by_a_kept_answer(scene: Scene) -> None:
    revoke(scene.imported.certificate, made=scene.imported.other)
    assert scene.refresh() == 1
    assert scene.status() is REVOKED


def test_a_document_is_judged_by_the_kept_answer_and_nobody_is_asked(scene: Scene) -> None:
    """T-PKI-25."""
    document = _sealed(scene)
    assert ("revocation", "status-unknown") in doubts(_judged(scene, document))
    scene.refresh()
    verdict = _judged(scene, document)
    assert (faults(verdict), doubts(verdict)) == (set(), set())
    scene.clock.move(HALF)
    revoke(scene.imported.certificate, made=scene.imported.other)
    scene.refresh()
    assert ("revocation", "revoked") in faults(_judged(scene, document))
    assert len(scene.server.asked) == 2


def _sealed(scene: Scene) -> bytes:
    ours = scene.imported.ours
    root = scene.imported.outside.roots[0]
    scene.imported.outside.certificates.keep_crl(root, scene.imported.other.pki.crl("sm2-root"))
    maker = Party(certificate=ours.pki.seal_maker.der, sign=ours.sign_as(SEAL_MAKER_KEY))
    holder = Party(certificate=scene.imported.certificate.der, sign=ours.sign_as(KEY))
    seal = SealSpec(maker=maker, created_at=asn1.generalized_time(NOW))
    stamp = ours.pki.tsa(SM2, scene.clock).stamp
    return seal_document(SealedSpec(seal=seal, signer=holder, signed_at=NOW, token=stamp))


def _judged(scene: Scene, document: bytes) -> Verdict:
    material = scene.source.material()
    evidence = ChainEvidence(
        trust=material.trust,
        intermediates=material.intermediates,
        revocation=material.revocation,
        now=scene.clock.now(),
    )
    return judge_document(document, JudgeContext(evidence=evidence))


def test_it_is_asked_again_half_way_before_the_answer_ends(scene: Scene) -> None:
    assert [scene.refresh(), scene.refresh()] == [1, 0]
    scene.clock.move(HALF - MINUTE)
    assert scene.refresh() == 0
    scene.clock.move(MINUTE)
    assert scene.refresh() == 1
    scene.clock.move(STATUS_VALIDITY + MINUTE)
    assert scene.status() is UNKNOWN
    assert scene.refresh() == 1
    assert scene.status() is GOOD


def test_what_was_kept_is_known_after_a_restart(scene: Scene) -> None:
    scene.refresh()
    imported = scene.imported
    again = outside_of(imported.ours, imported.settings, scene.clock)
    assert again.refresh_ocsp(NOW) == 0
    assert TrustSource(imported.ours.pki, again).material().revocation.ocsp_responses == (
        scene.file.read_bytes(),
    )


def test_what_was_revoked_for_good_is_not_asked_for_again_but_a_hold_is(scene: Scene) -> None:
    certificate, other = scene.imported.certificate, scene.imported.other
    held = RevokedEntry(serial=certificate.serial, revoked_at=NOW, reason=HOLD)
    other.pki.revoke(certificate, held, now=NOW)
    scene.refresh()
    assert scene.status() is REVOKED
    scene.clock.move(HALF)
    ended = replace(held, reason=RevocationReason.REMOVE_FROM_CRL)
    other.pki.revoke(certificate, ended, now=scene.clock.now())
    assert scene.refresh() == 1
    assert scene.status() is GOOD
    scene.clock.move(HALF)
    revoke(certificate, at=scene.clock.now(), made=other)
    assert scene.refresh() == 1
    scene.clock.move(timedelta(days=30))
    assert (scene.refresh(), scene.status()) == (0, REVOKED)


# Refused


def test_answers_that_must_not_be_believed_are_not_kept(scene: Scene) -> None:
    """T-PKI-23, T-PKI-24."""
    responder = responder_of(scene.imported.other, scene.clock)

    def forget_nonce(body: bytes) -> bytes:
        return responder.answer_status(encode_ocsp_request(parse_ocsp_request(body)[0][0]))

    stranger = responder_of(scene.imported.ours, scene.clock)
    for answer in (
        forget_nonce,
        stranger.answer_status,
        lambda _: encode_ocsp_error(3),
        lambda _: b"garbage",
        lambda body: responder.answer_status(body)[:-1] + b"\0",
    ):
        scene.server.answer = answer
        assert scene.refresh() == 0
        scene.clock.move(RETRY)
    assert not list(scene.imported.ours.folder.glob("pki/outside/ocsp/*"))
    assert len(scene.server.asked) == 5


def test_a_bad_answer_leaves_the_kept_one_in_use(scene: Scene) -> None:
    scene.refresh()
    kept = scene.file.read_bytes()
    scene.server.status = 500
    scene.clock.move(HALF)
    assert (scene.refresh(), scene.status()) == (0, GOOD)
    assert scene.file.read_bytes() == kept


def test_an_answer_older_than_the_kept_one_is_refused(scene: Scene) -> None:
    """T-PKI-21: a responder that lags behind, within the skew of clocks."""
    ahead = scene.imported.clock
    ahead.move(2 * MINUTE)
    scene.refresh()
    kept = scene.file.read_bytes()
    ahead.move(-2 * MINUTE)
    assert scene.imported.outside.refresh_ocsp(NOW + HALF + 3 * MINUTE) == 0
    assert len(scene.server.asked) == 2
    assert scene.file.read_bytes() == kept


def test_an_answer_put_back_on_disk_is_refused_and_the_newer_one_kept(scene: Scene) -> None:
    """T-PKI-21: the revoked certificate does not become good again."""
    scene.refresh()
    old = scene.file.read_bytes()
    assert scene.status() is GOOD
    scene.clock.move(HALF)
    revoke(scene.imported.certificate, at=scene.clock.now(), made=scene.imported.other)
    scene.refresh()
    assert scene.status() is REVOKED
    certificates = scene.imported.outside.certificates
    link = (scene.imported.certificate, scene.imported.issuer)
    for content in (old, b"garbage", old):
        certificates.keep_answer(*link, content)
        assert scene.status() is REVOKED


def test_a_kept_answer_that_was_damaged_is_asked_for_again(scene: Scene) -> None:
    certificates = scene.imported.outside.certificates
    certificates.keep_answer(scene.imported.certificate, scene.imported.issuer, b"garbage")
    assert scene.status() is UNKNOWN
    assert scene.refresh() == 1
    assert scene.status() is GOOD


# Left alone


def test_a_host_that_does_not_answer_is_left_alone_for_all_its_certificates(
    scene: Scene, server: Server
) -> None:
    scene.imported.add(server.url("/list.crl"), server.url(PATH), "second-holder")
    server.status = 500
    assert [scene.refresh() for _ in range(3)] == [0, 0, 0]
    assert len(server.asked) == 1
    server.status = 200
    scene.clock.move(RETRY)
    assert scene.refresh() == 2


def test_a_certificate_its_responder_does_not_know_keeps_no_other_from_its_answer(
    scene: Scene, server: Server
) -> None:
    second = scene.imported.add(server.url("/list.crl"), server.url(PATH), "second-holder")
    (scene.imported.other.folder / f"pki/issued/{second.serial:x}.pem").unlink()
    assert [scene.refresh(), scene.refresh()] == [1, 0]
    assert len(server.asked) == 2
    scene.clock.move(RETRY)
    assert scene.refresh() == 0
    assert len(server.asked) == 3


@pytest.mark.parametrize("url", ["", "http://169.254.169.254/", "ldap://x/", "http://[::1"])
def test_a_responder_that_is_not_on_the_list_is_not_asked(
    tmp_path: Path, server: Server, other: MadePKI, url: str
) -> None:
    """T-PKI-25."""
    imported = Imported(tmp_path, server, other, ocsp_url=url)
    assert imported.outside.refresh_ocsp(NOW) == 0
    assert server.asked == []


def test_a_host_that_is_down_is_no_failure_of_upkeep(
    tmp_path: Path, server: Server, other: MadePKI
) -> None:
    imported = Imported(tmp_path, server, other)
    host = f"127.0.0.1:{closed_port()}"
    hosts = {"outside_hosts": host, "outside_private_hosts": host}
    imported.add(server.url("/list.crl"), f"http://{host}/", "second-holder")
    settings = imported.settings.model_copy(update=hosts)
    assert outside_of(imported.ours, settings).refresh_ocsp(NOW) == 0


def test_what_has_ended_is_not_asked_for(scene: Scene) -> None:
    scene.clock.move(scene.imported.certificate.not_after - NOW + timedelta(days=1))
    assert scene.refresh() == 0
    assert scene.server.asked == []
