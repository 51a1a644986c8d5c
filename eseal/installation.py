"""A data folder and what is in it: made by ``eseal init``, opened by every other command.

passphrase     of the key store, mode 0600; a deployment keeps it elsewhere
keys/          private keys and service secrets, encrypted
pki/           certificates, revocation lists, trusted roots
eseal.db       the database, unless ``ESEAL_DATABASE_URL`` names another
files/         sealed files, by digest
"""

from dataclasses import dataclass
from datetime import datetime

from eseal.errors import NotInitialised, TestKeysRefused
from eseal.key_source import KeySource
from eseal.migrations.runner import check_schema, migrate
from eseal.settings import Environment, Settings
from keys.pki import PKI, load_pki, make_pki
from keys.signers import ServiceKeys
from seal_service.plumbing.blobs import FolderBlobs
from seal_service.plumbing.database import Database

CALLER_SECRET = "callers"  # noqa: S105
"""Name of the service secret under which callers' secrets are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """An opened data folder."""

    settings: Settings
    store: ServiceKeys
    pki: PKI
    database: Database
    blobs: FolderBlobs


def make_installation(settings: Settings, now: datetime) -> Installation:
    """Make what is missing in the data folder, bring its database up to date, and open it.

    Safe to repeat. Raises ``KeyStoreRefused`` for loose modes or a wrong pass-phrase.
    """
    folder = settings.data_folder
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    source = KeySource(settings=settings)
    source.make_passphrase()
    store = source.open_keys()
    pki_folder = folder / "pki"
    if not (pki_folder / "trust.pem").exists():
        make_pki(pki_folder, store, now, base_url=settings.public_url())
    database = Database(settings.database())
    try:
        migrate(database)
    finally:
        database.close()
    return open_installation(settings, store)


def open_installation(settings: Settings, store: ServiceKeys | None = None) -> Installation:
    """Open a data folder that was made before; ``store`` where its keys are open already.

    Raises ``NotInitialised``, ``SchemaMismatch``, ``TestKeysRefused``, or what key store, trust
    files and database refuse.
    """
    folder = settings.data_folder
    pki_folder = folder / "pki"
    if not (pki_folder / "trust.pem").exists():
        raise NotInitialised(f"{folder} 中没有安装数据", folder=str(folder))
    if settings.environment is Environment.PRODUCTION:
        raise TestKeysRefused
    store = store or KeySource(settings=settings).open_keys()
    database = Database(settings.database())
    check_schema(database)
    return Installation(
        settings=settings,
        store=store,
        pki=load_pki(pki_folder, store),
        database=database,
        blobs=FolderBlobs(folder / "files"),
    )
