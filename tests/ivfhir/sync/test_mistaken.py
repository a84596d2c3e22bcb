"""What a sync must not mistake: another plan for its own, an edit or a deletion for nothing."""

import itertools

import pytest
import requests

from tests.ivfhir.sync.scene import CANONICAL, named, put, run, small, stored, write
from tests.servers.fault_proxy import run_proxy

OWN = "https://example.org/plans"
EPISODE = {"system": "https://hospital.example/episode", "value": "E1"}
ORDER = [{"system": "https://hospital.example/order", "value": "77"}]
LATER = "2025-04-03T10:00:00+01:00"

pytestmark = pytest.mark.server


def told(folder, to, *more):
    _, rows, sentence = run(folder, "--to", to, *more)
    assert rows, sentence
    return [row["result"] for row in rows]


def forget(folder):
    for each in folder.glob(".ivfhir-sync*"):
        each.unlink()


def of_episode(value, *more, **changes):
    first = {"system": OWN, "value": value}
    protocol = [f"https://example.org/PlanDefinition/{value}"]
    changes = {"instantiatesCanonical": protocol, **changes}
    return small(identifier=[first, EPISODE, *more], **changes)


def test_plans_that_share_a_second_identifier_are_two(base, tmp_path):
    write(tmp_path, "a", of_episode("A", title="Plan A"))
    write(tmp_path, "b", of_episode("B", title="Plan B", created=LATER))
    assert told(tmp_path, base, "--dry-run") == ["created", "created"]
    assert told(tmp_path, base) == ["created", "created"]
    assert {each["title"] for each in stored(base, "CarePlan")} == {"Plan A", "Plan B"}
    forget(tmp_path)
    assert told(tmp_path, base) == ["unchanged", "unchanged"]


def test_a_plan_that_may_be_another_is_a_conflict(base, tmp_path):
    theirs = small(identifier=[{"system": OWN, "value": "X"}, EPISODE], contained=None)
    put(base, {**theirs, "id": "theirs", "goal": [], "activity": []})
    write(tmp_path, "b", of_episode("B"))
    _, (row,), _ = run(tmp_path, "--to", base)
    assert (row["result"], row["references"]) == ("conflict", ["CarePlan/theirs"])
    assert [each["title"] for each in stored(base, "CarePlan")] == ["A plan"]


@pytest.mark.parametrize("ledger", [True, False])
def test_a_plan_whose_identifiers_come_in_another_order_is_the_same(base, tmp_path, ledger):
    write(tmp_path, "a", of_episode("A"))
    assert told(tmp_path, base) == ["created"]
    turned = of_episode("A", title="Changed")
    turned["identifier"] = turned["identifier"][::-1]
    write(tmp_path, "a", turned)
    if not ledger:
        forget(tmp_path)
    assert told(tmp_path, base) == ["updated"]
    assert told(tmp_path, base) == ["unchanged"]
    (there,) = stored(base, "CarePlan")
    assert there["title"] == "Changed"
    assert len(stored(base, "ServiceRequest")) == 1


def test_a_plan_that_is_over_ends_no_plan_in_force(base, tmp_path):
    active = {"resourceType": "CarePlan", "id": "act", "status": "active", "intent": "order"}
    put(
        base,
        {
            **active,
            "instantiatesCanonical": [CANONICAL],
            "subject": {"reference": "Patient/p"},
            "created": "2025-05-05",
        },
    )
    over = named("done", status="completed", intent="plan", contained=None, goal=None)
    write(tmp_path, "a", {**over, "activity": [], "replaces": [{"reference": "CarePlan/act"}]})
    assert told(tmp_path, base) == ["created"]
    forget(tmp_path)
    assert told(tmp_path, base) == ["unchanged"]
    assert {each["id"]: each["status"] for each in stored(base, "CarePlan")}["act"] == "active"


@pytest.mark.parametrize("ledger", [True, False])
def test_an_edit_that_names_another_order_is_a_conflict(base, tmp_path, ledger):
    write(tmp_path, "a", named("A"))
    told(tmp_path, base)
    (order,) = stored(base, "ServiceRequest")
    put(base, {**order, "id": "real", "identifier": [], "meta": {}, "status": "active"})
    (group,) = stored(base, "RequestGroup")
    group["action"][0]["resource"] = {"reference": "ServiceRequest/real"}
    put(base, group)
    if not ledger:
        forget(tmp_path)
    code, (row,), _ = run(tmp_path, "--to", base)
    assert (code, row["result"]) == (6, "conflict")
    assert "RequestGroup.action" in {each.get("element") for each in row["differences"]}


def test_orders_that_change_places_in_the_input_are_sent(base, tmp_path):
    plan = named("A")
    group, look, goal = plan["contained"]
    scan = {**look, "id": "scan", "code": {"text": "Scan"}}
    plan["contained"] = [group, look, scan, goal]
    ways = [["#look", "#scan"], ["#scan", "#look"]]
    for number, way in enumerate(ways):
        group["action"] = [
            {"title": title, "resource": {"reference": key}}
            for title, key in zip(("First", "Second"), way, strict=True)
        ]
        write(tmp_path, "a", plan)
        assert told(tmp_path, base) == [("created", "updated")[number]]
    assert told(tmp_path, base) == ["unchanged"]
    (there,) = stored(base, "RequestGroup")
    orders = {f"ServiceRequest/{each['id']}": each for each in stored(base, "ServiceRequest")}
    names = [orders[each["resource"]["reference"]]["code"]["text"] for each in there["action"]]
    assert names == ["Scan", "Look"]


def test_words_that_somebody_wrote_into_a_narrative_are_not_overwritten(base, tmp_path):
    def text(words):
        return {
            "status": "additional",
            "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{words}</div>',
        }

    write(tmp_path, "a", named("A", text=text("Plan.")))
    told(tmp_path, base)
    (there,) = stored(base, "CarePlan")
    put(base, {**there, "text": text("Plan. Allergic to contrast!")})
    write(tmp_path, "a", named("A", title="Changed", text=text("Plan.")))
    _, (row,), _ = run(tmp_path, "--to", base)
    assert row["result"] == "conflict"
    assert "CarePlan.text" in {each.get("element") for each in row["differences"]}
    assert "Allergic" in stored(base, "CarePlan")[0]["text"]["div"]


def with_order(value, **changes):
    plan = named(value, **changes)
    plan["contained"][1]["identifier"] = ORDER
    return plan


def test_an_order_that_a_newer_plan_keeps_stays_open(base, tmp_path):
    write(tmp_path, "a", with_order("A"))
    told(tmp_path, base)
    write(tmp_path, "b", with_order("B", created=LATER))
    assert told(tmp_path, base) == ["unchanged", "superseded"]
    (order,) = stored(base, "ServiceRequest")
    assert order["status"] == "draft"


def test_an_order_that_another_plan_has_too_stays_when_one_drops_it(base, tmp_path):
    write(tmp_path, "a", with_order("A"))
    write(tmp_path, "b", with_order("B", instantiatesCanonical=["https://example.org/Other"]))
    assert told(tmp_path, base) == ["created", "created"]
    without = with_order("A", goal=None, activity=None)
    del without["contained"]
    write(tmp_path, "a", without)
    _, rows, _ = run(tmp_path, "--to", base)
    assert [row["result"] for row in rows] == ["updated", "unchanged"]
    (order,) = stored(base, "ServiceRequest")
    assert order["status"] == "draft"
    texts = {each["reference"]: each["text"] for each in rows[0]["differences"]}
    other = rows[1]["references"][0]
    assert texts[f"ServiceRequest/{order['id']}"] == (
        f"The input dropped it, and it stays draft: {other} has it, too."
    )


@pytest.mark.parametrize("kind", ["ServiceRequest", "CarePlan"])
def test_what_was_deleted_stays_so_after_an_update_that_was_refused(base, tmp_path, kind):
    write(tmp_path, "a", named("A"))
    with run_proxy(base) as proxy:
        assert told(tmp_path, proxy.base) == ["created"]
        write(tmp_path, "a", named("A", title="Changed"))
        proxy.refuse = lambda asked: 422 if asked.writes else None
        assert told(tmp_path, proxy.base) == ["parked"]
        proxy.refuse = lambda asked: None
        for each in stored(base, kind):
            requests.delete(f"{base}/{kind}/{each['id']}", timeout=60).raise_for_status()
        assert told(tmp_path, proxy.base) == ["conflict"]
    assert stored(base, kind) == []


def test_a_plan_that_a_search_no_longer_shows_is_read_where_it_was(base, tmp_path):
    def hidden(asked, body):
        is_search = isinstance(body, dict) and body.get("type") == "searchset"
        if not is_search or "/CarePlan" not in asked.path:
            return body
        return {**body, "total": 0, "entry": []}

    write(tmp_path, "a", named("A"))
    with run_proxy(base, answer=hidden) as proxy:
        assert told(tmp_path, proxy.base) == ["created"]
        assert told(tmp_path, proxy.base) == ["unchanged"]


def test_a_plan_marked_wrong_after_another_took_its_place_is_told(base, tmp_path):
    write(tmp_path, "a", named("A"))
    told(tmp_path, base)
    write(tmp_path, "b", named("B", created=LATER))
    assert told(tmp_path, base) == ["unchanged", "superseded"]
    write(tmp_path, "a", named("A", status="entered-in-error"))
    assert told(tmp_path, base) == ["refused", "unchanged"]


def test_an_order_that_stays_open_beside_a_newer_plan_is_named(base, tmp_path):
    def with_drug(value, **changes):
        plan = named(value, **changes)
        order = {"resourceType": "MedicationRequest", "id": "look", "status": "draft"}
        order |= {"intent": "proposal", "subject": {"reference": "Patient/p"}}
        plan["contained"][1] = order | {"medicationReference": {"reference": "#drug"}}
        drug = {"resourceType": "Medication", "id": "drug", "code": {"text": "A drug"}}
        return plan | {"contained": [*plan["contained"], drug]}

    write(tmp_path, "a", with_drug("A"))
    told(tmp_path, base)
    write(tmp_path, "b", with_drug("B", created=LATER))
    _, (_, row), _ = run(tmp_path, "--to", base)
    drafts = {f"MedicationRequest/{each['id']}" for each in stored(base, "MedicationRequest")}
    assert row["result"] == "superseded"
    (line,) = (each for each in row["differences"] if each["reference"] in drafts)
    assert line["text"] == "It stays draft: it is not as it was written."


def test_a_diet_ends_with_the_plan_that_ordered_it(base, tmp_path):
    def with_diet(value, **changes):
        plan = named(value, **changes)
        diet = {"resourceType": "NutritionOrder", "id": "look", "status": "draft"}
        diet |= {"intent": "proposal", "patient": {"reference": "Patient/p"}}
        diet |= {"dateTime": "2025-03-03", "oralDiet": {"instruction": "Soft"}}
        plan["contained"][1] = diet
        return plan

    write(tmp_path, "a", with_diet("A"))
    told(tmp_path, base)
    write(tmp_path, "b", with_diet("B", created=LATER))
    assert told(tmp_path, base) == ["unchanged", "superseded"]
    statuses = sorted(each["status"] for each in stored(base, "NutritionOrder"))
    assert statuses == ["draft", "revoked"]


def test_a_part_that_the_server_took_and_lost_is_told_and_sent_by_the_next_run(base, tmp_path):
    def lose(stage, asked):
        if stage == "after" and asked.method == "POST":
            for each in stored(base, "ServiceRequest"):
                requests.delete(f"{base}/ServiceRequest/{each['id']}", timeout=60)

    write(tmp_path, "a", named("A"))
    unknown = {"software": {"name": "a server"}}
    with run_proxy(base, statement=lambda own: {**own, **unknown}, watch=lose) as proxy:
        _, (row,), _ = run(tmp_path, "--to", proxy.base)
        assert row["result"] == "parked"
        assert "the next run sends it" in row["outcome"]["issue"][0]["diagnostics"]
        proxy.watch = lambda stage, asked: None
        assert told(tmp_path, proxy.base) == ["updated"]
        assert told(tmp_path, proxy.base) == ["unchanged"]
    (order,), (group,) = stored(base, "ServiceRequest"), stored(base, "RequestGroup")
    assert group["action"][0]["resource"]["reference"] == f"ServiceRequest/{order['id']}"
    assert len(stored(base, "CarePlan")) == 1


def one_order(value):
    plan = named(value, goal=None)
    plan["contained"] = [plan["contained"][1]]
    plan["activity"] = [{"reference": {"reference": "#look"}}]
    return plan


def no_transaction(own):
    kinds = ("Patient", "CarePlan", "RequestGroup", "ServiceRequest", "Goal")
    codes = [{"code": each} for each in ("create", "read", "update", "search-type")]
    resources = [{"type": each, "interaction": codes} for each in kinds]
    rest = {"mode": "server", "interaction": [{"code": "search-system"}], "resource": resources}
    return {**own, "software": {"name": "a server"}, "rest": [rest]}


@pytest.mark.parametrize("at", [1, 2, 3])
@pytest.mark.parametrize("kind", ["drop-before", "drop-after", "500-html", "412"])
def test_orders_written_one_by_one_get_their_references_whatever_fails(base, tmp_path, kind, at):
    writes = itertools.count(1)

    def fault(asked):
        return kind if asked.writes and next(writes) == at else None

    write(tmp_path, "a", one_order("A"))
    with run_proxy(base, statement=no_transaction, fault=fault) as proxy:
        assert told(tmp_path, proxy.base) == ["created"]
    (plan,), (order,) = stored(base, "CarePlan"), stored(base, "ServiceRequest")
    assert order["basedOn"] == [{"reference": f"CarePlan/{plan['id']}"}]
