"""A seal on its way onto a document: what will be signed is fixed, the signature is missing."""

from typing import Protocol


class PendingSeal(Protocol):
    """One document, laid out; ``ofd_form`` and ``pdf_form`` make it."""

    @property
    def document_digest(self) -> bytes:
        """What the signature binds: goes into the intent and into the log."""
        ...

    @property
    def to_sign(self) -> bytes:
        """The message to sign."""
        ...

    def finish(self, signature: bytes, timestamp: bytes) -> bytes:
        """Return the sealed document, read back and checked; raises ``SelfCheckFailed``."""
        ...
