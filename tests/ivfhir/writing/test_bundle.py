"""The transaction of an accepted plan."""

import json

from ivfhir.fhir.json import dumps
from ivfhir.writing.bundle import (
    PLAN_SYSTEM,
    created_entries,
    to_care_plan_alone,
    to_transaction,
    value_of,
)
from tests.ivfhir.small_plan import PLAN_ID, accepted


def transaction(**options):
    return to_transaction(accepted(), plan_id=PLAN_ID, **options)


def by_value(bundle):
    return {value_of(entry["resource"]): entry for entry in created_entries(bundle)}


def test_every_part_becomes_an_entry_of_its_own():
    bundle = transaction()
    assert bundle["type"] == "transaction"
    assert [entry["resource"]["resourceType"] for entry in bundle["entry"]] == [
        "CarePlan",
        "RequestGroup",
        "ServiceRequest",
        "Goal",
        "Provenance",
    ]
    assert all("contained" not in entry["resource"] for entry in bundle["entry"])
    assert all("id" not in entry["resource"] for entry in bundle["entry"])


def test_references_point_to_the_entries():
    entries = by_value(transaction())
    plan, group = entries["d1"], entries["d1.group"]
    request, goal, signature = entries["d1.P.1"], entries["d1.P-O1"], entries["d1.signature"]
    assert plan["resource"]["activity"][0]["reference"]["reference"] == group["fullUrl"]
    assert plan["resource"]["goal"] == [{"reference": goal["fullUrl"]}]
    assert group["resource"]["action"][0]["resource"]["reference"] == request["fullUrl"]
    assert request["resource"]["basedOn"] == [{"reference": plan["fullUrl"]}]
    assert signature["resource"]["target"][0]["reference"] == plan["fullUrl"]
    assert "#" not in json.dumps([entry["fullUrl"] for entry in entries.values()])


def test_each_part_is_created_only_when_its_identifier_is_new():
    entries = by_value(transaction())
    assert entries["d1"]["request"] == {
        "method": "POST",
        "url": "CarePlan",
        "ifNoneExist": f"identifier={PLAN_SYSTEM}|d1",
    }
    assert entries["d1.P.1"]["resource"]["identifier"] == [
        {"system": PLAN_SYSTEM, "value": "d1.P.1"}
    ]


def test_a_provenance_carries_the_identifier_as_a_tag():
    signature = by_value(transaction())["d1.signature"]
    assert signature["resource"]["meta"]["tag"] == [{"system": PLAN_SYSTEM, "code": "d1.signature"}]
    assert signature["request"]["ifNoneExist"] == f"_tag={PLAN_SYSTEM}|d1.signature"


def test_types_that_a_server_cannot_search_are_created_without_condition():
    entries = by_value(transaction(conditional=lambda name: name != "Goal"))
    assert "ifNoneExist" not in entries["d1.P-O1"]["request"]
    assert "ifNoneExist" in entries["d1.P.1"]["request"]


def test_the_same_plan_gives_the_same_bytes_and_digits():
    assert dumps(transaction()) == dumps(transaction())
    assert '"value": 1.50' in dumps(transaction())


def test_another_plan_has_other_names():
    other = to_transaction(accepted(), plan_id="d2")
    assert {entry["fullUrl"] for entry in other["entry"]}.isdisjoint(
        entry["fullUrl"] for entry in transaction()["entry"]
    )


def test_a_replaced_plan_is_revoked_only_at_the_version_that_was_read():
    old = {
        "resourceType": "CarePlan",
        "id": "old",
        "meta": {"versionId": "3"},
        "status": "active",
        "note": [{"text": "kept"}],
    }
    entry = transaction(revoke=[old])["entry"][-1]
    assert entry["request"] == {"method": "PUT", "url": "CarePlan/old", "ifMatch": 'W/"3"'}
    assert entry["resource"] == {**old, "status": "revoked"}


def test_a_care_plan_alone_holds_its_parts_and_points_into_itself():
    plan = accepted()
    (entry,) = to_care_plan_alone(plan, plan_id=PLAN_ID)["entry"]
    made = entry["resource"]
    kinds = [each["resourceType"] for each in made["contained"]]
    assert kinds == ["RequestGroup", "ServiceRequest", "Goal"]
    assert "id" not in made
    assert value_of(made) == PLAN_ID
    assert entry["request"] == {
        "method": "POST",
        "url": "CarePlan",
        "ifNoneExist": f"identifier={PLAN_SYSTEM}|{PLAN_ID}",
    }
    assert made["activity"] == plan["activity"]
    assert made["contained"] == plan["contained"][:3]
    (bare,) = to_care_plan_alone(plan, plan_id=PLAN_ID, conditional=lambda _: False)["entry"]
    assert "ifNoneExist" not in bare["request"]


def test_a_resource_of_others_carries_no_plan_identifier():
    assert (
        value_of({"resourceType": "CarePlan", "identifier": [{"system": "x", "value": "1"}]})
        is None
    )
