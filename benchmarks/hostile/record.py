"""The invented patient whose record is twisted, and ways to twist JSON."""

import copy
from collections.abc import Iterator
from random import Random
from typing import Any

from ivfhir.fhir.json import loads
from smart_app.fake_ehr.sample_patients import FOLDER

PATIENT = "halloran"
USER = "dr-who-signs"
PLAN = "halloran-plan"
CANARY = "xcanary"
"""An element that no page of the app has: where a parser finds one, text became HTML."""

SCRIPTS = (
    f"<script>{CANARY}()</script>",
    f"</script><{CANARY}>",
    f'"><{CANARY} onload={CANARY}()>',
    f"'><img src=x onerror={CANARY}()>",
    f"</title></textarea></style><{CANARY}>",
    f"<svg/onload={CANARY}()>",
    f"<!--><{CANARY}>",
    f"&lt;{CANARY}&gt;<{CANARY}>",
    f"{{{{ 7*7 }}}}<{CANARY}>{{% raw %}}",
    f"javascript:{CANARY}()",
    f"data:text/html,<{CANARY}>",
    f"\u2028\u202e<{CANARY}>\x00\x1b[31m",
    f"%3C{CANARY}%3E<{CANARY}/>",
    f"]]><{CANARY}>",
    f"<a href=javascript:{CANARY}()>press</a>",
    f"`-{CANARY}()-`<{CANARY}>",
)
ODD: tuple[Any, ...] = (
    *(None, [None], [], {}, "", 0, -1, True, [[]], [{}], [""], {"": None}, "\ud7ff", [None, None]),
    *({"coding": None}, {"coding": [None]}, {"reference": None}, {"value": {}}, [{"value": None}]),
)


def record() -> dict[str, list[dict[str, Any]]]:
    """Return the record by resource type: the patient, what is about them, an active plan."""
    text = next(FOLDER.glob(f"{PATIENT}-*.json")).read_text(encoding="utf-8")
    bundle: Any = loads(text, place=PATIENT)
    found: dict[str, list[dict[str, Any]]] = {}
    for resource in [*(entry["resource"] for entry in bundle["entry"]), plan(), practitioner()]:
        found.setdefault(resource["resourceType"], []).append(resource)
    return found


def plan() -> dict[str, Any]:
    """Return an active CarePlan that one of our protocols made."""
    return {
        "resourceType": "CarePlan",
        "id": PLAN,
        "meta": {"versionId": "3"},
        "instantiatesCanonical": ["https://ivfhir.example/fhir/PlanDefinition/LUNG|0.1.0"],
        "identifier": [{"system": "https://ivfhir.example/fhir/plan", "value": "earlier"}],
        "status": "active",
        "intent": "plan",
        "title": "An earlier plan",
        "subject": {"reference": f"Patient/{PATIENT}"},
        "period": {"start": "2026-01-02", "end": "2026-02-03"},
        "activity": [{"reference": {"reference": "RequestGroup/g"}}],
    }


def practitioner() -> dict[str, Any]:
    """Return who signs in."""
    return {
        "resourceType": "Practitioner",
        "id": USER,
        "name": [{"family": "Invented", "given": ["Ida"]}],
        "identifier": [{"system": "https://ids.example", "value": "1"}],
    }


def statement() -> dict[str, Any]:
    """Return a CapabilityStatement."""
    types = ("CarePlan", "RequestGroup", "ServiceRequest", "Goal", "Task", "Provenance")
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "fhirVersion": "4.0.1",
        "format": ["json"],
        "rest": [
            {
                "mode": "server",
                "interaction": [{"code": "transaction"}],
                "resource": [
                    {
                        "type": name,
                        "interaction": [{"code": "create"}, {"code": "read"}],
                        "searchParam": [{"name": "identifier", "type": "token"}],
                        "conditionalCreate": True,
                    }
                    for name in types
                ],
            }
        ],
    }


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:  # noqa: ANN401 - any JSON value
    """Give the path of every element of a JSON value."""
    members = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for name, member in members:
        yield (*path, name)
        yield from places(member, (*path, name))


def at(value: Any, path: tuple[Any, ...]) -> Any:  # noqa: ANN401 - any JSON value
    """Return the element at a path."""
    for name in path:
        value = value[name]
    return value


def with_value(value: Any, path: tuple[Any, ...], new: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Return a copy with another element at a path."""
    changed = copy.deepcopy(value)
    holder = at(changed, path[:-1])
    holder[path[-1]] = copy.deepcopy(new)
    return changed


def with_scripts(resource: dict[str, Any], random: Random) -> dict[str, Any]:
    """Return a copy in which some texts, and the names of some elements, are scripts."""
    changed = copy.deepcopy(resource)
    texts = [path for path in places(resource) if isinstance(at(resource, path), str)]
    free = [path for path in texts if path[-1] not in ("resourceType", "id", "reference")]
    for path in random.sample(free, k=min(len(free), random.randint(1, 6))):
        at(changed, path[:-1])[path[-1]] = random.choice(SCRIPTS)
    if random.random() < 0.3:
        changed[random.choice(SCRIPTS)] = random.choice(SCRIPTS)
    return changed
