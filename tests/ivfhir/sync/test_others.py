"""Plans of others: each part arrives once, and what it contains, points to and signs with it."""

import pytest
import requests

from ivfhir.cli.main import main
from tests.ivfhir.sync.scene import MRN, named, patient, put, results, run, small, stored, write

SUBJECT = {"reference": "Patient/p"}
PATIENT = {"resourceType": "Patient", "id": "p", "identifier": [MRN]}
ELSEWHERE = {"subject": SUBJECT, "code": {"text": "Asthma"}}
MEDICINE = {
    "resourceType": "MedicationRequest",
    "id": "m",
    "status": "active",
    "intent": "order",
    "subject": SUBJECT,
    "medicationReference": {"reference": "#drug"},
    "contained": [{"resourceType": "Medication", "id": "drug", "code": {"text": "Iron"}}],
}


def write_bundle(folder, *resources):
    entries = [{"resource": each} for each in resources]
    write(folder, "bundle", {"resourceType": "Bundle", "type": "collection", "entry": entries})


def bare(value, **more):
    """Return a plan of no protocol, with an id."""
    none = {"contained": None, "goal": None, "activity": None, "instantiatesCanonical": None}
    return named(value, id=value, **(none | more))


def team(team_id):
    return {"resourceType": "CareTeam", "id": team_id, "status": "active", "subject": SUBJECT}


def signature(*targets):
    return {
        "resourceType": "Provenance",
        "id": "s",
        "target": [{"reference": each} for each in targets],
        "recorded": "2025-03-03T10:00:00Z",
        "agent": [{"who": {"display": "A system"}}],
    }


def test_a_provenance_of_a_whole_record_brings_no_more_than_the_plan(sekmet, tmp_path):
    patient(sekmet, "theirs")
    note = {"resourceType": "Condition", "id": "c", **ELSEWHERE}
    write_bundle(
        tmp_path,
        PATIENT,
        note,
        MEDICINE,
        team("a"),
        team("b"),
        bare("one", careTeam=[{"reference": "CareTeam/a"}]),
        bare("two", careTeam=[{"reference": "CareTeam/b"}]),
        signature(
            *("Patient/p", "Condition/c", "MedicationRequest/m", "CareTeam/a", "CareTeam/b"),
            *("CarePlan/one", "CarePlan/two"),
        ),
    )
    _, rows, _ = run(tmp_path, "--to", sekmet)
    assert [row["result"] for row in rows] == ["created", "created"]
    ((line,), _) = [row["differences"] for row in rows]
    assert (line["reference"], "5 more targets" in line["text"]) == ("Provenance/s", True)
    assert (len(stored(sekmet, "CareTeam")), stored(sekmet, "MedicationRequest")) == (2, [])
    for plan in stored(sekmet, "CarePlan"):
        (signed,) = stored(sekmet, "Provenance", target=f"CarePlan/{plan['id']}")
        named_there = {each["reference"] for each in signed["target"]}
        assert named_there == {f"CarePlan/{plan['id']}", plan["careTeam"][0]["reference"]}
    (tmp_path / ".ivfhir-sync.sqlite3").unlink()
    assert results(tmp_path, sekmet) == ["unchanged", "unchanged"]
    assert len(stored(sekmet, "CareTeam")) == 2


def test_what_a_part_beside_the_plan_contains_goes_with_it(sekmet, tmp_path):
    patient(sekmet, "theirs")
    drug = {"resourceType": "Medication", "id": "drug", "code": {"text": "Iron"}}
    sugar = {"resourceType": "Medication", "id": "drug", "code": {"text": "Glucose"}}
    orders = [MEDICINE, {**MEDICINE, "id": "n", "contained": [sugar]}]
    activity = [{"reference": {"reference": f"MedicationRequest/{each['id']}"}} for each in orders]
    write_bundle(tmp_path, PATIENT, *orders, bare("one", activity=activity))
    assert results(tmp_path, sekmet) == ["created"]
    inside = {}
    for each in stored(sekmet, "MedicationRequest"):
        (held,) = each["contained"]
        assert each["medicationReference"] == {"reference": f"#{held['id']}"}
        inside[held["code"]["text"]] = held
    assert set(inside) == {drug["code"]["text"], sugar["code"]["text"]}
    assert "contained" not in stored(sekmet, "CarePlan")[0]
    assert results(tmp_path, sekmet) == ["unchanged"]


def test_a_part_that_is_there_already_leaves_nothing_of_it_in_the_plan(sekmet, tmp_path):
    patient(sekmet, "theirs")
    order = {**MEDICINE, "identifier": [{"system": "https://example.org/orders", "value": "m"}]}
    activity = [{"reference": {"reference": "MedicationRequest/m"}}]
    write_bundle(tmp_path, PATIENT, order, bare("one", activity=activity))
    assert results(tmp_path, sekmet) == ["created"]
    write_bundle(tmp_path, PATIENT, order, bare("two", activity=activity))
    assert results(tmp_path, sekmet) == ["created"]
    assert len(stored(sekmet, "MedicationRequest")) == 1
    assert not any("contained" in each for each in stored(sekmet, "CarePlan"))


def test_what_stays_contained_points_to_the_patient_of_the_server(sekmet, tmp_path):
    patient(sekmet, "theirs")
    patient(sekmet, "p", identifier=[{**MRN, "value": "somebody else"}])
    asthma = {
        "resourceType": "Condition",
        "id": "c",
        **ELSEWHERE,
        "encounter": {"reference": "Encounter/e"},
    }
    write_bundle(
        tmp_path,
        PATIENT,
        bare("one", addresses=[{"reference": "#c"}], contained=[asthma]),
    )
    _, (row,), _ = run(tmp_path, "--to", sekmet)
    assert [each["reference"] for each in row["differences"]] == ["Encounter/e"]
    (plan,) = stored(sekmet, "CarePlan")
    (held,) = plan["contained"]
    assert held["subject"] == {"reference": "Patient/theirs"}
    assert held["encounter"] == {"type": "Encounter", "display": "Encounter/e"}


def test_what_is_contained_and_pointed_to_by_nothing_is_kept(sekmet, tmp_path):
    patient(sekmet)
    asthma = {"resourceType": "Condition", "id": "c", **ELSEWHERE}
    write(tmp_path, "plan", bare("one", contained=[asthma]))
    assert results(tmp_path, sekmet) == ["created"]
    assert [each["code"] for each in stored(sekmet, "CarePlan")[0]["contained"]] == [asthma["code"]]


def test_two_of_one_id_inside_the_plan_and_beside_it_are_told_apart(sekmet, tmp_path):
    patient(sekmet, "theirs")
    asthma = {"resourceType": "Condition", "id": "same", **ELSEWHERE}
    goal = {
        "resourceType": "Goal",
        "id": "same",
        "lifecycleStatus": "proposed",
        "description": {"text": "Breathe"},
        "subject": SUBJECT,
    }
    plan = bare(
        "one",
        contained=[asthma],
        addresses=[{"reference": "#same"}],
        goal=[{"reference": "Goal/same"}],
    )
    write_bundle(tmp_path, PATIENT, goal, plan)
    assert results(tmp_path, sekmet) == ["created"]
    (there,) = stored(sekmet, "CarePlan")
    assert there["addresses"] == [{"reference": f"#{there['contained'][0]['id']}"}]
    assert there["goal"] == [{"reference": f"Goal/{stored(sekmet, 'Goal')[0]['id']}"}]


def test_a_dry_run_takes_plans_of_no_protocol_for_no_rivals(sekmet, tmp_path):
    patient(sekmet)
    write(tmp_path, "one", bare("one", created=None))
    write(tmp_path, "two", bare("two", created=None))
    write(tmp_path, "three", named("three", created=None))
    write(tmp_path, "four", named("four", created=None, instantiatesCanonical=["urn:other|1"]))
    _, foretold, _ = run(tmp_path, "--to", sekmet, "--dry-run")
    _, done, _ = run(tmp_path, "--to", sekmet)
    assert [row["result"] for row in foretold] == [row["result"] for row in done] == ["created"] * 4


def test_a_dry_run_names_the_rival_of_the_input(sekmet, tmp_path):
    patient(sekmet)
    write(tmp_path, "one", named("one"))
    write(tmp_path, "two", named("two"))
    _, (_, row), _ = run(tmp_path, "--to", sekmet, "--dry-run")
    said = row["outcome"]["issue"][0]["diagnostics"]
    assert said.startswith("https://example.org/plans|one of this input is an open plan of this ")


def test_a_dry_run_finds_a_plan_that_an_earlier_one_of_the_input_would_be(sekmet, tmp_path):
    patient(sekmet, "theirs")
    later = {"partOf": [{"reference": "CarePlan/one"}], "created": "2025-04-01"}
    lost = {"basedOn": [{"reference": "CarePlan?identifier=https://example.org/plans|none"}]}
    write_bundle(tmp_path, PATIENT, bare("one"), bare("two", **later, **lost))
    rows = [run(tmp_path, "--to", sekmet, *more)[1] for more in (["--dry-run"], [])]
    assert rows[0] == [{**each, "references": []} for each in rows[1]]
    (told,) = rows[0][1]["differences"]
    assert told["reference"] == lost["basedOn"][0]["reference"]
    second = next(each for each in stored(sekmet, "CarePlan") if "partOf" in each)
    assert second["partOf"][0]["reference"].startswith("CarePlan/")


def test_a_reference_that_a_change_brings_and_the_server_lacks_is_told(sekmet, tmp_path):
    patient(sekmet, "theirs")
    write_bundle(tmp_path, PATIENT, bare("one", addresses=[{"reference": "Condition/c"}]))
    assert results(tmp_path, sekmet) == ["created"]
    asthma = {"resourceType": "Condition", "id": "d", **ELSEWHERE}
    both = [{"reference": "Condition/c"}, {"reference": "Condition/d"}]
    write_bundle(tmp_path, PATIENT, asthma, bare("one", addresses=both))
    for more in (["--dry-run"], []):
        _, (row,), _ = run(tmp_path, "--to", sekmet, *more)
        assert row["result"] == "updated"
        assert [each["reference"] for each in row["differences"]] == ["Condition/c", "Condition/d"]
    assert stored(sekmet, "CarePlan")[0]["addresses"][1] == {
        "type": "Condition",
        "display": "Condition/d",
    }
    _, (row,), _ = run(tmp_path, "--to", sekmet)
    assert (row["result"], row["differences"]) == ("unchanged", [])


def test_a_part_that_only_points_to_the_plan_is_found_without_the_ledger(sekmet, tmp_path):
    patient(sekmet)
    order = {**MEDICINE, "resourceType": "ServiceRequest", "basedOn": [{"reference": "#"}]}
    order = {k: v for k, v in order.items() if k not in ("contained", "medicationReference")}
    write(tmp_path, "plan", bare("one", contained=[order]))
    assert results(tmp_path, sekmet) == ["created"]
    (tmp_path / ".ivfhir-sync.sqlite3").unlink()
    assert results(tmp_path, sekmet) == ["unchanged"]
    (tmp_path / ".ivfhir-sync.sqlite3").unlink()
    (there,) = stored(sekmet, "ServiceRequest")
    requests.delete(f"{sekmet}/ServiceRequest/{there['id']}", timeout=60).raise_for_status()
    assert results(tmp_path, sekmet) == ["conflict"]


@pytest.mark.parametrize("protocol", [None, ["https://example.org/PlanDefinition/Q|1"]])
def test_what_a_plan_says_to_replace_ends_for_it_only_in_one_protocol(sekmet, tmp_path, protocol):
    patient(sekmet)
    write(tmp_path, "old", bare("old", status="active"))
    assert results(tmp_path, sekmet) == ["created"]
    (there,) = stored(sekmet, "CarePlan")
    old = [{"reference": f"CarePlan/{there['id']}"}]
    new = bare("new", created="2025-04-03", instantiatesCanonical=protocol, replaces=old)
    write(tmp_path, "new", new)
    assert results(tmp_path, sekmet) == ["unchanged", "created"]
    (tmp_path / ".ivfhir-sync.sqlite3").unlink()
    assert results(tmp_path, sekmet) == ["unchanged", "unchanged"]
    assert {each["status"] for each in stored(sekmet, "CarePlan")} == {"active", "draft"}


def test_a_patient_inside_the_plan_is_found_by_identifier_and_not_sent(sekmet, tmp_path):
    patient(sekmet, "theirs")
    inside = {key: value for key, value in PATIENT.items() if key != "id"} | {"id": "who"}
    who = {"reference": "#who"}
    goal = {
        "resourceType": "Goal",
        "id": "g",
        "lifecycleStatus": "proposed",
        "description": {"text": "Breathe"},
        "subject": who,
    }
    plan = bare("one", subject=who, goal=[{"reference": "#g"}], contained=[inside, goal])
    write(tmp_path, "plan", plan)
    assert results(tmp_path, sekmet) == ["created"]
    for kind in ("CarePlan", "Goal"):
        (there,) = stored(sekmet, kind)
        assert (there["subject"], "contained" in there) == ({"reference": "Patient/theirs"}, False)
    assert results(tmp_path, sekmet) == ["unchanged"]


def test_a_plan_of_a_group_is_refused_as_that(sekmet, tmp_path):
    write(tmp_path, "plan", bare("one", subject={"reference": "Group/g"}))
    _, (row,), _ = run(tmp_path, "--to", sekmet)
    assert row["result"] == "refused"
    assert "It is about a Group" in row["outcome"]["issue"][0]["diagnostics"]


def test_an_empty_identifier_is_none(sekmet, tmp_path):
    patient(sekmet)
    write(tmp_path, "plan", bare("one") | {"identifier": [{"system": "urn:x", "value": " "}]})
    _, (row,), _ = run(tmp_path, "--to", sekmet)
    assert row["result"] == "refused"
    assert "It has no identifier" in row["outcome"]["issue"][0]["diagnostics"]


def test_a_refusal_keeps_what_was_told_of_the_plan_and_the_text_says_both(sekmet, tmp_path, capsys):
    patient(sekmet)
    write(tmp_path, "plan", bare("one", created="31.12.2020"))
    code, (row,), _ = run(tmp_path, "--to", sekmet)
    assert (code, row["result"]) == (6, "parked")
    assert "CarePlan.created is no dateTime" in row["differences"][0]["text"]
    assert main(["sync", str(tmp_path), "--to", sekmet]) == code
    text = capsys.readouterr().out
    assert "CarePlan.created is no dateTime" in text
    assert row["outcome"]["issue"][1]["diagnostics"][:40] in text


def test_orders_that_name_the_patient_by_identifier_alone_end_with_their_plan(sekmet, tmp_path):
    patient(sekmet, "theirs")
    who = {"identifier": MRN}
    order = {
        "resourceType": "ServiceRequest",
        "id": "o",
        "status": "draft",
        "intent": "order",
        "subject": who,
        "code": {"text": "Look"},
    }
    task = {"resourceType": "Task", "id": "t", "status": "draft", "intent": "order", "for": who}
    activity = [{"reference": {"reference": f"#{each}"}} for each in ("o", "t")]
    own = {"subject": who, "activity": activity, "contained": [order, task]}
    protocol = ["https://example.org/PlanDefinition/P|1"]
    for name, created in (("one", "2025-03-03"), ("two", "2025-04-03")):
        plan = bare(name, **own, created=created, instantiatesCanonical=protocol)
        write(tmp_path, "plan", plan)
        run(tmp_path, "--to", sekmet)
    statuses = [sorted(each["status"] for each in stored(sekmet, "ServiceRequest"))]
    statuses.append(sorted(each["status"] for each in stored(sekmet, "Task")))
    assert statuses == [["draft", "revoked"], ["cancelled", "draft"]]
    assert stored(sekmet, "Task")[0]["for"] == {**who, "reference": "Patient/theirs"}


ORDER_NUMBER = {"system": "https://hospital.example/order", "value": "77"}


@pytest.mark.parametrize(
    ("statuses", "result"),
    [
        (["active", "active"], "refused"),
        (["active", "entered-in-error"], "created"),
        (["active"], "created"),
    ],
)
def test_an_order_that_the_server_has_more_than_once_gets_no_further_copy(
    sekmet, tmp_path, statuses, result
):
    patient(sekmet)
    plan = small()
    (look,) = (each for each in plan["contained"] if each["id"] == "look")
    look["identifier"] = [ORDER_NUMBER]
    for number, status in enumerate(statuses):
        put(sekmet, {**look, "id": f"x{number}", "status": status, "basedOn": []})
    write(tmp_path, "plan", plan)
    for options in (["--dry-run"], []):
        _, (row,), _ = run(tmp_path, "--to", sekmet, *options)
        assert row["result"] == result
        if result == "refused":
            said = row["outcome"]["issue"][0]["diagnostics"]
            assert "The server has 2 of the identifier of its ServiceRequest look" in said
            assert "(ServiceRequest/x0, ServiceRequest/x1)" in said
    assert len(stored(sekmet, "ServiceRequest")) == len(statuses)
    assert len(stored(sekmet, "CarePlan")) == (result == "created")


def test_a_reference_to_what_the_server_has_twice_is_kept_as_words_that_say_so(sekmet, tmp_path):
    patient(sekmet)
    for number in "xy":
        identifier = [{"system": "urn:npi", "value": "1"}]
        put(sekmet, {"resourceType": "Practitioner", "id": number, "identifier": identifier})
    written = "Practitioner?identifier=urn:npi|1"
    write(tmp_path, "plan", bare("one", author={"reference": written}))
    _, (row,), _ = run(tmp_path, "--to", sekmet)
    assert row["result"] == "created"
    assert row["differences"] == [
        {
            "reference": written,
            "text": "The server has 2 of that identifier (Practitioner/x, Practitioner/y); kept as "
            "words.",
        }
    ]
    (there,) = stored(sekmet, "CarePlan")
    assert there["author"]["identifier"] == {"system": "urn:npi", "value": "1"}
    assert "reference" not in there["author"]
