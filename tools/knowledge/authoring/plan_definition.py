"""Build the PlanDefinition: what a protocol says of itself, its goals, its tree of actions."""

from typing import Any

from ivfhir.knowledge.toml_source import Table
from tools.knowledge.authoring.action import group_action, leaf_action, round_action
from tools.knowledge.authoring.citations import (
    activity_citations,
    documentation,
    plan_citations,
)
from tools.knowledge.authoring.occurrences import Occurrence
from tools.knowledge.authoring.protocol import Protocol
from tools.knowledge.layout import CANONICAL_BASE

Json = dict[str, Any]

COPYRIGHT = (
    "This material includes SNOMED Clinical Terms (SNOMED CT), used with permission of SNOMED "
    "International, and content from LOINC (http://loinc.org), copyright Regenstrief Institute, "
    "Inc. and the LOINC Committee, available at no cost under the license at "
    "http://loinc.org/license."
)
_ALLOWED = (
    "The patient is alive, the parameters are in bounds, and the status is eligible; or ineligible "
    "or indeterminate with an override reason."
)
_UCUM = {"%": "%", "days": "d"}


def plan_definition(protocol: Protocol) -> Json:
    """Return the PlanDefinition of a protocol."""
    words = protocol.words
    terminology = "http://terminology.hl7.org/CodeSystem"
    return {
        "resourceType": "PlanDefinition",
        "id": protocol.id,
        "url": f"{CANONICAL_BASE}/PlanDefinition/{protocol.id}",
        "version": protocol.version,
        "name": protocol.id,
        "title": words["title"],
        **({"subtitle": words["called"]} if "called" in words else {}),
        "type": {
            "coding": [
                {
                    "system": f"{terminology}/plan-definition-type",
                    "code": "clinical-protocol",
                    "display": "Clinical Protocol",
                }
            ]
        },
        "status": "draft",
        "experimental": True,
        "date": str(words["date"]),
        "publisher": "ivfhir",
        "description": f"{words.table('always_said')['nature']} {words['purpose']}",
        "purpose": words["purpose"],
        "usage": _usage(protocol),
        "copyright": COPYRIGHT,
        "lastReviewDate": str(words["date"]),
        "useContext": [
            {
                "code": {
                    "system": f"{terminology}/usage-context-type",
                    "code": "focus",
                    "display": "Clinical Focus",
                },
                "valueCodeableConcept": {"text": words["focus"]},
            }
        ],
        "relatedArtifact": _related(protocol),
        "library": [protocol.library, protocol.plan_library],
        "goal": [_goal(protocol, *each) for each in words.named("goals").items()],
        "action": [_root(protocol)],
    }


def _usage(protocol: Protocol) -> str:
    rows = "".join(
        f"| {each.name} | {each.default} | {_allowed(each.choices, each.allowed, each.fixed)} |\n"
        for each in protocol.parameters.values()
    ) + "".join(
        f"| {name} | none | {', '.join(each.options) or 'words'} |\n"
        for name, each in protocol.choices.items()
    )
    return (
        "For clinicians who can judge the basis of each answer. The criteria and the status "
        f"are defines of Library {protocol.id}, the bounds of the parameters and all dates of "
        f"Library {protocol.id}Plan.\n\n"
        f"Parameters: `AsOf` (instant of evaluation), `Start` ({_start(protocol)}), "
        "`OverrideReason`, and\n\n| parameter | default | allowed |\n|---|---|---|\n"
        f"{rows}\nA value outside its bounds is refused, not clamped."
    )


def _start(protocol: Protocol) -> str:
    rounds = protocol.rounds
    begins = rounds is not None and rounds.first is None
    return f"day 0 of {rounds.word} 1" if rounds and begins else "day 0 of the plan"


def _allowed(choices: tuple[int, ...], words: str, fixed: bool) -> str:
    return ", ".join(map(str, choices)) if choices else "fixed" if fixed else words


def _related(protocol: Protocol) -> list[Json]:
    words = protocol.words
    said = dict(words.table("always_said").data)
    said["evidence"] = f"Evidence: {words.table('evidence')['quality']}. {said['evidence']}"
    rules = {protocol.label(name): text for name, text in words.table("rules").data.items()}
    documents = {**rules, **words.table("readings").data}
    return [
        *({"type": "justification", "label": k, "display": text} for k, text in said.items()),
        *({"type": "documentation", "label": k, "display": text} for k, text in documents.items()),
        *plan_citations(protocol),
    ]


def _goal(protocol: Protocol, name: str, table: Table) -> Json:
    target: Json = {"measure": {"text": table["measure"]}}
    if "wanted" in table:
        target["detailCodeableConcept"] = {"text": table["wanted"]}
    else:
        target["detailRange"] = _range(name, table)
    goal: Json = {"id": protocol.label(name)}
    if "category" in table:
        coding = {
            "system": "http://terminology.hl7.org/CodeSystem/goal-category",
            "code": table["category"],
            "display": table["category"].capitalize(),
        }
        goal["category"] = {"coding": [coding]}
    goal["description"] = {"text": table["text"]}
    if "sources" in table:
        goal["documentation"] = activity_citations(protocol, table)
    return {**goal, "target": [target]}


def _range(name: str, table: Table) -> Json:
    ends = {"low": "at_least", "high": "at_most"}
    if not any(key in table for key in ends.values()) or table.get("unit") not in _UCUM:
        table.refuse(
            f"goal {name} needs 'wanted', or at_least or at_most with a unit ({' or '.join(_UCUM)})"
        )
    unit = _UCUM[table["unit"]]
    return {
        end: {
            "value": table[key],
            "unit": unit,
            "system": "http://unitsofmeasure.org",
            "code": unit,
        }
        for end, key in ends.items()
        if key in table
    }


def _root(protocol: Protocol) -> Json:
    """Return the action that holds all others, kept only where a plan is allowed."""
    plan = protocol.plan
    expression = {
        "description": _ALLOWED,
        "language": "text/cql",
        "expression": "Plan_Allowed",
        "reference": protocol.library,
    }
    return {
        "id": protocol.id,
        "title": protocol.words["short_title"],
        "description": "Everything the protocol proposes. Nothing is kept unless a plan is "
        "allowed.",
        "documentation": [documentation(protocol, plan, plan["sources"])],
        "condition": [{"kind": "applicability", "expression": expression}],
        "groupingBehavior": "logical-group",
        "selectionBehavior": "all",
        "action": [_part(protocol, part) for part in plan.tables("part")],
    }


def _first_ways(protocol: Protocol) -> list[Occurrence]:
    """Return each action once: its first way tells its words."""
    return [ways[0] for ways in protocol.actions.values()]


def _part(protocol: Protocol, part: Table) -> Json:
    """Return a part of the plan with its actions: its own, and the rounds that stand in it."""
    inside = [
        leaf_action(protocol, each)
        for each in _first_ways(protocol)
        if each.within is None and each.part == part["id"]
    ]
    rounds = protocol.rounds
    if rounds is not None and rounds.part == part["id"]:
        for number, table in rounds.tables.items():
            actions = [
                leaf_action(protocol, e) for e in _first_ways(protocol) if e.within == number
            ]
            inside.append({**round_action(protocol, number, table), "action": actions})
    if not inside:
        part.refuse(
            f"nothing stands in the part '{part['id']}'; remove it, or give it an action", "id"
        )
    return {**group_action(protocol, part, f"{protocol.id}-{part['id']}"), "action": inside}
