"""How verifying grows with pages and seals, and how it compares with pyHanko on the same file."""

import io
from collections.abc import Callable
from functools import partial

from pyhanko.keys import load_certs_from_pemder_data
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from bench.caches import forget_documents
from bench.measure import Measurement, measure
from bench.parts import Material
from seal_service.formats.ofd.container import write_container
from seal_service.sealing import DocumentOrder
from seal_service.seals.placing import AtPoint, DocumentLayout, SealMode
from tests.support.ofd import ofd_entries
from tests.support.pdf import PDFSpec, make_pdf
from verifier.evidence import TrustMaterial
from verifier.judge import JudgeContext, judge_document
from verifier.rules.chain import ChainEvidence
from verifier.verdict import Integrity

PAGES = (1, 10, 100)
SEALS = (1, 2, 5)


def measure_growth(material: Material, trust: TrustMaterial) -> list[Measurement]:
    """Verify OFD and PDF of 1, 10, 100 pages, and an OFD with 1, 2, 5 seals."""
    judge = partial(_judge, material, trust)
    found: list[Measurement] = []
    for pages in PAGES:
        ofd, pdf = _seal(material, _ofd(pages)), _seal(material, make_pdf(PDFSpec(pages=pages)))
        for form, data in (("ofd", ofd), ("pdf", pdf)):
            found.append(_measure(f"verify_{form}_{pages}_pages", partial(judge, data)))
    for seals in SEALS:
        document = _ofd(1)
        for number in range(seals):
            document = _seal(material, document, x_mm=30 + 30 * number)
        found.append(_measure(f"verify_ofd_{seals}_seals", partial(judge, document)))
    plain = _ofd(1)
    found.append(_measure("seal_ofd_document", partial(_seal, material, plain)))
    return found


def _measure(name: str, operation: Callable[[], object]) -> Measurement:
    # Short operations on a machine with neighbours: many rounds, so that one bad second is one.
    return measure(name, lambda _: operation(), ops=10, rounds=25)


def _judge(material: Material, trust: TrustMaterial, data: bytes) -> None:
    forget_documents()
    evidence = ChainEvidence(
        trust=trust.trust,
        intermediates=trust.intermediates,
        revocation=trust.revocation,
        now=material.service.clock.now(),
    )
    verdict = judge_document(data, JudgeContext(evidence=evidence))
    if any(one.integrity is not Integrity.HOLDS for one in verdict.signatures):
        raise SystemExit("a seal of the bench does not hold")


def _ofd(pages: int) -> bytes:
    return write_container(ofd_entries(pages=pages))


def _seal(material: Material, document: bytes, *, x_mm: float = 120) -> bytes:
    order = DocumentOrder(
        caller=material.caller,
        seal_id=material.licence.files[0].seal_id,
        case_number="BENCH",
        document_kind="decision",
        subject="BENCH",
        layout=DocumentLayout(wishes=(AtPoint(x_mm=x_mm, y_mm=100),), mode=SealMode.CONTINUE),
    )
    return material.service.sealer.seal_document(order, document).document


def measure_pyhanko(material: Material, trust: TrustMaterial) -> Measurement:
    """Validate our licence's PDF with pyHanko: signature, chain, lists, later changes."""
    file = next(one for one in material.licence.files if one.format.value == "pdf")
    data = material.service.installation.blobs.get(file.digest)
    roots = [root.der for root in trust.trust.roots]
    issuers = [issuer.der for issuer in trust.intermediates]

    def validate(_: int) -> None:
        context = ValidationContext(
            trust_roots=list(load_certs_from_pemder_data(roots[-1])),
            other_certs=[one for der in issuers[-1:] for one in load_certs_from_pemder_data(der)],
            allow_fetching=False,
            revocation_mode="soft-fail",
        )
        reader = PdfFileReader(io.BytesIO(data))
        status = validate_pdf_signature(reader.embedded_signatures[0], context)
        if not (status.intact and status.valid):
            raise SystemExit("pyHanko does not accept our PDF")

    return measure("pyhanko_verify_pdf", validate, ops=5)
