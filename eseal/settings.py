"""Every setting of the service, built once.

Read from the environment (prefix ``ESEAL_``). Each option works when absent and is described in
``docs/operations.md``. A production profile refuses to start with what only a test may use.
"""

from enum import StrEnum
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from keys.pkcs11_store import SM2Input, SM2Output

PROJECT = Path(__file__).resolve().parent.parent


class Environment(StrEnum):
    """Which rules of start-up apply."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


class KeyStoreKind(StrEnum):
    """Where private keys are."""

    FILES = "files"
    PKCS11 = "pkcs11"
    SDF = "sdf"


class PassphraseSource(StrEnum):
    """Where pass-phrases come from, of the key files and of a device."""

    FILE = "file"
    CREDENTIAL = "credential"
    """The service manager hands it over (systemd ``LoadCredential=``)."""
    PROMPT = "prompt"


class Settings(BaseSettings):
    """The settings, with defaults for a trial on one machine."""

    model_config = SettingsConfigDict(env_prefix="ESEAL_", extra="ignore", frozen=True)

    environment: Environment = Environment.DEVELOPMENT
    data_folder: Path = Field(Path("data"), description="Keys, certificates, database and files.")
    database_url: str = Field("", description="Empty: SQLite in the data folder.")
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8765, ge=1, le=65535, description="Port to listen on.")
    base_url: str = Field(
        "", description="Public address in QR codes and links. Empty: http://HOST:PORT."
    )
    passphrase_file: Path | None = Field(
        None, description="Pass-phrase of the key store. Empty: DATA/passphrase."
    )
    passphrase_source: PassphraseSource = Field(
        PassphraseSource.FILE, description="Where the pass-phrases of keys come from."
    )
    key_store: KeyStoreKind = Field(KeyStoreKind.FILES, description="Where private keys are.")
    key_store_sessions: int = Field(8, ge=1, le=256, description="Open sessions of the device.")
    device_module: Path | None = Field(None, description="The vendor's library of the device.")
    device_keys: str = Field("", description="Names of the keys in the device; SDF: NAME=INDEX.")
    device_passphrase_file: Path | None = Field(None, description="Pass-phrase of the device.")
    token_label: str = Field("", description="Label of the PKCS#11 token.")
    token_sign_mechanism: int | None = Field(None, description="Vendor's SM2 mechanism.")
    token_sign_input: SM2Input = Field(SM2Input.DIGEST, description="What it signs.")
    token_sign_output: SM2Output = Field(SM2Output.RAW, description="What it answers.")
    token_generate_mechanism: int | None = Field(None, description="Vendor's SM2 key making.")
    templates_folder: Path = Field(PROJECT / "templates", description="Licence faces.")
    fonts_folder: Path = Field(
        PROJECT / ".cache" / "fonts", description="Fonts prepared by scripts/setup-fonts."
    )
    national_emblem_file: Path | None = Field(
        None,
        description="SVG or PNG of the national emblem, for bodies whose seal carries it. "
        "Empty: such seals cannot be made.",
    )
    seal_request_hours: int = Field(
        72, ge=1, le=720, description="How long a request about a seal waits for its confirmation."
    )
    seal_approval_days: int = Field(
        30, ge=1, le=365, description="How long after its approval a seal may be made."
    )
    clock_counts_after: int = Field(
        0, ge=0, description="Uses up to this serial number were recorded by a clock ahead of time."
    )
    ses_version: Literal[4, 5] = Field(
        4, description="Generation of new seals: 4 is GB/T 38540-2020, 5 is GM/T 0031-2025."
    )
    libcrypto: str = Field("", description="Path of the libcrypto to use for SM2.")
    upload_limit_bytes: int = Field(20 * 1024 * 1024, description="Largest uploaded document.")
    body_limit_bytes: int = Field(1024 * 1024, description="Largest JSON body.")

    tsa_url: str = Field("", description="Outside time-stamp authority, SM2. Empty: our own.")
    tsa_rsa_url: str = Field("", description="Outside time-stamp authority, RSA.")
    outside_hosts: str = Field("", description="Hosts that may be asked, HOST or HOST:PORT.")
    outside_private_hosts: str = Field("", description="Those of them inside our network.")
    outside_roots: Path | None = Field(None, description="PEM file of roots trusted besides ours.")
    outside_roots_digest: str = Field("", description="SM3 of that file, hexadecimal.")
    metrics: bool = Field(False, description="Whether GET /metrics answers.")

    @field_validator("token_sign_mechanism", "token_generate_mechanism", mode="before")
    @classmethod
    def read_number(cls, value: object) -> object:
        """Read a mechanism as vendors write it: 0x80000101 or decimal; empty is none."""
        return (int(value, 0) if value else None) if isinstance(value, str) else value

    def public_url(self) -> str:
        """Return the address that links and QR codes carry, without a trailing slash."""
        return (self.base_url or f"http://{self.host}:{self.port}").rstrip("/")

    def database(self) -> str:
        """Return the database URL, by default a file in the data folder."""
        return self.database_url or f"sqlite:///{self.data_folder / 'eseal.db'}"

    def passphrase_path(self) -> Path:
        """Return where the key store's pass-phrase is read from."""
        return self.passphrase_file or self.data_folder / "passphrase"
