"""`ivfhir outbox`: what waits is listed without a patient, shown, tried again and dropped."""

import base64
import json
import os
import pwd
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from ivfhir.cli.main import main
from ivfhir.fhir.json import loads
from ivfhir.fhir.types import Resource
from ivfhir.outbox.failing import After
from ivfhir.outbox.line import PARKED, WAITING
from smart_app.audit_event import to_audit_event
from smart_app.sealing import Sealer
from smart_app.store import Draft, Store
from smart_app.store.outbox import HOLD_S
from tests.smart_app.store.test_outbox import claim

KEY = b"k" * 32
OUTCOME: Resource = {
    "resourceType": "OperationOutcome",
    "issue": [{"severity": "error", "code": "processing", "diagnostics": "no such unit"}],
}


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """The app's database, as the command finds it by the environment."""
    url = f"sqlite:///{tmp_path}/a.sqlite3"
    monkeypatch.setenv("IVFHIR_PUBLIC_URL", "https://app.example")
    monkeypatch.setenv("IVFHIR_DATABASE_URL", url)
    monkeypatch.setenv("IVFHIR_KEY", base64.urlsafe_b64encode(KEY).decode())
    ids = iter(f"id{number}" for number in range(100))
    opened = Store(url, Sealer(KEY), clock_s=time.time, new_id=lambda: next(ids))
    yield opened
    opened.close()


@pytest.fixture
def draft(store: Store) -> Draft:
    until = int(time.time()) + 600
    iss = "https://ehr.example/fhir"
    body = {"iss": iss, "patient": "erika-mustermann", "access_token": "secret-token"}
    owner = (iss, "user", "erika-mustermann")
    store.save_launch("l1", "s", body, owner=owner, usable_until=until, expires_at=until)
    kept = store.save_draft("l1", protocol="LUNG", body={"name": "Mustermann"})
    assert store.claim_draft(kept)
    store.accept_draft(kept, {"bundle": "Mustermann"}, server=iss, patient_id="erika-mustermann")
    store.release_draft(kept, state="accepted")
    return kept


def park(store: Store, draft: Draft, outcome: Resource = OUTCOME) -> None:
    assert claim(store, draft)
    said = {"title": "the EHR refuses the content", "outcome": outcome}
    store.put_off(draft.id, After(PARKED, int(time.time()), 1), said)


def outbox(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    assert main(["outbox", *words]) == code
    return capsys.readouterr().out


def test_the_list_says_how_each_stands_and_nothing_of_the_patient(
    store: Store, draft: Draft, capsys: pytest.CaptureFixture[str]
) -> None:
    text = outbox(capsys, "list")
    assert "server=https://ehr.example/fhir protocol=LUNG state=waiting" in text
    [row] = json.loads(outbox(capsys, "list", "--format", "json"))
    assert (row["state"], row["attempts"]) == ("waiting", 1)
    assert not {"why", "outcome"} & row.keys()
    assert row["next"].endswith("Z")
    assert "outcome" not in json.loads(outbox(capsys, "show", row["id"], "--format", "json"))
    park(store, draft)
    [row] = json.loads(outbox(capsys, "list", "--format", "json", code=6))
    assert ("next" in row, row["why"]) == (False, "the EHR refuses the content")
    text = outbox(capsys, "list", code=6)
    assert "state=parked" in text
    assert 'why="the EHR refuses the content"' in text
    for each in ("ustermann", "secret-token", draft.id, "no such unit"):
        assert each not in text


def test_show_has_the_server_s_outcome(
    store: Store, draft: Draft, capsys: pytest.CaptureFixture[str]
) -> None:
    park(store, draft)
    [row] = json.loads(outbox(capsys, "list", "--format", "json", code=6))
    assert "server: error processing no such unit" in outbox(capsys, "show", row["id"])
    assert json.loads(outbox(capsys, "show", row["id"], "--format", "json"))["outcome"] == OUTCOME


def test_show_keeps_the_digits_of_a_decimal_in_the_server_s_outcome(
    store: Store, draft: Draft, capsys: pytest.CaptureFixture[str]
) -> None:
    score = {"url": "https://ehr.example/score", "valueDecimal": Decimal("1.50")}
    outcome = {**OUTCOME, "issue": [{**OUTCOME["issue"][0], "extension": [score]}]}
    park(store, draft, outcome)
    [row] = loads(outbox(capsys, "list", "--format", "json", code=6), place="list")
    told = loads(outbox(capsys, "show", row["id"], "--format", "json"), place="show")
    assert told["outcome"] == outcome
    assert str(told["outcome"]["issue"][0]["extension"][0]["valueDecimal"]) == "1.50"


STEERING = "\x1b[2J\x1b]0;owned\x07bad\nstate: delivered\r\x9b31m\x7f\u202e\u2028ünïts \\n"


def test_what_the_server_says_ends_no_line_and_steers_no_terminal(
    store: Store, draft: Draft, capsys: pytest.CaptureFixture[str]
) -> None:
    issue = {"severity": "error\n", "code": "processing\x1b[1m", "diagnostics": STEERING}
    outcome = {**OUTCOME, "issue": [issue, {"details": {"text": "no\nnext: line"}}]}
    park(store, draft, outcome)
    [row] = json.loads(outbox(capsys, "list", "--format", "json", code=6))
    text = outbox(capsys, "show", row["id"])
    assert [line for line in text.split("\n") if line.startswith("state:")] == ["state: parked"]
    assert len([line for line in text.split("\n") if line.startswith("server: ")]) == 3
    assert "\nserver:   no\\nnext: line\n" in text
    assert "ünïts" in text
    as_json = outbox(capsys, "show", row["id"], "--format", "json")
    assert json.loads(as_json)["outcome"] == outcome
    for shown in (text, as_json):
        assert all(line.isprintable() for line in shown.split("\n"))


@pytest.mark.parametrize("title", ["bad\nstate=delivered\x1b[2J", "so\tbad\x9b 1\n"])
def test_why_ends_no_line_of_the_list(
    store: Store, draft: Draft, capsys: pytest.CaptureFixture[str], title: str
) -> None:
    assert claim(store, draft)
    store.put_off(draft.id, After(PARKED, int(time.time()), 1), {"title": title})
    (line,) = outbox(capsys, "list", code=6).removesuffix("\n").split("\n")
    assert line.isprintable()


def test_retry_and_drop(store: Store, draft: Draft, capsys: pytest.CaptureFixture[str]) -> None:
    park(store, draft)
    [row] = json.loads(outbox(capsys, "list", "--format", "json", code=6))
    assert "state: waiting\n" in outbox(capsys, "retry", row["id"])
    assert "state: dropped\n" in outbox(capsys, "drop", row["id"])
    assert outbox(capsys, "list") == ""
    assert "state=dropped" in outbox(capsys, "list", "--all")
    outbox(capsys, "retry", row["id"], code=2)
    assert store.load_draft("l1", draft.id).state == "draft"


def test_a_claim_that_lasts_longer_than_claims_do_keeps_nothing_from_being_dropped(
    store: Store, draft: Draft, capsys: pytest.CaptureFixture[str]
) -> None:
    [row] = json.loads(outbox(capsys, "list", "--format", "json"))
    assert store.claim_entry(draft.id, hold_s=HOLD_S, at_once=True)
    outbox(capsys, "drop", row["id"], code=2)
    assert store.put_off(draft.id, After(WAITING, int(time.time()), 0), {})
    assert store.claim_entry(draft.id, hold_s=HOLD_S + 3600, at_once=True)
    assert "state: dropped\n" in outbox(capsys, "drop", row["id"])


def test_retry_and_drop_leave_events_in_the_audit_trail(
    store: Store, draft: Draft, capsys: pytest.CaptureFixture[str]
) -> None:
    park(store, draft)
    [row] = json.loads(outbox(capsys, "list", "--format", "json", code=6))
    outbox(capsys, "show", row["id"])
    outbox(capsys, "retry", row["id"])
    outbox(capsys, "drop", row["id"])
    outbox(capsys, "drop", row["id"], code=2)
    found = list(store.events())
    assert [each.content["event"] for each in found] == ["outbox-retry", "outbox-drop"]
    assert {each.content["draft"] for each in found} == {draft.id}
    assert [each.content["was"] for each in found] == ["parked", "waiting"]
    account = pwd.getpwuid(os.getuid()).pw_name
    event = to_audit_event(found[1], site="https://app.example")
    assert event["agent"][0]["who"]["identifier"]["value"].startswith(f"{account}@")
    assert store.prove_trail().breaks == []


@pytest.mark.parametrize("words", [("show",), ("drop",), ("retry", "nothing"), ("list", "id0")])
def test_wrong_usage_is_said(
    store: Store, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    outbox(capsys, *words, code=2)
