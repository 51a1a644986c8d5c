"""Do the signatures hold that a document already carries? A new seal would lend them credit.

Only the bytes count here: value, digest, seal, membership in the seal's list, time stamps. Chains,
periods and revocation are the verifier's. A signature that nobody here can check does not hold.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from keys.algorithms import DigestAlgorithm, sm3
from keys.errors import ServiceError
from keys.timestamps import verify_token
from seal_service.errors import MalformedDocument, SignedContentChanged
from seal_service.formats.cms import (
    VerifiedSigner,
    parse_signed_data,
    verify_gbt35275_signer,
    verify_signer,
)
from seal_service.formats.ofd.model import OFDSignature, SignatureKind
from seal_service.formats.pdf.model import PDFDocument, PDFSignature
from seal_service.formats.ses import (
    SealSignature,
    check_signer_listed,
    parse_seal_signature,
    verify_seal_value,
    verify_signature_value,
)

CMS_FILTERS = frozenset({"ETSI.CAdES.detached", "adbe.pkcs7.detached"})


def check_earlier_ofd(signatures: Sequence[OFDSignature]) -> None:
    """Check every signature of a package whose digests were compared (``open_package``).

    Raises ``MalformedDocument`` with the reason ``earlier-signature``.
    """
    for signature in signatures:
        is_seal = signature.kind is SignatureKind.SEAL
        with _holding(signature.path):
            (_check_ofd_seal if is_seal else _check_ofd_sign)(signature)


def check_earlier_pdf(document: PDFDocument) -> None:
    """Check every signature of a PDF, time stamps included; raises as ``check_earlier_ofd``."""
    for signature in document.signatures:
        if signature.problems or document.forbidden_changes(signature):
            raise _broken(signature.field_name)
        with _holding(signature.field_name):
            _check_pdf(document, signature)


@contextmanager
def _holding(subject: str) -> Iterator[None]:
    try:
        yield
    except ServiceError as error:
        raise _broken(subject) from error


def _broken(subject: str) -> MalformedDocument:
    return MalformedDocument(
        "an earlier signature does not hold", reason="earlier-signature", subject=subject
    )


def _check_ofd_seal(signature: OFDSignature) -> None:
    sealed = _check_seal(signature.signed_value or b"", sm3(signature.signature_xml))
    location = sealed.property_info.removeprefix("/")
    if location != signature.path or signature.seal not in (None, sealed.eseal_raw):
        raise SignedContentChanged("the seal is of another place", reason="property-info")


def _check_seal(value: bytes, digest: bytes) -> SealSignature:
    sealed = parse_seal_signature(value)
    check_signer_listed(sealed.seal, verify_signature_value(sealed).der)
    verify_seal_value(sealed.seal)
    if sealed.data_hash != digest:
        raise SignedContentChanged("another digest", reason="data-hash")
    if sealed.timestamp is not None:
        verify_token(sealed.timestamp, sealed.signature)
    return sealed


def _check_ofd_sign(signature: OFDSignature) -> None:
    message = parse_signed_data(signature.signed_value or b"")
    _check_stamps(verify_gbt35275_signer(message, signature.signature_xml))


def _check_stamps(signer: VerifiedSigner) -> None:
    for token in signer.timestamp_tokens:
        verify_token(token, signer.signature)


def _check_pdf(document: PDFDocument, signature: PDFSignature) -> None:
    contents = signature.contents or b""
    pieces = [bytes(piece) for piece in signature.pieces(document.data)]
    if signature.is_document_timestamp:
        verify_token(contents, b"".join(pieces))
    elif signature.sub_filter == "GM.sm2seal":
        _check_seal(contents, signature.digest(document.data, DigestAlgorithm.SM3))
    elif signature.sub_filter == "GM.sm2cms.detached":
        _check_stamps(verify_gbt35275_signer(parse_signed_data(contents), b"".join(pieces)))
    elif signature.sub_filter in CMS_FILTERS:
        _check_stamps(verify_signer(parse_signed_data(contents), pieces))
    else:
        raise _broken(signature.field_name)
