"""Use the packages as a library: verify a document, look into its seals, make a seal.

    python examples/verify_offline.py FILE --trust ROOT [--intermediate CERTIFICATE] [--crl LIST]

No server, no data folder, no network. docs/library.md explains the steps.
"""

import argparse
import struct
import sys
import zlib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from keys.algorithms import KeyAlgorithm
from keys.errors import ServiceError
from keys.private_keys import PrivateKey, generate
from keys.profiles import SEAL_HOLDER, SEAL_MAKER, Profile
from keys.x509_building import (
    CertificatePlan,
    Subject,
    assemble_signed,
    encode_name,
    encode_tbs,
    key_identifier,
)
from seal_service.formats.ofd.container import read_container
from seal_service.formats.ses import ESeal, SealPicture, parse_seal, parse_seal_signature
from seal_service.seals.making import SealOrder, make_seal
from verifier.explanations import explain
from verifier.given_evidence import GivenEvidence, GivenFile, read_evidence
from verifier.judge import JudgeContext, judge_document
from verifier.verdict import Outcome, Verdict

SM2 = KeyAlgorithm.SM2


def given_files(paths: Iterable[Path]) -> tuple[GivenFile, ...]:
    """Read files of evidence: PEM or DER, SM2 or RSA."""
    return tuple(GivenFile(name=path.name, data=path.read_bytes()) for path in paths)


def verify(document: bytes, given: GivenEvidence, now: datetime) -> Verdict:
    """Judge an OFD or PDF against the evidence given; a forgery is an answer, not an error."""
    evidence = read_evidence(given, now=now)
    return judge_document(document, JudgeContext(evidence=evidence))


def seals_of(ofd: bytes) -> list[ESeal]:
    """Return the seals on an OFD file, as they stand there and before anything is judged."""
    entries = read_container(ofd).entries
    return [
        parse_seal_signature(content).seal
        for path, content in entries.items()
        if path.endswith("/SignedValue.dat")
    ]


def make_example_seal(now: datetime) -> ESeal:
    """Make a seal of GB/T 38540-2020 with keys of the moment, and read it back."""
    maker, holder = generate(SM2), generate(SM2)
    maker_certificate = certify(maker, "示例制章单位", SEAL_MAKER, now)
    order = SealOrder(
        seal_id="32050000019999",
        name="示例市行政审批局",
        picture=SealPicture(format="PNG", data=red_square(), width_mm=40, height_mm=40),
        certificates=(certify(holder, "示例市行政审批局", SEAL_HOLDER, now),),
        created_at=now,
        valid_from=now,
        valid_until=now + timedelta(days=365),
    )
    return parse_seal(make_seal(order, sign=maker.sign, maker_certificate=maker_certificate))


def certify(key: PrivateKey, name: str, profile: Profile, now: datetime) -> bytes:
    """Return a certificate that a key issues to itself; a real one comes from an authority."""
    subject = encode_name(Subject(common_name=name, organisation=name))
    plan = CertificatePlan(
        profile=profile,
        serial=1,
        issuer_der=subject,
        subject_der=subject,
        spki=key.public_key.spki,
        authority_key_id=key_identifier(key.public_key.spki),
        not_before=now,
        not_after=now + timedelta(days=730),
        issuer_algorithm=SM2,
    )
    tbs = encode_tbs(plan)
    return assemble_signed(tbs, SM2, key.sign(tbs))


def red_square(side: int = 64) -> bytes:
    """Draw the simplest seal picture: a red PNG."""
    rows = b"".join(b"\x00" + b"\xc8\x28\x1e" * side for _ in range(side))
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def tell(verdict: Verdict) -> None:
    """Print the answer, and of each check that did not pass: what, who, how."""
    print(verdict.outcome.value, f"as of {verdict.judged_at.isoformat()}")
    for finding in verdict.all_findings():
        words = explain(finding)
        if words is not None:
            print(f"  {finding.check.value}: {finding.reason} {finding.subject}")
            print(f"    {words.meaning_zh}{words.who_zh}：{words.advice}")


def main() -> int:
    """Verify the file named on the command line."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("file", type=Path)
    for name in ("--trust", "--intermediate", "--crl"):
        options.add_argument(name, type=Path, action="append", default=[])
    words = options.parse_args()
    document = words.file.read_bytes()
    given = GivenEvidence(
        trust=given_files(words.trust),
        intermediates=given_files(words.intermediate),
        crls=given_files(words.crl),
    )
    try:
        verdict = verify(document, given, datetime.now(UTC))
    except ServiceError as error:
        print(f"{error.code}: {error.detail or error.title_en}", file=sys.stderr)
        return 2
    tell(verdict)
    return 0 if verdict.outcome is Outcome.VALID else 1


if __name__ == "__main__":
    sys.exit(main())
