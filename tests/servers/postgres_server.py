"""A PostgreSQL server of Debian's, on a socket in a folder of its own, while a test needs it."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psycopg
import pytest

from tests.in_memory import place_of_much
from tests.servers.needs import need

_BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)


@dataclass
class PostgresServer:
    """A running server; `stop` and `start` are what happens to it in a hospital's night."""

    folder: Path
    process: subprocess.Popen[bytes] | None = None
    _numbers: Iterator[int] = field(default_factory=count)
    _filled: dict[Callable[[str], None], str] = field(default_factory=dict)

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = [
            f"-c{each}"
            for each in ("listen_addresses=", "fsync=off", f"unix_socket_directories={self.folder}")
        ]
        self.process = subprocess.Popen(
            [_BINARIES[0] / "postgres", "-D", self.folder / "data", *options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **_not_root(),
        )
        deadline = time.monotonic() + 30
        while not self.answers():
            assert time.monotonic() < deadline, "PostgreSQL does not start"
            time.sleep(0.05)

    def stop(self) -> None:
        """End it at once, with every connection."""
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        self.process.wait(30)

    def answers(self) -> bool:
        """Tell whether it takes connections."""
        try:
            psycopg.connect(self._address("postgres")).close()
        except psycopg.OperationalError:
            return False
        return True

    def new_database(self) -> str:
        """Make an empty database and return its URL as `ivfhir.toml` writes it."""
        return self._url(self._made("template1"))

    def new_copy(self, fill: Callable[[str], None]) -> str:
        """Make a database of what another one was filled with, once, and return its URL.

        Args:
            fill: takes the URL of an empty database and leaves no connection to it.
        """
        if fill not in self._filled:
            name = self._made("template1")
            fill(self._url(name))
            self._filled[fill] = name
        return self._url(self._made(self._filled[fill]))

    def _made(self, template: str) -> str:
        name = f"test{next(self._numbers)}"
        with psycopg.connect(self._address("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def _url(self, name: str) -> str:
        return f"postgresql://postgres@/{name}?host={self.folder}"

    def dump(self, url: str) -> bytes:
        """Return what `pg_dump` writes of a database that `new_database` made."""
        name = url.partition("@/")[2].partition("?")[0]
        command = [_BINARIES[0] / "pg_dump", "-h", self.folder, "-U", "postgres", name]
        dumped: bytes = subprocess.run(
            command, check=True, stdout=subprocess.PIPE, **_not_root()
        ).stdout
        return dumped

    def _address(self, database: str) -> str:
        return f"host={self.folder} user=postgres dbname={database}"


def missing_postgres() -> str | None:
    """Return what is missing to start one; None when all is here."""
    return None if _BINARIES else "PostgreSQL is missing: apt-get install -y postgresql"


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A server for the whole run; a test takes a new database of it."""
    need(missing_postgres())
    with run_postgres() as server:
        yield server


@contextmanager
def run_postgres() -> Iterator[PostgresServer]:
    """Start a server with no data; it is gone when the block ends."""
    folder = Path(tempfile.mkdtemp(prefix="ivfhir-postgres-", dir=place_of_much()))
    server = PostgresServer(folder)
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        subprocess.run(
            [_BINARIES[0] / "initdb", "-D", folder / "data", "-U", "postgres", "-A", "trust", "-N"],
            check=True,
            stdout=subprocess.DEVNULL,
            **_not_root(),
        )
        server.start()
        yield server
    finally:
        if server.process is not None and server.process.poll() is None:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _not_root() -> dict[str, object]:
    """Return how to start Debian's binaries, which refuse root."""
    if os.geteuid() != 0:
        return {}
    user = pwd.getpwnam("postgres")
    return {"user": user.pw_uid, "group": user.pw_gid, "cwd": "/"}
