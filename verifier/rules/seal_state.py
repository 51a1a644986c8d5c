"""Rules on what our own seal register says of a seal (T-SES-20, 23 to 28)."""

from keys.algorithms import sm3
from seal_service.formats.ses import ESeal
from verifier.records import SealRecord
from verifier.rules.chain import SigningTime, judge_end
from verifier.rules.findings import failed, passed, unknown
from verifier.verdict import Check, Finding

CLAUSE = "GB/T 38540-2020, 7.2"
PERSONAL = 2
"""Type of the seal of a person (GM/T 0031-2014; later editions leave it free); ours have others."""


def judge_owner(seal: ESeal, *, is_own: bool) -> list[Finding]:
    """Refuse the seal of a person in what claims to be issued by us (T-SES-28)."""
    if is_own and seal.seal_type == PERSONAL:
        detail = "the seal of a person"
        return [failed(Check.ISSUER_MATCH, "issuer-mismatch", seal.seal_id, detail=detail)]
    return []


def judge_seal_state(
    seal: ESeal, records: tuple[SealRecord, ...] | None, time: SigningTime, *, is_own: bool
) -> list[Finding]:
    """Judge a seal by its register row; ``records`` is None where no register was asked.

    Only a document that claims to be ours must be sealed with a seal that we know.
    """
    check = Check.SEAL_STATE
    if records is None:
        return []
    if not records:
        if is_own:
            return [unknown(check, "status-unknown", seal.seal_id, clause=CLAUSE)]
        return []
    digest = sm3(seal.raw)
    record = next((one for one in records if one.digest == digest), None)
    if record is None:
        return [failed(check, "seal-substituted", seal.seal_id, clause=CLAUSE)]
    stopped_at = record.stopped_after(time.judged_at)
    if stopped_at == time.judged_at:
        return [failed(check, "seal-stopped", seal.seal_id, clause=CLAUSE, detail=record.state)]
    if stopped_at is None or record.is_active:
        return [passed(check, "seal-active", seal.seal_id, clause=CLAUSE)]
    return [judge_end(check, "seal-stopped", seal.seal_id, stopped_at, time, record.state)]
