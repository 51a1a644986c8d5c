"""Open the keys of an installation as the settings say: files, a PKCS#11 token, an SDF device.

Service secrets are always in the encrypted files. Pass-phrases are read once, from a private file,
a credential of the service manager or the terminal; never from an argument or a variable.
"""

import getpass
import os
import secrets
import sys
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from eseal.settings import KeyStoreKind, PassphraseSource, Settings
from keys.device_store import Device, DeviceStore
from keys.errors import KeyStoreRefused
from keys.keystore import HEADER_NAME, KeyStore
from keys.pkcs11_store import SM2Dialect, Token, TokenOptions
from keys.placed_keys import PlacedKeys
from keys.private_files import read_passphrase, write_new_file
from keys.sdf import SDFDevice, SDFKey
from keys.signers import KEY_NAME, ServiceKeys

PASSPHRASE_BYTES = 32
CREDENTIALS = "CREDENTIALS_DIRECTORY"
STORE_CREDENTIAL = "eseal-passphrase"
DEVICE_CREDENTIAL = "eseal-device-passphrase"


def _ask(words: str) -> str:
    if not sys.stdin.isatty():
        raise KeyStoreRefused("no terminal to ask at", reason="passphrase-no-terminal")
    return getpass.getpass(words)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySource:
    """Opens keys; ``ask`` asks a person for a pass-phrase without showing it."""

    settings: Settings
    ask: Callable[[str], str] = _ask

    def open_keys(self) -> ServiceKeys:
        """Open all keys.

        Raises ``KeyStoreRefused`` (pass-phrase, modes, library, settings) or
        ``KeyStoreUnavailable`` (folder, device).
        """
        files = KeyStore(self._folder, self._store_passphrase())
        if self.settings.key_store is KeyStoreKind.FILES:
            return files
        names = _device_names(self.settings.device_keys)
        if self.settings.key_store is KeyStoreKind.PKCS11:
            return PlacedKeys(
                files,
                self._open_device(self._token()),
                lambda name: any(fnmatchcase(name, pattern) for pattern in names),
            )
        keys = self._sdf_keys(names)
        device = SDFDevice(self._device_module(), keys)
        return PlacedKeys(files, self._open_device(device), lambda name: name in keys)

    def make_passphrase(self) -> None:
        """Make a random pass-phrase for a trial; a deployment names a source of its own."""
        path = self.settings.passphrase_path()
        if self.settings.passphrase_source is not PassphraseSource.FILE or path.exists():
            return
        if self.settings.passphrase_file is not None:
            raise KeyStoreRefused(
                "the pass-phrase file does not exist", reason="passphrase-missing", file=str(path)
            )
        write_new_file(path, secrets.token_hex(PASSPHRASE_BYTES).encode() + b"\n")

    @property
    def _folder(self) -> Path:
        return self.settings.data_folder / "keys"

    # Pass-phrases

    def _store_passphrase(self) -> bytes:
        source = self.settings.passphrase_source
        if source is PassphraseSource.FILE:
            return read_passphrase(self.settings.passphrase_path())
        if source is PassphraseSource.CREDENTIAL:
            return read_passphrase(_credential(STORE_CREDENTIAL), is_credential=True)
        passphrase = self.ask("密钥库口令 Pass-phrase of the key store: ")
        is_new = not (self._folder / HEADER_NAME).exists()
        # A mistyped one of a new store would open it never again.
        if is_new and self.ask("再次输入 Again: ") != passphrase:
            raise KeyStoreRefused("the two differ", reason="passphrase-differs")
        return passphrase.encode()

    def _device_passphrase(self, index: int | None = None) -> bytes:
        """Return the device's pass-phrase, or that of one key where it has its own."""
        source = self.settings.passphrase_source
        if source is PassphraseSource.PROMPT:
            of_key = "" if index is None else f" ({index})"
            return self.ask(f"密码设备口令 Pass-phrase of the device{of_key}: ").encode()
        is_credential = source is PassphraseSource.CREDENTIAL
        path = _credential(DEVICE_CREDENTIAL) if is_credential else self._device_file()
        own = path.with_name(f"{path.name}.{index}")
        return read_passphrase(own if own.exists() else path, is_credential=is_credential)

    def _device_file(self) -> Path:
        if self.settings.device_passphrase_file is None:
            raise _setting_missing("ESEAL_DEVICE_PASSPHRASE_FILE")
        return self.settings.device_passphrase_file

    # Devices

    def _open_device(self, device: Device) -> DeviceStore:
        return DeviceStore(device, sessions=self.settings.key_store_sessions)

    def _device_module(self) -> Path:
        if self.settings.device_module is None:
            raise _setting_missing("ESEAL_DEVICE_MODULE")
        return self.settings.device_module

    def _token(self) -> Token:
        settings = self.settings
        if not settings.token_label:
            raise _setting_missing("ESEAL_TOKEN_LABEL")
        dialect = None
        if settings.token_sign_mechanism is not None:
            dialect = SM2Dialect(
                mechanism=settings.token_sign_mechanism,
                signs=settings.token_sign_input,
                answers=settings.token_sign_output,
                generate_mechanism=settings.token_generate_mechanism,
            )
        return Token(
            TokenOptions(
                module=self._device_module(),
                token_label=settings.token_label,
                passphrase=self._device_passphrase(),
                sm2=dialect,
            )
        )

    def _sdf_keys(self, names: tuple[str, ...]) -> dict[str, SDFKey]:
        found: dict[str, SDFKey] = {}
        for item in names:
            name, _, number = item.partition("=")
            if not KEY_NAME.fullmatch(name) or not number.isdecimal() or name in found:
                raise KeyStoreRefused(f"not NAME=INDEX: {item}", reason="device-keys")
            index = int(number)
            found[name] = SDFKey(index=index, passphrase=self._device_passphrase(index))
        return found


def _device_names(setting: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in setting.split(",") if name.strip())
    if not names:
        # A device without keys is a mistake, and would go unnoticed: all keys would be in files.
        raise _setting_missing("ESEAL_DEVICE_KEYS")
    return names


def _credential(name: str) -> Path:
    folder = os.environ.get(CREDENTIALS)
    if not folder:
        raise KeyStoreRefused(
            f"${CREDENTIALS} is not set: no service manager started this",
            reason="passphrase-missing",
        )
    return Path(folder) / name


def _setting_missing(name: str) -> KeyStoreRefused:
    return KeyStoreRefused(f"{name} is not set", reason="setting-missing", setting=name)
