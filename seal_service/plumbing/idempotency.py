"""The header by which a retry is told from another request."""

from fastapi.params import Header


def idempotency_header(*, one_per: str) -> Header:
    """Describe ``Idempotency-Key`` for a route whose keys stand for what ``one_per`` says."""
    return Header(
        alias="Idempotency-Key",
        min_length=8,
        max_length=128,
        pattern=r"^[\x21-\x7e]+$",
        description=f"Chosen by the caller, one per {one_per}; repeat it with every retry.",
        examples=["3f1a7c52-6d0c-4f0e-9b59-0a6e8a1f2b77"],
    )
