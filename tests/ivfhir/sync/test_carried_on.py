"""What a sync finds of an earlier one, or of another's, and goes on from: nothing old stays."""

import pytest
import requests

from ivfhir.writing.bundle import PLAN_SYSTEM
from tests.ivfhir.sync.scene import named, put, run, stored, write
from tests.ivfhir.sync.test_door import ONE_BY_ONE, no_transactions
from tests.ivfhir.sync.test_mistaken import LATER, ORDER, forget, told, with_order
from tests.servers.fault_proxy import run_proxy

pytestmark = pytest.mark.server


def of_dose(words, value="A", **changes):
    plan = named(value, title=words, **changes)
    plan["contained"][1]["code"] = {"text": words}
    return plan


def with_scan(words="Scan"):
    plan = named("A")
    scan = {**plan["contained"][1], "id": "scan", "code": {"text": words}}
    plan["contained"].append(scan)
    action = {"title": "Scan", "resource": {"reference": "#scan"}}
    plan["contained"][0]["action"].append(action)
    return plan


def of_one_order(words="Look"):
    """Return a plan of which every type can be looked for by identifier."""
    plan = of_dose(words, goal=None)
    order = plan["contained"][1]
    return {**plan, "contained": [order], "activity": [{"reference": {"reference": "#look"}}]}


def doses(to):
    return [each["code"]["text"] for each in stored(to, "ServiceRequest")]


class Dying:
    """A server that does the next write and does not answer any more."""

    def __init__(self):
        self.armed = self.dead = False

    def __call__(self, asked):
        if self.dead:
            return "drop-before"
        if self.armed and asked.writes:
            self.dead = True
            return "drop-after"
        return None


def test_an_input_that_goes_back_after_a_lost_answer_is_sent_again(base, tmp_path):
    dying = Dying()
    with run_proxy(base, fault=dying) as proxy:
        write(tmp_path, "a", of_dose("10 mg"))
        assert told(tmp_path, proxy.base) == ["created"]
        dying.armed = True
        write(tmp_path, "a", of_dose("20 mg"))
        assert told(tmp_path, proxy.base) == ["parked"]
        assert doses(base) == ["20 mg"]
        dying.armed = dying.dead = False
        write(tmp_path, "a", of_dose("10 mg"))
        assert told(tmp_path, proxy.base) == ["updated"]
        assert doses(base) == ["10 mg"]
        assert told(tmp_path, proxy.base) == ["unchanged"]


def test_what_another_ledger_sent_since_is_brought_to_this_input(base, tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    for folder, dose, result in ((one, "10 mg", "created"), (other, "20 mg", "updated")):
        folder.mkdir()
        write(folder, "a", of_dose(dose))
        assert told(folder, base) == [result]
    assert told(one, base) == ["updated"]
    assert doses(base) == ["10 mg"]


def test_a_plan_of_a_shared_identifier_alone_is_not_overwritten_by_another(base, tmp_path):
    episode = {"system": "https://hospital.example/episode", "value": "E1"}
    first = named("A", title="Of the episode")
    write(tmp_path, "a", {**first, "identifier": [episode]})
    second = named("B", instantiatesCanonical=["https://example.org/Other"], created=LATER)
    write(tmp_path, "b", {**second, "identifier": [*second["identifier"], episode]})
    assert told(tmp_path, base) == ["created", "conflict"]
    assert told(tmp_path, base) == ["unchanged", "conflict"]
    assert [each["title"] for each in stored(base, "CarePlan")] == ["Of the episode"]


def breaks_before_the_plan(to, folder):
    """Let a sync one by one break off when everything but the CarePlan is there."""
    dead = []

    def fault(asked):
        if dead or (asked.method == "POST" and asked.path.startswith("/CarePlan")):
            dead.append(asked)
            return "drop-before"
        return None

    with run_proxy(to, refuse=no_transactions, statement=ONE_BY_ONE, fault=fault) as proxy:
        assert told(folder, proxy.base) == ["parked"]


def test_an_order_that_somebody_began_after_a_run_broke_off_stays_begun(base, tmp_path):
    write(tmp_path, "a", of_one_order())
    breaks_before_the_plan(base, tmp_path)
    (order,) = stored(base, "ServiceRequest")
    put(base, {**order, "status": "active", "note": [{"text": "Done today."}]})
    with run_proxy(base, refuse=no_transactions, statement=ONE_BY_ONE) as proxy:
        _, (row,), _ = run(tmp_path, "--to", proxy.base)
        where = f"ServiceRequest/{order['id']}"
        assert row["result"] == "created"
        assert "status is not as it was sent." in {
            each["text"] for each in row["differences"] if each.get("reference") == where
        }
        (there,) = stored(base, "ServiceRequest")
        assert (there["status"], there["note"]) == ("active", [{"text": "Done today."}])
        assert told(tmp_path, proxy.base) == ["conflict"]


def test_an_order_of_a_run_that_broke_off_is_brought_to_the_corrected_input(base, tmp_path):
    write(tmp_path, "a", of_one_order("10 mg"))
    breaks_before_the_plan(base, tmp_path)
    assert doses(base) == ["10 mg"]
    write(tmp_path, "a", of_one_order("5 mg"))
    with run_proxy(base, refuse=no_transactions, statement=ONE_BY_ONE) as proxy:
        assert told(tmp_path, proxy.base) == ["created"]
        assert doses(base) == ["5 mg"]
        assert told(tmp_path, proxy.base) == ["unchanged"]
    (order,) = stored(base, "ServiceRequest")
    assert order["basedOn"][0]["reference"].startswith("CarePlan/")


def no_plans(asked):
    """Refuse CarePlans, after their parts were taken one by one."""
    is_plan = asked.method == "POST" and asked.path.startswith("/CarePlan")
    return no_transactions(asked) or (422 if is_plan else None)


def test_an_answer_of_200_to_a_create_lets_nothing_stay_of_a_refused_plan(base, tmp_path):
    """Some servers answer 200 where they created."""
    write(tmp_path, "a", of_one_order())
    with run_proxy(base, refuse=no_plans, statement=ONE_BY_ONE) as proxy:
        proxy.status = lambda asked, status: 200 if status == 201 else status
        assert told(tmp_path, proxy.base) == ["parked"]
    assert [each["status"] for each in stored(base, "ServiceRequest")] == ["entered-in-error"]


@pytest.mark.parametrize("ledger", [True, False])
@pytest.mark.parametrize("words", ["Scan", "Scan again"])
def test_an_order_that_the_input_has_again_is_a_new_draft(base, tmp_path, ledger, words):
    for plan, result in ((with_scan(), "created"), (named("A"), "updated")):
        write(tmp_path, "a", plan)
        assert told(tmp_path, base) == [result]
    if not ledger:
        forget(tmp_path)
    write(tmp_path, "a", with_scan(words))
    assert told(tmp_path, base) == ["updated"]
    assert told(tmp_path, base) == ["unchanged"]
    orders = {f"ServiceRequest/{each['id']}": each for each in stored(base, "ServiceRequest")}
    (group,) = stored(base, "RequestGroup")
    pointed = [orders[each["resource"]["reference"]] for each in group["action"]]
    assert [(each["code"]["text"], each["status"]) for each in pointed] == [
        ("Look", "draft"),
        (words, "draft"),
    ]


@pytest.mark.parametrize("known", [True, False])
def test_a_dropped_order_ends_where_no_ledger_knows_it_too(base, tmp_path, known):
    write(tmp_path, "a", with_scan())
    assert told(tmp_path, base) == ["created"]
    if not known:
        forget(tmp_path)
    write(tmp_path, "a", named("A"))
    assert told(tmp_path, base) == ["updated"]
    statuses = {each["code"]["text"]: each["status"] for each in stored(base, "ServiceRequest")}
    assert statuses == {"Look": "draft", "Scan": "revoked"}
    assert told(tmp_path, base) == ["unchanged"]


def test_an_order_that_another_open_plan_has_stays_when_one_is_superseded(base, tmp_path):
    write(tmp_path, "b", with_order("B"))
    other = {"instantiatesCanonical": ["https://example.org/Other"], "created": "2025-03-04"}
    write(tmp_path, "a", with_order("A", **other))
    assert told(tmp_path, base) == ["created", "created"]
    write(tmp_path, "c", named("C", created=LATER))
    _, (_, theirs, newest), _ = run(tmp_path, "--to", base)
    assert newest["result"] == "superseded"
    (shared,) = (each for each in stored(base, "ServiceRequest") if ORDER[0] in each["identifier"])
    assert shared["status"] == "draft"
    assert newest["differences"] == [
        {
            "reference": f"ServiceRequest/{shared['id']}",
            "text": f"It stays draft: {theirs['references'][0]} has it, too.",
        }
    ]


@pytest.mark.parametrize("known", [True, False])
def test_a_plan_that_stands_apart_keeps_its_form(base, tmp_path, known):
    """The server lets nobody create orders any more, and has those of the plan."""
    write(tmp_path, "a", named("A"))
    with run_proxy(base) as proxy:
        assert told(tmp_path, proxy.base) == ["created"]
        if not known:
            forget(tmp_path)
        proxy.statement = without_orders
        write(tmp_path, "a", named("A", title="Changed"))
        assert told(tmp_path, proxy.base) == ["updated"]
        assert told(tmp_path, proxy.base) == ["unchanged"]
    (plan,) = stored(base, "CarePlan")
    assert (plan["title"], plan.get("contained")) == ("Changed", None)
    assert [each["status"] for each in stored(base, "ServiceRequest")] == ["draft"]


def without_orders(statement):
    """Return a statement by which no ServiceRequest can be created."""
    for each in statement["rest"][0]["resource"]:
        if each["type"] == "ServiceRequest":
            codes = [code for code in each["interaction"] if code["code"] != "create"]
            each["interaction"] = codes
    return statement


def test_an_order_inside_a_plan_is_not_activated_either(base, tmp_path):
    write(tmp_path, "a", named("A"))
    with run_proxy(base, statement=without_orders) as proxy:
        assert told(tmp_path, proxy.base) == ["created"]
        (plan,) = stored(base, "CarePlan")
        assert len(plan["contained"]) == 3
        changed = named("A")
        changed["contained"][1]["status"] = "active"
        write(tmp_path, "a", changed)
        _, (row,), _ = run(tmp_path, "--to", proxy.base)
        assert row["result"] == "refused"
        why = row["outcome"]["issue"][0]["diagnostics"]
        assert why.startswith("ServiceRequest/#look is a draft on the server")
    (plan,) = stored(base, "CarePlan")
    assert {each.get("status") for each in plan["contained"]} == {"draft", None}


def test_words_in_a_narrative_are_an_edit_without_the_ledger_too(base, tmp_path):
    def text(words):
        div = f'<div xmlns="http://www.w3.org/1999/xhtml">{words}</div>'
        return {"status": "additional", "div": div}

    write(tmp_path, "a", named("A", text=text("Plan.")))
    told(tmp_path, base)
    (there,) = stored(base, "CarePlan")
    put(base, {**there, "text": text("Plan. Allergic to latex!")})
    forget(tmp_path)
    _, (row,), _ = run(tmp_path, "--to", base)
    assert row["result"] == "conflict"
    assert [each["element"] for each in row["differences"]] == ["CarePlan.text"]


def test_a_group_that_somebody_changed_after_a_kill_is_a_conflict(base, tmp_path):
    """The ledger knows that it was sent, and not yet what was read back."""
    dying = Dying()
    dying.armed = True
    with run_proxy(base, fault=dying) as proxy:
        write(tmp_path, "a", named("A"))
        assert told(tmp_path, proxy.base) == ["parked"]
        (order,) = stored(base, "ServiceRequest")
        put(base, {**order, "id": "real", "identifier": [], "meta": {}, "status": "active"})
        (group,) = stored(base, "RequestGroup")
        group["action"][0]["resource"] = {"reference": "ServiceRequest/real"}
        put(base, group)
        dying.armed = dying.dead = False
        assert told(tmp_path, proxy.base) == ["conflict"]
    (group,) = stored(base, "RequestGroup")
    assert group["action"][0]["resource"] == {"reference": "ServiceRequest/real"}


def test_an_order_that_was_marked_wrong_after_a_kill_does_not_come_back(base, tmp_path):
    dying = Dying()
    dying.armed = True
    with run_proxy(base, fault=dying) as proxy:
        write(tmp_path, "a", named("A"))
        assert told(tmp_path, proxy.base) == ["parked"]
        (order,) = stored(base, "ServiceRequest")
        put(base, {**order, "status": "entered-in-error"})
        dying.armed = dying.dead = False
        assert told(tmp_path, proxy.base) == ["conflict"]
    assert [each["status"] for each in stored(base, "ServiceRequest")] == ["entered-in-error"]


def test_a_plan_refused_in_part_arrives_whole_once_it_is_taken(base, tmp_path):
    """Its parts of the first try are marked as entered in error, and are not taken for it."""
    write(tmp_path, "a", of_one_order())
    with run_proxy(base, refuse=no_plans, statement=ONE_BY_ONE) as proxy:
        assert told(tmp_path, proxy.base) == ["parked"]
        proxy.refuse, proxy.statement = lambda asked: None, lambda statement: statement
        assert told(tmp_path, proxy.base) == ["created"]
    (plan,) = stored(base, "CarePlan")
    order = plan["activity"][0]["reference"]["reference"].partition("/")[2]
    assert sorted(each["status"] for each in stored(base, "ServiceRequest")) == [
        "draft",
        "entered-in-error",
    ]
    answer = requests.get(f"{base}/ServiceRequest/{order}", timeout=60).json()
    assert answer["status"] == "draft"
    assert {each["system"] for each in answer["identifier"]} == {PLAN_SYSTEM}


def test_parts_that_nobody_may_read_do_not_keep_a_plan_from_being_told(base, tmp_path):
    """Without the ledger the server's plan is asked for parts that the input no longer has."""
    write(tmp_path, "a", with_scan())
    with run_proxy(base) as proxy:
        assert told(tmp_path, proxy.base) == ["created"]
        forget(tmp_path)
        write(tmp_path, "a", {**with_scan(), "title": "Changed"})
        proxy.refuse = lambda asked: 403 if "/Goal" in asked.path and not asked.writes else None
        assert told(tmp_path, proxy.base) == ["updated"]
