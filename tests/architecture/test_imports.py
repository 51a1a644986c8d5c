"""Who may import what, where import-linter's contracts are too coarse (``pyproject.toml``)."""

from fnmatch import fnmatch

import pytest

from tests.architecture.tree import source

ALLOWED = {
    # ADR 0006: one SM2 module. ADR 0014: GM/T 0018 is a C interface, and vendors bring the library.
    "ctypes": ("keys.sm2", "keys.sdf"),
    "PyKCS11": ("keys.pkcs11_store",),
    # Rows are read and written where the tables' owners say.
    "sqlalchemy": (
        "*.tables",
        "seal_service.seals.*",
        "seal_service.plumbing.*",
        "seal_service.sealing",
        "seal_service.translog.log",
        "eseal.administration.desk",
        "licence_store.library",
        "licence_store.lookup",
        "licence_store.presentation",
        "licence_store.retries",
        "licence_store.office",
        "licence_store.sealing_adapter",
        "verifier.evidence",
        "eseal.migrations.*",
    ),
    "alembic": ("eseal.*",),
    "psycopg": ("seal_service.plumbing.*",),
    "sqlite3": ("seal_service.plumbing.*",),
    # Second opinions, in tests and benchmarks only (ADR 0013).
    "pyhanko": (),
    "gmssl": (),
    "qrcode": (),
    "asn1crypto": (),
    # The OFD page is made from the page content of the unsealed PDF.
    "pikepdf": ("licence_store.rendering.*",),
    "cryptography": ("keys.*", "seal_service.plumbing.secret_box"),
    "typst": ("licence_store.rendering.*", "seal_service.seals.drawing"),
    "uharfbuzz": (
        "licence_store.rendering.*",
        "seal_service.seals.glyphs",
        "verifier.page_pictures.*",
    ),
    "fastapi": (
        "*.api",
        "*.web",
        "verifier.page_writer",
        "*.schemas",
        "seal_service.plumbing.*",
        "eseal.*",
    ),
    "starlette": ("*.api", "*.web", "verifier.page_writer", "seal_service.plumbing.*", "eseal.*"),
    "pydantic": ("*.schemas", "*.cli", "*.settings", "seal_service.plumbing.*", "eseal.*"),
    "pydantic_settings": ("eseal.settings",),
    "httpx": ("seal_service.plumbing.request_signing", "eseal.*"),
    "click": ("*.cli", "eseal.*"),
    "rich": ("*.cli", "eseal.*"),
    "jinja2": ("verifier.*",),
    "structlog": ("seal_service.plumbing.logging", "eseal.*"),
    "subprocess": ("eseal.*", "seal_service.plumbing.bounded"),
    # Between bounded processes only, and what a child answers is read by a closed list of types.
    "pickle": ("seal_service.plumbing.bounded_child", "seal_service.plumbing.bounded_messages"),
    # It meets hostile pages: only what bounded processes run.
    "pypdfium2": ("verifier.page_pictures.raster",),
    # The front door listens; issuing and maintenance ask the hosts that are configured.
    "socket": ("eseal.server", "keys.fetching"),
    "httpcore": ("keys.fetching",),
    "urllib3": (),
    "requests": (),
    "random": (),
}


@pytest.mark.parametrize("library", ALLOWED)
def test_a_library_is_known_only_where_it_belongs(library: str) -> None:
    strangers = [
        module.name
        for module in source()
        if library in module.roots()
        and not any(fnmatch(module.name, pattern) for pattern in ALLOWED[library])
    ]
    assert strangers == []


def test_only_the_front_door_reads_the_environment() -> None:
    strangers = [
        module.name
        for module in source()
        if ("os.environ" in module.text or "getenv" in module.text)
        and module.name not in ENVIRONMENT_READERS
        and not module.name.startswith("eseal.")
    ]
    assert strangers == []


ENVIRONMENT_READERS = {
    "keys.sm2": "the engine is loaded when the module is imported, before any setting is built",
    "seal_service.plumbing.bounded": "hands a child the few names it needs, no secret among them",
}


def test_the_package_at_the_bottom_knows_no_other() -> None:
    ours = {"seal_service", "licence_store", "verifier", "eseal"}
    assert [m.name for m in source() if m.name.startswith("keys") and ours & m.roots()] == []


def test_nothing_imports_tests_templates_or_documents() -> None:
    aside = {"tests", "templates", "docs", "scripts", "bench", "examples", "fuzz"}
    assert [m.name for m in source() if aside & m.roots()] == []
