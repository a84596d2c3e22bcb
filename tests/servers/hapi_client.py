"""Load the knowledge into a HAPI server and ask it what it makes of a patient.

The patient goes with the question, as the `data` Bundle with `useServerData` false, and is never
stored: that takes a tenth of the time of loading it first, and no two cases can meet.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import requests

from ivfhir.fhir import json
from ivfhir.fhir.types import Resource

KNOWLEDGE = Path(__file__).resolve().parents[2] / "plan_definitions"
# In this order a definition finds those it names.
DEFINITION_TYPES = (
    *("CodeSystem", "ValueSet", "Library", "Questionnaire", "ActivityDefinition"),
    "PlanDefinition",
)
EMPTY_LIST = "http://hl7.org/fhir/StructureDefinition/cqf-isEmptyList"
TIMEOUT_S = 300


class HapiRefusedError(AssertionError):
    """The server answered with an OperationOutcome; the message holds its texts."""


def load_knowledge(base: str, folder: Path = KNOWLEDGE) -> int:
    """Put every definition below a folder on the server, in one transaction; return how many.

    Args:
        base: the server.
        folder: files named Type-id.json, at any depth.
    """
    definitions = [
        _parse(path.read_text(encoding="utf-8"), path.name)
        for kind in DEFINITION_TYPES
        for path in sorted(folder.rglob(f"{kind}-*.json"))
    ]
    put_all(base, definitions)
    return len(definitions)


def put_all(base: str, resources: Iterable[Resource]) -> None:
    """Store resources under their own ids, in one transaction."""
    entries = [
        {
            "resource": each,
            "request": {"method": "PUT", "url": f"{each['resourceType']}/{each['id']}"},
        }
        for each in resources
    ]
    _post(base, {"resourceType": "Bundle", "type": "transaction", "entry": entries})


def evaluate_on_hapi(
    base: str,
    library: str,
    bundle: Resource,
    parameters: Mapping[str, Any] | None = None,
    *,
    defines: Iterable[str] = (),
) -> dict[str, Any]:
    """Evaluate defines of a library for the patient of a Bundle.

    Args:
        base: a server that holds the library and what it includes.
        library: id of the Library.
        bundle: one Patient and what belongs to it, of any Bundle type; references as `Type/id`.
        parameters: CQL parameters by name. A bool, int, Decimal or str says its type; a date or an
            instant is given as a one-entry mapping such as `{"valueDateTime": "2025-03-03"}`.
        defines: which; none means every one.

    Returns:
        Values by define. A null is None; numbers are int and Decimal; dates, instants and codes
        are texts; a tuple is a dict; a Quantity, a Period (of an Interval) and a resource are FHIR
        JSON. A list of two or more is a list and an empty one is [], but a list of one is its
        element: HAPI shows no difference (`as_list` mends that where a list is expected).

    Raises:
        HapiRefusedError: the server refused, or a define failed.
    """
    question = _question(bundle, parameters or {})
    question["parameter"] += [{"name": "expression", "valueString": name} for name in defines]
    answer = _post(base, question, f"Library/{library}/$evaluate")
    for part in answer.get("parameter", []):
        if part.get("resource", {}).get("resourceType") == "OperationOutcome":
            raise HapiRefusedError(f"{library}: {part['name']}: {_texts(part['resource'])}")
    return _values(answer.get("parameter", []))


def apply_on_hapi(
    base: str, plan_definition: str, bundle: Resource, parameters: Mapping[str, Any] | None = None
) -> Resource:
    """Return the CarePlan of HAPI's PlanDefinition/$apply; arguments as in `evaluate_on_hapi`."""
    path = f"PlanDefinition/{plan_definition}/$apply"
    return _post(base, _question(bundle, parameters or {}), path)


def validate_on_hapi(base: str, resource: Resource) -> list[str]:
    """Return the errors, not the warnings, that HAPI's $validate finds in a resource."""
    outcome = _post(base, resource, f"{resource['resourceType']}/$validate", refused_is_answer=True)
    return [
        f"{' '.join(issue.get('location', [])[:1])}: {issue.get('diagnostics', '')}"
        for issue in outcome.get("issue", [])
        if issue["severity"] in {"error", "fatal"}
    ]


def as_list(value: Any) -> list[Any]:
    """Return a list for a define that is one: HAPI shows a list of one as its element."""
    return value if isinstance(value, list) else [] if value is None else [value]


def _question(bundle: Resource, parameters: Mapping[str, Any]) -> Resource:
    resources = [entry["resource"] for entry in bundle["entry"]]
    [patient] = [each for each in resources if each["resourceType"] == "Patient"]
    data = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": r} for r in resources],
    }
    named = [{"name": name, **_typed(value)} for name, value in parameters.items()]
    return {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "subject", "valueString": f"Patient/{patient['id']}"},
            {"name": "parameters", "resource": {"resourceType": "Parameters", "parameter": named}},
            {"name": "useServerData", "valueBoolean": False},
            {"name": "data", "resource": data},
        ],
    }


def _typed(value: Any) -> dict[str, Any]:
    if isinstance(value, Mapping):
        return dict(value)
    names = {bool: "valueBoolean", int: "valueInteger", Decimal: "valueDecimal", str: "valueString"}
    return {names[type(value)]: value}


def _values(parts: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Gather the values of parts by name; a name that comes again makes a list."""
    found: dict[str, list[Any]] = {}
    for part in parts:
        found.setdefault(part["name"], []).append(_value(part))
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def _value(part: dict[str, Any]) -> Any:
    if "part" in part:
        return _values(part["part"])
    if "resource" in part:
        return part["resource"]
    for key, value in part.items():
        if key.startswith("value"):
            return Decimal(value) if key == "valueDecimal" else value
        if key.startswith("_value"):
            return [] if value["extension"][0]["url"] == EMPTY_LIST else None
    return {}


def _post(
    base: str, body: Resource, path: str = "", *, refused_is_answer: bool = False
) -> Resource:
    answer = _session().post(
        f"{base}/{path}".rstrip("/"),
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/fhir+json", "Accept": "application/fhir+json"},
        timeout=TIMEOUT_S,
    )
    content = _parse(answer.text, f"the answer for {path}")
    if not answer.ok and not refused_is_answer:
        raise HapiRefusedError(
            f"{answer.status_code} for {path or 'transaction'}: {_texts(content)}"
        )
    return content


@cache
def _session() -> requests.Session:
    return requests.Session()


def _parse(text: str, place: str) -> Resource:
    parsed = json.loads(text, place=place)
    assert isinstance(parsed, dict)
    return parsed


def _texts(outcome: Resource) -> str:
    return "; ".join(
        issue.get("diagnostics") or issue.get("details", {}).get("text", "")
        for issue in outcome.get("issue", [])
    )
