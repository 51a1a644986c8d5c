"""Settings of seals and sealing. Each works when absent."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class SealSettings(BaseModel):
    """How long intents, requests and approvals last, which seals are made, the log's name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    intent_seconds: int = Field(
        default=3600,
        ge=60,
        le=86400,
        description="After this an open use of a seal counts as left by a crash; longer than any "
        "licence's lease.",
    )
    request_hours: int = Field(
        default=72,
        ge=1,
        le=720,
        description="How long a request about a seal may wait for the second person.",
    )
    approval_days: int = Field(
        default=30,
        ge=1,
        le=365,
        description="How long after its approval a seal may be made.",
    )
    clock_counts_after: int = Field(
        default=0,
        ge=0,
        description="Uses up to this serial number were recorded with a clock that ran ahead.",
    )
    ses_version: Literal[4, 5] = Field(
        default=4,
        description="Generation of new seals: 4 is GB/T 38540-2020, 5 is GM/T 0031-2025. A seal's "
        "signatures are of its own generation.",
    )
    log_origin: str = Field(
        default="eseal.local/seal-uses",
        max_length=200,
        pattern=r"^[!-*,-~]+$",
        description="Name of the seal-use log in its checkpoints: an address without scheme.",
    )
