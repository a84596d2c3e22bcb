"""Plans of many patients ask together: how many requests that takes, and that nothing is lost."""

import json
import re
import threading
import time
from collections import Counter
from contextlib import closing
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from ivfhir.servers.http import HttpRepository
from ivfhir.sync.ledger import Ledger
from ivfhir.sync.plans import read_plans
from ivfhir.sync.run import Target, sync_plans
from tests.ivfhir.sync.scene import named, patient, put, results, run, stored, write
from tests.servers.fault_proxy import run_proxy

pytestmark = pytest.mark.server
MANY = 20
FIRST = 13
"""Plans of the first group; the second, and last, has half as many."""


def plan_of(number, *, value=None, **changes):
    """Return a plan of the patient of that number."""
    text = json.dumps(named(value or f"n{number}", **changes))
    return json.loads(text.replace('"Patient/p"', f'"Patient/p{number}"'))


def register(base, number, **more):
    """Register the patient of that number under an identifier of its own."""
    identifier = [{"system": "https://hospital.example/mrn", "value": str(number)}]
    patient(base, f"p{number}", identifier=identifier, **more)


def fill(folder, base, **changes):
    """Write a plan of each of many patients, and register these."""
    for number in range(MANY):
        register(base, number)
        write(folder, f"{number}", plan_of(number, **changes))


def counted(proxy, folder, *more):
    """Sync, and return the results and how many requests of each kind that took."""
    before = len(proxy.asked)
    told = Counter(results(folder, proxy.base, "--connections", "1", *more))
    kinds: Counter[str] = Counter()
    for asked in proxy.asked[before:]:
        parts = urlsplit(asked.path)
        names = [name for name in parse_qs(parts.query) if name not in ("_count", "_elements")]
        kinds[" ".join([asked.method, parts.path or "/", *names])] += 1
    return told, kinds


def test_a_new_plan_takes_less_than_two_requests_and_an_unchanged_one_a_quarter(sekmet, tmp_path):
    """Two groups: what is asked is asked once a group, each plan is one transaction."""
    fill(tmp_path, sekmet)
    with run_proxy(sekmet) as proxy:
        told, kinds = counted(proxy, tmp_path)
        assert told == {"created": MANY}
        assert kinds == {
            "GET /metadata": 1,
            "GET /Patient _id": 2,
            "GET /CarePlan identifier": 2,
            "GET /CarePlan patient": 4,  # Afterwards it shows the plan, and that there is no copy.
            "POST /": MANY,  # Its parts are in the answer to the transaction.
        }
        told, kinds = counted(proxy, tmp_path)
        assert (told, kinds.total()) == ({"unchanged": MANY}, 4)
        assert "GET /metadata" not in kinds  # Of whom nothing is wanted, it is not read.


def test_the_second_group_looks_and_the_first_is_read_back_while_the_other_is_sent(
    sekmet, tmp_path
):
    fill(tmp_path, sekmet)
    with run_proxy(sekmet) as proxy:
        counted(proxy, tmp_path)
        asked = [(each.method, each.path) for each in proxy.asked]
    sent = [number for number, (method, _) in enumerate(asked) if method == "POST"]

    def plans_by(name):
        return [n for n, (_, path) in enumerate(asked) if re.match(rf"/CarePlan\?.*&{name}=", path)]

    _, look, back, _ = plans_by("patient")
    assert len(sent) == MANY
    assert look < sent[FIRST - 1] < back < sent[-1]


def test_a_server_that_is_away_by_now_is_told_also_where_all_was_sent_before(sekmet, tmp_path):
    fill(tmp_path, sekmet)
    with run_proxy(sekmet) as proxy:
        told, _ = counted(proxy, tmp_path)
        assert told == {"created": MANY}
        gone = proxy.base
    code, rows, sentence = run(tmp_path, "--to", gone)
    assert (code, rows) == (5, None)
    assert "cannot be reached" in sentence


def test_where_one_of_two_servers_is_away_the_other_one_is_told_as_it_is(sekmet, tmp_path):
    fill(tmp_path, sekmet)
    with run_proxy(sekmet) as proxy:
        counted(proxy, tmp_path)
        with run_proxy(sekmet) as other:
            gone = other.base
        code, rows, _ = run(tmp_path, "--to", proxy.base, "--to", gone)
    assert code == 6
    assert Counter(row["result"] for row in rows) == {"unchanged": MANY, "parked": MANY}


def test_a_plan_without_parts_takes_fewer_and_one_with_references_a_search_a_type_more(
    sekmet, tmp_path
):
    alone, pointing = tmp_path / "alone", tmp_path / "pointing"
    alone.mkdir()
    pointing.mkdir()
    fill(alone, sekmet, contained=None, goal=None, activity=None)
    with run_proxy(sekmet) as proxy:
        told, kinds = counted(proxy, alone)
        assert (told, kinds.total()) == ({"created": MANY}, 29)
        doctor = "Practitioner?identifier=https://hospital.example/staff|7"
        for number in range(MANY):
            subject = {"reference": f"Patient/p{number}"}
            put(sekmet, {"resourceType": "Condition", "id": f"c{number}", "subject": subject})
            changes = {
                "instantiatesCanonical": ["https://example.org/PlanDefinition/Q"],
                "addresses": [{"reference": f"Condition/c{number}"}],
                "author": {"reference": doctor},
            }
            write(pointing, f"{number}", plan_of(number, value=f"r{number}", **changes))
        told, kinds = counted(proxy, pointing)
    assert told == {"created": MANY}
    assert kinds["GET /Condition _id"] == 2
    assert kinds["GET /Practitioner identifier"] == 2
    assert kinds.total() == 33
    assert all(each.get("addresses") for each in stored(sekmet, "CarePlan") if "author" in each)


def test_a_plan_that_takes_the_place_of_another_looks_again_alone_before_it_writes(
    sekmet, tmp_path
):
    """A server that ignores If-Match must not be given what was read some seconds ago."""
    fill(tmp_path, sekmet)
    with run_proxy(sekmet) as proxy:
        assert results(tmp_path, proxy.base) == ["created"] * MANY
        for number in range(MANY):
            later = plan_of(number, value=f"later{number}", created="2025-05-01")
            write(tmp_path, f"later{number}", later)
        told, kinds = counted(proxy, tmp_path)
    assert told == {"unchanged": MANY, "superseded": MANY}
    assert kinds["POST /"] == MANY
    assert kinds["GET /CarePlan patient"] == MANY + 4
    status = Counter(each["status"] for each in stored(sekmet, "CarePlan"))
    assert status == {"draft": MANY, "revoked": MANY}


def test_where_no_create_has_a_condition_each_plan_is_looked_for_right_before(sekmet, tmp_path):
    """Else a plan that another writer creates meanwhile would be doubled for sure."""
    fill(tmp_path, sekmet)
    with run_proxy(sekmet) as proxy:
        config = tmp_path / "servers.toml"
        config.write_text(
            f'[[server]]\nname = "it"\nurl = "{proxy.base}"\nprofile = "no-conditional-create"\n'
        )
        told = Counter(results(tmp_path, "it", "--config", config))
        looks = [each.path for each in proxy.asked if "identifier=" in each.path]
    assert told == {"created": MANY}
    assert all("ifNoneExist" not in each.body.decode() for each in proxy.writes)
    alone = [each for each in looks if each.startswith("/CarePlan") and "%2C" in each]
    assert len([each for each in alone if each.count("%2C") == 1]) >= MANY


def unknown(statement):
    """Return a CapabilityStatement that says nothing of the software."""
    return {name: value for name, value in statement.items() if name != "software"}


def test_lists_of_a_server_that_nobody_knows_are_believed_once_it_was_seen_to_take_them(
    sekmet, tmp_path
):
    fill(tmp_path, sekmet)
    with run_proxy(sekmet, statement=unknown) as proxy:
        told, kinds = counted(proxy, tmp_path)
        assert told == {"created": MANY}
    # Two plans first: a common search that is not believed, one of its own for each value (a plan
    # has two identifiers), and a common one afterwards. Then there are two groups, of which a
    # search stands for all plans.
    assert kinds["GET /CarePlan identifier"] == 2 + 4 + 2
    assert kinds["GET /CarePlan patient"] == 2 + 2 + 2 * 2


def test_plans_that_the_search_by_patient_does_not_show_yet_are_looked_for_by_themselves(
    sekmet, tmp_path
):
    """A server may find late what it stored, by one parameter and not by another."""
    fill(tmp_path, sekmet)

    def late(asked, body):
        by_patient = (
            asked.method == "GET" and "&patient=" in asked.path and "CarePlan" in asked.path
        )
        return {**body, "total": 0, "entry": []} if by_patient else body

    with run_proxy(sekmet, answer=late) as proxy:
        told, kinds = counted(proxy, tmp_path)
        assert told == {"created": MANY}
        # The first are waited for, in vain; then nobody waits any more.
        assert MANY < kinds["GET /CarePlan patient"] < 4 * MANY
        told, kinds = counted(proxy, tmp_path)
        assert told == {"unchanged": MANY}
        assert kinds["GET /CarePlan patient"] >= MANY  # It looks again for what was not seen.


def test_where_a_list_does_not_show_them_each_is_looked_for_alone(sekmet, tmp_path):
    """Afterwards each is read back whole, by itself, and the rivals are what that look shows."""
    fill(tmp_path, sekmet)

    def late(asked, body):
        is_list = re.match(r"/CarePlan\?.*&patient=[^&]*%2C", asked.path)
        return {**body, "total": 0, "entry": []} if asked.method == "GET" and is_list else body

    with run_proxy(sekmet, answer=late) as proxy:
        told, kinds = counted(proxy, tmp_path)
        assert told == {"created": MANY}
        assert kinds["GET /CarePlan identifier"] == kinds["GET /CarePlan patient"] == 4 + MANY
        assert kinds["GET /CarePlan _id"] == 2 + MANY
        told, kinds = counted(proxy, tmp_path)
        assert (told, kinds.total()) == ({"unchanged": MANY}, 4)


def test_a_copy_is_seen_among_the_patients_plans(sekmet, tmp_path):
    """A careless server stores a plan twice while it is sent."""
    fill(tmp_path, sekmet)

    def copy(stage, asked):
        if stage == "after" and asked.writes and b"Patient/p3" in asked.body:
            (made,) = stored(sekmet, "CarePlan", patient="p3")
            copied = {name: each for name, each in made.items() if name not in ("id", "meta")}
            requests.post(f"{sekmet}/CarePlan", json=copied, timeout=60).raise_for_status()

    with run_proxy(sekmet, watch=copy) as proxy:
        told, _ = counted(proxy, tmp_path)
    assert told == {"created": MANY}
    found = stored(sekmet, "CarePlan", patient="p3")
    assert sorted(each["status"] for each in found) == ["draft", "entered-in-error"]


@pytest.mark.parametrize("known", [True, False])
def test_references_that_the_server_lacks_are_asked_for_together_too(sekmet, tmp_path, known):
    """A plan of LUNG names some seventeen findings; another server has none of them."""
    lacking = [{"reference": f"Condition/{each}"} for each in "abc"]
    fill(tmp_path, sekmet, addresses=lacking)
    how = {} if known else {"statement": unknown}
    with run_proxy(sekmet, **how) as proxy:
        told, kinds = counted(proxy, tmp_path)
    assert told == {"created": MANY}
    assert [kind for kind in kinds if kind.startswith("GET /Condition/")] == []
    assert all("reference" not in each["addresses"][0] for each in stored(sekmet, "CarePlan"))


def cut(asked):
    """Leave the first value of each list alone."""
    path, mark, query = asked.path.partition("?")
    kept = [each.partition("%2C")[0] for each in query.split("&")]
    asked.path = f"{path}{mark}{'&'.join(kept)}"


@pytest.mark.parametrize("many", [1, 4])
def test_such_a_server_keeps_the_references_by_id(sekmet, tmp_path, many):
    for number in range(many):
        register(sekmet, number)
        subject = {"reference": f"Patient/p{number}"}
        conditions = [f"c{number}", f"d{number}"]
        for each in conditions:
            put(sekmet, {"resourceType": "Condition", "id": each, "subject": subject})
        addresses = [{"reference": f"Condition/{each}"} for each in conditions]
        write(tmp_path, f"{number}", plan_of(number, addresses=addresses))
    with run_proxy(sekmet, statement=unknown, change=cut) as proxy:
        _, rows, _ = run(tmp_path, "--to", proxy.base)
    assert [(row["result"], row["differences"]) for row in rows] == [("created", [])] * many
    kept = [each["reference"] for plan in stored(sekmet, "CarePlan") for each in plan["addresses"]]
    assert sorted(kept) == sorted(
        f"Condition/{kind}{number}" for number in range(many) for kind in "cd"
    )


def test_a_server_that_reads_the_first_value_of_a_list_alone_loses_no_plan(sekmet, tmp_path):
    """The open plan of each patient is found all the same, and ended."""
    fill(tmp_path, sekmet)
    assert results(tmp_path, sekmet) == ["created"] * MANY
    for number in range(MANY):
        later = plan_of(number, value=f"later{number}", created="2025-05-01")
        write(tmp_path, f"{number}", later)

    with run_proxy(sekmet, statement=unknown, change=cut) as proxy:
        assert results(tmp_path, proxy.base) == ["superseded"] * MANY
    status = Counter(each["status"] for each in stored(sekmet, "CarePlan"))
    assert status == {"draft": MANY, "revoked": MANY}


def test_where_common_searches_are_refused_each_plan_asks_alone(sekmet, tmp_path):
    fill(tmp_path, sekmet)

    def refuse(asked):
        return 414 if asked.path.count("%2C") > 1 else None

    with run_proxy(sekmet, refuse=refuse) as proxy:
        told, kinds = counted(proxy, tmp_path)
    assert told == {"created": MANY}
    assert len(stored(sekmet, "CarePlan")) == MANY
    assert kinds["GET /CarePlan patient"] >= 2 * MANY


def first_of(*numbers):
    """Return a fault that makes the server busy for the first write of these patients' plans."""
    left = {f'"n{number}"'.encode() for number in numbers}

    def busy(asked):
        hit = {each for each in left if asked.writes and each in asked.body}
        left.difference_update(hit)
        return "503" if hit else None

    return busy


def test_a_plan_that_fails_in_a_group_is_tried_again_and_the_others_go_on(sekmet, tmp_path):
    fill(tmp_path, sekmet)
    with run_proxy(sekmet, fault=first_of(7)) as proxy:
        told, kinds = counted(proxy, tmp_path)
    assert (told, kinds["POST /"]) == ({"created": MANY}, MANY + 1)
    assert len(stored(sekmet, "CarePlan")) == MANY


def test_those_that_fail_wait_beside_each_other(sekmet, tmp_path):
    fill(tmp_path, sekmet)
    both = threading.Barrier(2)
    with (
        run_proxy(sekmet, fault=first_of(7, 8)) as proxy,
        closing(Ledger(None)) as ledger,
    ):
        target = Target("it", lambda: HttpRepository(proxy.base), ledger)
        outcomes = sync_plans(
            read_plans([tmp_path])[0],
            [target],
            random=lambda: 0.5,
            pause=lambda seconds: seconds > 1 or both.wait(20),
        )
    assert both.n_waiting == 0
    assert not both.broken
    assert {each.result for each in outcomes} == {"created"}


def test_a_dry_run_asks_for_several_plans_at_once(sekmet, tmp_path):
    fill(tmp_path, sekmet)
    config = tmp_path / "servers.toml"
    config.write_text(f'[[server]]\nname = "it"\nurl = "{sekmet}"\n')
    assert results(tmp_path, "it", "--config", config) == ["created"] * MANY
    fill(tmp_path, sekmet, title="Another")
    under_way = [0, 0]
    lock = threading.Lock()

    def watch(stage, asked):
        if not asked.path.startswith("/Goal"):
            return
        with lock:
            under_way[0] += 1 if stage == "before" else -1
            under_way[1] = max(under_way)
        if stage == "before":
            time.sleep(0.05)

    with run_proxy(sekmet, watch=watch) as proxy:
        config.write_text(f'[[server]]\nname = "it"\nurl = "{proxy.base}"\n')
        told = results(tmp_path, "it", "--config", config, "--dry-run")
    assert told == ["updated"] * MANY
    assert under_way[1] > 1


def test_two_patients_of_the_input_that_are_one_on_the_server_keep_their_order(sekmet, tmp_path):
    register(sekmet, 1)
    mrn = {"system": "https://hospital.example/mrn", "value": "1"}
    write(tmp_path, "a", plan_of(1, value="a"))
    by_words = named("b", subject={"identifier": mrn}, created="2025-05-01", contained=None)
    write(tmp_path, "b", {**by_words, "goal": [], "activity": []})
    for number in (2, 3):  # So that the two go in one group.
        register(sekmet, number)
        write(tmp_path, f"{number}", plan_of(number, value=f"{number}", created="2025-06-01"))
    with run_proxy(sekmet) as proxy:
        _, rows, _ = run(tmp_path, "--to", proxy.base, "--connections", "1")
    assert [row["result"] for row in rows] == ["created", "superseded", "created", "created"]
    assert len(rows[1]["references"]) == 2
