"""A protocol that rests on others, and the rule of the route, over one patient."""

import json
import shutil
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from ivfhir.cli.text import decision_text
from ivfhir.decision import Decision
from ivfhir.errors import EvaluationError, KnowledgeError
from ivfhir.evaluate import evaluate
from ivfhir.expressions.values import DateTime
from ivfhir.fhir.json import loads
from ivfhir.knowledge.load import (
    BrokenProtocol,
    ClinicalProtocol,
    load_asked,
    load_protocol,
    load_protocols,
)
from ivfhir.knowledge.package import ROOT_VARIABLE, knowledge_root
from ivfhir.knowledge.registry import Registry
from ivfhir.knowledge.route import RouteRule, load_route
from ivfhir.read import PatientRecord
from smart_app.fake_ehr.sample_patients import FOLDER

AS_OF = DateTime.parse("2025-03-03T23:59:59.999+00:00")


def record(patient: str = "castellano", unread: Iterable[str] = ()) -> PatientRecord:
    [path] = FOLDER.glob(f"{patient}-*.json")
    bundle: Any = loads(path.read_text(encoding="utf-8"), place=path.name)
    first, *others = (entry["resource"] for entry in bundle["entry"])
    kept = tuple(each for each in others if each["resourceType"] not in set(unread))
    return PatientRecord(first, kept, {kind: f"{kind} could not be read." for kind in unread})


def port(*unread: str) -> dict[str, Any]:
    decision: Any = evaluate(record(unread=unread), load_asked(["PORT"]), as_of=AS_OF).to_json()
    return decision["protocols"][0]


@cache
def protocols_and_route() -> tuple[list[ClinicalProtocol | BrokenProtocol], RouteRule]:
    registry = Registry()
    rule = load_route(registry)
    assert isinstance(rule, RouteRule)
    return list(load_protocols(registry).values()), rule


def route(*unread: str, patient: str = "castellano") -> str | None:
    protocols, rule = protocols_and_route()
    return evaluate(record(patient, unread), protocols, as_of=AS_OF, route=rule).route


@pytest.mark.usefixtures("compiled_anew")
def test_protocols_loaded_one_by_one_answer_as_those_of_one_program() -> None:
    together = load_protocols()
    alone = [load_protocol(name) for name in together]
    at_once = evaluate(record(), together.values(), as_of=AS_OF).to_json()
    assert evaluate(record(), alone, as_of=AS_OF).to_json() == at_once


def test_what_could_not_be_read_of_a_base_is_not_missing_here() -> None:
    answer = port("Observation")
    assert (answer["status"], answer["unknown"]) == ("indeterminate", ["PORT-I01"])
    [row] = [each for each in answer["criteria"] if each["id"] == "PORT-I01"]
    assert row["unread"] == ["Observation"]
    assert row["missing"] == []
    assert row["notes"][0] == "Observation could not be read."


@pytest.mark.parametrize("kind", ["Procedure", "ServiceRequest"])
def test_what_only_a_caution_of_a_base_needs_leaves_the_answer(kind: str) -> None:
    answer = port(kind)
    assert answer["status"] == "eligible"
    assert all("unread" not in each for each in answer["criteria"])


def test_the_route_follows_the_extent_and_the_protocols() -> None:
    assert route() == "targeted-intra-arterial"
    assert route(patient="haddad") == "systemic-intravenous"
    assert route(patient="tran") == "regional-considered-not-cleared"
    assert route("Observation") == "undetermined"
    assert route("AllergyIntolerance") == "regional-considered-not-cleared"


def _with_route(root: Path, change: Callable[[dict[str, Any]], None]) -> Decision:
    """Return the decisions where the library of the route was changed."""
    names = shutil.ignore_patterns("cases")
    shutil.copytree(knowledge_root(), root, ignore=names, dirs_exist_ok=True)
    path = root / "route" / "cql" / "ROUTE.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    change(document["library"])
    path.write_text(json.dumps(document), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(ROOT_VARIABLE, str(root))
        registry = Registry()
        protocols = list(load_protocols(registry).values())
        rule = load_route(registry)
        decision = evaluate(record(), protocols, as_of=AS_OF, route=rule)
        lines = decision_text(decision, protocols).splitlines()
    assert len(decision.answered) == len(protocols)
    assert lines[-2] == "No answer: route"
    assert decision.route_error is not None
    assert " ".join(lines[-1].split()) in " ".join(decision.route_error.message.split())
    return decision


def test_a_route_whose_library_is_broken_says_so_and_stops_nothing(tmp_path: Path) -> None:
    document: Any = _with_route(tmp_path, lambda library: library.pop("includes")).to_json()
    assert "route" not in document
    [issue] = document["routeOutcome"]["issue"]
    assert (issue["severity"], issue["code"]) == ("error", KnowledgeError.code)


def test_a_route_that_fails_on_a_patient_says_so_and_stops_nothing(tmp_path: Path) -> None:
    def failing(library: dict[str, Any]) -> None:
        kind = "{urn:hl7-org:elm-types:r1}"
        text = {"type": "Literal", "valueType": f"{kind}String", "value": "Error"}
        yes = {"type": "Literal", "valueType": f"{kind}Boolean", "value": "true"}
        [route] = [each for each in library["statements"]["def"] if each["name"] == "ROUTE_Route"]
        route["expression"] = dict.fromkeys(("source", "code", "severity", "message"), text)
        route["expression"] |= {"type": "Message", "condition": yes}

    document: Any = _with_route(tmp_path, failing).to_json()
    assert "route" not in document
    [issue] = document["routeOutcome"]["issue"]
    assert (issue["code"], "ROUTE_Route" in issue["diagnostics"]) == (EvaluationError.code, True)


def test_without_its_folder_there_is_no_route(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("IVFHIR_PLAN_DEFINITIONS", str(tmp_path))
    assert load_route() is None
