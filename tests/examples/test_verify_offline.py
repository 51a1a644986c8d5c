"""The library example runs as it stands: any document, given anchors, no data folder, no server."""

import importlib.util
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType

import pytest

from keys.certificates import encode_pem
from seal_service.formats.ses import check_signer_listed, verify_seal_value
from tests.architecture.tree import PROJECT
from tests.support.sealed_ofd import SealedSpec, seal_document
from tests.support.sealed_pdf import PDFSpec, sign_pdf
from tests.support.trust import NOW, RSA_TRUST, SM2_TRUST, Trust
from verifier.verdict import Outcome

EXAMPLE = PROJECT / "examples" / "verify_offline.py"
PAGE = PROJECT / "docs" / "library.md"


@pytest.fixture(scope="module")
def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("verify_offline", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def write_evidence(folder: Path, family: Trust) -> list[str]:
    """Write what a command line names: a root in PEM, an authority in DER, both lists."""
    now = datetime.now(UTC).replace(microsecond=0)
    period = {"this_update": now - timedelta(hours=1), "next_update": now + timedelta(days=1)}
    name = family.algorithm.value
    (folder / f"{name}-root.pem").write_text(encode_pem(family.root.der))
    (folder / f"{name}-ca.cer").write_bytes(family.authority.der)
    (folder / f"{name}-ca.crl").write_bytes(family.crl(**period))  # type: ignore[arg-type]
    (folder / f"{name}-root.crl").write_bytes(
        family.crl(of_root=True, **period)  # type: ignore[arg-type]
    )
    return [
        *("--trust", str(folder / f"{name}-root.pem")),
        *("--intermediate", str(folder / f"{name}-ca.cer")),
        *("--crl", str(folder / f"{name}-ca.crl")),
        *("--crl", str(folder / f"{name}-root.crl")),
    ]


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(PROJECT)}
    return subprocess.run(
        [sys.executable, str(EXAMPLE), *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_documents_of_both_algorithms_verify_against_files_given(tmp_path: Path) -> None:
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
    (tmp_path / "a.ofd").write_bytes(seal_document(SealedSpec(signed_at=at, stamped_at=at)))
    (tmp_path / "a.pdf").write_bytes(sign_pdf(PDFSpec(signed_at=at, stamped_at=at)))
    evidence = write_evidence(tmp_path, SM2_TRUST) + write_evidence(tmp_path, RSA_TRUST)
    for name in ("a.ofd", "a.pdf"):
        done = run(tmp_path, name, *evidence)
        assert (done.returncode, done.stdout.split()[0]) == (0, "valid"), done.stdout + done.stderr
    assert not (tmp_path / "data").exists()


def test_without_anchors_the_answer_says_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(sign_pdf())
    done = run(tmp_path, "a.pdf")
    assert done.returncode == 1
    assert "untrusted" in done.stdout
    assert "根证书" in done.stdout


def test_evidence_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(sign_pdf())
    (tmp_path / "odd.pem").write_bytes(b"nothing")
    done = run(tmp_path, "a.pdf", "--trust", "odd.pem")
    assert done.returncode == 2
    assert "evidence-refused: odd.pem" in done.stderr


def test_the_seals_of_a_file_can_be_read(example: ModuleType) -> None:
    (seal,) = example.seals_of(seal_document())
    assert (seal.seal_id, seal.version) == ("32050000019999", 4)


def test_a_seal_can_be_made(example: ModuleType) -> None:
    seal = example.make_example_seal(NOW)
    assert seal.notices == ()
    assert verify_seal_value(seal).common_name == "示例制章单位"
    check_signer_listed(seal, seal.certificates[0])


def test_a_verdict_is_a_value(example: ModuleType) -> None:
    verdict = example.verify(sign_pdf(), example.GivenEvidence(), NOW)
    assert verdict.outcome is Outcome.INDETERMINATE


def test_the_page_shows_what_the_example_has() -> None:
    page = PAGE.read_text("utf-8")
    for name in ("read_evidence", "judge_document", "parse_seal_signature", "make_seal"):
        assert name in page
        assert name in EXAMPLE.read_text("utf-8")


def test_the_code_on_the_page_runs(tmp_path: Path) -> None:
    """Every Python block of the page, one after the other, in one name space."""
    page = PAGE.read_text("utf-8")
    blocks = [block.partition("```")[0] for block in page.split("```python\n")[1:]]
    assert len(blocks) >= 3
    (tmp_path / "licence.ofd").write_bytes(seal_document())
    write_evidence(tmp_path, SM2_TRUST)
    (tmp_path / "sm2-root.pem").rename(tmp_path / "root.pem")
    (tmp_path / "sm2-ca.cer").rename(tmp_path / "issuing.cer")
    (tmp_path / "sm2-ca.crl").rename(tmp_path / "issuing.crl")
    (tmp_path / "program.py").write_text("\n".join(blocks), "utf-8")
    done = subprocess.run(
        [sys.executable, "program.py"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": f"{PROJECT}:{PROJECT / 'examples'}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "示例市行政审批局" in done.stdout
