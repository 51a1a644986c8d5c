"""Small secrets encrypted at rest with SM4-GCM (GB/T 32907, GB/T 36624), bound to their owner."""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from seal_service.plumbing.errors import SecretDamaged
from seal_service.plumbing.request_signing import hmac_sm3

_FORM = b"\x01"
_NONCE_BYTES = 12
_TAG_BYTES = 16


class SecretBox:
    """Seals and opens secrets under one key of at least 16 bytes, kept outside the database."""

    def __init__(self, key: bytes) -> None:
        if len(key) < 16:
            raise ValueError("the key of a secret box has at least 16 bytes")
        self._key = hmac_sm3(key, b"eseal caller secrets, SM4-GCM")[:16]

    def seal(self, secret: bytes, owner: str, randomness: bytes) -> bytes:
        """Encrypt a secret of ``owner``; ``randomness`` is 12 bytes, new at every call."""
        if len(randomness) != _NONCE_BYTES:
            raise ValueError("sealing a secret takes 12 random bytes")
        cipher = Cipher(algorithms.SM4(self._key), modes.GCM(randomness)).encryptor()
        cipher.authenticate_additional_data(owner.encode())
        return _FORM + randomness + cipher.update(secret) + cipher.finalize() + cipher.tag

    def open(self, sealed: bytes, owner: str) -> bytes:
        """Return the secret of ``owner``.

        Raises ``SecretDamaged`` when it was altered, sealed under another key or for another owner.
        """
        form, rest = sealed[:1], sealed[1:]
        if form != _FORM or len(rest) < _NONCE_BYTES + _TAG_BYTES:
            raise SecretDamaged
        nonce, tag = rest[:_NONCE_BYTES], rest[-_TAG_BYTES:]
        cipher = Cipher(algorithms.SM4(self._key), modes.GCM(nonce, tag)).decryptor()
        cipher.authenticate_additional_data(owner.encode())
        try:
            return cipher.update(rest[_NONCE_BYTES:-_TAG_BYTES]) + cipher.finalize()
        except InvalidTag:
            raise SecretDamaged from None
