"""A database that is locked or down: a sentence and 503, and all is well again afterwards."""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from ivfhir.errors import DatabaseError
from smart_app.sealing import Sealer
from smart_app.store import Store
from tests.servers.postgres_server import PostgresServer
from tests.smart_app.conftest import RunningEhr
from tests.smart_app.test_serve import answer_of, write


def test_a_locked_sqlite_is_told_in_words_and_the_app_goes_on_when_it_is_free(
    client: FlaskClient, fake_ehr: RunningEhr, tmp_path: Path
) -> None:
    launch = f"/launch?{fake_ehr.launch_query('halloran')}"
    holder = sqlite3.connect(tmp_path / "app.sqlite3", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    page = client.get(launch)
    assert page.status_code == 503
    assert "is locked, so this could not be done" in page.text
    assert page.headers["Retry-After"] == "30"
    outcome = client.get(launch, headers={"Accept": "application/fhir+json"})
    assert outcome.status_code == 503
    assert outcome.json is not None
    assert outcome.json["issue"][0]["code"] == "transient"
    health = client.get("/health/ready")
    assert health.status_code == 503
    assert health.headers["Retry-After"] == "30"
    assert "locked by another process" in health.json["checks"]["database"]  # type: ignore[index]  # the answer is JSON
    assert client.get("/health/live").status_code == 200
    holder.execute("ROLLBACK")
    holder.close()
    assert client.get(launch).status_code == 303
    assert client.get("/health").status_code == 200


def test_a_file_that_was_removed_is_named(client: FlaskClient, tmp_path: Path) -> None:
    assert client.get("/health/ready").status_code == 200
    (tmp_path / "app.sqlite3").unlink()
    health = client.get("/health/ready")
    assert health.status_code == 503
    assert "file of the database is gone" in health.json["checks"]["database"]  # type: ignore[index]  # the answer is JSON
    assert not (tmp_path / "app.sqlite3").exists()


def test_a_database_that_may_only_be_read_is_named(app: Flask, client: FlaskClient) -> None:
    @event.listens_for(app.extensions["ivfhir"].store._engine, "checkout")
    def only_read(connection: sqlite3.Connection, *_: object) -> None:
        connection.execute("PRAGMA query_only=ON")

    health = client.get("/health/ready")
    assert health.status_code == 503
    assert "not written to" in health.json["checks"]["database"]  # type: ignore[index]  # the answer is JSON
    with pytest.raises(DatabaseError, match="not written to at this moment"):
        app.extensions["ivfhir"].store.adopt_unsent()


@pytest.mark.server
def test_a_postgresql_that_may_only_be_read_is_named(
    postgres: PostgresServer,
) -> None:
    store = Store(
        postgres.new_database(), Sealer(b"k" * 32), clock_s=lambda: 1.0, new_id=lambda: "x"
    )

    @event.listens_for(store._engine, "checkout")
    def only_read(connection: psycopg.Connection, *_: object) -> None:
        connection.execute("SET default_transaction_read_only = on")
        connection.commit()

    with pytest.raises(DatabaseError, match="not written to"):
        store.ping()
    with pytest.raises(DatabaseError, match="not written to at this moment"):
        store.adopt_unsent()
    store.close()


@pytest.mark.server
def test_two_workers_tell_that_postgresql_stopped_and_go_on_when_it_is_back(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with (tmp_path / "app.log").open("wb") as log:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "ivfhir.cli.main",
                "serve",
                "--config",
                str(write(tmp_path, port)),
            ],
            env={**os.environ, "IVFHIR_DATABASE_URL": postgres.new_database()},
            stderr=log,
            start_new_session=True,
        )
    base = f"http://127.0.0.1:{port}"
    try:
        assert answer_of(f"{base}/health").json()["checks"] == {"database": "ok"}
        assert requests.get(f"{base}/callback?state=x", timeout=10).status_code == 400
        postgres.stop()
        for _ in range(4):  # Both workers are asked.
            page = requests.get(f"{base}/callback?state=x", timeout=10)
            assert page.status_code == 503
            assert "database does not answer" in page.text
            health = requests.get(f"{base}/health", timeout=10)
            assert (health.status_code, health.json()["status"]) == (503, "fail")
            assert requests.get(f"{base}/health/live", timeout=10).status_code == 200
        postgres.start()
        for _ in range(4):
            assert requests.get(f"{base}/health/ready", timeout=10).status_code == 200
            assert requests.get(f"{base}/callback?state=x", timeout=10).status_code == 400
    except requests.ConnectionError as error:
        error.add_note((tmp_path / "app.log").read_text(encoding="utf-8"))
        raise
    finally:
        if postgres.process is not None and postgres.process.poll() is not None:
            postgres.start()
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def open_store(path: Path) -> Store:
    url = f"sqlite:///{path}"
    return Store(url, Sealer(b"k" * 32), clock_s=lambda: 1_800_000_000.0, new_id=lambda: "x")


def test_a_file_that_is_no_database_is_told_at_the_start_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite3"
    path.write_text("no database")
    with pytest.raises(DatabaseError, match=r"damaged, or of something else.*from a backup"):
        open_store(path)


def test_a_file_that_is_cut_off_is_told_at_the_start_and_while_the_app_runs(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite3"
    open_store(path).close()
    whole = path.read_bytes()
    store = open_store(path)
    path.write_bytes(whole[: len(whole) // 3])
    with pytest.raises(DatabaseError, match="damaged"):
        store.outbox()
    with pytest.raises(DatabaseError):
        store.ping()
    store.close()
    for name in ("a.sqlite3-wal", "a.sqlite3-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    with pytest.raises(DatabaseError, match="damaged"):
        open_store(path)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("database or disk is full", "disk of the database is full; make room"),
        ("disk I/O error", "disk of the database is full, or cannot be read or written"),
        ("attempt to write a readonly database", "read but not written"),
        ("database is locked", "locked by another process"),
        ("something else", "cannot be reached, or its tables not made"),
    ],
)
def test_a_database_that_cannot_be_had_at_the_start_is_told_with_the_reason(
    said: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_engine: object) -> None:
        raise OperationalError("SELECT 1", {}, sqlite3.OperationalError(said))

    monkeypatch.setattr("smart_app.store.database.upgrade_schema", fails)
    with pytest.raises(DatabaseError, match=f"database_url: .*{told}"):
        open_store(tmp_path / "a.sqlite3")
