"""Measure the parts of issuing and verifying alone, in this process."""

import json
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from bench.caches import forget_documents
from bench.floor import sm2_floor
from bench.measure import Measurement, measure, median_of
from eseal.main import Service, build_verification
from eseal.settings import PROJECT
from keys import sm2, sm2_values
from licence_store.model import ApprovalResult, Licence
from licence_store.office import LicenceSealing
from licence_store.qr import qr_matrix
from licence_store.rendering.face import FaceInput, RenderedFace
from licence_store.rendering.manifest import LicenceTemplate
from licence_store.schemas import ApprovalResultBody
from licence_store.sealing_adapter import to_order
from seal_service.plumbing.auth import Caller

EXAMPLE = PROJECT / "examples" / "approval-results" / "01-business-licence-company.json"
MESSAGE = b"an e-seal signs about this much: " + bytes(range(256)) * 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """One licence with all it is made from."""

    service: Service
    caller: Caller
    result: ApprovalResult
    licence: Licence
    template: LicenceTemplate

    def face(self, number: int) -> FaceInput:
        """Return the face's input; every number has other words."""
        face_data = {**self.result.face_data, "legal_representative": f"林{chr(0x4E00 + number)}"}
        return FaceInput(
            face_data=face_data,
            metadata=self.licence.metadata,
            qr_link=self.service.office.qr_link(
                self.licence.authority_code, self.licence.identifier
            ),
            is_test=True,
            doc_id="0123456789abcdef" * 2,
            rendered_at=self.licence.reserved_at,
        )


def prepare(service: Service, caller: Caller) -> Material:
    """Issue one licence to measure with."""
    body = ApprovalResultBody.model_validate(json.loads(EXAMPLE.read_text(encoding="utf-8")))
    result = body.to_approval_result()
    issued = service.office.issue(caller, result, "bench-material")
    return Material(
        service=service,
        caller=caller,
        result=result,
        licence=issued.licence,
        template=service.renderer.templates[result.licence_type_code],
    )


def measure_rendering(material: Material) -> tuple[Measurement, Measurement]:
    """Return the PDF by typst, and the OFD from that PDF's page."""
    renderer, template = material.service.renderer, material.template
    made: dict[int, bytes] = {}

    def render(number: int) -> None:
        face = material.face(number)
        made[number] = renderer.render_pdf(template, face, qr_matrix(face.qr_link))

    def convert(number: int) -> None:
        face = material.face(number)
        renderer.pdf_to_ofd(template, face, made[number], qr_matrix(face.qr_link))

    pdf = measure("render_pdf", render, ops=20)
    return pdf, measure("pdf_to_ofd", convert, ops=20)


def measure_sealing(material: Material) -> tuple[Measurement, Measurement]:
    """Return sealing of a rendered OFD and PDF: intent, signature, time stamp, self-check."""
    face = material.service.renderer.render_face(material.template, material.face(0))
    order = to_order(_order(material, face))
    sealer = material.service.sealer
    ofd = measure("seal_ofd", lambda _: sealer.seal_ofd(order, face.ofd), ops=20)
    pdf = measure("seal_pdf", lambda _: sealer.seal_pdf(order, face.pdf), ops=20)
    return ofd, pdf


def _order(material: Material, face: RenderedFace) -> LicenceSealing:
    licence = material.licence
    return LicenceSealing(
        caller=material.caller,
        seal_id=licence.files[0].seal_id,
        identifier=licence.identifier,
        case_number=material.result.case_number,
        licence_type_code=material.result.licence_type_code,
        face=face,
    )


def measure_verifying(material: Material) -> tuple[Measurement, ...]:
    """Return verification of our own sealed files, library and evidence included.

    In this process, where all of its CPU is counted; the service does it in a bounded one.
    """
    service = material.service
    judge = build_verification(service.installation, service.clock).judge_upload
    found = []
    for file in material.licence.files:
        data = material.service.installation.blobs.get(file.digest)
        found.append(measure(f"verify_{file.format.value}", partial(_call, judge, data), ops=30))
    return tuple(found)


def _call(judge: Callable[[bytes], object], data: bytes, _: int) -> None:
    forget_documents()
    judge(data)


def measure_sm2(*, rounds: int = 5, ops: int = 1500) -> tuple[Measurement, ...]:
    """Return OpenSSL's speed and ours, round by round in turn, and two threads against one.

    Ours is ``SM2Signer`` without the verification that every released signature gets on top, so
    that like is compared with like.
    """
    signer = sm2.SM2Signer(sm2.generate_scalar())
    e = sm2_values.message_digest(signer.point, MESSAGE)
    signature = signer.sign_digest(e)
    verify_anew = sm2._verify_remembered.__wrapped__

    def sign(_: int) -> None:
        signer._sign_raw(e)

    def verify(_: int) -> None:
        verify_anew(signer.point, e, signature)

    rows: dict[str, list[Measurement]] = {}
    for _ in range(rounds):
        floor = sm2_floor()
        ours = [measure(f"sm2_{op.__name__}", op, ops=ops, rounds=1) for op in (sign, verify)]
        for found in (*floor, *ours):
            rows.setdefault(found.name, []).append(found)
    threads = [_two_threads(op) for op in (sign, verify)]
    return (*(median_of(found) for found in rows.values()), *threads)


def _two_threads(
    operation: Callable[[int], None], *, ops: int = 3000, rounds: int = 3
) -> Measurement:
    """Compare the wall time of the same work on one thread and on two."""
    ratios: list[float] = []
    took: list[float] = []
    for _ in range(rounds):
        one = _wall(operation, ops, 1)
        two = _wall(operation, ops, 2)
        ratios.append(one / two)
        took.append(two * 1000 / ops)
    name = getattr(operation, "__name__", "operation")
    return Measurement(
        name=f"sm2_{name}_2_threads",
        cpu_ms=round(statistics.median(took), 4),
        wall_ms=round(statistics.median(took), 4),
        ops=ops * rounds,
        against=f"sm2_{name}",
        ratio=round(statistics.median(ratios), 2),
    )


def _wall(operation: Callable[[int], None], ops: int, threads: int) -> float:
    def work(_: int) -> None:
        for number in range(ops // threads):
            operation(number)

    started = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, range(threads)))
    return time.perf_counter() - started
