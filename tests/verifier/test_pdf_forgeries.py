"""Forged PDF files as verdicts: messages made otherwise, structures that read two ways, bombs.

``test_pdf_rules`` runs the published classes of attack; here the signer of a trusted chain makes
messages that no profile allows, or signs a file that another reader would read differently.
"""

import hashlib
import time
import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from keys.certificates import parse_certificate
from keys.profiles import TSA
from keys.timestamp_messages import TSTInfo
from keys.tsa import TEST_POLICY
from seal_service.formats import asn1
from seal_service.formats.pdf.writing import finish, prepare
from tests.support import messages
from tests.support.messages import (
    CONTENT_TYPE,
    MESSAGE_DIGEST,
    SHA256,
    SIGNING_CERTIFICATE_V2,
    MessageSpec,
    attribute,
    make_message,
)
from tests.support.pdf import (
    CATALOG,
    EVIL_CONTENT,
    PDFSpec,
    Update,
    append_update,
    approved,
    first_content,
    last_xref,
    make_order,
    make_pdf,
    object_text,
    packed,
    seal,
    stream,
    with_entries,
)
from tests.support.sealed_pdf import PDFSpec as SignedSpec
from tests.support.sealed_pdf import lay_out, sign_pdf
from tests.support.tokens import TokenSpec, imprint_of, make_token
from tests.support.trust import NOW, RSA_TRUST, SM2_TRUST
from tests.verifier.verdicts import doubts, faults, judge, notices
from verifier.verdict import Outcome, TimeSource, Verdict

HOUR = timedelta(hours=1)
CLAIM = ("CertificateIdentifier=1.2.156.3005.2.1",)
FORMS = pytest.mark.parametrize("keywords", [CLAIM, ()], ids=["own", "foreign"])
SIGNATURE_TIMESTAMP = "1.2.840.113549.1.9.16.2.14"
Attributes = Callable[[list[bytes]], list[bytes]]


# Messages


def judge_message(keywords: tuple[str, ...], **changes: object) -> Verdict:
    """Let a trusted signer make a message with flaws over a file."""
    prepared = lay_out(SignedSpec(keywords=keywords))
    spec = MessageSpec(party=RSA_TRUST.holder(), content=b"".join(prepared.pieces))
    message = make_message(replace(spec, **changes))  # type: ignore[arg-type]  # keywords are flaws
    return judge(finish(prepared, message))


def other_certificate(entries: list[bytes]) -> list[bytes]:
    value = messages.signing_certificate(SM2_TRUST.holder().certificate)
    return [*entries[:2], attribute(SIGNING_CERTIFICATE_V2, value)]


def weak_certificate(entries: list[bytes]) -> list[bytes]:
    digest = hashlib.sha1(RSA_TRUST.holder().certificate, usedforsecurity=False).digest()
    entry = asn1.sequence(messages.algorithm("1.3.14.3.2.26"), asn1.octet_string(digest))
    return [
        *entries[:2],
        attribute(SIGNING_CERTIFICATE_V2, asn1.sequence(asn1.sequence(entry))),
    ]


ATTRIBUTES: dict[str, Attributes] = {
    "T-PDF-19 no content type": lambda entries: entries[1:],
    "T-PDF-19 no message digest": lambda entries: [entries[0], entries[2]],
    "T-PDF-19 content type twice": lambda entries: [entries[0], *entries],
    "T-PDF-19 message digest twice": lambda entries: [*entries, entries[1]],
    "T-PDF-19 wrong content type": lambda entries: [
        attribute(CONTENT_TYPE, asn1.oid("1.2.840.113549.1.7.5")),
        *entries[1:],
    ],
    "T-PDF-19 wrong message digest": lambda entries: [
        entries[0],
        attribute(MESSAGE_DIGEST, asn1.octet_string(bytes(32))),
        entries[2],
    ],
    "T-PDF-20 other certificate": other_certificate,
    "T-PDF-20 weak digest": weak_certificate,
}


def test_a_message_of_the_builder_is_valid_in_a_foreign_file() -> None:
    assert judge_message(()).outcome is Outcome.VALID


@FORMS
@pytest.mark.parametrize("name", ATTRIBUTES)
def test_signed_attributes_that_are_wrong_make_it_invalid(
    name: str, keywords: tuple[str, ...]
) -> None:
    """T-PDF-19, T-PDF-20: the signature over the attributes holds."""
    verdict = judge_message(keywords, attributes=ATTRIBUTES[name])
    assert verdict.outcome is Outcome.INVALID


FLAWS: dict[str, dict[str, object]] = {
    "T-PDF-19 no attributes, other content": {
        "has_attributes": False,
        "signed_message": b"other",
    },
    "T-PDF-19 two signers": {"signers": 2},
    "T-PDF-19 no signer": {"signers": 0},
    "T-PDF-19 another digest than used": {"digest_oid": messages.SHA512},
    "T-PDF-21 SHA-1": {"digest_oid": "1.3.14.3.2.26"},
    "T-PDF-21 MD5": {"digest_oid": "1.2.840.113549.2.5"},
    "T-PDF-21 SHA-1 with RSA": {"signature_oid": "1.2.840.113549.1.1.5"},
    "T-PDF-22 SM3 under RSA": {"digest_oid": messages.SM3},
    "T-PDF-22 SM2 identifier, RSA key": {"signature_oid": messages.SM2_SM3},
    "T-PDF-22 ECDSA identifier, SM2 key": {
        "party": SM2_TRUST.holder(),
        "is_sm2": True,
        "signature_oid": "1.2.840.10045.4.3.2",
    },
    "T-PDF-22 SHA-256 under SM2": {
        "party": SM2_TRUST.holder(),
        "is_sm2": True,
        "digest_oid": SHA256,
    },
}


@FORMS
@pytest.mark.parametrize("name", FLAWS)
def test_messages_that_no_profile_allows_are_invalid(name: str, keywords: tuple[str, ...]) -> None:
    """T-PDF-19, T-PDF-21, T-PDF-22."""
    assert judge_message(keywords, **FLAWS[name]).outcome is Outcome.INVALID


# Time stamps


def token_attribute(*tokens: bytes) -> bytes:
    return asn1.element(0xA1, attribute(SIGNATURE_TIMESTAMP, *tokens))


def judge_stamped(keywords: tuple[str, ...], unsigned: Callable[[bytes], bytes]) -> Verdict:
    """Put unsigned attributes over the signature value of a good message."""
    kept: list[bytes] = []

    def keep(value: bytes) -> bytes:
        kept.append(value)
        return value

    prepared = lay_out(SignedSpec(keywords=keywords))
    spec = MessageSpec(party=RSA_TRUST.holder(), content=b"".join(prepared.pieces), value=keep)
    make_message(spec)
    return judge(finish(prepared, make_message(replace(spec, unsigned=unsigned(kept[0])))))


def stamp(value: bytes) -> bytes:
    return RSA_TRUST.stamper(NOW).stamp(value)


def test_a_stamp_of_the_builder_counts_in_a_foreign_file() -> None:
    verdict = judge_stamped((), lambda value: token_attribute(stamp(value)))
    assert verdict.outcome is Outcome.VALID
    assert verdict.signatures[0].time_source is TimeSource.TIMESTAMP


@FORMS
def test_a_doubled_stamp_is_refused_in_ours_and_never_passes_unseen(
    keywords: tuple[str, ...],
) -> None:
    """T-PDF-24."""
    verdict = judge_stamped(keywords, lambda value: token_attribute(stamp(value), stamp(value)))
    assert verdict.outcome is not Outcome.VALID
    if keywords:
        assert ("timestamp", "timestamp-bad") in faults(verdict)


@FORMS
def test_a_stamp_over_another_value_is_no_evidence(keywords: tuple[str, ...]) -> None:
    """T-PDF-24."""
    verdict = judge_stamped(keywords, lambda value: token_attribute(stamp(value + b"x")))
    assert ("timestamp", "timestamp-bad") in faults(verdict)
    assert verdict.signatures[0].time_source is not TimeSource.TIMESTAMP


@FORMS
@pytest.mark.parametrize(
    "changes",
    [{"extended_key_usage": ()}, {"is_extended_usage_critical": False}],
    ids=["no-usage", "not-critical"],
)
def test_a_stamp_of_somebody_who_may_not_stamp_is_no_evidence(
    changes: dict[str, object], keywords: tuple[str, ...]
) -> None:
    """T-PDF-24: an SM2 authority, which stamps RSA signatures too."""

    def unsigned(value: bytes) -> bytes:
        profile = replace(TSA, **changes)  # type: ignore[arg-type]  # keywords are flaws
        party = SM2_TRUST.party("示例时间戳机构", profile)
        info = TSTInfo(policy=TEST_POLICY, imprint=imprint_of(value), serial=7, gen_time=NOW)
        certificate = parse_certificate(party.certificate)
        spec = TokenSpec(certificate=certificate, sign=party.sign, info=info)
        return token_attribute(make_token(spec))

    verdict = judge_stamped(keywords, unsigned)
    assert ("timestamp", "timestamp-bad") in faults(verdict)
    assert verdict.signatures[0].time_source is not TimeSource.TIMESTAMP


def test_time_periods_that_contradict_each_other_are_invalid() -> None:
    """T-PDF-23: claim, stamp and certificate."""
    ended = RSA_TRUST.holder(not_after=NOW + HOUR / 4)
    late = sign_pdf(SignedSpec(signer=ended, stamped_at=NOW + HOUR / 2))
    assert ("signer-chain", "expired") in faults(judge(late))
    early = sign_pdf(SignedSpec(signed_at=NOW + HOUR / 2, stamped_at=NOW))
    assert ("signing-time", "time-after-timestamp") in faults(judge(early))


# Structures that read two ways


@pytest.fixture
def _trusted_signer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the attacks start from files that a trusted signer made."""
    monkeypatch.setattr(messages, "rsa_party", lambda: RSA_TRUST.holder())


FOREIGN = PDFSpec(keywords="a document")


def hidden_end(keywords: str) -> bytes:
    """Hide a second end of file in a stream that nobody draws."""
    hidden = {20: stream(b"startxref\n9\n%%EOF\n")}
    return make_pdf(PDFSpec(keywords=keywords, extra_objects=hidden))


@pytest.mark.usefixtures("_trusted_signer")
def test_a_file_with_several_ends_is_invalid_as_ours_and_open_as_foreign() -> None:
    """T-PDF-13: it was so before it was signed."""
    ours = judge(_signed_over(hidden_end(PDFSpec().keywords)))
    assert ("container", "ambiguous-structure") in faults(ours)
    theirs = judge(_signed_over(hidden_end(FOREIGN.keywords)))
    assert theirs.outcome is Outcome.INDETERMINATE
    assert ("container", "ambiguous-structure") in doubts(theirs)


def _signed_over(pdf: bytes) -> bytes:
    """Sign what our own writer would refuse to sign: the odd part is put in before signing."""
    odd = b"startxref\n9\n%%EOF\n"
    harmless = b"x" * len(odd)
    prepared = prepare(pdf.replace(odd, harmless), make_order(certify=None))
    first, second = (piece.replace(harmless, odd) for piece in prepared.pieces)
    pieces = (first, second)
    message = make_message(MessageSpec(content=b"".join(pieces)))
    return finish(replace(prepared, pieces=pieces), message)


STRUCTURES: dict[str, Callable[[bytes], bytes]] = {
    "T-PDF-13 hybrid": lambda pdf: append_update(pdf, Update(trailer_entries="/XRefStm 10")),
    "T-PDF-13 loop": lambda pdf: append_update(pdf, Update()).replace(
        b"/ID[(first)(later)]", b"/Prev %d" % last_xref(append_update(pdf, Update()))
    ),
    "T-PDF-13 entry elsewhere": lambda pdf: append_update(
        pdf, Update(offsets={first_content(): 15})
    ),
    "T-PDF-15 encrypted later": lambda pdf: append_update(
        pdf, Update(trailer_entries="/Encrypt 9 0 R")
    ),
    "T-PDF-14 bytes before": lambda pdf: b"MZ" + pdf,
    "T-PDF-14 another magic": lambda pdf: b"PK\x03\x04" + pdf,
    "T-PDF-14 bytes behind": lambda pdf: pdf + b"tail",
    "T-PDF-16 pages of themselves": lambda pdf: append_update(
        pdf, Update(objects={2: b"<</Type/Pages/Count 1/Kids[2 0 R]>>"})
    ),
    "T-PDF-16 chain of filters": lambda pdf: append_update(
        pdf, Update(objects={90: stream(b"x", "/Filter[" + "/FlateDecode" * 100 + "]")})
    ),
    "T-PDF-16 objects": lambda pdf: pdf.replace(b"xref\n0 1", b"xref\n0 9999999999", 1),
}


@pytest.mark.usefixtures("_trusted_signer")
@pytest.mark.parametrize("name", STRUCTURES)
def test_structures_added_to_a_signed_file_never_pass(name: str) -> None:
    """T-PDF-13 to T-PDF-16, T-PDF-15: own or foreign, certified or approved, quickly."""
    for pdf in (seal(), approved(), approved(make_pdf(FOREIGN))):
        assert judge(pdf).outcome is Outcome.VALID
        started = time.process_time()
        assert judge(STRUCTURES[name](pdf)).outcome in (Outcome.INVALID, Outcome.INDETERMINATE)
        assert time.process_time() - started < 2


@pytest.mark.usefixtures("_trusted_signer")
@pytest.mark.parametrize("name", ["T-PDF-13 hybrid", "T-PDF-14 bytes before"])
def test_what_honest_programs_write_and_readers_read_two_ways_is_open_unless_it_is_ours(
    name: str,
) -> None:
    """T-PDF-13, T-PDF-14."""
    theirs = judge(STRUCTURES[name](approved(make_pdf(FOREIGN))))
    assert theirs.outcome is Outcome.INDETERMINATE
    assert doubts(theirs) == {("container", "ambiguous-structure")}
    ours = judge(STRUCTURES[name](seal()))
    assert ("container", "malformed") in faults(ours)


@pytest.mark.usefixtures("_trusted_signer")
def test_an_encrypted_file_is_refused_whether_it_is_signed_or_not() -> None:
    """T-PDF-15."""
    for pdf in (
        make_pdf(PDFSpec(trailer_entries="/Encrypt 9 0 R")),
        append_update(approved(), Update(trailer_entries="/Encrypt 9 0 R")),
    ):
        assert ("container", "encrypted") in faults(judge(pdf))


@pytest.mark.usefixtures("_trusted_signer")
def test_a_bomb_inside_a_signed_file_is_an_answer_in_two_seconds() -> None:
    """T-PDF-16: whoever signed it."""
    million = zlib.compress(bytes(80_000_000))
    bomb = stream(million, "/Filter/FlateDecode")
    for objects in (
        {first_content(): bomb},
        {40: stream(million, "/Type/ObjStm/N 9/First 40/Filter/FlateDecode")},
        {40: packed(b"null", "/Type/ObjStm/N 999999999/First 0")},
    ):
        pdf = approved(make_pdf(PDFSpec(extra_objects=objects)))
        started = time.process_time()
        judge(pdf)
        assert time.process_time() - started < 2


# What acts in a file

ACTING = (
    "/OpenAction<</S/JavaScript/JS(app.alert\\(1\\))>>",
    "/AA<</WC<</S/Launch/F(cmd.exe)>>>>",
    "/Names<</EmbeddedFiles<</Names[]>>>>",
)


@pytest.mark.usefixtures("_trusted_signer")
@pytest.mark.parametrize("entries", ACTING)
def test_what_acts_in_a_file_is_listed_and_cannot_be_added_later(entries: str) -> None:
    """T-PDF-17."""
    foreign = replace(FOREIGN, catalog_entries=entries)
    sealed = judge(approved(make_pdf(foreign)))
    assert ("container", "active-content") in notices(sealed)
    for pdf in (seal(), approved(), approved(make_pdf(FOREIGN))):
        catalog = with_entries(object_text(pdf, CATALOG), entries.encode())
        added = judge(append_update(pdf, Update(objects={CATALOG: catalog})))
        assert added.outcome is Outcome.INVALID
        assert ("later-changes", "modified-after-signing") in faults(added)


@pytest.mark.usefixtures("_trusted_signer")
def test_every_change_after_a_certification_against_changes_is_invalid() -> None:
    """T-PDF-10, T-PDF-12: one verdict, not two flags."""
    pdf = seal()
    updates = [
        Update(objects={first_content(): stream(EVIL_CONTENT)}),
        Update(objects={3: b"<</Title(Other)>>"}),
        Update(freed=[first_content()]),
    ]
    for update in updates:
        verdict = judge(append_update(pdf, update))
        assert verdict.outcome is Outcome.INVALID
        assert ("later-changes", "modified-after-signing") in faults(verdict)
    assert judge(pdf).outcome is Outcome.VALID


@pytest.mark.usefixtures("_trusted_signer")
def test_a_drawn_seal_and_a_drawn_panel_are_no_signature() -> None:
    """T-PDF-26."""
    annotation = b"<</Type/Annot/Subtype/Stamp/Rect[300 100 420 220]/F 4/Contents(Signed)>>"
    field = b"<</Type/Annot/Subtype/Widget/FT/Tx/T(Signature1)/V(signed)/Rect[10 10 90 90]>>"
    pdf = make_pdf(
        PDFSpec(
            keywords="a document",
            page_entries="/Annots[20 0 R 21 0 R]",
            catalog_entries="/AcroForm<</SigFlags 3/Fields[21 0 R]>>",
            extra_objects={20: annotation, 21: field},
        )
    )
    verdict = judge(pdf)
    assert (verdict.outcome, verdict.authentic, verdict.signatures) == (
        Outcome.UNSIGNED,
        False,
        (),
    )
