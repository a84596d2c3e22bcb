"""How often the app may be asked, and who counts as one."""

import threading
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from smart_app.limits import network_of
from smart_app.sealing import Sealer
from smart_app.store import Store
from tests.smart_app.conftest import RunningEhr, running_samples
from tests.smart_app.test_signing import accept, review_of


@pytest.fixture(scope="module")
def fhir_server():
    """Base URL of a FHIR server of this file's own: some of its tests write."""
    with running_samples() as base:
        yield base


class Clock:
    now = 1_800_000_000.0  # The beginning of a minute.

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock_s() -> Clock:
    return Clock()


def open_store(folder: Path, clock: Clock) -> Store:
    url = f"sqlite:///{folder / 'rates.sqlite3'}"
    return Store(url, Sealer(b"k" * 32), clock_s=clock, new_id=lambda: "id")


@pytest.fixture
def store(tmp_path: Path, clock_s: Clock):
    store = open_store(tmp_path, clock_s)
    yield store
    store.close()


def test_the_next_after_the_last_is_told_when_to_come_again(store: Store, clock_s: Clock) -> None:
    clock_s.now += 15
    assert [store.take("launch", "a", most=3) for _ in range(3)] == [0, 0, 0]
    assert store.take("launch", "a", most=3) == 65  # 45 s, then a third of a minute
    assert store.take("launch", "b", most=3) == 0
    assert store.take("accept", "a", most=3) == 0


def test_a_minute_fades_out_over_the_next(store: Store, clock_s: Clock) -> None:
    for _ in range(4):
        assert store.take("a", most=4) == 0
    clock_s.now += 60  # All four still count.
    assert store.take("a", most=4) == 15
    clock_s.now += 15  # Three of them do.
    assert store.take("a", most=4) == 0
    assert store.take("a", most=4) == 15
    clock_s.now += 105
    assert [store.take("a", most=4) for _ in range(5)] == [0, 0, 0, 0, 75]


def test_what_is_refused_does_not_count(store: Store, clock_s: Clock) -> None:
    for _ in range(100):
        store.take("a", most=2)
    clock_s.now += 90
    assert store.take("a", most=2) == 0


def test_many_at_once_on_two_connections_are_counted_one_by_one(
    store: Store, tmp_path: Path, clock_s: Clock
) -> None:
    other = open_store(tmp_path, clock_s)
    allowed: list[int] = []

    def ask(which: Store) -> None:
        for _ in range(20):
            allowed.append(which.take("a", most=50))

    threads = [threading.Thread(target=ask, args=(each,)) for each in (store, other) * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.close()
    assert (allowed.count(0), len(allowed)) == (50, 120)


def test_old_counts_are_removed_and_none_names_an_address(store: Store, clock_s: Clock) -> None:
    for number in range(20):
        store.take("launch", f"192.0.2.{number}", most=5)
    clock_s.now += 121
    store.take("launch", "192.0.2.99", most=5)
    with store._engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM rates").all()
    assert len(rows) == 1
    assert "192.0.2" not in str(rows)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", "unknown"),
        (None, "unknown"),
    ],
)
def test_who_counts_as_one(address: str | None, network: str) -> None:
    assert network_of(address) == network


def limit(app: Flask, **limits: int) -> None:
    settings = app.extensions["ivfhir"].settings
    for name, value in limits.items():
        object.__setattr__(settings, name, value)


def test_an_address_that_launches_too_often_waits_and_others_do_not(
    app: Flask, client: FlaskClient
) -> None:
    limit(app, address_per_minute=3)
    for _ in range(3):
        assert client.get("/launch?iss=https://evil.example").status_code == 400
    page = client.get("/launch?iss=https://evil.example")
    assert page.status_code == 429
    assert 1 <= int(page.headers["Retry-After"]) <= 120
    assert "Too many requests came at once" in page.text
    elsewhere = {"REMOTE_ADDR": "192.0.2.9"}
    page = client.get("/launch?iss=https://evil.example", environ_overrides=elsewhere)
    assert page.status_code == 400


def test_an_ehr_that_launches_too_often_waits(
    app: Flask, client: FlaskClient, fake_ehr: RunningEhr
) -> None:
    limit(app, ehr_per_minute=2)
    answers = [
        client.get(
            f"/launch?{fake_ehr.launch_query('halloran')}",
            environ_overrides={"REMOTE_ADDR": f"192.0.2.{number}"},
        ).status_code
        for number in range(3)
    ]
    assert answers == [303, 303, 429]


def test_a_limited_callback_says_so_leaves_the_address_and_spoils_nothing(
    app: Flask, client: FlaskClient, begin
) -> None:
    way = begin(client)
    limit(app, address_per_minute=1)
    client.get("/callback?state=x")
    page = client.get(way)
    assert page.status_code == 429
    assert page.headers["Refresh"].startswith("0; url=/problem?p=")
    limit(app, address_per_minute=0)
    assert client.get(way).headers["Location"].endswith("/match")


def test_accepting_is_limited(app: Flask, launched) -> None:
    review = review_of(launched)
    limit(app, address_per_minute=1)
    app.extensions["ivfhir"].store.take("accept", "address", "127.0.0.1", most=1)
    page = accept(launched, review)
    assert page.status_code == 429
    assert "Retry-After" in page.headers
    limit(app, address_per_minute=0)
    assert accept(launched, review).status_code == 303
