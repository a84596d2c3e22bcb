"""How a source is cited: in full in the PlanDefinition, in short on an action."""

from collections.abc import Iterable
from typing import Any

from ivfhir.knowledge.toml_keys import known
from ivfhir.knowledge.toml_source import Table
from tools.knowledge.authoring.protocol import GENERAL_KNOWLEDGE, Protocol

Json = dict[str, Any]

_GENERAL = (
    "General medical knowledge, not read in a source while writing; to be confirmed by a clinician "
    "before any use."
)
_STANDARDS = {
    "quality": ("cqf-qualityOfEvidence", "evidence-quality"),
    "recommendation": ("cqf-strengthOfRecommendation", "recommendation-strength"),
}
_GRADES = {
    "quality": {
        "high": "High quality",
        "moderate": "Moderate quality",
        "low": "Low quality",
        "very low": "Very low quality",
    },
    "recommendation": {"strong": "Strong", "weak": "Weak"},
}


def plan_citations(protocol: Protocol) -> list[Json]:
    """Return every source of the protocol as a RelatedArtifact."""
    words = protocol.words
    seeds = [
        {"type": "citation", "label": name, "citation": f"{seed['cites']} ({seed['file']})."}
        for name, seed in words.named("seeds").items()
    ]
    return seeds + [
        _citation(name, source["cites"], source) for name, source in words.named("sources").items()
    ]


def activity_citations(protocol: Protocol, table: Table) -> list[Json]:
    """Return the sources of an activity or a goal as RelatedArtifacts."""
    return [_cited(protocol, table, label) for label in table["sources"]]


def _cited(protocol: Protocol, table: Table, label: str) -> Json:
    words = protocol.words
    if label == GENERAL_KNOWLEDGE:
        return {"type": "citation", "label": label, "citation": _GENERAL}
    if label in words.table("statements"):
        seed = _seed(protocol, table, label)
        text = f"{seed['cites']}: {words.table('statements')[label]}."
        return {"type": "citation", "label": label, "citation": text}
    source = _source(protocol, table, label)
    return _citation(label, source.get("here", source["cites"]), source)


def _citation(label: str, text: str, source: Table) -> Json:
    url = {"url": source["url"]} if "url" in source else {}
    return {"type": "citation", "label": label, "citation": text, **url}


def documentation(protocol: Protocol, table: Table, sources: Iterable[str]) -> Json:
    """Return the sources of an action, with the grade of its evidence."""
    sources = list(sources)
    if not sources:
        table.refuse("it names no source; add one, or 'general-knowledge'", "sources")
    return {
        "type": "citation",
        "label": ", ".join(sources),
        "citation": " ".join(_short(protocol, table, label) for label in sources),
        "document": _grade(protocol, table),
    }


def _short(protocol: Protocol, table: Table, label: str) -> str:
    if label == GENERAL_KNOWLEDGE:
        return _GENERAL
    if label in protocol.words.table("statements"):
        seed = _seed(protocol, table, label)
        return f"{seed['named']}: {protocol.words.table('statements')[label]} ({label})."
    source = _source(protocol, table, label)
    return f"{source.get('here', source['cites']).removesuffix('.')} ({label})."


def _seed(protocol: Protocol, table: Table, label: str) -> Table:
    seeds = protocol.words.named("seeds")
    name = label.partition("-")[0]
    if name not in seeds:
        table.refuse(
            f"'{label}' is a statement of the seed {name}; {known(name, seeds)}", "sources"
        )
    return seeds[name]


def _source(protocol: Protocol, table: Table, label: str) -> Table:
    sources = protocol.words.named("sources")
    if label not in sources:
        names = [*sources, *protocol.words.table("statements").data, GENERAL_KNOWLEDGE]
        table.refuse(f"no source is called '{label}'; {known(label, names)}", "sources")
    return sources[label]


def _grade(protocol: Protocol, table: Table) -> Json:
    """Return an Attachment that carries the grades: R4 allows their extensions only there.

    Those of the row where it has its own, else the protocol's.
    """
    grades, extensions = {}, []
    for key, (extension, system) in _STANDARDS.items():
        said = table if key in table else protocol.words.table("evidence")
        grade = grades[key] = said[key]
        if grade not in _GRADES[key]:
            said.refuse(f"'{grade}' is no {key}; {known(grade, _GRADES[key])}", key)
        coding = {
            "system": f"http://terminology.hl7.org/CodeSystem/{system}",
            "code": grade.replace(" ", "-"),
            "display": _GRADES[key][grade],
        }
        url = f"http://hl7.org/fhir/StructureDefinition/{extension}"
        extensions.append({"url": url, "valueCodeableConcept": {"coding": [coding]}})
    return {
        "extension": extensions,
        "language": "en",
        "title": f"Evidence for this step: {grades['quality']}; "
        f"recommendation: {grades['recommendation']}",
    }
