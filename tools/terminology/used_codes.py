"""Find every code that a FHIR resource, or any other JSON document, uses."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

HIERARCHY_OPS = {"=", "is-a", "descendent-of", "is-not-a", "generalizes", "in", "not-in"}
HIERARCHY_PROPERTIES = {"concept", "parent", "child", "code"}


@dataclass(frozen=True)
class UsedCode:
    """A code in use.

    Args:
        system: its code system, without version.
        code: the code.
        display: what stands beside it, None when nothing does.
        where: its place in the document, such as `code.coding[0]`.
    """

    system: str
    code: str
    display: str | None
    where: str


def used_codes(document: object, systems: Iterable[str]) -> Iterator[UsedCode]:
    """Yield the codes of a document: Codings, Quantities, value set members, `system|code` tokens.

    Args:
        document: as `json.load` gives it.
        systems: code systems whose tokens are looked for inside strings.
    """
    alternatives = "|".join(re.escape(s) for s in sorted(systems, key=len, reverse=True))
    return _walk(document, re.compile(rf"({alternatives})\|([^\s,;&\"'|)\]]+)"), "")


def _walk(node: object, tokens: re.Pattern[str], where: str) -> Iterator[UsedCode]:
    if isinstance(node, list):
        for index, item in enumerate(node):
            yield from _walk(item, tokens, f"{where}[{index}]")
    elif isinstance(node, str):
        for match in tokens.finditer(node):
            # In a canonical `url|version`, a covered system may carry its version.
            if not match.group(2).startswith(("http://", "https://")):
                yield UsedCode(match.group(1), match.group(2).rstrip("."), None, where)
    elif isinstance(node, dict):
        yield from _in_object(node, where)
        for key, value in node.items():
            if key in {"system", "source", "target", "version"} and isinstance(value, str):
                continue
            yield from _walk(value, tokens, f"{where}.{key}" if where else key)


def _in_object(node: dict[str, object], where: str) -> Iterator[UsedCode]:
    system = node.get("system")
    if isinstance(system, str):
        yield from _used(system, node, where)
        for index, item in _objects(node, "concept"):
            yield from _used(system, item, f"{where}.concept[{index}]")
        for index, item in _objects(node, "filter"):
            yield from _in_filter(system, item, f"{where}.filter[{index}]")
    if "source" in node or "target" in node:
        yield from _in_concept_map(node, where)


def _in_filter(system: str, item: dict[str, object], where: str) -> Iterator[UsedCode]:
    if item.get("op") in HIERARCHY_OPS and item.get("property") in HIERARCHY_PROPERTIES:
        for value in str(item.get("value", "")).split(","):
            yield UsedCode(_bare(system), value.strip(), None, where)


def _in_concept_map(group: dict[str, object], where: str) -> Iterator[UsedCode]:
    for index, item in _objects(group, "element"):
        here = f"{where}.element[{index}]"
        yield from _used(group.get("source"), item, here)
        for number, goal in _objects(item, "target"):
            yield from _used(group.get("target"), goal, f"{here}.target[{number}]")


def _used(system: object, item: dict[str, object], where: str) -> Iterator[UsedCode]:
    code, display = item.get("code"), item.get("display")
    if isinstance(system, str) and isinstance(code, str):
        yield UsedCode(_bare(system), code, display if isinstance(display, str) else None, where)


def _objects(node: dict[str, object], key: str) -> Iterator[tuple[int, dict[str, object]]]:
    items = node.get(key)
    if isinstance(items, list):
        for index, item in enumerate(items):
            if isinstance(item, dict):
                yield index, item


def _bare(system: str) -> str:
    return system.split("|", 1)[0].strip()
