"""Settings of the licence library. Each works when absent."""

from pydantic import BaseModel, ConfigDict, Field


class LicenceSettings(BaseModel):
    """How long things may take, and the address that links carry."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    public_url: str = Field(
        default="http://127.0.0.1:8765",
        description="Address in links and QR codes, no trailing slash.",
    )
    lease_seconds: int = Field(
        default=120,
        ge=1,
        le=3600,
        description="After this a reservation counts as left by a crash.",
    )
    wait_seconds: float = Field(
        default=20, ge=0, le=120, description="How long a request waits for its twin to finish."
    )
    test_mode: bool = Field(
        default=True, description="Licences wear a red 测试 and have no legal effect."
    )
