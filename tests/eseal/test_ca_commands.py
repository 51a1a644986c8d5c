"""``eseal ca``: issue, revoke, publish, request, import, renew, and the calendar."""

import json
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from eseal.cli import cli, hoist
from keys.authority import Authority, CertificateOrder
from keys.certificates import encode_pem
from keys.keystore import KeyStore
from keys.pki import load_pki
from keys.profiles import SEAL_HOLDER
from keys.requests import parse_certificate_request
from keys.x509_building import Subject
from seal_service.plumbing.clock import SystemClock

Run = Callable[..., Result]
CODE, NAME = "11320500014149587R", "示例市行政审批局"


class Folder:
    """A data folder and its command line."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def run(self, *words: str | Path) -> Result:
        arguments = hoist(["--data", str(self.path), *map(str, words)])
        return CliRunner().invoke(cli, arguments, catch_exceptions=False)

    def json(self, *words: str | Path) -> object:
        result = self.run("--json", *words)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    def facts(self, *words: str | Path) -> dict[str, object]:
        found = self.json(*words)
        assert isinstance(found, dict)
        return found

    def rows(self, *words: str | Path) -> list[dict[str, object]]:
        found = self.json(*words)
        assert isinstance(found, list)
        return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    found = Folder(tmp_path_factory.mktemp("ca") / "data")
    assert found.run("init").exit_code == 0
    return found


def test_a_holder_gets_a_certificate_once_and_another_to_renew(folder: Folder) -> None:
    first = folder.facts("ca", "issue-holder", CODE, "--name", NAME)
    assert folder.facts("ca", "issue-holder", CODE, "--name", NAME) == first
    renewed = folder.facts("ca", "issue-holder", CODE, "--name", NAME, "--renew")
    assert renewed["serial"] != first["serial"]
    valid = {row["serial"] for row in folder.rows("ca", "list")}
    assert {first["serial"], renewed["serial"]} <= valid, "both count, the old one for verifying"


def test_a_list_is_readable_and_a_number_may_be_shortened(folder: Folder) -> None:
    facts = folder.facts("ca", "issue-holder", CODE, "--name", NAME, "--algorithm", "rsa")
    number = str(facts["serial"])[:12]
    listed = folder.run("ca", "list")
    assert number in listed.output
    assert folder.facts("ca", "show", number) == facts
    assert "BEGIN CERTIFICATE" in folder.run("ca", "show", number, "--pem").output


@pytest.mark.parametrize("number", ["", "0", "abc", "ffffffffffff", "not-hex"])
def test_a_number_nobody_has_is_refused(folder: Folder, number: str) -> None:
    result = folder.run("ca", "show", number)
    assert result.exit_code == 2


def test_a_certificate_is_revoked_by_two_and_told_so(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "11320500014149588A"
    facts = folder.facts("ca", "issue-holder", code, "--name", "另一机构")
    revoke = ("ca", "revoke", str(facts["serial"]), "--cause", "key-compromise", "--basis", "报告")
    late = folder.run(*revoke, "--invalid-since", "2999-01-01")
    assert late.exit_code == 2
    asked = folder.facts(*revoke, "--invalid-since", "2026-01-02")
    assert asked["state"] == "open", "nothing is revoked by one person"
    confirm = ("service", "confirm", str(asked["request_id"]), "--digest")
    assert folder.run(*confirm, str(asked["request_digest"])).exit_code == 2
    monkeypatch.setattr("eseal.cli.account_name", lambda: "second")
    done = folder.facts(*confirm, str(asked["request_digest"]))
    assert done["outcome"] == {"serial": facts["serial"], "state": "revoked", "crl_number": 2}
    assert folder.facts("ca", "show", str(facts["serial"]))["state"] == "revoked"
    assert facts["serial"] not in {row["serial"] for row in folder.rows("ca", "list")}
    assert facts["serial"] in {row["serial"] for row in folder.rows("ca", "list", "--all")}
    again = folder.run("ca", "issue-holder", code, "--name", "另一机构", "--renew")
    assert again.exit_code == 2, "nothing is certified over a key that was revoked"
    newer = folder.facts("ca", "issue-holder", code, "--name", "另一机构", "--new-key")
    assert newer["state"] == "valid"


def test_services_are_renewed_and_authorities_are_not(folder: Folder) -> None:
    before = {row["serial"] for row in folder.rows("ca", "list")}
    for name in ("seal-maker", "log", "sm2-tsa", "rsa-tsa"):
        renewed = folder.facts("ca", "renew", name)
        assert renewed["state"] == "valid"
        assert renewed["serial"] not in before
    for name in ("sm2-root", "rsa-issuing-ca", "nobody"):
        assert folder.run("ca", "renew", name).exit_code == 2


def test_lists_are_published_when_asked(folder: Folder) -> None:
    published = folder.facts("ca", "publish-crl")
    assert published["published"] == ["sm2-root", "sm2-issuing-ca", "rsa-root", "rsa-issuing-ca"]
    assert published["fetched"] == 0


def test_the_calendar_has_certificates_lists_and_stamps(folder: Folder) -> None:
    rows = folder.rows("ca", "calendar")
    assert {row["kind"] for row in rows} == {"certificate", "crl", "tsa"}
    assert [row["ends_at"] for row in rows] == sorted(str(row["ends_at"]) for row in rows)
    assert {row["urgency"] for row in rows} == {"none"}


# An outside authority, played by another PKI


class OutsideAuthority:
    """Issues over requests, under roots that are not ours."""

    def __init__(self, folder: Path) -> None:
        made = Folder(folder)
        assert made.run("init").exit_code == 0
        passphrase = (folder / "passphrase").read_bytes().strip()
        self._store = KeyStore(folder / "keys", passphrase)
        self.pki = load_pki(folder / "pki", self._store)

    def answer(self, request_pem: str, code: str = CODE) -> str:
        """Return the certificate and its issuer, PEM."""
        lines = "".join(request_pem.split("-----")[2].split())
        request = parse_certificate_request(b64decode(lines))
        name = f"{request.public_key.algorithm}-issuing-ca"
        authority = Authority(
            signer=self._store,
            key_name=name,
            certificate=self.pki.certificate(name),
            crl_url="http://outside.example/list.crl",
        )
        subject = Subject(common_name=NAME, organisation=NAME, organisation_code=code)
        order = CertificateOrder(
            profile=SEAL_HOLDER,
            subject=subject,
            public_key=request.public_key,
            now=SystemClock().now(),
        )
        issued = authority.issue_certificate(order)
        return encode_pem(issued) + encode_pem(self.pki.certificate(name).der)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> OutsideAuthority:
    return OutsideAuthority(tmp_path_factory.mktemp("other") / "data")


@pytest.mark.parametrize("algorithm", ["sm2", "rsa"])
def test_a_certificate_from_outside_is_requested_and_imported(
    folder: Folder, authority: OutsideAuthority, tmp_path: Path, algorithm: str
) -> None:
    asked = folder.facts("ca", "request", CODE, "--name", NAME, "--algorithm", algorithm)
    answer, anchor = tmp_path / "answer.pem", tmp_path / "root.pem"
    answer.write_text(authority.answer(str(asked["request"])))
    anchor.write_text(encode_pem(authority.pki.certificate(f"{algorithm}-root").der))
    words = ("ca", "import", str(asked["key"]), answer, "--code", CODE)
    assert folder.run(*words).exit_code == 2, "no root of ours, none given"
    wrong = ("ca", "import", str(asked["key"]), answer, "--code", "91320500MA00000TE3")
    assert folder.run(*wrong, "--anchor", anchor).exit_code == 2, "another organisation"
    found = folder.facts(*words, "--anchor", anchor)
    assert found["source"] == f"imported for {asked['key']}"
    assert found["serial"] in {row["serial"] for row in folder.rows("ca", "list")}
