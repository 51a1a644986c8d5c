"""What must never be in the tree: private keys, paths of one machine, hosts of one network."""

import re
from pathlib import PurePosixPath

from cryptography.hazmat.primitives.serialization import load_der_private_key

from tests.architecture.tree import PROJECT, tracked, tracked_text

THIS_FOLDER = "tests/architecture/"
"""The tests name what they look for."""

PEM_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/=]{16}")
KEY_SUFFIXES = {".key", ".p12", ".pfx", ".jks", ".keystore"}
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:home|Users|root|work|workspace|mnt)/[\w.-]+")
HOST = re.compile(
    r"pythonhosted|pypi\.org|docker\.io|ghcr\.io|quay\.io|deb\.debian\.org|archive\.ubuntu"
    r"|index-url\s*[= ]\s*http|--find-links|\bregistry\.[a-z-]+\.[a-z]{2,}/|artifactory|nexus\.",
    re.IGNORECASE,
)
ADDRESS = re.compile(r"https?://(\d+\.\d+\.\d+\.\d+)")
NO_NETWORK = re.compile(r"127\.|0\.0\.0\.0|192\.0\.2\.|198\.51\.100\.|203\.0\.113\.|169\.254\.")
"""Loopback, link-local, and the blocks that RFC 5737 keeps for documents."""

SPELLING = re.compile(r"\w*licens(?:e|ing)\w*", re.IGNORECASE)
NAMED_BY_OTHERS = re.compile(
    r'^license = "|Open Font License|openfontlicense\.org|\bLICENSE\b|Apache License', re.MULTILINE
)


def _found(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{name}: {match.group()}"
        for name, text in tracked_text()
        if not name.startswith(THIS_FOLDER)
        for match in pattern.finditer(text)
    ]


def _is_der_key(content: bytes) -> bool:
    try:
        load_der_private_key(content, password=None)
    except (ValueError, TypeError):
        return False
    return True


def test_no_private_key_is_in_the_tree() -> None:
    by_name = [p.name for p in tracked() if p.suffix in KEY_SUFFIXES]
    small = [p for p in tracked() if p.stat().st_size < 10_000]
    by_content = [
        p.name for p in small if p.read_bytes()[:1] == b"\x30" and _is_der_key(p.read_bytes())
    ]
    assert by_name + by_content + _found(PEM_KEY) == []


def test_no_path_of_one_machine_is_in_the_tree() -> None:
    assert _found(MACHINE_PATH) == []


def test_no_package_host_is_in_the_tree() -> None:
    """A deployer behind a mirror uses the lock files as they are."""
    assert _found(HOST) == []


def test_no_address_of_one_network_is_in_the_tree() -> None:
    strangers = [
        f"{name}: {match.group()}"
        for name, text in tracked_text()
        if not name.startswith(THIS_FOLDER)
        for match in ADDRESS.finditer(text)
        if not NO_NETWORK.match(match.group(1))
    ]
    assert strangers == []


def test_every_locked_requirement_has_digests() -> None:
    for lock in (PROJECT / "requirements").glob("*.txt"):
        entries = re.split(r"\n(?=[a-z0-9])", lock.read_text("utf-8"), flags=re.IGNORECASE)
        pins = [entry for entry in entries if re.match(r"[\w.\[\],-]+==", entry)]
        assert pins, lock.name
        assert [entry.split()[0] for entry in pins if "--hash=sha256:" not in entry] == []


def test_the_document_is_a_licence_and_the_noun_is_british() -> None:
    """ADR 0008; the other spelling only where others chose the name."""
    found = [
        f"{name}: {match.group()}"
        for name, text in tracked_text()
        if not name.startswith((THIS_FOLDER, "requirements/", "LICENSE"))
        for match in SPELLING.finditer(NAMED_BY_OTHERS.sub("", text))
    ]
    assert found == []


def test_no_file_is_left_by_a_tool() -> None:
    left = {".orig", ".rej", ".bak", ".swp", ".pyc", ".log", ".db"}
    names = [PurePosixPath(name) for name, _ in tracked_text()]
    assert [str(name) for name in names if name.suffix in left] == []
