"""What is stored, compared with what was sent."""

from decimal import Decimal

import pytest

from ivfhir.errors import ForbiddenError, RejectedError, UnauthorisedError
from ivfhir.fhir.json import Written
from ivfhir.servers.memory import MemoryRepository
from ivfhir.writing.bundle import to_transaction
from ivfhir.writing.read_back import age_of, compare, differences, find_parts, read_parts
from tests.ivfhir.small_plan import PLAN_ID, accepted

SENT = {"resourceType": "Goal", "description": {"text": "No harm"}, "n": Decimal("1.50")}


def test_ids_and_meta_may_be_added():
    stored = {**SENT, "id": "7", "meta": {"versionId": "1"}, "text": {"status": "generated"}}
    assert list(differences(SENT, stored)) == []


@pytest.mark.parametrize(
    ("stored", "line"),
    [
        ({"description": {"text": "Harm"}}, "description.text is not as it was sent"),
        ({"description": {}}, "description.text is missing"),
        ({"description": {"text": "No harm", "id": "x"}}, None),
        (
            {"description": {"text": "No harm", "coding": []}},
            "description.coding was added by the EHR",
        ),
        ({"n": Decimal("1.5")}, None),
        ({"n": Decimal("1.51")}, "n is not as it was sent"),
        ({"n": True}, "n is not as it was sent"),
        ({"priority": {"text": "high"}}, "priority was added by the EHR"),
    ],
)
def test_each_difference_is_a_line(stored, line):
    assert list(differences(SENT, {**SENT, **stored})) == ([] if line is None else [line])


@pytest.mark.parametrize(
    ("sent", "stored", "is_same"),
    [
        ([{"a": True}], [{"a": 1}], False),
        ([1], [True], False),
        ({"a": 0}, {"a": False}, False),
        ({"a": Decimal("1.00")}, {"a": True}, False),
        ({"a": Decimal("-0.0")}, {"a": False}, False),
        ({"a": Decimal("0E-9")}, {"a": False}, False),
        ({"a": Decimal("1E+0")}, {"a": 1}, True),
        ({"a": Decimal("2.50")}, {"a": Decimal("2.5")}, True),
        ({"a": 2}, {"a": "2"}, False),
        ({"a": "1", "b": "x"}, {"b": "x", "a": "1"}, True),
    ],
)
def test_what_is_written_in_advance_is_compared_as_exactly(sent, stored, is_same):
    whole = {"resourceType": "Goal", "n": sent}
    for each in (whole, Written(whole)):
        assert (list(differences(each, {"resourceType": "Goal", "n": stored})) == []) is is_same


def test_a_shorter_list_is_told():
    sent = {"resourceType": "Goal", "note": [{"text": "a"}, {"text": "b"}]}
    stored = {"resourceType": "Goal", "note": [{"text": "a"}]}
    assert list(differences(sent, stored)) == ["note has 1 in place of 2"]


@pytest.mark.parametrize(
    "reference", ["Patient/p", "https://ehr.example/fhir/Patient/p", "Patient/p/_history/2"]
)
def test_a_reference_may_be_written_in_other_words(reference):
    sent = {"resourceType": "Goal", "subject": {"reference": "Patient/p"}}
    assert not list(differences(sent, {**sent, "subject": {"reference": reference}}))
    assert list(differences(sent, {**sent, "subject": {"reference": "Patient/q"}}))


def test_an_instant_may_be_written_in_another_zone():
    sent = {"resourceType": "Provenance", "recorded": "2025-03-03T08:51:07+01:00"}
    assert not list(differences(sent, {**sent, "recorded": "2025-03-03T07:51:07Z"}))
    assert list(differences(sent, {**sent, "recorded": "2025-03-03T08:51:07Z"}))


def test_a_narrative_is_compared_by_its_words():
    sent = {"resourceType": "Provenance", "text": {"div": "<div><p>a b</p></div>"}}
    assert not list(differences(sent, {**sent, "text": {"div": "<div>\n<p>a\nb</p></div>"}}))
    assert list(differences(sent, {"resourceType": "Provenance"})) == ["text is not as it was sent"]


def test_a_lost_tag_is_told():
    sent = {"resourceType": "Provenance", "meta": {"tag": [{"system": "s", "code": "c"}]}}
    assert list(differences(sent, {"resourceType": "Provenance", "meta": {}})) == [
        "meta.tag is missing"
    ]


@pytest.fixture
def written():
    repository = MemoryRepository()
    bundle = to_transaction(accepted(), plan_id=PLAN_ID)
    repository.transact(bundle)
    return repository, bundle


def test_every_part_is_found_by_its_identifier(written):
    repository, bundle = written
    found = find_parts(repository, bundle)
    assert {value: len(copies) for value, copies in found.items()} == dict.fromkeys(
        ["d1", "d1.group", "d1.P.1", "d1.P-O1", "d1.signature"], 1
    )


def test_a_part_that_is_entered_in_error_does_not_count(written):
    repository, bundle = written
    goal = repository.search("Goal", {})[0]
    wrong = {**goal, "lifecycleStatus": "entered-in-error"}
    request = {"method": "PUT", "url": f"Goal/{goal['id']}"}
    repository.transact(
        {
            "resourceType": "Bundle",
            "type": "transaction",
            "entry": [{"resource": wrong, "request": request}],
        }
    )
    assert find_parts(repository, bundle)["d1.P-O1"] == []


@pytest.fixture
def pointing():
    """A plan with an order to which nothing leads: it names the plan alone."""
    plan = accepted()
    (order,) = (each for each in plan["contained"] if each["id"] == "P.1")
    alone = {**order, "id": "P.9", "basedOn": [{"reference": "#"}]}
    plan = {**plan, "contained": [*plan["contained"], alone]}
    return to_transaction(plan, plan_id=PLAN_ID, conditional=lambda name: False)


def test_a_part_that_only_points_to_the_plan_is_searched_and_so_are_its_copies(pointing):
    repository = MemoryRepository()
    repository.transact(pointing)
    assert [len(copies) for copies in find_parts(repository, pointing).values()] == [1] * 6
    repository.transact(pointing)
    assert [len(copies) for copies in find_parts(repository, pointing).values()] == [2] * 6


def test_where_it_may_not_be_searched_it_is_told_neither_found_nor_missing(pointing):
    class NoOrders(MemoryRepository):
        def search(self, resource_type, params):
            if resource_type == "ServiceRequest" and "identifier" in params:
                raise RejectedError("unknown parameter", status=400)
            return super().search(resource_type, params)

    repository = NoOrders()
    repository.transact(pointing)
    found = find_parts(repository, pointing)
    assert "d1.P.9" not in found
    assert [len(copies) for copies in found.values()] == [1] * 5


class Forbidding(MemoryRepository):
    """A server that lets nobody search goals, and has no search by several ids."""

    def search(self, resource_type, params):
        if resource_type == "Goal" or "_id" in params:
            raise ForbiddenError("no", status=403)
        return super().search(resource_type, params)


def test_a_type_that_may_not_be_searched_is_found_by_the_references_of_the_plan():
    repository = Forbidding()
    bundle = to_transaction(accepted(), plan_id=PLAN_ID, conditional=lambda name: name != "Goal")
    repository.transact(bundle)
    found = find_parts(repository, bundle)
    assert {value: len(copies) for value, copies in found.items()} == dict.fromkeys(found, 1)


def test_a_signature_that_may_not_be_searched_is_told_neither_found_nor_missing():
    class NoProvenance(MemoryRepository):
        def search(self, resource_type, params):
            if resource_type == "Provenance":
                raise RejectedError("unknown parameter", status=400)
            return super().search(resource_type, params)

    repository = NoProvenance()
    bundle = to_transaction(accepted(), plan_id=PLAN_ID, conditional=lambda name: False)
    repository.transact(bundle)
    found = find_parts(repository, bundle)
    assert "d1.signature" not in found
    assert len(found["d1.P.1"]) == 1


def test_parts_are_read_one_by_one_where_the_server_has_no_search_by_id():
    repository = Forbidding()
    bundle = to_transaction(accepted(), plan_id=PLAN_ID, conditional=lambda name: False)
    repository.transact(bundle)
    places = {"d1": "CarePlan/1", "d1.P-O1": "Goal/4", "gone": "Goal/99"}
    assert read_parts(repository, places).keys() == {"d1", "d1.P-O1"}


def test_an_expired_token_is_not_taken_for_a_missing_part():
    class Expired(MemoryRepository):
        def search(self, resource_type, params):
            raise UnauthorisedError("expired", status=401)

    with pytest.raises(UnauthorisedError):
        read_parts(Expired(), {"d1": "CarePlan/1"})


def test_a_part_that_cannot_be_read_is_compared_as_unknown(written):
    _, bundle = written
    compared = compare(bundle, {"d1": "CarePlan/1"}, {})
    assert compared[0].reference == "CarePlan/1"
    assert compared[0].differences is None
    assert compared[1].reference == ""


def test_the_oldest_copy_is_told_by_the_instant_and_not_by_its_words():
    said = ["2025-03-03T10:00:00+02:00", "2025-03-03T08:30:00Z", "2025-03-03T08:30:00.5Z", None]
    copies = [
        {"resourceType": "CarePlan", "id": str(number), "meta": {"lastUpdated": each}}
        for number, each in enumerate(said)
    ]
    assert [each["id"] for each in sorted(copies, key=age_of)] == ["3", "0", "1", "2"]
