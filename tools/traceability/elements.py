"""The elements of what was built, each with the statements and readings that it cites.

Read are the PlanDefinitions, ActivityDefinitions, code systems and Questionnaires, the ELM of the
libraries, the calculators, and the guide. A statement is cited by its label, alone or in a range:
`S0-08`, `S0-01 to S0-07`.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ivfhir.knowledge.package import read_json

Json = Mapping[str, Any]

_CITED = re.compile(r"\b(S\d|I)-(\d\d)\b(?: (?:to|-) \1-(\d\d)\b)?")
_CALCULATOR = re.compile(r"\bCALC-\d\d\b")
_PLAIN_RULE = re.compile(r"[A-Z]+-[A-Z]\d\d?")
_ROUND = re.compile(r"(\.\w+)+$")


class Element(NamedTuple):
    """Something that was built.

    Attributes:
        kind: a word for it: `action`, `criterion`, `calculator` …
        name: its id; of a document its path.
        where: the resource, library or file that holds it.
        also: further ids by which the specification may name it.
    """

    kind: str
    name: str
    where: str
    also: tuple[str, ...] = ()

    @property
    def ids(self) -> frozenset[str]:
        """Its id, and the others by which it may be named."""
        return frozenset((self.name, *self.also))


def cited(text: str) -> Iterator[str]:
    """Yield the labels of the statements and readings that a text cites."""
    for kind, first, last in _CITED.findall(text):
        for number in range(int(first), int(last or first) + 1):
            yield f"{kind}-{number:02}"


def citations(root: Path) -> dict[str, list[Element]]:
    """Return label -> the elements that cite it, below the root of a repository.

    Args:
        root: holds plan_definitions/, and may hold ivfhir/dosing/ and docs/.
    """
    found: dict[str, list[Element]] = {}
    for element, text in _texts(root):
        for label in cited(text):
            elements = found.setdefault(label, [])
            if element not in elements:
                elements.append(element)
    return found


def _texts(root: Path) -> Iterator[tuple[Element, str]]:
    definitions = root / "plan_definitions"
    for path in sorted(definitions.glob("*/PlanDefinition-*.json")):
        yield from _plan(read_json(path))
    for path in sorted(definitions.glob("*/ActivityDefinition-*.json")):
        activity = read_json(path)
        element = Element("action", activity["id"], f"ActivityDefinition/{activity['id']}")
        yield from ((element, text) for text in _strings(activity))
    for path in sorted(definitions.glob("*/CodeSystem-*.json")):
        system = read_json(path)
        for concept in system.get("concept", []):
            element = Element("code", concept["code"], f"CodeSystem/{system['id']}")
            yield from ((element, text) for text in _strings(concept))
    for path in sorted(definitions.glob("*/Questionnaire-*.json")):
        form = read_json(path)
        for item in form.get("item", []):
            element = Element("parameter", item["linkId"], f"Questionnaire/{form['id']}")
            yield from ((element, text) for text in _strings(item))
    for path in sorted(definitions.glob("*/cql/*.json")):
        yield from _library(read_json(path)["library"])
    for path in sorted((root / "ivfhir" / "dosing").rglob("*.py")):
        yield from _module(path, path.relative_to(root).as_posix())
    for path in sorted((root / "docs").glob("*.md")):
        if path.name != "traceability.md":
            name = path.relative_to(root).as_posix()
            yield Element("document", name, name), path.read_text(encoding="utf-8")


def _plan(plan: Json) -> Iterator[tuple[Element, str]]:
    where = f"PlanDefinition/{plan['id']}"
    for artifact in plan.get("relatedArtifact", []):
        label = artifact.get("label", "")
        if _PLAIN_RULE.fullmatch(label):
            kind = "rule"
        else:
            kind = "reading" if artifact.get("type") == "documentation" else "text"
        yield from ((Element(kind, label, where), text) for text in _strings(artifact))
    for goal in plan.get("goal", []):
        yield from ((Element("goal", goal["id"], where), text) for text in _strings(goal))
    for action in _walk(plan):
        yield from _action(action, where)


def _walk(parent: Json) -> Iterator[Json]:
    for action in parent.get("action", []):
        yield action
        yield from _walk(action)


def _action(action: Json, where: str) -> Iterator[tuple[Element, str]]:
    """Yield the texts of an action, with the gates, stops and exits that stand on it."""
    canonical = action.get("definitionCanonical", "").partition("|")[0].rpartition("/")[2]
    own = Element("action", canonical, where)
    if not canonical:
        own = Element("part of the plan", _ROUND.sub("", action["id"]), where)
    for key, value in action.items():
        if key == "action":
            continue
        for each in value if isinstance(value, list) else [value]:
            element = own
            if key == "documentation" and each.get("type") == "documentation":
                element = Element("exit or stop", each.get("label", ""), where)
            elif key == "condition":
                name = each.get("expression", {}).get("expression", "").replace("_", "-")
                element = Element("condition", name, where)
            yield from ((element, text) for text in _strings(each))


def _library(library: Json) -> Iterator[tuple[Element, str]]:
    """Yield the texts of each define; a criterion's row goes by the criterion's id."""
    where = f"Library/{library['identifier']['id']}"
    for define in library.get("statements", {}).get("def", []):
        element = Element("define", define["name"], where)
        row = _row(define)
        if row is not None:
            element = Element("criterion", row, where)
        elif define["name"].startswith("ROUTE"):
            element = Element("define", define["name"], where, ("ROUTE",))
        yield from ((element, text) for text in _strings(define.get("expression")))


def _row(define: Json) -> str | None:
    """Return the id in a criterion's row; None where a define is none."""
    if not define["name"].endswith("_Criterion"):
        return None
    for operand in define["expression"].get("operand", []):
        for each in operand.get("element", []):
            if each.get("name") == "id":
                return str(each["value"]["value"])
    return None


def _module(path: Path, name: str) -> Iterator[tuple[Element, str]]:
    """Yield the texts of a module: docstrings, and texts in constants."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    texts = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    for text in texts:
        yield Element("calculator", name, name, tuple(_CALCULATOR.findall(text))), text


def _strings(value: object) -> Iterator[str]:
    """Yield every text inside a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from _strings(each)
