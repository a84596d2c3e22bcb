"""Build an ActivityDefinition: what an action asks for, of whom, and on which source."""

from typing import Any

from ivfhir.knowledge.toml_keys import known
from ivfhir.knowledge.toml_source import Table
from tools.knowledge.authoring.citations import activity_citations
from tools.knowledge.authoring.plan_definition import COPYRIGHT
from tools.knowledge.authoring.protocol import BOARD, Protocol
from tools.knowledge.authoring.texts import quote
from tools.knowledge.layout import CANONICAL_BASE

Json = dict[str, Any]


def activity_definition(protocol: Protocol, name: str, table: Table) -> Json:
    """Return the ActivityDefinition of an activity of protocol.toml."""
    activity_id = protocol.label(name)
    content = _content(protocol, table)
    dynamic = _dynamic_values(protocol, name, table)
    lane = {"system": BOARD, "code": table["lane"], "display": protocol.board.get(table["lane"])}
    if table["lane"] not in protocol.lanes:
        lanes = sorted(protocol.lanes)
        table.refuse(
            f"the board has no lane '{table['lane']}'; {known(table['lane'], lanes)}", "lane"
        )
    return {
        "resourceType": "ActivityDefinition",
        "id": activity_id,
        "url": f"{CANONICAL_BASE}/ActivityDefinition/{activity_id}",
        "version": protocol.version,
        "name": activity_id.replace("-", "_"),
        "title": table["title"],
        "status": "draft",
        "experimental": True,
        "date": str(protocol.words["date"]),
        "publisher": "ivfhir",
        "description": protocol.texts.read(table, "description", {}).general,
        **({"copyright": COPYRIGHT} if "coding" in str(content) else {}),
        "lastReviewDate": str(protocol.words["date"]),
        "topic": [{"coding": [lane]}],
        "relatedArtifact": [*_told(protocol, table), *activity_citations(protocol, table)],
        **({"library": [protocol.plan_library]} if dynamic else {}),
        "kind": table.get("kind", "ServiceRequest"),
        **content,
        **({"dynamicValue": dynamic} if dynamic else {}),
    }


def _content(protocol: Protocol, table: Table) -> Json:
    content: Json = {}
    if "in_words" in table:
        content["code"] = _concept(protocol, table, "coded", table["in_words"])
    content["intent"] = "proposal"
    if "who" in table:
        content["participant"] = [{"type": "practitioner", "role": {"text": table["who"]}}]
    if "product" in table:
        content["productCodeableConcept"] = {"text": table["product"]}
    if "route" in table:
        text = table.get("in_general", table.get("dosage", ""))
        if "dosage" not in table:
            table.refuse("a route needs 'dosage': say how it is given", "route")
        content["dosage"] = [
            {"text": text, "route": _concept(protocol, table, "route", table["route"])}
        ]
    if "body_site" in table:
        content["bodySite"] = [{"text": table["body_site"]}]
    return content


def _concept(protocol: Protocol, table: Table, key: str, text: str) -> Json:
    """Return words with the code of that name, where one is named."""
    if key not in table:
        return {"text": text}
    display = f"{table[key]} route (qualifier value)" if key == "route" else table[key]
    found = sorted(set(protocol.codes.get(display, [])))
    if len(found) != 1:
        table.refuse(
            f"{len(found)} codes of tools/terminology/codes.csv are called '{display}'; "
            "take one of its displays, word for word",
            key,
        )
    system, code = found[0]
    return {"coding": [{"system": system, "code": code, "display": display}], "text": text}


def _told(protocol: Protocol, table: Table) -> list[Json]:
    return [
        {
            "type": "documentation",
            "label": f"Source: {each['from']}",
            "display": protocol.texts.read(each, "says", {}).general,
        }
        for each in table.tables("tells")
    ]


def text_defines(protocol: Protocol, name: str, table: Table) -> dict[str, tuple[str, str]]:
    """Return define -> (path in the request, CQL) of the texts with values in them."""
    stem = protocol.label(name).replace("-", "_")
    found = {}
    if "order" in table:
        found[f"{stem}_Order"] = ("orderDetail[0].text", protocol.texts.read(table, "order", {}))
    if "dosage" in table:
        words = protocol.texts.read(table, "dosage", {})
        found[f"{stem}_Dosage"] = ("dosageInstruction[0].text", words)
    defines = {define: (path, words.cql) for define, (path, words) in found.items() if words.varies}
    for number, each in enumerate(table.tables("tells")):
        words = protocol.texts.read(each, "says", {})
        if words.varies:
            cql = f"{words.cql} & ' [Source: ' & {quote(each['from'])} & ']'"
            defines[f"{stem}_Told_{number + 1}"] = (f"payload[{number}].contentString", cql)
    return defines


def _dynamic_values(protocol: Protocol, name: str, table: Table) -> list[Json]:
    return [
        {
            "path": path,
            "expression": {
                "language": "text/cql",
                "expression": define,
                "reference": protocol.plan_library,
            },
        }
        for define, (path, _) in text_defines(protocol, name, table).items()
    ]
