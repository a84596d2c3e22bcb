"""Build the actions of a PlanDefinition: parts of the plan, rounds, and what is done."""

from typing import Any

from ivfhir.knowledge.toml_keys import known
from ivfhir.knowledge.toml_source import Table
from tools.knowledge.authoring.citations import documentation
from tools.knowledge.authoring.occurrences import Occurrence
from tools.knowledge.authoring.protocol import BOARD, Protocol
from tools.knowledge.authoring.relations import Relation
from tools.knowledge.authoring.texts import Words
from tools.knowledge.layout import CANONICAL_BASE

Json = dict[str, Any]

REQUIRED = {"must": "must", "could": "could", "must unless documented": "must-unless-documented"}
REGIMEN_PARTS = ("arterial", "systemic")
DATE = "{date}"
TIMES = {
    "ServiceRequest": ("occurrenceTiming.event[0]", "occurrenceTiming.repeat.boundsPeriod"),
    "MedicationRequest": (
        "dosageInstruction[0].timing.event[0]",
        "dosageInstruction[0].timing.repeat.boundsPeriod",
    ),
    "CommunicationRequest": ("action.timingDateTime", "occurrencePeriod"),
    "Task": ("action.timingDateTime", "executionPeriod"),
}
"""Kind of a request -> where its day and its window stand; the day on the action where the request
has room for the window only."""


def group_action(protocol: Protocol, table: Table, action_id: str) -> Json:
    """Return a part of the plan, without its actions."""
    name = action_id.replace("-", "_")
    title, about = (protocol.texts.read(table, key, {}) for key in ("title", "description"))
    action: Json = {"id": action_id, "title": title.general, "description": about.general}
    action["documentation"] = _documentation(protocol, table, table["sources"])
    conditions = _stops(protocol, table)
    dynamic = [
        _dynamic(protocol, f"action.{key}", f"{name}_{key.capitalize()}")
        for key, words in (("title", title), ("description", about))
        if words.varies
    ]
    return _assembled(action, {"condition": conditions, "dynamicValue": dynamic})


def round_action(protocol: Protocol, number: int, table: Table) -> Json:
    """Return a round, such as segment 2, without its actions."""
    rounds = protocol.rounds
    assert rounds is not None  # noqa: S101 - the caller has one
    word = rounds.word
    title, about = (protocol.texts.read(table, k, {word: number}) for k in ("title", "description"))
    conditions = _stops(protocol, table)
    if number > rounds.always:
        text = f"The plan has a {word} {number}."
        define = f"{word.capitalize()}_{number}"
        condition = _condition("applicability", text, define, protocol.plan_library)
        conditions.insert(0, condition)
    action = {
        "id": f"{protocol.id}-{word}.{number}",
        "prefix": str(number),
        "title": title.general,
        "description": about.general,
        "code": [{"coding": [_board(protocol, "round")], "text": word.capitalize()}],
        "documentation": _documentation(protocol, table, table["sources"]),
    }
    return _assembled(action, {"condition": conditions})


def _assembled(action: Json, more: dict[str, list[Json]]) -> Json:
    return {
        **action,
        **({"condition": more["condition"]} if more["condition"] else {}),
        "groupingBehavior": "logical-group",
        "selectionBehavior": "all",
        **({"dynamicValue": more["dynamicValue"]} if more.get("dynamicValue") else {}),
    }


def leaf_action(protocol: Protocol, own: Occurrence) -> Json:
    """Return an action that asks for something."""
    row = own.row
    name, activity = protocol.activity_of(row)
    about = describe(protocol, own)
    title = protocol.texts.read(row, "title", own.places)
    action: Json = {"id": own.action_id}
    if own.within is not None:
        action["prefix"] = str(own.within)
    action |= {"title": title.general, "description": about.general}
    words = row.get("mark", "").replace(DATE, "").strip()
    if words:
        action["textEquivalent"] = words
    action["code"] = [_code(protocol, own, activity)]
    action["documentation"] = _documentation(protocol, row, row.get("sources", activity["sources"]))
    ways = protocol.actions[own.action_id]
    kept = [_kept(protocol, ways)] if own.only_if else []
    action |= _optional(
        goalId=[protocol.label(_goal(protocol, row, each)) for each in row.get("goals", ())],
        condition=[*kept, *(_gate(protocol, row, each) for each in row.get("gates", ()))],
        relatedAction=[_related(each) for each in protocol.relations.of[own.action_id]],
        requiredBehavior=_required(row),
    )
    canonical = f"{CANONICAL_BASE}/ActivityDefinition/{protocol.label(name)}|{protocol.version}"
    kind = activity.get("kind", "ServiceRequest")
    if kind not in TIMES:
        activity.refuse(f"'{kind}' is no kind of request; {known(kind, TIMES)}", "kind")
    times = zip(TIMES[kind], ("Date", "Window"), strict=True)
    dynamic = [_dynamic(protocol, path, f"{own.define}_{part}") for path, part in times]
    if about.varies:
        dynamic.append(_dynamic(protocol, "action.description", about.define))
    return {**action, "definitionCanonical": canonical, "dynamicValue": dynamic}


def _optional(**elements: Any) -> Json:  # noqa: ANN401 - JSON
    return {name: value for name, value in elements.items() if value}


def _code(protocol: Protocol, own: Occurrence, activity: Table) -> Json:
    """Return the lane of an action, what its mark is like, and its title without its round."""
    row = own.row
    lane = row.get("lane", activity["lane"])
    if lane not in protocol.lanes:
        table = row if "lane" in row else activity
        table.refuse(
            f"the board has no lane '{lane}'; {known(lane, sorted(protocol.lanes))}", "lane"
        )
    marks = [
        code
        for code, there in (
            ("opens-round", row.get("opens", False)),
            ("dated", DATE in row.get("mark", "")),
            ("list-only", not row.get("on_board", True)),
            ("no-bar", not row.get("bar", True)),
        )
        if there
    ]
    if "regimen" in row:
        if row["regimen"] not in REGIMEN_PARTS:
            there = known(row["regimen"], REGIMEN_PARTS)
            row.refuse(f"'{row['regimen']}' is no part of a regimen; {there}", "regimen")
        marks.append(f"regimen-{row['regimen']}")
    codings = [_board(protocol, each) for each in (lane, *marks)]
    return {"coding": codings, "text": row.get("short_title", activity["title"])}


def _board(protocol: Protocol, code: str) -> Json:
    return {"system": BOARD, "code": code, "display": protocol.board[code]}


def _documentation(protocol: Protocol, table: Table, sources: list[str]) -> list[Json]:
    """Return the sources of an action or a group, and the texts that are to be read with it."""
    found = [documentation(protocol, table, sources)]
    for name in table.get("answers", ()):
        gate = protocol.one_of(table, "answers", name, "gates")
        asked = gate[name].get("asked") if isinstance(gate[name], dict) else None
        if asked is None:
            table.refuse(f"gate {name} has no 'asked': say on it what its answer tells", "answers")
        found.append(_document(protocol.label(name), asked))
    for name in table.get("says", ()):
        kind = "stops" if name in protocol.words.table("stops") else "exits"
        found.append(
            _document(protocol.label(name), protocol.one_of(table, "says", name, kind)[name])
        )
    return found


def _document(label: str, text: str) -> Json:
    return {"type": "documentation", "label": label, "display": text}


def _kept(protocol: Protocol, ways: list[Occurrence]) -> Json:
    """Return the condition that says whether a plan has the action."""
    said = " ".join(dict.fromkeys(each.row["only_if_says"] for each in ways))
    return _condition("applicability", said, f"{ways[0].define}_Kept", protocol.plan_library)


def _gate(protocol: Protocol, row: Table, name: str) -> Json:
    gate = protocol.one_of(row, "gates", name, "gates")[name]
    text = gate["text"] if isinstance(gate, dict) else gate
    return _condition("start", text, protocol.define(row, "gates", name), protocol.library)


def _stops(protocol: Protocol, table: Table) -> list[Json]:
    return [
        _condition(
            "stop",
            protocol.one_of(table, "stops", name, "stops")[name],
            protocol.define(table, "stops", name),
            protocol.library,
        )
        for name in table.get("stops", ())
    ]


def _condition(kind: str, text: str, define: str, library: str) -> Json:
    expression = {"description": text, "language": "text/cql", "expression": define}
    return {"kind": kind, "expression": {**expression, "reference": library}}


def _related(relation: Relation) -> Json:
    ends = {"low": relation.low, "high": relation.high}
    days = {"unit": "d", "system": "http://unitsofmeasure.org", "code": "d"}
    return {
        "actionId": relation.target,
        "relationship": relation.relationship,
        "offsetRange": {
            end: {"value": value, **days} for end, value in ends.items() if value is not None
        },
    }


def _goal(protocol: Protocol, row: Table, name: str) -> str:
    goals = protocol.words.table("goals").data
    if name not in goals:
        row.refuse(f"there is no goal '{name}'; {known(name, goals)}", "goals")
    return name


def _required(row: Table) -> str:
    required: str = row.get("required", "")
    if required and required not in REQUIRED:
        row.refuse(
            f"'{required}' says not how it is required; {known(required, REQUIRED)}", "required"
        )
    return REQUIRED.get(required, "")


def _dynamic(protocol: Protocol, path: str, define: str) -> Json:
    expression = {"language": "text/cql", "expression": define, "reference": protocol.plan_library}
    return {"path": path, "expression": expression}


class Described:
    """The description of an action: its words, and the define that gives them."""

    def __init__(self, cql: str, general: str, define: str, *, varies: bool) -> None:
        """Keep the parts."""
        self.cql, self.general, self.define, self.varies = cql, general, define, varies


def describe(protocol: Protocol, own: Occurrence) -> Described:
    """Return the description of an action.

    A text that all actions of a row share is one define, named by the first of them.
    """
    words = _description(protocol, own)
    same = [
        each
        for each in protocol.occurrences
        if each.row is own.row and _description(protocol, each).cql == words.cql
    ]
    first = min(same, key=protocol.occurrences.index)
    return Described(words.cql, words.general, f"{first.define}_Description", varies=words.varies)


def _description(protocol: Protocol, own: Occurrence) -> Words:
    first = "description_first" in own.row and own.number in (None, _first(protocol, own))
    key = "description_first" if first else "description"
    return protocol.texts.read(own.row, key, own.places)


def _first(protocol: Protocol, own: Occurrence) -> int | None:
    return next(each.number for each in protocol.occurrences if each.row is own.row)
