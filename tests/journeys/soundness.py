"""Is what a service keeps whole? Looked at in its tables and files, past all of its own reading.

A licence in force has both files, each kept under its digest and each covered by a committed use of
a seal. Every committed use belongs to such a file and stands in the log, whose checkpoints are all
signed and all of one history. Whatever else is there is waiting, given up, or a stray file.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from sqlalchemy import Connection, Table, select

from eseal.main import Service
from keys.algorithms import sm3
from keys.pki_making import LOG_KEY
from licence_store.tables import licence_files, licences
from seal_service.seals.tables import seal_uses
from seal_service.settings import SealSettings
from seal_service.translog.checkpoint import open_checkpoint
from seal_service.translog.tables import log_checkpoints, log_entries

Row = dict[str, object]
WITHOUT_FILES = {"issuing", "abandoned"}


@dataclass(frozen=True)
class Kept:
    """What is kept: licences by identifier with the digests of their files, and what is left."""

    in_force: dict[str, dict[str, str]]
    licence_states: Counter[str]
    uses: tuple[tuple[str, str], ...]
    """Case number and state of every use of a seal."""

    def use_states(self, case_number: str = "") -> Counter[str]:
        """Count uses by state, of all cases or of one."""
        return Counter(state for case, state in self.uses if case_number in ("", case))


def check_sound(service: Service) -> Kept:
    """Fail unless everything kept is whole (R-1, T-STO-01); publishes the log first."""
    service.maintenance.publish_log()
    with service.installation.database.reading() as connection:
        rows = {row["identifier"]: row for row in _rows(connection, licences)}
        files = _rows(connection, licence_files)
        uses = {str(row["use_id"]): row for row in _rows(connection, seal_uses)}
        _check_log(service, connection, uses)
    digests: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for file in files:
        digests[str(file["identifier"])][str(file["format"])] = str(file["digest"])
        _check_file(service, file, uses[str(file["seal_use_id"])])
    for identifier, row in rows.items():
        expected = set() if row["state"] in WITHOUT_FILES else {"ofd", "pdf"}
        assert set(digests.get(str(identifier), {})) == expected, row["state"]
    committed = {use_id for use_id, use in uses.items() if use["state"] == "committed"}
    assert committed == {file["seal_use_id"] for file in files}
    return Kept(
        in_force=dict(digests),
        licence_states=Counter(str(row["state"]) for row in rows.values()),
        uses=tuple((str(use["case_number"]), str(use["state"])) for use in uses.values()),
    )


def _rows(connection: Connection, table: Table) -> list[Row]:
    return [dict(row._mapping) for row in connection.execute(select(table))]


def _check_file(service: Service, file: Row, use: Row) -> None:
    digest = str(file["digest"])
    path = service.settings.data_folder / "files" / digest[:2] / digest[2:4] / digest
    content = path.read_bytes()
    assert sm3(content).hex() == digest
    assert len(content) == file["size"]
    names = ("authority_code", "seal_id", "format")
    assert [use[name] for name in names] == [file[name] for name in names]
    assert (use["subject"], use["state"]) == (file["identifier"], "committed")


def _check_log(service: Service, connection: Connection, uses: dict[str, Row]) -> None:
    entries = sorted(
        _rows(connection, log_entries), key=lambda row: str(row["leaf_index"]).zfill(9)
    )
    assert [entry["leaf_index"] for entry in entries] == list(range(len(entries)))
    assert {entry["use_id"] for entry in entries} == {
        use_id for use_id, use in uses.items() if use["state"] == "committed"
    }
    leaves = [sha256(b"\x00" + _bytes(entry["leaf"])).digest() for entry in entries]
    public_key = service.installation.store.public_key(LOG_KEY)
    checkpoints = _rows(connection, log_checkpoints)
    for row in checkpoints:
        signed = open_checkpoint(
            str(row["note"]), origin=SealSettings().log_origin, public_key=public_key
        )
        assert (signed.size, signed.root) == (row["size"], row["root"])
        assert signed.root == _root(leaves[: signed.size])
    assert max(_size(row["size"]) for row in checkpoints) == len(leaves)


def _root(hashes: Sequence[bytes]) -> bytes:
    """Return the root of a tree by its definition (RFC 6962, 2.1)."""
    if len(hashes) < 2:
        return hashes[0] if hashes else sha256().digest()
    split = 1 << (len(hashes) - 1).bit_length() - 1
    return sha256(b"\x01" + _root(hashes[:split]) + _root(hashes[split:])).digest()


def _bytes(value: object) -> bytes:
    assert isinstance(value, bytes | memoryview)
    return bytes(value)


def _size(value: object) -> int:
    assert isinstance(value, int)
    return value
