"""Every setting of the service, built once.

Read from the environment (prefix ``ESEAL_``). Each option works when absent and is described in
``docs/operations.md``. A production profile refuses to start with what only a test may use.
"""

from enum import StrEnum
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

PROJECT = Path(__file__).resolve().parent.parent


class Environment(StrEnum):
    """Which rules of start-up apply."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


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
    templates_folder: Path = Field(PROJECT / "templates", description="Licence faces.")
    fonts_folder: Path = Field(
        PROJECT / ".cache" / "fonts", description="Fonts prepared by scripts/setup-fonts."
    )
    national_emblem_file: Path | None = Field(
        None,
        description="SVG or PNG of the national emblem, for bodies whose seal carries it. "
        "Empty: such seals cannot be made.",
    )
    libcrypto: str = Field("", description="Path of the libcrypto to use for SM2.")
    upload_limit_bytes: int = Field(20 * 1024 * 1024, description="Largest uploaded document.")
    body_limit_bytes: int = Field(1024 * 1024, description="Largest JSON body.")

    def public_url(self) -> str:
        """Return the address that links and QR codes carry, without a trailing slash."""
        return (self.base_url or f"http://{self.host}:{self.port}").rstrip("/")

    def database(self) -> str:
        """Return the database URL, by default a file in the data folder."""
        return self.database_url or f"sqlite:///{self.data_folder / 'eseal.db'}"

    def passphrase_path(self) -> Path:
        """Return where the key store's pass-phrase is read from."""
        return self.passphrase_file or self.data_folder / "passphrase"
