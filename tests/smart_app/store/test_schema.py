"""The version of the tables: old ones are brought up, newer refused, by one process at a time."""

import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from ivfhir.errors import SettingsError
from smart_app.store import Store, migrations
from smart_app.store.engine import make_engine
from smart_app.store.models import Base
from smart_app.store.schema import schema_status, upgrade_schema
from tests.servers.postgres_server import PostgresServer
from tests.smart_app.store.conftest import Clock

RELEASE = Path(__file__).parent / "data" / "release-0.1.0.sqlite3"
"""Made by the code of 0.1.0, key `k` * 32, at the test clock's moment."""

MIGRATIONS = Path(migrations.__file__).parent

START = """
import sys
from smart_app.sealing import Sealer
from smart_app.store import Store
sys.stdin.readline()
store = Store(sys.argv[1], Sealer(b"k" * 32), clock_s=lambda: 1_800_000_000.0, new_id=lambda: "x")
print(len(store.drafts("running")))
store.close()
"""


@pytest.fixture
def has_tables() -> bool:
    """Here they are made."""
    return False


@pytest.fixture
def release(tmp_path: Path) -> str:
    """The URL of a copy of a database of 0.1.0."""
    path = tmp_path / "release.sqlite3"
    shutil.copy(RELEASE, path)
    return f"sqlite:///{path}"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_0_1_0_kept_is_all_there_after_the_upgrade(
    release: str, open_store: Callable[..., Store]
) -> None:
    engine = make_engine(release)
    assert schema_status(engine).state == "older"
    store = open_store(release)
    assert schema_status(engine).state == "current"
    engine.dispose()
    record = store.load_launch("running", "secret-running")
    assert record is not None
    assert record.body["access_token"] == "token-running"
    written, draft = sorted(store.drafts("running"), key=lambda each: each.state, reverse=True)
    assert (draft.state, draft.body["dose"]) == ("draft", Decimal("2.50"))
    receipt = store.load_receipt("running", written.id)
    assert receipt is not None
    assert receipt.body == {"written": True, "signer": "Dr. Example"}
    assert [each.state for each in store.drafts("ended")] == ["accepted"]
    assert store.use_sign_in("state-1", "browser-1") == {"iss": "https://ehr.example/fhir"}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_drafts_of_0_1_0_follow_their_owner_to_a_launch_after_the_upgrade(
    release: str, open_store: Callable[..., Store], clock: Clock
) -> None:
    store = open_store(release)
    owner = ("https://ehr.example/fhir", "user-3", "patient-3")
    until = int(clock.now) + 60
    store.save_launch("new", "s", {}, owner=owner, usable_until=until, expires_at=until)
    assert [each.body["n"] for each in store.drafts("new")] == [3]


def test_the_steps_make_the_tables_that_the_code_needs(database_url: str) -> None:
    engine = make_engine(database_url)
    assert schema_status(engine).state == "empty"
    upgrade_schema(engine)
    held = inspect(engine)
    for table in Base.metadata.sorted_tables:
        columns = {each["name"]: each for each in held.get_columns(table.name)}
        assert set(columns) == {column.name for column in table.columns}
        for column in table.columns:
            assert columns[column.name]["nullable"] == column.nullable, column
        indexes = {tuple(each["column_names"]) for each in held.get_indexes(table.name)}
        assert {tuple(i.columns.keys()) for i in table.indexes} <= indexes, table.name
    engine.dispose()


def test_the_files_of_the_steps_are_named_by_their_versions(tmp_path: Path) -> None:
    scripts = ScriptDirectory(MIGRATIONS)
    files = {Path(each.path).name[:6]: each.revision for each in scripts.walk_revisions()}
    assert files == {f"r{each}_": each for each in files.values()}
    engine = make_engine(f"sqlite:///{tmp_path / 'a.sqlite3'}")
    assert schema_status(engine).wanted == scripts.get_current_head() == max(files.values())
    engine.dispose()


def test_a_newer_database_is_refused_in_a_sentence_and_left_alone(
    database_url: str, open_store: Callable[..., Store]
) -> None:
    open_store()
    engine = make_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert schema_status(engine).state == "newer"
    with pytest.raises(SettingsError, match="newer release"):
        open_store()
    assert schema_status(engine).found == "9999"
    engine.dispose()


def start_at_once(url: str, count: int) -> list[tuple[int, str, str]]:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", START, url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(count)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    ends = [(process, *process.communicate(timeout=60)) for process in processes]
    return [(process.returncode, out, err) for process, out, err in ends]


def test_of_processes_that_start_at_once_on_an_old_database_all_come_up(release: str) -> None:
    assert start_at_once(release, 6) == [(0, "2\n", "")] * 6
    with sqlite3.connect(release.removeprefix("sqlite:///")) as connection:
        assert len(connection.execute("SELECT * FROM alembic_version").fetchall()) == 1
    connection.close()


def test_of_processes_that_start_at_once_on_an_empty_postgresql_all_come_up(
    postgres: PostgresServer,
) -> None:
    assert start_at_once(postgres.new_database(), 6) == [(0, "0\n", "")] * 6


def test_an_upgrade_that_fails_leaves_everything_as_it_was(
    release: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from alembic.operations import Operations  # noqa: PLC0415 - only this test breaks it

    monkeypatch.setattr(Operations, "create_index", lambda *_a, **_k: 1 / 0)
    engine = make_engine(release)
    before = sorted(inspect(engine).get_table_names())
    with pytest.raises(ZeroDivisionError):
        upgrade_schema(engine)
    assert sorted(inspect(engine).get_table_names()) == before
    assert schema_status(engine).state == "older"
    engine.dispose()


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_the_database_s_files_are_for_their_owner_alone_whatever_the_umask(
    tmp_path: Path, umask: int
) -> None:
    code = f"import os; os.umask({umask})\n{START}import os\nos.kill(os.getpid(), 9)"
    subprocess.run(
        [sys.executable, "-c", code.replace("store.close()\n", ""), f"sqlite:///{tmp_path}/a.db"],
        input=b"\n",
        check=False,
        stdout=subprocess.DEVNULL,
    )
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == {"a.db": 0o600, "a.db-wal": 0o600, "a.db-shm": 0o600}
