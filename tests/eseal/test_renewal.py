"""What was sealed and logged under certificates that were renewed later: it still verifies."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from eseal.outside import Outside
from eseal.settings import Settings
from keys.crl import RevocationReason, RevokedEntry
from keys.pki import LOG_KEY, SEAL_MAKER_KEY
from keys.revocation import RevocationEvidence
from keys.timestamps import verify_token
from seal_service.formats import asn1
from seal_service.translog.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from tests.support.pki import (
    HOLDER_CODE,
    HOLDER_NAME,
    NOW,
    SM2,
    FixedClock,
    MadePKI,
    copy_pki,
)
from tests.support.sealed_ofd import SealedSpec, seal_document
from tests.support.seals import Party, SealSpec
from tests.verifier.verdicts import faults, notices
from verifier.judge import JudgeContext, judge_document
from verifier.rules.chain import ChainEvidence
from verifier.verdict import Outcome, Verdict

DAY = timedelta(days=1)


@pytest.fixture
def made(tmp_path: Path) -> MadePKI:
    return copy_pki(tmp_path)


def sealed(made: MadePKI, maker: bytes, at: datetime = NOW) -> bytes:
    """Seal a package with a seal made under a maker's certificate, stamped by our authority."""
    holder = made.pki.issue_seal_holder(HOLDER_NAME, HOLDER_CODE, SM2, now=at)
    key_name = made.pki.holder_key(HOLDER_CODE, SM2)
    seal = SealSpec(
        maker=Party(certificate=maker, sign=made.sign_as(SEAL_MAKER_KEY)),
        created_at=asn1.generalized_time(at),
    )
    spec = SealedSpec(
        seal=seal,
        signer=Party(certificate=holder.der, sign=made.sign_as(key_name)),
        signed_at=at,
        token=made.pki.tsa(SM2, FixedClock(at)).stamp,
    )
    return seal_document(spec)


def judged(made: MadePKI, document: bytes, now: datetime) -> Verdict:
    evidence = ChainEvidence(
        trust=made.trust,
        intermediates=made.pki.intermediates,
        revocation=RevocationEvidence(crls=made.pki.crls),
        now=now,
    )
    return judge_document(document, JudgeContext(evidence=evidence))


def test_seals_of_the_old_maker_and_of_the_new_one_verify(made: MadePKI) -> None:
    old = made.pki.seal_maker
    before = sealed(made, old.der)
    new = made.pki.renew(SEAL_MAKER_KEY, now=NOW)
    for document in (before, sealed(made, new.der)):
        verdict = judged(made, document, NOW + DAY)
        assert (verdict.outcome, notices(verdict)) == (Outcome.VALID, set())


def test_an_old_maker_that_ended_since_is_judged_when_it_made_the_seal(made: MadePKI) -> None:
    old = made.pki.seal_maker
    before = sealed(made, old.der)
    made.pki.renew(SEAL_MAKER_KEY, now=old.not_after - DAY)
    later = old.not_after + DAY
    made.pki.refresh_crls(later)
    verdict = judged(made, before, later)
    assert faults(verdict) == set()
    assert ("seal-maker-chain", "expired-later") in notices(verdict)


def test_a_renewed_maker_revoked_for_another_reason_leaves_its_seals_good(made: MadePKI) -> None:
    """The old certificate is given up; the key is not lost."""
    old = made.pki.seal_maker
    before = sealed(made, old.der)
    new = made.pki.renew(SEAL_MAKER_KEY, now=NOW)
    entry = RevokedEntry(
        serial=old.serial, revoked_at=NOW + DAY, reason=RevocationReason.SUPERSEDED
    )
    made.pki.revoke(old, entry, now=NOW + DAY)
    after = sealed(made, new.der, NOW + DAY)
    found = [judged(made, document, NOW + 2 * DAY) for document in (before, after)]
    assert [verdict.outcome for verdict in found] == [Outcome.VALID] * 2
    assert [("revocation", "revoked-later") in notices(verdict) for verdict in found] == [
        True,
        False,
    ]


def test_documents_stamped_under_the_old_time_stamp_certificate_verify(made: MadePKI) -> None:
    before = sealed(made, made.pki.seal_maker.der)
    made.pki.renew("sm2-tsa", now=NOW + DAY)
    after = sealed(made, made.pki.seal_maker.der, NOW + DAY)
    for document in (before, after):
        assert judged(made, document, NOW + 2 * DAY).outcome is Outcome.VALID


def test_checkpoints_of_the_log_open_with_the_old_certificate_and_the_new(made: MadePKI) -> None:
    checkpoint = Checkpoint(origin="log.example/uses", size=7, root=b"\x07" * 32)
    old = made.pki.log
    notes = [_note(made, checkpoint)]
    new = made.pki.renew(LOG_KEY, now=NOW)
    notes.append(_note(made, checkpoint))
    for note in notes:
        for key in (old.public_key, new.public_key):
            opened = open_checkpoint(note, origin=checkpoint.origin, public_key=key)
            assert opened == checkpoint


def _note(made: MadePKI, checkpoint: Checkpoint) -> str:
    return sign_checkpoint(
        checkpoint, public_key=made.pki.log.public_key, sign=made.sign_as(LOG_KEY)
    )


def test_sealing_takes_the_renewed_time_stamp_certificate_without_a_restart(made: MadePKI) -> None:
    clock = FixedClock(NOW + DAY)
    outside = Outside(Settings(data_folder=made.folder), made.pki, made.store, clock)
    stamp = outside.stamp(SM2)
    renewed = made.pki.renew("sm2-tsa", now=NOW)
    assert verify_token(stamp(b"value"), b"value").certificate == renewed
