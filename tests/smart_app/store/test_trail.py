"""The audit trail: whatever is done to it in the database is found."""

import subprocess
import sys
from collections.abc import Callable

import pytest
from sqlalchemy import text

from smart_app.sealing import Sealer
from smart_app.store import Store
from smart_app.store.keeping import reseal
from tests.smart_app.store.conftest import KEY, Clock

WRITER = """
import sys
from smart_app.sealing import Sealer
from smart_app.store import Store
store = Store(sys.argv[1], Sealer(b"k" * 32), clock_s=lambda: 1_800_000_000.0, new_id=lambda: "x")
for number in range(40):
    store.add_event({"event": "open", "writer": sys.argv[2], "n": str(number)})
store.close()
"""


@pytest.fixture
def trail(store: Store) -> Store:
    """A trail of ten events."""
    for number in range(1, 11):
        store.add_event({"event": "open", "patient": f"Patient/{number}"})
    return store


def run(store: Store, *statements: str) -> None:
    with store._engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


def test_a_trail_tells_what_was_put_in_and_is_whole(trail: Store, clock: Clock) -> None:
    events = list(trail.events())
    assert [event.number for event in events] == list(range(1, 11))
    assert events[2].content == {"event": "open", "patient": "Patient/3"}
    assert events[2].at == int(clock.now)
    proof = trail.prove_trail()
    assert (proof.count, proof.breaks) == (10, [])
    assert trail.prove_trail(expect=proof.head).breaks == []


def test_an_empty_trail_is_whole(store: Store) -> None:
    assert store.prove_trail().breaks == []


COPY = (
    "INSERT INTO audit_events SELECT {}, at, NULL, sealed, chained FROM audit_events "
    "WHERE number = {}"
)


@pytest.mark.parametrize(
    "statements",
    [
        ["UPDATE audit_events SET at = at - 1 WHERE number = 4"],
        ["UPDATE audit_events SET once = 'x' WHERE number = 4"],
        ["UPDATE audit_events SET chained = 'x' WHERE number = 4"],
        [
            "UPDATE audit_events SET sealed = (SELECT sealed FROM audit_events WHERE number = 5) "
            "WHERE number = 4"
        ],
        ["DELETE FROM audit_events WHERE number = 4"],
        ["DELETE FROM audit_events WHERE number = 1"],
        ["DELETE FROM audit_events WHERE number <= 3"],
        [
            "DELETE FROM audit_events WHERE number = 4",
            "UPDATE audit_events SET number = number - 1 WHERE number > 4",
        ],
        [
            "UPDATE audit_events SET number = 99 WHERE number = 4",
            "UPDATE audit_events SET number = 4 WHERE number = 5",
            "UPDATE audit_events SET number = 5 WHERE number = 99",
        ],
        [COPY.format(11, 10)],
        [COPY.format(0, 1)],
        ["DELETE FROM audit_events WHERE number > 7"],
        [
            "DELETE FROM audit_events WHERE number > 7",
            "UPDATE audit_marks SET number = 7, chained = "
            "(SELECT chained FROM audit_events WHERE number = 7) WHERE name = 'head'",
        ],
        ["DELETE FROM audit_events WHERE number > 7", "DELETE FROM audit_marks"],
        ["DELETE FROM audit_events", "DELETE FROM audit_marks"],
        ["DELETE FROM audit_events"],
        [
            "DELETE FROM audit_events WHERE number <= 3",
            "INSERT INTO audit_marks SELECT 'removed', 3, 'x', signed FROM audit_marks",
        ],
    ],
)
def test_what_was_done_to_the_rows_is_found(trail: Store, statements: list[str]) -> None:
    run(trail, *statements)
    assert trail.prove_trail().breaks


@pytest.mark.parametrize(
    "statements",
    [
        ["DELETE FROM audit_events WHERE number > 7"],
        ["DELETE FROM audit_events WHERE number > 7", "DELETE FROM audit_marks"],
    ],
)
def test_going_on_writing_does_not_hide_a_trail_cut_short(
    trail: Store, statements: list[str]
) -> None:
    run(trail, *statements)
    trail.add_event({"event": "open"})
    assert trail.prove_trail().breaks


@pytest.mark.parametrize("after", [0, 1, 3])
def test_a_tail_cut_off_with_its_mark_set_back_shows_for_good(trail: Store, after: int) -> None:
    run(
        trail,
        "DELETE FROM audit_events WHERE number > 8",
        "UPDATE audit_marks SET number = 8, chained = (SELECT chained FROM audit_events "
        "WHERE number = 8) WHERE name = 'head'",
    )
    for _ in range(after):
        trail.add_event({"event": "open"})
    assert trail.prove_trail().breaks


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_events SET at = at - 1 WHERE number = 4",
        "DELETE FROM audit_events WHERE number = 4",
        "UPDATE audit_events SET chained = 'x' WHERE number = 1",
    ],
)
def test_age_takes_no_event_away_that_was_tampered_with(
    trail: Store, clock: Clock, statement: str
) -> None:
    run(trail, statement)
    clock.now += 400 * 86_400
    for _ in range(3):
        trail.remove_old_events(keep_days=365)
        trail.add_event({"event": "open"})
    assert trail.prove_trail().breaks


def test_an_older_copy_put_back_is_found_by_a_head_kept_elsewhere(trail: Store) -> None:
    with trail._engine.connect() as connection:
        mark = connection.execute(text("SELECT number, chained, signed FROM audit_marks")).one()
    trail.add_event({"event": "write"})
    head = trail.prove_trail().head
    run(trail, "DELETE FROM audit_events WHERE number = 11")
    with trail._engine.begin() as connection:
        connection.execute(
            text("UPDATE audit_marks SET number = :number, chained = :chained, signed = :signed"),
            dict(mark._mapping),
        )
    assert trail.prove_trail().breaks == []
    assert trail.prove_trail(expect=head).breaks


def test_a_new_key_changes_no_hash(trail: Store, open_store: Callable[..., Store]) -> None:
    before = trail.prove_trail().head
    other = b"o" * 32
    reseal(trail._engine, Sealer(other, KEY), progress=lambda _: None)
    anew = open_store(sealer=Sealer(other))
    assert anew.prove_trail(expect=before).breaks == []
    anew.add_event({"event": "open"})
    assert anew.prove_trail(expect=before).breaks == []


def test_what_is_removed_by_age_leaves_a_rest_that_is_proved(trail: Store, clock: Clock) -> None:
    clock.now += 10 * 86_400
    trail.add_event({"event": "open"})
    head = trail.prove_trail().head
    assert trail.remove_old_events(keep_days=10) == 10
    assert trail.remove_old_events(keep_days=10) == 0
    assert [event.number for event in trail.events()] == [11]
    assert trail.prove_trail(expect=head).breaks == []
    run(trail, "UPDATE audit_marks SET number = 9 WHERE name = 'removed'")
    assert trail.prove_trail().breaks


def test_a_trail_removed_whole_goes_on(trail: Store, clock: Clock) -> None:
    clock.now += 11 * 86_400
    assert trail.remove_old_events(keep_days=10) == 10
    assert trail.prove_trail().breaks == []
    trail.add_event({"event": "open"})
    assert [event.number for event in trail.events()] == [11]
    assert trail.prove_trail().breaks == []


def test_an_event_that_is_to_stand_once_stands_once(store: Store) -> None:
    assert store.add_event({"event": "open"}, once=("launch", "match"))
    assert not store.add_event({"event": "open"}, once=("launch", "match"))
    assert store.add_event({"event": "open"}, once=("launch", "why"))
    assert store.prove_trail().count == 2


def test_processes_that_write_at_once_make_one_chain(store: Store, database_url: str) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, database_url, str(number)])
        for number in range(3)
    ]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    proof = store.prove_trail()
    assert (proof.count, proof.breaks) == (120, [])


def test_no_identifier_is_readable(trail: Store) -> None:
    with trail._engine.connect() as connection:
        rows = connection.execute(text("SELECT * FROM audit_events")).all()
    assert "Patient" not in str(rows)
