"""Rules on where the picture of a seal stands (GB/T 33190-2016, 18.2; T-OFD-55, T-SES-38)."""

from seal_service.formats.ofd.model import OFDSignature
from seal_service.formats.ses import ESeal
from verifier.rules.findings import failed, finding, notice, passed
from verifier.verdict import Check, Finding, Result

CLAUSE = "GB/T 33190-2016, 18.2"
TOLERATED = frozenset({"page-unknown", "off-page"})
"""Met in real files whose signature holds; shown, and not held against a foreign file."""
STRETCH = 0.05
"""How far the sides of the picture may depart from those of the seal, as a part of them."""


def judge_stamps(signature: OFDSignature, seal: ESeal, *, is_own: bool) -> list[Finding]:
    """Judge every stamp annotation of one seal."""
    check = Check.STAMP
    findings: list[Finding] = []
    for stamp in signature.stamps:
        findings += [
            finding(
                check,
                Result.NOTICE if problem in TOLERATED and not is_own else Result.FAILED,
                "stamp-misplaced",
                stamp.stamp_id,
                clause=CLAUSE,
                detail=problem,
            )
            for problem in stamp.problems
        ]
        if stamp.boundary is not None and _is_stretched(stamp.boundary, seal):
            say = failed if is_own else notice
            findings.append(say(check, "stamp-stretched", stamp.stamp_id, clause=CLAUSE))
    if not signature.stamps:
        findings.append(notice(check, "stamp-absent", clause=CLAUSE))
    return findings or [passed(check, "stamp-placed", clause=CLAUSE)]


def _is_stretched(boundary: tuple[float, float, float, float], seal: ESeal) -> bool:
    """Return whether the picture is drawn in another shape or size than the seal has."""
    sides = ((boundary[2], seal.picture.width_mm), (boundary[3], seal.picture.height_mm))
    return any(abs(drawn - due) > STRETCH * due for drawn, due in sides)
