"""A wrong key is said at the start; a new key leaves nothing behind, and nobody out."""

import base64
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import LargeBinary, text

from ivfhir.errors import SettingsError
from smart_app.sealing import Sealer, add_key, load_keys, make_sealer
from smart_app.store import Store
from smart_app.store.keeping import _SEALED, KeyUse, count_by_key, older_sealed, reseal
from smart_app.store.models import Base
from tests.smart_app.store.conftest import KEY, Clock
from tests.smart_app.store.test_schema import RELEASE

OTHER = b"o" * 32
OWNER = ("https://ehr.example/fhir", "user", "patient")


def fill(store: Store, clock: Clock, count: int = 3) -> None:
    until = int(clock.now) + 1000
    for number in range(count):
        name = f"l{number}"
        store.save_launch(
            name, "s", {"n": number}, owner=OWNER, usable_until=until, expires_at=until
        )
        draft = store.save_draft(name, protocol="LUNG", body={"n": number})
        store.save_receipt(draft, {"n": number})
        store.save_sign_in(f"state-{number}", "b", {"n": number}, life_s=60)
        store.keep_given(name, {"n": number})
        store.keep_reading(name, store.begin_reading(name), {"n": number}, keep_s=300)


def read(store: Store, count: int = 3) -> None:
    for number in range(count):
        name = f"l{number}"
        assert store.reload_launch(name).body == {"n": number}
        [draft] = store.drafts(name)
        receipt = store.load_receipt(name, draft.id)
        assert receipt is not None
        assert (draft.body, receipt.body) == ({"n": number}, {"n": number})
        assert store.use_sign_in(f"state-{number}", "b") == {"n": number}
        reading = store.load_reading(name)
        assert reading is not None
        assert (store.load_given(name), reading.body) == ({"n": number}, {"n": number})


def test_a_new_key_reaches_every_column_that_holds_something_sealed() -> None:
    sealed = {
        f"{table.name}.{column.name}"
        for table in Base.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, LargeBinary)
    }
    assert {f"{column.class_.__tablename__}.{column.key}" for _, column, _ in _SEALED} == sealed


def test_another_key_is_refused_at_the_start_in_a_sentence(
    open_store: Callable[..., Store],
) -> None:
    open_store()
    with pytest.raises(SettingsError, match="another key"):
        open_store(sealer=Sealer(OTHER))
    open_store(sealer=Sealer(OTHER, KEY))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_another_key_than_that_of_0_1_0_is_refused_and_makes_no_secrets(
    open_store: Callable[..., Store], tmp_path: Path
) -> None:
    shutil.copy(RELEASE, tmp_path / "old.sqlite3")
    url = f"sqlite:///{tmp_path}/old.sqlite3"
    with pytest.raises(SettingsError, match="another key"):
        open_store(url, sealer=Sealer(OTHER))
    assert open_store(url).load_launch("running", "secret-running") is not None


def test_after_a_change_of_keys_the_old_one_is_not_needed_and_owners_are_the_same(
    open_store: Callable[..., Store], clock: Clock
) -> None:
    store = open_store()
    fill(store, clock)
    both = Sealer(OTHER, KEY)
    assert count_by_key(store._engine, both) == KeyUse((0, 2 + 6 * 3), 0)
    assert count_by_key(store._engine, Sealer(OTHER)) == KeyUse((0,), 2 + 6 * 3)
    assert reseal(store._engine, both, progress=lambda _: None) == 2 + 6 * 3
    assert count_by_key(store._engine, both).not_needed == (2,)
    assert not older_sealed(store._engine, both)
    new = open_store(sealer=Sealer(OTHER))
    read(new)
    assert set(new.other_launches("l0")) == {"l1", "l2"}
    new.end_launch("l0", return_to="review/x")
    until = int(clock.now) + 1000
    left = new.save_launch("l9", "s", {}, owner=OWNER, usable_until=until, expires_at=until)
    assert left == "review/x"


def test_a_change_of_keys_that_was_stopped_goes_on(
    open_store: Callable[..., Store], clock: Clock
) -> None:
    store = open_store()
    fill(store, clock, 250)

    def stop(_count: int) -> None:
        raise KeyboardInterrupt

    both = Sealer(OTHER, KEY)
    with pytest.raises(KeyboardInterrupt):
        reseal(store._engine, both, progress=stop)
    assert older_sealed(store._engine, both)
    assert open_store(sealer=both).reload_launch("l249").body == {"n": 249}
    reseal(store._engine, both, progress=lambda _: None)
    read(open_store(sealer=Sealer(OTHER)), 250)


def test_running_processes_follow_the_key_file_and_lose_no_change(
    open_store: Callable[..., Store], clock: Clock, tmp_path: Path
) -> None:
    path = tmp_path / "key"
    running = open_store(sealer=make_sealer(None, path))
    fill(running, clock, 20)
    drafts = [running.drafts(f"l{number}")[0] for number in range(20)]
    ended = threading.Event()

    def work() -> None:
        version = 0
        while not ended.is_set():
            version += 1
            for number in range(20):
                drafts[number] = running.update_draft(drafts[number], body={"v": version})

    worker = threading.Thread(target=work)
    worker.start()
    try:
        add_key(path)
        rotating = make_sealer(None, path)
        while older_sealed(running._engine, rotating):
            reseal(running._engine, rotating, progress=lambda _: None)
    finally:
        ended.set()
        worker.join()
    newest = load_keys(None, path)[0]
    assert len(load_keys(None, path)) == 2
    path.write_bytes(base64.urlsafe_b64encode(newest))
    alone = open_store(sealer=Sealer(newest))
    for number, draft in enumerate(drafts):
        assert alone.load_draft(f"l{number}", draft.id).body == draft.body
        assert running.load_draft(f"l{number}", draft.id).body == draft.body


def test_a_changed_secret_is_noticed(open_store: Callable[..., Store]) -> None:
    store = open_store()
    with store._engine.begin() as connection:
        rows = connection.execute(text("SELECT sealed FROM secrets ORDER BY name")).all()
        connection.execute(text("UPDATE secrets SET sealed = :sealed"), {"sealed": rows[0][0]})
    with pytest.raises(SettingsError):
        open_store()
