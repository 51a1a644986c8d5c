"""A PostgreSQL server of the tests' own: on a socket in a temporary folder, started when needed.

One server per test process. PostgreSQL refuses to run as root, so root hands it to another user.
Durability is switched off: these tests ask whether the SQL is right, not whether disks are.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psycopg
from psycopg import sql

_PROGRAMS = ("initdb", "pg_ctl", "postgres")
_USERS = ("postgres", "nobody")
_INITDB = ("-U", "eseal", "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C")
_SETTINGS = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "listen_addresses=",
    "max_connections=200",
    "shared_buffers=32MB",
    "log_min_messages=fatal",
)


def find_programs() -> Path | None:
    """Return the folder of PostgreSQL's server programs, the newest version first."""
    folders = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"),
        key=lambda folder: int(folder.parent.name) if folder.parent.name.isdigit() else 0,
        reverse=True,
    )
    on_path = shutil.which("initdb")
    if on_path:
        folders += [Path(on_path).parent, Path(on_path).resolve().parent]
    for folder in folders:
        if all((folder / program).exists() for program in _PROGRAMS):
            return folder
    return None


def reason_to_skip() -> str | None:
    """Say why no server can be started here, or None."""
    if find_programs() is None:
        return "PostgreSQL's programs (initdb, pg_ctl, postgres) are not installed"
    if os.geteuid() == 0 and _other_user() is None:
        return "running as root, and there is no user postgres or nobody to run PostgreSQL"
    return None


def _other_user() -> pwd.struct_passwd | None:
    for name in _USERS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    return None


@dataclass
class PostgresServer:
    """A running server; ``stop`` removes it with all its data."""

    programs: Path
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="eseal-pg-")))
    _shared: dict[frozenset[str], str] = field(default_factory=dict)
    _numbers: "count[int]" = field(default_factory=count)

    @classmethod
    def start(cls) -> "PostgresServer":
        """Make a cluster and start it."""
        programs = find_programs()
        if programs is None:
            raise RuntimeError(reason_to_skip())
        server = cls(programs=programs)
        if os.geteuid() == 0:
            user = _other_user()
            assert user is not None
            os.chown(server.folder, user.pw_uid, user.pw_gid)
        try:
            server._run("initdb", *_INITDB, "-D", str(server._data))
            server.launch()
        except BaseException:
            server.stop()
            raise
        return server

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _run(self, program: str, *arguments: str) -> None:
        identity: dict[str, object] = {}
        user = _other_user() if os.geteuid() == 0 else None
        if user is not None:
            identity = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        said = self.folder / f"{program}.out"
        with said.open("wb") as output:
            done = subprocess.run(
                [str(self.programs / program), *arguments],
                cwd=self.folder,
                env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"},
                stdin=subprocess.DEVNULL,
                # A file, not a pipe: the server started by pg_ctl would keep a pipe open.
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
                timeout=120,
                **identity,  # type: ignore[call-overload]
            )
        if done.returncode != 0:
            text = said.read_text(errors="replace")
            raise RuntimeError(f"{program} failed: {text[-2000:]}")

    def url(self, name: str) -> str:
        """Return the address of a database of this server."""
        return f"postgresql://eseal@/{name}?host={self.folder}"

    def database_with(self, tables: frozenset[str], prepare: Callable[[str], None]) -> str:
        """Return a database with exactly these tables, all empty; tests take turns with it.

        ``prepare`` makes the tables in the database at an address; it is called once per set.
        A test that changes tables themselves uses ``new_database``.
        """
        name = self._shared.get(tables)
        if name is None:
            name = self.new_database()
            prepare(self.url(name))
            self._shared[tables] = name
        elif tables:
            self._empty(name, tables)
        return name

    def new_database(self) -> str:
        """Make a database without tables; return its name."""
        name = f"test_{next(self._numbers)}"
        self._execute("postgres", "CREATE DATABASE {} TEMPLATE template0", name)
        return name

    def drop_database(self, name: str) -> None:
        """Remove a database, whoever is still connected."""
        self._execute("postgres", "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    def _empty(self, name: str, tables: frozenset[str]) -> None:
        """Cut every connection a test left behind, then empty the tables."""
        self._execute(
            name,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        places = ", ".join("{}" for _ in tables)
        self._execute(name, f"TRUNCATE {places} RESTART IDENTITY CASCADE", *sorted(tables))

    def _execute(self, database: str, statement: str, *names: str) -> None:
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            text = sql.SQL(statement).format(*(sql.Identifier(name) for name in names))
            connection.execute(text)

    def launch(self) -> None:
        """Start the server over its data and wait until it answers."""
        options = " ".join(f"-c {setting}" for setting in _SETTINGS)
        self._control("start", "-l", str(self.folder / "log"), "-o", f"{options} -k {self.folder}")

    def halt(self, mode: str = "fast") -> None:
        """Stop the server and keep its data; every connection is cut."""
        self._control("stop", "-m", mode)

    def _control(self, order: str, *arguments: str) -> None:
        self._run("pg_ctl", order, "-D", str(self._data), "-w", "-t", "60", *arguments)

    def stop(self) -> None:
        """Stop the server and remove its data."""
        if (self._data / "postmaster.pid").exists():
            self.halt("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)
