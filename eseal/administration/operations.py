"""What two people may change of the service, as it is asked for and as it stands in the request.

Each model is the body of the call and, as canonical JSON, the content that a confirmation binds.
"""

import json
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from seal_service.plumbing.strict_json import StrictModel
from seal_service.schemas import INSTANT_EXAMPLE, InstantText

CODE_EXAMPLE = "11320102MB9K00021D"
NAME_EXAMPLE = "金陵市云栖区行政审批局"
CALLER_EXAMPLE = "approval-system"

Code = Annotated[
    str,
    Field(pattern=r"^[0-9A-Z]{18}$", description="Credit code.", examples=[CODE_EXAMPLE]),
]
Name = Annotated[
    str,
    Field(min_length=1, max_length=100, description="Legal name.", examples=[NAME_EXAMPLE]),
]
Algorithm = Annotated[
    Literal["sm2", "rsa"], Field(description="Algorithm of the key.", examples=["sm2"])
]
KeyName = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9][a-z0-9-]{0,95}$",
        description="Name of the key in the key store.",
        examples=["holder-11320102mb9k00021d-sm2"],
    ),
]
Kind = Annotated[
    Literal["seal-holder", "seal-maker", "timestamp"],
    Field(description="What the certificate is for.", examples=["seal-holder"]),
]
CallerName = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9._-]{1,64}$",
        description="Identifier of the caller.",
        examples=[CALLER_EXAMPLE],
    ),
]
Scopes = Annotated[
    list[str],
    Field(max_length=40, description="What it may do.", examples=[["licences:issue"]]),
]


class IssueHolder(StrictModel):
    """Give a seal holder a certificate of ours."""

    operation: Literal["issue-certificate"] = Field(
        description="A certificate for a seal holder.", examples=["issue-certificate"]
    )
    code: Code
    name: Name
    algorithm: Algorithm = "sm2"
    renew: bool = Field(
        default=False, description="A new one before the old one ends.", examples=[False]
    )
    new_key: bool = Field(
        default=False,
        description="Over a new key: after a loss, or as planned.",
        examples=[False],
    )


class RenewCertificate(StrictModel):
    """Give a service a new certificate over the same key before the old one ends."""

    operation: Literal["renew-certificate"] = Field(
        description="A new certificate for a service.", examples=["renew-certificate"]
    )
    key_name: KeyName


class RevokeCertificate(StrictModel):
    """Revoke a certificate of ours and publish the list."""

    operation: Literal["revoke-certificate"] = Field(
        description="Revoke a certificate of ours.", examples=["revoke-certificate"]
    )
    serial: str = Field(
        pattern=r"^[0-9a-f]{8,40}$",
        description="Number, hexadecimal; a beginning that only one has will do.",
        examples=["5f0c6a4b9d1e4c0f"],
    )
    cause: str = Field(
        pattern=r"^[a-z-]{4,32}$",
        description="Reason code of RFC 5280, 5.3.1, in words.",
        examples=["superseded"],
    )
    invalid_since: InstantText | None = Field(
        default=None,
        description="Since when the key may be lost; null where it is not.",
        examples=[INSTANT_EXAMPLE],
    )


class RequestCertificate(StrictModel):
    """Make a request (PKCS#10) for an outside authority; the key is made where it is missing."""

    operation: Literal["request-certificate"] = Field(
        description="A PKCS#10 for an outside authority.", examples=["request-certificate"]
    )
    code: Code
    name: Name
    algorithm: Algorithm = "sm2"
    kind: Kind = "seal-holder"
    key_name: KeyName


class ImportCertificate(StrictModel):
    """Take over what an outside authority returned."""

    operation: Literal["import-certificate"] = Field(
        description="Certificate and chain from outside.", examples=["import-certificate"]
    )
    code: Code
    kind: Kind = "seal-holder"
    key_name: KeyName
    chain: str = Field(
        min_length=64,
        max_length=64 * 1024,
        description="PEM: the certificate and its issuers.",
        examples=["-----BEGIN CERTIFICATE-----\n…"],
    )


class AddCaller(StrictModel):
    """Register a calling program; each of the two people is answered one half of its secret."""

    operation: Literal["add-caller"] = Field(
        description="Register a calling program.", examples=["add-caller"]
    )
    caller_id: CallerName
    authority_code: Code
    scopes: Scopes
    expires_at: InstantText | None = Field(
        default=None, description="When it ends; null for never.", examples=[INSTANT_EXAMPLE]
    )


class ChangeScopes(StrictModel):
    """Change what a caller may do."""

    operation: Literal["change-scopes"] = Field(
        description="Change what a caller may do.", examples=["change-scopes"]
    )
    caller_id: CallerName
    scopes: Scopes


class ReplaceSecret(StrictModel):
    """Give a caller a new secret, in two halves as well; the old one ends at once."""

    operation: Literal["replace-secret"] = Field(
        description="A new secret for a caller.", examples=["replace-secret"]
    )
    caller_id: CallerName


Operation = Annotated[
    IssueHolder
    | RenewCertificate
    | RevokeCertificate
    | RequestCertificate
    | ImportCertificate
    | AddCaller
    | ChangeScopes
    | ReplaceSecret,
    Field(discriminator="operation"),
]
CertificateOperation = (
    IssueHolder | RenewCertificate | RevokeCertificate | RequestCertificate | ImportCertificate
)
CallerOperation = AddCaller | ChangeScopes | ReplaceSecret

_ANY: TypeAdapter[CertificateOperation | CallerOperation] = TypeAdapter(Operation)


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a request holds."""

    operation: CertificateOperation | CallerOperation
    sealed_half: bytes = field(default=b"", repr=False)
    """The applicant's half of a new secret, encrypted."""

    def to_text(self) -> str:
        """Return the canonical JSON that the digest of the request is over."""
        value = {
            "operation": self.operation.model_dump(mode="json"),
            "sealed_half": self.sealed_half.hex(),
        }
        return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_text(cls, text: str) -> "Content":
        """Read what ``to_text`` wrote; raises ``ValueError`` for anything else."""
        value = json.loads(text)
        return cls(
            operation=_ANY.validate_python(value["operation"]),
            sealed_half=bytes.fromhex(value["sealed_half"]),
        )
