"""A data folder and what is in it: made by ``eseal init``, opened by every other command.

passphrase     of the key store, mode 0600; a deployment keeps it elsewhere
keys/          private keys and service secrets, encrypted
pki/           certificates, revocation lists, trusted roots
eseal.db       the database, unless ``ESEAL_DATABASE_URL`` names another
files/         sealed files, by digest
"""

import secrets
from dataclasses import dataclass
from datetime import datetime

from eseal.errors import NotInitialised, TestKeysRefused
from eseal.migrations.runner import check_schema, migrate
from eseal.settings import Environment, Settings
from keys.errors import KeyStoreRefused
from keys.keystore import KeyStore
from keys.pki import PKI, load_pki, make_pki
from keys.private_files import read_passphrase, write_new_file
from seal_service.plumbing.blobs import FolderBlobs
from seal_service.plumbing.database import Database

PASSPHRASE_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """An opened data folder."""

    settings: Settings
    store: KeyStore
    pki: PKI
    database: Database
    blobs: FolderBlobs


def make_installation(settings: Settings, now: datetime) -> Installation:
    """Make what is missing in the data folder, bring its database up to date, and open it.

    Safe to repeat. Raises ``KeyStoreRefused`` for loose modes or a wrong pass-phrase.
    """
    folder = settings.data_folder
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    _make_passphrase(settings)
    store = _open_store(settings)
    pki_folder = folder / "pki"
    if not (pki_folder / "trust.pem").exists():
        make_pki(pki_folder, store, now, base_url=settings.public_url())
    database = Database(settings.database())
    try:
        migrate(database)
    finally:
        database.close()
    return open_installation(settings)


def open_installation(settings: Settings) -> Installation:
    """Open a data folder that was made before.

    Raises ``NotInitialised``, ``SchemaMismatch``, ``TestKeysRefused``, or what key store, trust
    files and database refuse.
    """
    folder = settings.data_folder
    pki_folder = folder / "pki"
    if not (pki_folder / "trust.pem").exists():
        raise NotInitialised(f"{folder} 中没有安装数据", folder=str(folder))
    if settings.environment is Environment.PRODUCTION:
        raise TestKeysRefused
    store = _open_store(settings)
    database = Database(settings.database())
    check_schema(database)
    return Installation(
        settings=settings,
        store=store,
        pki=load_pki(pki_folder, store),
        database=database,
        blobs=FolderBlobs(folder / "files"),
    )


def _open_store(settings: Settings) -> KeyStore:
    return KeyStore(settings.data_folder / "keys", read_passphrase(settings.passphrase_path()))


def _make_passphrase(settings: Settings) -> None:
    """Make a random pass-phrase for a trial; a deployment names a file of its own."""
    path = settings.passphrase_path()
    if path.exists():
        return
    if settings.passphrase_file is not None:
        raise KeyStoreRefused(
            "the pass-phrase file does not exist", reason="passphrase-missing", file=str(path)
        )
    write_new_file(path, secrets.token_hex(PASSPHRASE_BYTES).encode() + b"\n")
