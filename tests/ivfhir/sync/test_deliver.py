"""Each fault at each request of a sync: the plan arrives, once, and the row is true."""

import json
import random
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest
import requests

from ivfhir.errors import UsageError
from ivfhir.servers.http import HttpRepository
from ivfhir.sync.ledger import Ledger
from ivfhir.sync.plans import read_plans
from ivfhir.sync.run import Target, sync_plans
from tests.ivfhir.sync.scene import named, patient, put, results, run, small, stored, write
from tests.servers.fault_proxy import FAULTS, run_proxy

JSON = {"Content-Type": "application/fhir+json"}


@pytest.fixture(autouse=True)
def hasty(monkeypatch):
    """Wait shorter between tries than a user would."""
    monkeypatch.setattr("ivfhir.sync.retries.FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr("ivfhir.write_back.LOOKS_S", (0.0, 0.01))


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_happens_to_one_write_the_plan_is_there_once(sekmet, tmp_path, fault, monkeypatch):
    patient(sekmet)
    write(tmp_path, "plan", small())
    left = [fault]

    def once(asked):
        return left.pop() if asked.writes and left else None

    if fault == "delay":
        late = HttpRepository.__init__.__kwdefaults__ | {"read_timeout_s": 1.0}
        monkeypatch.setattr(HttpRepository.__init__, "__kwdefaults__", late)
    with run_proxy(sekmet, fault=once, delay_s=1.5) as proxy:
        code, (row,), _ = run(tmp_path, "--to", proxy.base)
        assert (code, row["result"]) == (0, "created")
        assert len(row["references"]) == 1
        write(tmp_path, "plan", small(title="Another"))
        left.append(fault)
        code, (row,), _ = run(tmp_path, "--to", proxy.base)
        assert (code, row["result"]) == (0, "updated")
        assert results(tmp_path, proxy.base) == ["unchanged"]
    kinds = ("CarePlan", "RequestGroup", "ServiceRequest", "Goal")
    assert [len(stored(sekmet, each)) for each in kinds] == [1, 1, 1, 1]
    assert stored(sekmet, "CarePlan")[0]["title"] == "Another"


def test_a_server_that_stays_down_parks_what_is_left_and_the_next_run_sends_it(sekmet, tmp_path):
    patient(sekmet)
    for name in "abcdef":
        identifier = [{"system": "https://example.org/plans", "value": name}]
        write(tmp_path, name, small(identifier=identifier, instantiatesCanonical=None))

    def down(asked):
        return "drop-before" if len(proxy.writes) > 2 else None

    with run_proxy(sekmet, fault=down) as proxy:
        code, rows, _ = run(tmp_path, "--to", proxy.base, "--connections", "1")
        assert code == 6
        assert [row["result"] for row in rows] == ["created"] * 2 + ["parked"] * 4
        seen = len(proxy.asked)
        assert "no longer answers" in rows[-1]["outcome"]["issue"][0]["diagnostics"]
        proxy.fault = lambda asked: None
        assert results(tmp_path, proxy.base) == ["unchanged"] * 2 + ["created"] * 4
        assert seen < 60


def test_a_plan_that_is_refused_is_parked_with_the_servers_words_and_others_go_on(sekmet, tmp_path):
    patient(sekmet)
    write(tmp_path, "bad", small(title="bad", instantiatesCanonical=None))
    other = [{"system": "https://example.org/plans", "value": "good"}]
    write(tmp_path, "good", small(identifier=other, instantiatesCanonical=None))

    def refuse(asked):
        return 422 if asked.writes and b'"bad"' in asked.body else None

    with run_proxy(sekmet, refuse=refuse) as proxy:
        code, rows, _ = run(tmp_path, "--to", proxy.base)
    assert code == 6
    by_plan = {row["plan"].rpartition("|")[2]: row for row in rows}
    assert (by_plan["one"]["result"], by_plan["good"]["result"]) == ("parked", "created")
    issues = by_plan["one"]["outcome"]["issue"]
    assert [each["diagnostics"] for each in issues[1:]] == ["not allowed here"]


def test_what_a_server_did_of_a_transaction_that_it_did_in_part_is_told(sekmet, tmp_path):
    """A server that takes a transaction for a batch refuses the goal and keeps the rest."""
    patient(sekmet)
    write(tmp_path, "plan", small())

    def in_part(asked, body):
        if not asked.writes or body.get("type") != "transaction-response":
            return body
        for entry, answer in zip(asked.json()["entry"], body["entry"], strict=True):
            if entry["resource"]["resourceType"] == "Goal":
                where = answer["response"]["location"].partition("Goal/")[2].partition("/")[0]
                requests.delete(f"{sekmet}/Goal/{where}", timeout=60).raise_for_status()
                answer["response"] = {"status": "422 Unprocessable Entity"}
        return body

    with run_proxy(sekmet, answer=in_part) as proxy:
        code, (row,), _ = run(tmp_path, "--to", proxy.base)
        assert (code, row["result"]) == (6, "parked")
        there = {
            f"{kind}/{each['id']}"
            for kind in ("CarePlan", "RequestGroup", "ServiceRequest", "Goal")
            for each in stored(sekmet, kind)
        }
        assert {each.get("reference") for each in row["differences"]} >= there
        assert len(there) == 3
        proxy.answer = None
        assert results(tmp_path, proxy.base) == ["updated"]
    assert [len(stored(sekmet, kind)) for kind in ("CarePlan", "ServiceRequest", "Goal")] == [1] * 3


def test_a_later_plan_of_a_patient_waits_for_the_earlier(sekmet, tmp_path):
    patient(sekmet)
    write(tmp_path, "bad", small(title="bad"))
    later = [{"system": "https://example.org/plans", "value": "later"}]
    write(tmp_path, "later", small(identifier=later, created="2025-05-01"))

    def refuse(asked):
        return 422 if asked.writes and b'"bad"' in asked.body else None

    with run_proxy(sekmet, refuse=refuse) as proxy:
        assert results(tmp_path, proxy.base) == ["parked", "parked"]
        assert stored(sekmet, "CarePlan") == []
        proxy.refuse = lambda asked: None
        assert results(tmp_path, proxy.base) == ["created", "superseded"]


def test_an_order_that_could_not_be_looked_for_is_not_doubled(sekmet, tmp_path):
    patient(sekmet)
    own = [{"system": "https://hospital.example/order", "value": "77"}]
    plan = small()
    order = {**plan["contained"][1], "identifier": own}
    plan["contained"][1] = order
    write(tmp_path, "plan", plan)
    put(sekmet, {**order, "id": "theirs", "status": "active", "basedOn": []})

    def refuse(asked):
        return 400 if "/ServiceRequest" in asked.path and "77" in asked.path else None

    with run_proxy(sekmet, refuse=refuse) as proxy:
        assert results(tmp_path, proxy.base) == ["parked"]
        assert proxy.writes == []
        proxy.refuse = lambda asked: None
        assert results(tmp_path, proxy.base) == ["created"]
    assert [each["id"] for each in stored(sekmet, "ServiceRequest")] == ["theirs"]


def test_a_reference_that_could_not_be_looked_for_is_kept_as_words_and_told(sekmet, tmp_path):
    patient(sekmet)
    doctor = "Practitioner?identifier=https://hospital.example/staff|7"
    write(tmp_path, "plan", small(author={"reference": doctor}))

    def refuse(asked):
        return 400 if "/Practitioner" in asked.path else None

    with run_proxy(sekmet, refuse=refuse) as proxy:
        _, (row,), _ = run(tmp_path, "--to", proxy.base)
    assert row["result"] == "created"
    (line,) = row["differences"]
    assert "could not be looked for" in line["text"]
    assert "reference" not in stored(sekmet, "CarePlan")[0]["author"]


def test_copies_of_a_careless_server_are_withdrawn_but_the_oldest(sekmet, tmp_path):
    patient(sekmet)
    write(tmp_path, "plan", small())
    with run_proxy(sekmet) as proxy:
        assert results(tmp_path, proxy.base) == ["created"]
        bundle = proxy.writes[0].json()
    for entry in bundle["entry"]:
        entry["request"].pop("ifNoneExist", None)
    requests.post(sekmet, json=bundle, timeout=10).raise_for_status()
    assert len(stored(sekmet, "CarePlan")) == 2
    first = min(stored(sekmet, "CarePlan"), key=lambda each: each["meta"]["lastUpdated"])
    (tmp_path / ".ivfhir-sync.sqlite3").unlink()
    _, (row,), _ = run(tmp_path, "--to", sekmet)
    assert (row["result"], row["references"]) == ("unchanged", [f"CarePlan/{first['id']}"])
    standing = [each for each in stored(sekmet, "CarePlan") if each["status"] == "draft"]
    assert [each["id"] for each in standing] == [first["id"]]
    requests_left = [each["status"] for each in stored(sekmet, "ServiceRequest")]
    assert sorted(requests_left) == ["draft", "entered-in-error"]


def test_a_copy_of_a_request_that_was_long_on_its_way_is_withdrawn_by_the_next_run(
    sekmet, tmp_path
):
    """The server fails, does it all the same much later, and ignores the condition."""
    patient(sekmet)
    write(tmp_path, "plan", small())
    held = []

    def fail(asked):
        if not asked.writes or held:
            return None
        held.append(asked.json())
        return 504

    with run_proxy(sekmet, refuse=fail) as proxy:
        assert results(tmp_path, proxy.base) == ["created"]
        for entry in held[0]["entry"]:
            entry["request"].pop("ifNoneExist", None)
        requests.post(sekmet, json=held[0], timeout=10).raise_for_status()
        assert len(stored(sekmet, "CarePlan")) == 2
        assert results(tmp_path, proxy.base) == ["unchanged"]
        statuses = sorted(each["status"] for each in stored(sekmet, "CarePlan"))
        assert statuses == ["draft", "entered-in-error"]
        looks = len(proxy.asked)
        assert results(tmp_path, proxy.base) == ["unchanged"]
        assert all("_id=" in each.path for each in proxy.asked[looks + 1 :]), "it is sure by now"


def test_a_plan_that_a_newer_one_ended_after_an_unclear_answer_is_no_race(sekmet, tmp_path):
    patient(sekmet)
    write(tmp_path, "old", named("old"))
    write(tmp_path, "new", named("new", created="2025-06-01"))
    refused = []

    def fail(asked):
        if not asked.writes or refused:
            return None
        refused.append(asked)
        return 504

    with run_proxy(sekmet, refuse=fail) as proxy:
        assert results(tmp_path, proxy.base) == ["created", "superseded"]
        assert results(tmp_path, proxy.base) == ["unchanged", "unchanged"]


def without_condition(asked):
    """Let a server create whatever is there."""
    asked.headers = {k: v for k, v in asked.headers.items() if k.lower() != "if-none-exist"}
    body = asked.json() if asked.writes else {}
    for entry in body.get("entry", ()):
        entry["request"].pop("ifNoneExist", None)
    if asked.writes:
        asked.body = json.dumps(body).encode()


def marks(asked):
    """Tell whether a request marks something as entered in error."""
    return asked.writes and b"entered-in-error" in asked.body


def test_copies_that_cannot_be_withdrawn_are_a_conflict_until_they_are(sekmet, tmp_path):
    patient(sekmet)
    write(tmp_path, "plan", small())

    def twice(asked):
        without_condition(asked)
        if asked.writes and not marks(asked) and len(proxy.writes) == 1:
            requests.post(sekmet, data=asked.body, headers=JSON, timeout=10).raise_for_status()

    def refuse(asked):
        return 403 if marks(asked) else None

    with run_proxy(sekmet, change=twice, refuse=refuse) as proxy:
        for _ in range(2):  # When it is sent, and when it is looked at again.
            code, (row,), _ = run(tmp_path, "--to", proxy.base)
            assert (code, row["result"]) == (6, "conflict")
            plans = {f"CarePlan/{each['id']}" for each in stored(sekmet, "CarePlan")}
            assert len(plans) == 2
            assert set(row["references"]) == plans
            assert "more than once" in row["outcome"]["issue"][0]["diagnostics"]
            assert {each["text"] for each in row["differences"]} == {
                "A copy could not be withdrawn."
            }
        _, (row,), _ = run(tmp_path, "--to", proxy.base, "--dry-run")
        assert [each["text"] for each in row["differences"]] == [
            "It is a copy, and is to be marked as entered in error."
        ]
        proxy.refuse = lambda asked: None
        code, (row,), _ = run(tmp_path, "--to", proxy.base)
    assert (code, row["result"]) == (0, "unchanged")
    standing = [each for each in stored(sekmet, "CarePlan") if each["status"] == "draft"]
    assert [f"CarePlan/{each['id']}" for each in standing] == row["references"]


def test_that_copies_could_not_be_looked_for_is_tried_again(sekmet, tmp_path):
    patient(sekmet)
    write(tmp_path, "plan", small())

    failed = []

    def fault(asked):
        looks = asked.path.startswith("/CarePlan") and "identifier=" in asked.path
        if not looks or not proxy.writes or failed:
            return None
        failed.append(asked)
        return "500-html"

    with run_proxy(sekmet, fault=fault) as proxy:
        code, (row,), _ = run(tmp_path, "--to", proxy.base)
    assert len(failed) == 1
    assert (code, row["result"]) == (0, "created")
    assert len(stored(sekmet, "CarePlan")) == 1


def failing(kind, *numbers):
    """Return a fault of these requests for a type, counted from 1."""
    seen = []

    def fault(asked):
        if not asked.path.startswith(f"/{kind}"):
            return None
        seen.append(asked)
        return "500-html" if len(seen) in numbers else None

    return fault


def without_goal():
    plan = small(goal=None)
    return {**plan, "contained": [each for each in plan["contained"] if each["id"] != "goal"]}


@pytest.mark.parametrize("again", [False, True])
def test_a_part_that_cannot_be_read_for_a_moment_is_not_forgotten(sekmet, tmp_path, again):
    """Nor when a plan that is there is entered into a new ledger."""
    patient(sekmet)
    write(tmp_path, "plan", small())
    with run_proxy(sekmet) as proxy:
        if again:
            assert results(tmp_path, proxy.base) == ["created"]
            (tmp_path / ".ivfhir-sync.sqlite3").unlink()
        proxy.fault = failing("Goal", *((3, 4) if again else (1, 2)))
        _, (row,), _ = run(tmp_path, "--to", proxy.base)
        assert (row["result"], row["differences"]) == ("unchanged" if again else "created", [])
        write(tmp_path, "plan", without_goal())
        assert results(tmp_path, proxy.base) == ["updated"]
    assert [each["lifecycleStatus"] for each in stored(sekmet, "Goal")] == ["cancelled"]


def test_an_update_whose_answer_was_lost_is_no_edit_of_somebody_else(sekmet, tmp_path):
    """It ended a part that the input no longer has."""
    patient(sekmet)
    write(tmp_path, "plan", small())
    lost = []

    def fault(asked):
        if asked.writes:
            lost.append(asked)
            return "drop-after" if len(lost) == 1 else None
        return None

    with run_proxy(sekmet) as proxy:
        assert results(tmp_path, proxy.base) == ["created"]
        write(tmp_path, "plan", without_goal())
        proxy.fault = fault
        assert results(tmp_path, proxy.base) == ["updated"]
        assert results(tmp_path, proxy.base) == ["unchanged"]
    assert len(lost) == 1


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_full_disk_under_the_ledger_is_told_in_each_row(sekmet, tmp_path, when):
    patient(sekmet)
    write(tmp_path, "plan", small(description=random.Random(1).randbytes(20_000).hex()))
    plans, _ = read_plans([tmp_path])
    with run_proxy(sekmet) as proxy, closing(Ledger(tmp_path / "ledger")) as ledger:
        target = Target("it", lambda: HttpRepository(proxy.base), ledger)

        def fill(stage="after", asked=None):
            if stage == "after" and (asked is None or asked.writes):
                (pages,) = ledger._db.execute("PRAGMA page_count").fetchone()
                ledger._db.execute(f"PRAGMA max_page_count = {pages}")

        if when == "before":
            fill()
            plans = [replace(each, digest="y" * 9000) for each in plans]
        else:
            proxy.watch = fill
        (row,) = sync_plans(plans, [target], random=lambda: 0.5)
        assert row.result == ("parked" if when == "before" else "created")
        told = json.dumps([row.outcome, row.differences])
        assert "ledger cannot be written any more" in told
    assert len(stored(sekmet, "CarePlan")) == (0 if when == "before" else 1)


def test_what_a_server_has_of_another_plan_under_the_same_id_is_not_taken_for_ours(
    sekmet, tmp_path
):
    """It was emptied and filled again, or the name of its table has another address by now."""
    patient(sekmet)
    write(tmp_path, "plan", small())

    def filled_anew(asked, answer):
        for entry in answer.get("entry", []) if asked.path.startswith("/CarePlan") else []:
            entry["resource"]["identifier"] = [
                {"system": "https://example.org/plans", "value": "2"}
            ]
        return answer

    with run_proxy(sekmet) as proxy:
        assert results(tmp_path, proxy.base) == ["created"]
        assert results(tmp_path, proxy.base) == ["unchanged"]
        proxy.answer = filled_anew
        _, (row,), _ = run(tmp_path, "--to", proxy.base)
    assert row["result"] == "conflict"
    assert "begin with a new ledger" in row["outcome"]["issue"][0]["diagnostics"]


@pytest.mark.parametrize("known", [True, False])
def test_an_identifier_that_the_server_gave_stays_when_the_input_changes(sekmet, tmp_path, known):
    patient(sekmet)
    write(tmp_path, "plan", small())
    theirs = {"system": "https://ehr.example/numbers", "value": "E-1"}

    def give(asked):
        """Send a plan on as the server stores it, with a number of its own."""
        if asked.method == "POST" and asked.path.strip("/") == "":
            bundle = asked.json()
            bundle["entry"][0]["resource"]["identifier"].append(theirs)
            bundle["entry"][0]["resource"]["addresses"] = [{"display": "by the server"}]
            asked.body = json.dumps(bundle).encode()

    with run_proxy(sekmet, change=give) as proxy:
        assert results(tmp_path, proxy.base) == ["created"]
        if not known:
            (tmp_path / ".ivfhir-sync.sqlite3").unlink()
        own = [*small()["identifier"], {"system": "https://example.org/more", "value": "m"}]
        write(tmp_path, "plan", small(title="Another", identifier=own))
        proxy.change = lambda asked: None
        assert results(tmp_path, proxy.base) == ["updated"]
        assert results(tmp_path, proxy.base) == ["unchanged"]
    (plan,) = stored(sekmet, "CarePlan")
    assert plan["title"] == "Another"
    assert plan["addresses"] == [{"display": "by the server"}]
    values = {each["value"] for each in plan["identifier"]}
    assert {"one", "m", "E-1"} < values


def test_two_runs_do_not_share_a_ledger(sekmet, tmp_path):
    from ivfhir.sync.ledger import NAME, Ledger  # noqa: PLC0415

    write(tmp_path, "plan", small())
    ledger = Ledger(tmp_path / NAME)
    try:
        code, _, sentence = run(tmp_path, "--to", sekmet)
        assert code == 2
        assert "another sync" in sentence
    finally:
        ledger.close()
    assert (tmp_path / NAME).stat().st_mode & 0o077 == 0


def test_a_ledger_of_which_another_run_holds_a_part_for_a_moment_is_asked_for_again(tmp_path):
    path = tmp_path / "ledger"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE held (a)")
    other.execute("BEGIN")
    other.execute("SELECT * FROM held").fetchall()  # It reads, and so nobody can write.
    pauses = []

    def pause(seconds):
        pauses.append(seconds)
        other.close()

    with closing(Ledger(path, pause=pause, random=lambda: 0.5)) as ledger:
        ledger.begin("a server", "a plan", "digest", "Patient/p")
        with pytest.raises(UsageError, match="is another sync running on it"):
            Ledger(path, pause=pauses.append)
    assert pauses[0] == 0.25
    assert len(pauses) == 3


def test_a_ledger_that_can_no_longer_be_read_is_said(tmp_path):
    ledger = Ledger(tmp_path / "ledger")
    ledger._db.execute("DROP TABLE sent_plan")
    with pytest.raises(UsageError, match="ledger cannot be read any more"):
        ledger.plan("a server", "a plan")
    ledger.close()
