"""What is of another shape than R4's, in the input or on the server, ends no run."""

import json
from copy import deepcopy

import pytest

from ivfhir.errors import ServerError
from ivfhir.fhir.common_elements import has_common_shape
from ivfhir.fhir.nulls import drop_nulls
from ivfhir.servers.memory import MemoryRepository
from ivfhir.sync.decide import decide
from ivfhir.sync.decision import CREATED, REFUSED
from ivfhir.sync.ladder import Rung
from ivfhir.sync.ledger import Ledger
from ivfhir.sync.plans import read_plans
from ivfhir.sync.run import Target, sync_plans
from tests.ivfhir.sync.scene import named, small, write
from tests.twisting import twisted, ways_in

ODD = (None, [], {}, "", 5, ["x"], {"x": 1}, True)
PATIENT = {"resourceType": "Patient", "id": "p"}
SIGNED = {
    "resourceType": "Provenance",
    "id": "s",
    "target": [{"reference": "CarePlan/z"}],
    "recorded": "2025-03-03T10:00:00Z",
    "agent": [{"who": {"display": "x"}}],
}


def twists_of(resource):
    """Return a copy of a resource with each of its values made odd, but for what it is."""
    found = []
    for way in ways_in(resource):
        for odd in ODD if way[-1] != "resourceType" else ():
            with twisted(resource, way, odd):
                found.append(deepcopy(resource))
    return found


def to(server):
    return Target("it", lambda: server, Ledger(None))


def test_no_element_of_the_input_ends_a_run(tmp_path):
    meta = {"tag": [{"system": "urn:a", "code": "b"}], "lastUpdated": "2025-03-03T10:00:00Z"}
    plan = small(id="z", meta=meta, author={"reference": "Practitioner/x"})
    twists = [(each, SIGNED) for each in twists_of(plan)]
    twists += [(plan, each) for each in twists_of(SIGNED)]
    days = ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "2025-13-45", "x")
    twists += [({**plan, "created": day}, SIGNED) for day in days]
    lines = []
    for number, pair in enumerate(twists):
        text = json.dumps({"type": "collection", "entry": [{"resource": each} for each in pair]})
        text = text.replace('"one"', f'"{number}"').replace("CarePlan/z", f"CarePlan/{number}")
        lines.append(
            text.replace('"z"', f'"{number}"').replace("{", '{"resourceType":"Bundle",', 1)
        )
    (tmp_path / "plans.ndjson").write_text("\n".join(lines))
    plans, _ = read_plans([tmp_path])
    rows = sync_plans(plans, [to(MemoryRepository([PATIENT]))], random=lambda: 0.0)
    assert len(rows) > 400
    assert {CREATED, REFUSED} <= {row.result for row in rows}


def test_what_is_wrong_in_a_plan_is_said_in_its_row_and_others_go_on(tmp_path):
    write(tmp_path, "a", small(id="odd", status={"code": "draft"}))
    write(tmp_path, "b", named("sound"))
    plans, _ = read_plans([tmp_path])
    rows = sync_plans(plans, [to(MemoryRepository([PATIENT]))], random=lambda: 0.0)
    told = {row.plan: (row.result, row.outcome) for row in rows}
    result, outcome = told["CarePlan/odd"]
    assert result == REFUSED
    assert "an object as CarePlan.status" in outcome["issue"][0]["diagnostics"]
    assert told["https://example.org/plans|sound"] == (CREATED, None)


def test_an_identifier_that_is_no_list_is_a_fault_of_the_input(tmp_path):
    write(tmp_path, "a", small(id="odd", identifier={"system": "urn:s", "value": "1"}))
    (plan,), _ = read_plans([tmp_path])
    assert "an object as CarePlan.identifier" in plan.refusal


def test_a_signature_that_cannot_be_read_is_a_note(tmp_path):
    write(tmp_path, "a", small(id="z"))
    write(tmp_path, "b", {**SIGNED, "target": 5})
    plans, notes = read_plans([tmp_path])
    assert plans[0].refusal == ""
    assert "Provenance/s has a number as Provenance.target" in notes[0]


class Twisting(MemoryRepository):
    """A server that shows one of its resources otherwise."""

    shown = (None, None)

    def search(self, resource_type, params):
        return [self._shown(each) for each in super().search(resource_type, params)]

    def read(self, resource_type, resource_id):
        return self._shown(super().read(resource_type, resource_id))

    def _shown(self, resource):
        key, odd = self.shown
        return deepcopy(odd) if (resource["resourceType"], resource["id"]) == key else resource


@pytest.fixture
def written(tmp_path):
    """A server that has the plan, and the plan as it is to be sent again."""
    write(tmp_path, "plan", small())
    server = Twisting([PATIENT])
    plans, _ = read_plans([tmp_path])
    (row,) = sync_plans(plans, [to(server)], random=lambda: 0.0)
    assert row.result == CREATED
    return server, plans[0]


def test_no_element_of_what_the_server_holds_ends_a_run(written):
    server, plan = written
    target = to(server)
    target.meet()
    refused = 0
    for key, stored in list(server._stored.items()):
        for odd in twists_of(stored):
            drop_nulls(odd)
            if not has_common_shape(odd):
                continue  # The answer as a whole is refused.
            server.shown = (key, odd)
            try:
                decide(plan, target.place._replace(patients={}))
            except ServerError:
                refused += 1
    assert refused > 100


def test_a_statement_of_another_shape_is_as_if_there_were_none():
    statement = MemoryRepository().capabilities()
    statement["rest"][0]["resource"] = [
        {"type": "CarePlan", "interaction": [{"code": "read"}], "searchParam": [{"name": "_id"}]}
    ]
    found = set()
    for odd in [statement, *twists_of(statement)]:
        drop_nulls(odd)
        server = MemoryRepository()
        server.capabilities = lambda odd=odd: odd
        target = to(server)
        target.meet()
        found.add(target.place.means.rung({"CarePlan"}))
    assert found == {Rung.DOWNLOAD, Rung.TRANSACTION}
