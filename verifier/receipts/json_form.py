"""The JSON receipt: a statement and a GB/T 35275 message over its canonical bytes.

    {"receipt": {...}, "signature": "base64"}

To sign, and to check with any other program:

1. Write the member ``receipt`` in canonical form: keys sorted, no spaces, UTF-8 (RFC 8785; the
   statement holds no fractions).
2. These bytes are the detached original of the SignedData in ``signature`` (form B: signed
   attributes, no content; SM2 with SM3; a time stamp over the value).
3. The signer's chain, status and time are judged like those of any document.
"""

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime

from keys.algorithms import sm3
from keys.errors import ServiceError
from licence_store.model import canonical_json
from seal_service.errors import SelfCheckFailed
from seal_service.formats.cms import (
    CMSProfile,
    SignedData,
    VerifiedSigner,
    assemble,
    prepare_signer,
    signed_attributes,
    verify_gbt35275_signer,
)
from seal_service.plumbing.strict_json import JSONValue, read_json
from verifier.receipts.model import (
    RECEIPT_TYPE,
    RECEIPT_VERSION,
    Receipt,
    ReceiptRefused,
    ReceiptSigner,
    receipt_to_json,
)
from verifier.rules.chain import ChainEvidence, shown_name
from verifier.rules.findings import passed
from verifier.rules.signed_data import SignedOriginal, judge_signed_data
from verifier.verdict import (
    Check,
    Outcome,
    SignatureVerdict,
    in_order,
    integrity_of,
    outcome_of,
    trust_of,
)

LARGEST_RECEIPT = 4 * 1024 * 1024
CLAUSE = "GB/T 35275, 8; RFC 8785"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedReceipt:
    """A JSON receipt as read, and the verdict on its signature."""

    statement: dict[str, JSONValue]
    signature: SignatureVerdict

    def is_for(self, document: bytes) -> bool:
        """Tell whether the receipt speaks of this document."""
        about = self.statement.get("document")
        return isinstance(about, dict) and about.get("sm3") == sm3(document).hex()


def write_json_receipt(receipt: Receipt, signer: ReceiptSigner, evidence: ChainEvidence) -> bytes:
    """Return the signed receipt, checked as a stranger would; raises ``SelfCheckFailed``."""
    statement = receipt_to_json(receipt)
    original = canonical_json(statement)
    template = prepare_signer(
        signer.certificate.der, chain=signer.chain, profile=CMSProfile.GBT_35275
    )
    attributes = signed_attributes(template, sm3(original))
    signature = signer.sign(attributes)
    message = assemble(template, attributes, signature, timestamp_token=signer.stamp(signature))
    encoded = base64.b64encode(message).decode("ascii")
    made = canonical_json({"receipt": statement, "signature": encoded}) + b"\n"
    _check_made(made, evidence)
    return made


def _check_made(made: bytes, evidence: ChainEvidence) -> None:
    checked = check_json_receipt(made, evidence).signature
    if checked.outcome is not Outcome.VALID:
        against = [one.reason for one in checked.findings if one.result.value != "passed"]
        raise SelfCheckFailed("the receipt does not verify", form="json", reason=against[0])


def check_json_receipt(data: bytes, evidence: ChainEvidence) -> CheckedReceipt:
    """Read a receipt and judge its signature; raises ``ReceiptRefused`` for what is none."""
    statement, message = _read(data)
    original = canonical_json(statement)

    def verify(signed_data: SignedData) -> VerifiedSigner:
        return verify_gbt35275_signer(signed_data, original)

    judged = judge_signed_data(
        message,
        SignedOriginal(verify=verify, claimed_at=_issued_at(statement)),
        evidence,
    )
    findings = list(judged.findings)
    signer = None if judged.signer is None else judged.signer.certificate
    if signer is not None:
        findings.append(passed(Check.DOCUMENT_DIGEST, "digest-holds", clause=CLAUSE))
    ordered = in_order(findings)
    return CheckedReceipt(
        statement=statement,
        signature=SignatureVerdict(
            kind="gm-cms",
            name="signature",
            outcome=outcome_of(ordered),
            integrity=integrity_of(ordered),
            trust=trust_of(ordered),
            signed_at=judged.signed_at,
            time_source=judged.time_source,
            signer=shown_name(signer),
            seal=None,
            findings=ordered,
        ),
    )


def _read(data: bytes) -> tuple[dict[str, JSONValue], bytes]:
    if len(data) > LARGEST_RECEIPT:
        raise ReceiptRefused("too long", reason="too-long")
    try:
        value = read_json(data)
    except ServiceError as error:
        raise ReceiptRefused(error.detail, reason="json") from error
    if not isinstance(value, dict) or value.keys() != {"receipt", "signature"}:
        raise ReceiptRefused("two members are due: receipt, signature", reason="members")
    statement, encoded = value["receipt"], value["signature"]
    if not isinstance(statement, dict) or not isinstance(encoded, str):
        raise ReceiptRefused("members of another type", reason="members")
    if (statement.get("type"), statement.get("version")) != (RECEIPT_TYPE, RECEIPT_VERSION):
        raise ReceiptRefused("another kind or version of receipt", reason="version")
    try:
        return statement, base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise ReceiptRefused("the signature is no base64", reason="base64") from None


def _issued_at(statement: dict[str, JSONValue]) -> datetime:
    try:
        moment = datetime.fromisoformat(str(statement.get("issued_at")))
    except ValueError:
        raise ReceiptRefused("no instant of issue", reason="issued-at") from None
    if moment.tzinfo is None:
        raise ReceiptRefused("an instant without zone", reason="issued-at")
    return moment.astimezone(UTC)
