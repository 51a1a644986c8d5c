"""``eseal verify`` and ``check-receipt`` away from any data folder, and with one."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from eseal.cli import cli, hoist
from eseal.settings import PROJECT
from keys.certificates import encode_pem
from tests.support.receipts import needs_fonts
from tests.support.sealed_ofd import SealedSpec, seal_document
from tests.support.sealed_pdf import sign_pdf
from tests.support.trust import NOW, RSA_TRUST, SM2_TRUST, Trust

AUTHORITY = "11320102MB9K00021D"
AT = "2026-11-24T05:00:00Z"


def run(folder: Path, *words: str | Path) -> Result:
    arguments = hoist(["--data", str(folder / "none"), *map(str, words)])
    return CliRunner().invoke(cli, arguments, catch_exceptions=False)


def evidence(folder: Path, *families: Trust) -> list[str]:
    """Write evidence in every spelling; return the options that name it."""
    words: list[str] = []
    for family in families:
        name = family.algorithm.value
        files = {
            f"{name}-root.pem": ("--trust", encode_pem(family.root.der).encode()),
            f"{name}-ca.cer": ("--intermediate", family.authority.der),
            f"{name}-ca.crl": ("--crl", family.crl()),
            f"{name}-root.crl": ("--crl", family.crl(of_root=True)),
        }
        for file, (option, data) in files.items():
            (folder / file).write_bytes(data)
            words += [option, str(folder / file)]
    return words


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "a.ofd").write_bytes(seal_document(SealedSpec(stamped_at=NOW)))
    (tmp_path / "a.pdf").write_bytes(sign_pdf())
    return tmp_path


def test_documents_of_both_algorithms_verify_as_of_an_instant(files: Path) -> None:
    words = evidence(files, SM2_TRUST, RSA_TRUST)
    result = run(files, "--json", "verify", files / "a.ofd", files / "a.pdf", *words, "--at", AT)
    assert result.exit_code == 0, result.output
    for verdict in json.loads(result.output):
        assert (verdict["verdict"], verdict["in_force"]) == ("valid", None)
        assert (verdict["judged_at"], verdict["judged_at_source"]) == (AT, "given")
        (signature,) = verdict["signatures"]
        assert (signature["time_source"], signature["judged_for"]) == (
            "timestamp",
            "2026-11-24T04:00:00Z",
        )
    assert not (files / "none").exists()


def test_an_instant_may_stand_in_any_zone(files: Path) -> None:
    words = [*evidence(files, RSA_TRUST), "--at", "2026-11-24T13:00:00+08:00"]
    result = run(files, "--json", "verify", files / "a.pdf", *words)
    assert json.loads(result.output)["judged_at"] == AT


@pytest.mark.parametrize("instant", ["yesterday", "2026-11-24", "2026-11-24T05:00:00"])
def test_an_instant_without_zone_is_not_guessed(files: Path, instant: str) -> None:
    assert run(files, "verify", files / "a.pdf", "--at", instant).exit_code == 2


def test_a_root_of_one_algorithm_ends_no_chain_of_the_other(files: Path) -> None:
    """T-PKI-08."""
    words = [*evidence(files, SM2_TRUST), "--at", AT]
    result = run(files, "--json", "verify", files / "a.pdf", *words)
    assert result.exit_code == 1
    assert json.loads(result.output)["signatures"][0]["trust"] == "untrusted"


def test_an_instant_before_the_signature_is_not_valid(files: Path) -> None:
    early = (NOW - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    words = [*evidence(files, RSA_TRUST), "--at", early]
    assert run(files, "verify", files / "a.pdf", *words).exit_code == 1


def test_the_printed_answer_names_instant_source_and_policy(files: Path) -> None:
    (files / "policy.toml").write_text('name = "bank"')
    words = [*evidence(files, RSA_TRUST), "--at", AT, "--policy", str(files / "policy.toml")]
    printed = " ".join(run(files, "verify", files / "a.pdf", *words).output.split())
    assert f"as of: {AT}" in printed
    assert "由核验方指定" in printed
    assert "policy bank" in printed
    assert "时间戳证明" in printed


def test_every_failed_check_is_explained_in_plain_words(files: Path) -> None:
    changed = bytearray((files / "a.pdf").read_bytes())
    changed[200] ^= 1
    (files / "changed.pdf").write_bytes(changed)
    words = [*evidence(files, RSA_TRUST), "--at", AT]
    result = run(files, "verify", files / "changed.pdf", "--explain", *words)
    assert result.exit_code == 1
    for words_expected in (
        "含义：现在看到的内容不是盖章时的内容。",
        "谁能处理：",
        "怎么办：",
        "依据：",
    ):
        assert words_expected in result.output
    plain = run(files, "verify", files / "changed.pdf", *words)
    assert "含义：" not in plain.output


def test_what_is_missing_is_explained_as_missing(files: Path) -> None:
    result = run(files, "verify", files / "a.pdf", "--explain", "--at", AT)
    assert "不等于文件有假" in result.output
    assert "请将其根证书加入信任列表" in result.output


@pytest.mark.parametrize("option", ["--trust", "--intermediate", "--crl", "--ocsp", "--policy"])
def test_evidence_that_cannot_be_read_is_refused_by_name(files: Path, option: str) -> None:
    (files / "odd.bin").write_bytes(b"\xff\x00")
    result = run(files, "--json", "verify", files / "a.pdf", option, files / "odd.bin")
    assert result.exit_code == 2
    expected = "policy-refused" if option == "--policy" else "evidence-refused"
    assert json.loads(result.output)["error"] == expected


def test_evidence_given_needs_nothing_of_a_data_folder(files: Path) -> None:
    """A folder that cannot be opened does not matter then."""
    pki = files / "none" / "pki"
    pki.mkdir(parents=True)
    (pki / "trust.pem").write_text("damaged")
    words = [*evidence(files, RSA_TRUST), "--at", AT]
    assert run(files, "verify", files / "a.pdf", *words).exit_code == 0
    assert run(files, "verify", files / "a.pdf").exit_code == 2


def test_without_keys_no_receipt_is_signed(files: Path) -> None:
    result = run(files, "--json", "verify", files / "a.pdf", "--receipt", files / "r.json")
    assert result.exit_code == 2
    assert json.loads(result.output)["error"] == "receipt-unavailable"
    assert not (files / "r.json").exists()


@pytest.mark.parametrize("names", [["a.pdf", "a.ofd"], ["a.pdf"]])
def test_a_receipt_is_for_one_file_and_of_a_known_form(files: Path, names: list[str]) -> None:
    out = "r.pdf" if len(names) == 2 else "r.txt"
    paths = [files / name for name in names]
    assert run(files, "verify", *paths, "--receipt", files / out).exit_code == 2


# With keys of its own


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("receipts")
    made = run(folder, "--authority", AUTHORITY, "init", "--name", "金陵市云栖区行政审批局")
    assert made.exit_code == 0, made.output
    (folder / "a.pdf").write_bytes(sign_pdf())
    return folder


def test_a_json_receipt_is_checked_with_the_document_it_is_for(installed: Path) -> None:
    document, receipt = installed / "a.pdf", installed / "r.json"
    run(installed, "verify", document, "--receipt", receipt)
    checked = run(installed, "--json", "check-receipt", receipt, "--document", document)
    answer = json.loads(checked.output)
    assert checked.exit_code == 0, checked.output
    assert (answer["signature"]["verdict"], answer["is_for_document"]) == ("valid", True)
    assert answer["receipt"]["verdict"]["verdict"] == "indeterminate"
    other = run(installed, "check-receipt", receipt, "--document", receipt)
    assert other.exit_code == 1
    assert "否" in other.output


def test_a_changed_json_receipt_is_refused(installed: Path) -> None:
    document, receipt = installed / "a.pdf", installed / "c.json"
    run(installed, "verify", document, "--receipt", receipt)
    text = receipt.read_text("utf-8").replace("indeterminate", "valid")
    receipt.write_text(text, "utf-8")
    result = run(installed, "check-receipt", receipt)
    assert result.exit_code == 1
    assert "无效" in result.output


@needs_fonts
def test_a_pdf_receipt_verifies_with_the_verifiers_root_alone(installed: Path) -> None:
    receipt = installed / "r.pdf"
    run(installed, "verify", installed / "a.pdf", "--receipt", receipt)
    pki = installed / "none" / "pki"
    words = ["--trust", str(pki / "trust.pem")]
    for name in ("rsa-issuing-ca", "rsa-root"):
        words += ["--crl", str(pki / "crls" / f"{name}.crl")]
    result = run(installed / "elsewhere", "--json", "verify", receipt, *words)
    assert result.exit_code == 0, result.output
    assert json.loads(result.output)["signatures"][0]["kind"] == "rsa-pades"


def test_a_receipt_tells_a_verdict_on_evidence_given(installed: Path) -> None:
    receipt = installed / "g.json"
    words = [*evidence(installed, RSA_TRUST), "--at", AT]
    result = run(installed, "verify", installed / "a.pdf", *words, "--receipt", receipt)
    assert result.exit_code == 0, result.output
    statement = json.loads(receipt.read_text("utf-8"))["receipt"]
    assert (statement["judged_at"], statement["judged_at_source"]) == (AT, "given")
    assert statement["headline"]["en"] == "Valid"


def test_the_version_in_receipts_is_that_of_the_project() -> None:
    assert f'version = "{_version()}"' in (PROJECT / "pyproject.toml").read_text("utf-8")


def _version() -> str:
    return CliRunner().invoke(cli, ["--version"]).output.split()[-1]
