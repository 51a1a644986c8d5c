"""The library decides beside the signatures: own files, forged files, codes."""

from datetime import date, timedelta

import pytest

import seal_service.seals.tables
import seal_service.translog.tables  # noqa: F401 - declares the tables
from keys.algorithms import KeyAlgorithm, sm3
from licence_store.errors import LicenceNotFound
from licence_store.states import LicenceState, RevocationKind
from seal_service.errors import SelfCheckFailed
from seal_service.formats import asn1
from seal_service.formats.ofd.container import read_container
from seal_service.plumbing.database import Database
from seal_service.seals.states import SealAction
from tests.support.issued import IssuedScene
from tests.support.licences import make_approval_result
from tests.support.ofd import make_ofd
from tests.support.register import identity, move
from tests.support.sealed_ofd import FOREIGN, SealedSpec, seal_document, with_entries
from tests.support.sealed_pdf import make_pdf
from tests.support.seals import Party, SealSpec
from tests.support.trust import AUTHORITY_NAME, NOW, make_key
from tests.verifier.verdicts import doubts, faults, notices
from verifier.rules.licence import STATE_REASONS
from verifier.verdict import Outcome

HOUR = timedelta(hours=1)


@pytest.fixture
def scene(database: Database) -> IssuedScene:
    return IssuedScene(database)


def test_both_files_of_an_own_licence_are_valid_and_in_force(scene: IssuedScene) -> None:
    for data in (scene.ofd, scene.pdf):
        verdict = scene.verification.judge_upload(data)
        assert (verdict.outcome, verdict.authentic, verdict.in_force) == (Outcome.VALID, True, True)
        assert verdict.licence is not None
        assert verdict.licence.holder_name == "金陵云栖茶点有限公司"
        reasons = {one.reason for one in verdict.findings}
        assert {"record-matches", "content-matches", "issuer-matches", "in-force"} <= reasons


def test_the_code_on_the_face_leads_to_the_verdict_on_the_master_file(scene: IssuedScene) -> None:
    verdict = scene.verification.judge_code(scene.code)
    assert (verdict.outcome, verdict.authentic, verdict.in_force) == (Outcome.VALID, True, True)
    assert verdict.document_kind == "ofd"
    assert verdict.signatures[0].seal is not None
    assert verdict.signatures[0].seal.name == "金陵市云栖区行政审批局电子证照专用章"


@pytest.mark.parametrize("code", ["", "1", "1" + "A" * 22, "2" + "A" * 22, "1" + "好" * 22])
def test_every_other_code_leads_nowhere(scene: IssuedScene, code: str) -> None:
    with pytest.raises(LicenceNotFound):
        scene.verification.judge_code(code)


@pytest.mark.parametrize("kind", RevocationKind)
def test_a_licence_that_lost_its_force_stays_genuine(
    scene: IssuedScene, kind: RevocationKind
) -> None:
    scene.revoke(kind)
    for verdict in (
        scene.verification.judge_upload(scene.ofd),
        scene.verification.judge_upload(scene.pdf),
        scene.verification.judge_code(scene.code),
    ):
        assert verdict.outcome is Outcome.INVALID
        assert (verdict.authentic, verdict.in_force) == (True, False)
        assert verdict.licence is not None
        assert verdict.licence.state == kind.value
        assert verdict.licence.state_reason == "以虚假材料取得"
        assert verdict.licence.state_since == NOW
        assert {check for check, _ in faults(verdict)} == {"licence-state"}


def test_a_licence_past_its_period_is_genuine_and_not_in_force(database: Database) -> None:
    result = make_approval_result(valid_until=date(2026, 11, 26))
    scene = IssuedScene(database, result)
    assert scene.verification.judge_upload(scene.ofd).in_force is True
    # The last day ends in China, eight hours before it ends in Greenwich.
    scene.seals.clock.move(timedelta(days=2, hours=12))
    verdict = scene.verification.judge_upload(scene.ofd)
    assert (verdict.authentic, verdict.in_force) == (True, False)
    assert faults(verdict) == {("validity-period", "licence-expired")}


def test_a_licence_before_its_period_is_genuine_and_not_yet_in_force(database: Database) -> None:
    result = make_approval_result(valid_from=date(2026, 11, 26))
    scene = IssuedScene(database, result)
    verdict = scene.verification.judge_upload(scene.ofd)
    assert (verdict.authentic, verdict.in_force) == (True, False)
    assert faults(verdict) == {("validity-period", "licence-not-yet-valid")}
    # In China the first day has begun when Greenwich still has the day before.
    scene.seals.clock.move(timedelta(days=1, hours=13))
    assert scene.verification.judge_upload(scene.ofd).in_force is True


# Forgeries that pass all cryptography


def test_an_unknown_number_of_our_own_authority_is_invalid(scene: IssuedScene) -> None:
    """G-7: a good seal on a number that the library never gave."""
    other = {
        **scene.metadata,
        "CertificateIdentifier": scene.identifier.replace("00000001", "00000002"),
    }
    sealed = scene.seals.sealer.seal_ofd(scene.seals.order(), make_ofd(custom_datas=other))
    verdict = scene.verification.judge_upload(sealed.document)
    assert (verdict.outcome, verdict.authentic) == (Outcome.INVALID, False)
    assert faults(verdict) == {("licence-record", "record-unknown")}
    assert verdict.in_force is False


def test_a_second_sealing_of_the_same_licence_is_not_the_librarys_file(scene: IssuedScene) -> None:
    """G-7, T-SES-33, T-OFD-51: another digest."""
    again = scene.seals.sealer.seal_ofd(scene.seals.order(), scene.unsealed()[0])
    verdict = scene.verification.judge_upload(again.document)
    assert faults(verdict) == {("licence-record", "record-differs")}
    assert verdict.authentic is False


def test_a_stamp_taken_off_an_own_licence_makes_it_another_file(scene: IssuedScene) -> None:
    """T-SES-32: everything that is signed still holds."""
    path = "Doc_0/Signs/Sign_0/SignedValue.dat"
    value = read_container(scene.ofd).entries[path]
    parts = asn1.read_sequence(asn1.read_der(value))
    assert len(parts) == 5
    stripped = with_entries(scene.ofd, {path: asn1.sequence(*(one.raw for one in parts[:4]))})
    verdict = scene.verification.judge_upload(stripped)
    assert ("licence-record", "record-differs") in faults(verdict)
    assert (verdict.outcome, verdict.authentic) == (Outcome.INVALID, False)


def test_other_data_under_a_known_number_names_the_items(scene: IssuedScene) -> None:
    """T-OFD-65, T-PDF-27."""
    changed = {**scene.metadata, "CertificateHolderName": "别的公司"}
    sealed = scene.seals.sealer.seal_ofd(scene.seals.order(), make_ofd(custom_datas=changed))
    verdict = scene.verification.judge_upload(sealed.document)
    assert faults(verdict) == {
        ("licence-record", "record-differs"),
        ("content-match", "content-mismatch"),
    }
    different = [one for one in verdict.findings if one.reason == "content-mismatch"]
    assert [one.subject for one in different] == ["CertificateHolderName"]


def test_a_stripped_licence_is_invalid_here_and_unsigned_elsewhere(scene: IssuedScene) -> None:
    """T-OFD-50."""
    for stripped in scene.unsealed():
        verdict = scene.verification.judge_upload(stripped)
        assert verdict.outcome is Outcome.INVALID
        assert ("licence-record", "stripped") in faults(verdict)
    foreign = scene.verification.judge_upload(make_pdf())
    assert foreign.outcome is Outcome.UNSIGNED


def test_a_changed_check_character_does_not_turn_it_into_a_foreign_file(scene: IssuedScene) -> None:
    wrong = scene.identifier[:-1] + ("0" if scene.identifier[-1] != "0" else "1")
    claims = {**scene.metadata, "CertificateIdentifier": wrong}
    verdict = scene.verification.judge_upload(make_ofd(custom_datas=claims))
    assert ("licence-record", "record-unknown") in faults(verdict)


def test_a_document_of_somebody_else_has_no_force_here(scene: IssuedScene) -> None:
    verdict = scene.verification.judge_upload(seal_document(SealedSpec(provider=FOREIGN)))
    assert (verdict.outcome, verdict.in_force, verdict.licence) == (Outcome.VALID, None, None)


def test_a_seal_that_our_register_does_not_know_is_not_confirmed(scene: IssuedScene) -> None:
    """T-SES-26, T-PKI-26: status unknown is no status."""
    sealed = seal_document(SealedSpec(custom_datas=scene.metadata))
    verdict = scene.verification.judge_upload(sealed)
    assert ("licence-record", "record-differs") in faults(verdict)
    assert ("seal-state", "status-unknown") in doubts(verdict)


def test_a_seal_with_our_number_and_other_content_is_substituted(scene: IssuedScene) -> None:
    """T-SES-20, T-SES-27."""
    fake = SealSpec(seal_id=asn1.ia5(scene.seals.seal.seal_id))
    verdict = scene.verification.judge_upload(seal_document(SealedSpec(seal=fake)))
    assert faults(verdict) == {("seal-state", "seal-substituted")}


# The seal's own life


def test_a_seal_stopped_after_issuing_does_not_touch_what_it_sealed(scene: IssuedScene) -> None:
    """The library had the file before, and needs no time stamp to know it."""
    move(scene.database, scene.seals.seal, SealAction.REVOKE, NOW + HOUR)
    scene.seals.clock.move(2 * HOUR)
    verdict = scene.verification.judge_upload(scene.ofd)
    assert verdict.outcome is Outcome.VALID
    assert ("seal-state", "revoked-later") in notices(verdict)


def test_a_seal_that_was_stopped_when_it_signed_is_invalid(scene: IssuedScene) -> None:
    """T-SES-23."""
    move(scene.database, scene.seals.seal, SealAction.SUSPEND, NOW - HOUR)
    verdict = scene.verification.judge_upload(scene.ofd)
    assert ("seal-state", "seal-stopped") in faults(verdict)


def test_a_seal_stopped_later_leaves_unproven_signatures_open(scene: IssuedScene) -> None:
    """T-SES-24: a foreign document under our seal, without time stamp."""
    seal = scene.seals.seal
    assert seal.made is not None
    signer = Party(
        certificate=identity(KeyAlgorithm.SM2).certificate, sign=make_key(AUTHORITY_NAME).sign
    )
    spec = SealedSpec(seal_der=seal.made.eseal_der, signer=signer)
    document = seal_document(spec)
    assert scene.verification.judge_upload(document).outcome is Outcome.VALID
    move(scene.database, seal, SealAction.REVOKE, NOW + HOUR)
    scene.seals.clock.move(2 * HOUR)
    verdict = scene.verification.judge_upload(document)
    assert verdict.outcome is Outcome.INDETERMINATE
    assert doubts(verdict) == {("seal-state", "revoked-no-proof-of-time")}


# The library's own trouble


def test_a_lost_or_damaged_master_file_is_never_confirmed(scene: IssuedScene) -> None:
    """T-STO-09, T-STO-10."""
    scene.blobs.kept[sm3(scene.ofd).hex()] = scene.ofd[:-1]
    verdict = scene.verification.judge_code(scene.code)
    assert (verdict.outcome, verdict.authentic) == (Outcome.INDETERMINATE, False)
    assert doubts(verdict) == {("licence-record", "record-damaged")}
    scene.blobs.kept[sm3(scene.ofd).hex()] = scene.pdf[: len(scene.ofd)].ljust(len(scene.ofd))
    assert scene.verification.judge_code(scene.code).authentic is False


def test_without_trust_anchors_an_own_file_is_not_authentic(scene: IssuedScene) -> None:
    scene.forget_trust()
    verdict = scene.verification.judge_upload(scene.ofd)
    assert (verdict.outcome, verdict.authentic, verdict.in_force) == (
        Outcome.INDETERMINATE,
        False,
        True,
    )


# Release


def test_what_we_issue_passes_our_own_check(scene: IssuedScene) -> None:
    scene.verification.check_release(scene.ofd, scene.pdf)


def test_nothing_is_released_that_we_would_not_call_valid(scene: IssuedScene) -> None:
    """T-PDF-30, T-KEY-10."""
    with pytest.raises(SelfCheckFailed) as caught:
        scene.verification.check_release(scene.unsealed()[0], scene.pdf)
    assert caught.value.params["form"] == "ofd"
    tampered = with_entries(scene.ofd, {"Doc_0/Tags/Tag.xml": b"<changed/>"})
    with pytest.raises(SelfCheckFailed):
        scene.verification.check_release(tampered, scene.pdf)
    with pytest.raises(SelfCheckFailed):
        scene.verification.check_release(scene.pdf, scene.ofd)
    other = scene.seals.sealer.seal_pdf(scene.seals.order(), make_pdf(["CertificateIdentifier=1"]))
    with pytest.raises(SelfCheckFailed) as caught:
        scene.verification.check_release(scene.ofd, other.document)
    assert caught.value.params["reason"] == "content"
    scene.forget_trust()
    with pytest.raises(SelfCheckFailed):
        scene.verification.check_release(scene.ofd, scene.pdf)


def test_the_states_of_the_library_all_have_a_reason() -> None:
    assert set(STATE_REASONS) == set(LicenceState) - {LicenceState.IN_FORCE}
