# ruff: noqa: N802, N803 - the names are PyKCS11's
"""A PKCS#11 token in memory that does SM2 as one vendor or another does: what no SoftHSM can."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import PyKCS11

from keys import sm2
from keys.pkcs11_store import Library, Session, SM2Input, SM2Output, TokenInfo

PIN = "vendor-pin"
LABEL = "vendor"
SM2_SIGN = 0x80000101
SM2_GENERATE = 0x80000102
CKK_VENDOR_SM2 = 0x80000011


@dataclass
class Info:
    label: str = LABEL + " " * 26


@dataclass
class FakeToken:
    """The state behind the library; tests reach in and break it."""

    signs: SM2Input = SM2Input.DIGEST
    answers: SM2Output = SM2Output.RAW
    is_point_bare: bool = False
    keys: dict[str, sm2.SM2Signer] = field(default_factory=dict)
    failures: list[int] = field(default_factory=list)
    """Return values of the next calls of C_Sign."""
    login_code: int = 0
    logins: int = 0
    loads: int = 0
    is_present: bool = True
    opened: int = 0
    closed: int = 0
    mechanisms: list[int] = field(default_factory=list)
    wrong_key: bool = False

    def make_library(self) -> Library:
        return FakeLibrary(self)

    def add(self, name: str) -> sm2.SM2Signer:
        self.keys[name] = sm2.SM2Signer(sm2.generate_scalar())
        return self.keys[name]


@dataclass
class FakeLibrary:
    token: FakeToken

    def load(self, pkcs11dll_filename: str) -> object:
        self.token.loads += 1
        return self

    def unload(self) -> None:
        return None

    def getSlotList(self, tokenPresent: bool) -> Sequence[int]:
        return [7] if self.token.is_present else []

    def getTokenInfo(self, slot: int) -> TokenInfo:
        return Info()

    def openSession(self, slot: int, flags: int) -> Session:
        self.token.opened += 1
        return FakeSession(self.token)


@dataclass
class FakeSession:
    token: FakeToken

    def login(self, pin: bytes) -> None:
        self.token.logins += 1
        code = self.token.login_code or (0 if pin == PIN.encode() else PyKCS11.CKR_PIN_INCORRECT)
        if code:
            raise PyKCS11.PyKCS11Error(code)

    def closeSession(self) -> None:
        self.token.closed += 1

    def findObjects(self, template: Sequence[tuple[int, object]]) -> list[object]:
        wanted = dict(template)
        kind, label = wanted[PyKCS11.CKA_CLASS], wanted.get(PyKCS11.CKA_LABEL)
        return [(kind, name) for name in self.token.keys if label in (None, name)]

    def getAttributeValue(
        self, obj_id: object, attr: list[int], allAsBinary: bool = False
    ) -> list[object]:
        assert isinstance(obj_id, tuple)
        if attr == [PyKCS11.CKA_LABEL]:
            return [obj_id[1]]
        if attr == [PyKCS11.CKA_KEY_TYPE]:
            return [tuple(CKK_VENDOR_SM2.to_bytes(8, "little"))]
        assert attr == [PyKCS11.CKA_EC_POINT]
        point = self.token.keys[obj_id[1]].point
        return [tuple(point if self.token.is_point_bare else b"\x04\x41" + point)]

    def sign(self, key: object, data: bytes, mecha: object) -> Sequence[int]:
        assert isinstance(key, tuple)
        assert isinstance(mecha, PyKCS11.Mechanism)
        self.token.mechanisms.append(mecha.to_native().mechanism)
        if self.token.failures:
            raise PyKCS11.PyKCS11Error(self.token.failures.pop(0))
        if key[1] not in self.token.keys:
            raise PyKCS11.PyKCS11Error(PyKCS11.CKR_KEY_HANDLE_INVALID)
        signer = self.token.keys[key[1]]
        if self.token.wrong_key:
            signer = sm2.SM2Signer(sm2.generate_scalar())
        is_digest = self.token.signs is SM2Input.DIGEST
        made = signer.sign_digest(data) if is_digest else signer.sign(data)
        if self.token.answers is SM2Output.DER:
            return tuple(made)
        r, s = sm2.decode_signature(made)
        return tuple(r.to_bytes(32, "big") + s.to_bytes(32, "big"))

    def generateKeyPair(
        self,
        templatePub: Sequence[tuple[int, object]],
        templatePriv: Sequence[tuple[int, object]],
        mecha: object,
    ) -> tuple[object, object]:
        assert isinstance(mecha, PyKCS11.Mechanism)
        self.token.mechanisms.append(mecha.to_native().mechanism)
        private = dict(templatePriv)
        assert private[PyKCS11.CKA_SENSITIVE] is True
        assert private[PyKCS11.CKA_EXTRACTABLE] is False
        name = str(private[PyKCS11.CKA_LABEL])
        self.token.add(name)
        return name, name
