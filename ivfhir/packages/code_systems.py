"""The codes of a CodeSystem, and those that the filters of a value set take of them.

http://hl7.org/fhir/R4/codesystem.html, http://hl7.org/fhir/R4/valueset-filter-operator.html
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal, InvalidOperation

from ivfhir.fhir.typed import objects_in, rows_in, text_in
from ivfhir.fhir.types import Resource
from ivfhir.packages.codes import Codes, listed

PROPERTIES = "http://hl7.org/fhir/concept-properties#"
ABOVE, BELOW = f"{PROPERTIES}parent", f"{PROPERTIES}child"
HIERARCHY = {"parent": ABOVE, "subsumedBy": ABOVE, "child": BELOW}
"""Properties by which a concept names those above and below it; others say it by their uri."""
INACTIVE = "inactive"
"""False where a concept does not say it: http://hl7.org/fhir/R4/codesystem.html#defined-props"""
SELF = frozenset({"concept", "code"})
"""How a filter names the concept itself."""
Value = str | bool | int | Decimal


def case_counts(code_system: Resource) -> bool:
    """Return whether another case is another code; where it is not said, it is not.

    http://hl7.org/fhir/R4/codesystem-definitions.html#CodeSystem.caseSensitive
    """
    return code_system.get("caseSensitive") is True


def codes_in(code_system: Resource, system: str, filters: Iterable[Resource] = ()) -> Codes:
    """Return the codes that pass all filters.

    What is not known is open: the codes of a CodeSystem that does not list them all, and whether
    one passes a filter that cannot be asked of it.

    Args:
        code_system: the definition; it may be malformed.
        system: its canonical.
        filters: as a ValueSet has them; they may be malformed, too.
    """
    concepts = _Concepts(code_system)
    if code_system.get("content") != "complete" or not concepts.are_whole:
        return Codes(open_systems=frozenset({system}))
    found = listed(system, concepts.known)
    for each in filters:
        sure, unsure = concepts.passing(each)
        found = found & Codes({system: frozenset(sure)}, {system: frozenset(unsure)})
    return found


class _Concepts:
    """The concepts of a CodeSystem.

    Attributes:
        known: by their codes.
        are_whole: whether there are any, and each has a code.
    """

    def __init__(self, code_system: Resource) -> None:
        """Read them."""
        rows = list(_nested(code_system))
        self.known = {code: concept for code, concept, _ in rows if code is not None}
        self.are_whole = len(rows) > 0 and all(code is not None for code, _, _ in rows)
        self._nested = [(above, code) for code, _, above in rows if above and code]
        declared = [
            (code, each)
            for each in objects_in(code_system, "property")
            if (code := text_in(each, "code")) is not None
        ]
        self._types = {code: each.get("type") for code, each in declared}
        self._meanings = HIERARCHY | {
            code: uri for code, each in declared if (uri := text_in(each, "uri")) in (ABOVE, BELOW)
        }

    def passing(self, row: Resource) -> tuple[set[str], set[str]]:
        """Return the codes that pass a filter, and those of which that is not known."""
        name, operator, value = (text_in(row, each) for each in ("property", "op", "value"))
        if name is None or value is None:
            return set(), set(self.known)
        meaning = self._meanings.get(name) if operator == "=" else None
        if meaning is not None or (name in SELF and operator in ("is-a", "descendent-of")):
            edges = self._edges()
            if edges is None or value not in self.known:
                return set(), set(self.known)
            if meaning is not None:
                return {one for one, other in _turned(edges, meaning) if other == value}, set()
            below = _below(value, edges)
            return below | {value} if operator == "is-a" else below, set()
        if name in SELF or operator != "=":
            return set(), set(self.known)
        return self._having(name, value)

    def _having(self, name: str, value: str) -> tuple[set[str], set[str]]:
        """Return the codes of concepts with a value of a property, and of those that may have it.

        A concept that does not say whether it is so may be so or not.
        """
        said = {code: list(_said(each, name)) for code, each in self.known.items()}
        if name not in self._types and name != INACTIVE and not any(said.values()):
            return set(), set(self.known)
        unsaid = {code for code, each in said.items() if not each}
        sure = {c for c, each in said.items() if any(_equals(one, value) for one in each)}
        unsure = {code for code, each in said.items() if None in each} - sure
        if value == "false" and name == INACTIVE:
            return sure | unsaid, unsure
        if value == "false" and self._types.get(name) in (None, "boolean"):
            return sure, unsure | unsaid
        return sure, unsure

    def _edges(self) -> list[tuple[str, str]] | None:
        """Return each code with one below it; None where one of them cannot be read."""
        edges = list(self._nested)
        for name, meaning in self._meanings.items():
            for code, concept in self.known.items():
                others = list(_said(concept, name))
                texts = [each for each in others if isinstance(each, str)]
                if len(texts) < len(others):
                    return None
                edges += _turned([(code, other) for other in texts], meaning)
        return edges


def _nested(code_system: Resource) -> Iterator[tuple[str | None, Resource, str | None]]:
    """Yield code and concept, with the code of the one that it is nested in."""
    left: list[tuple[Resource, str | None]] = [(code_system, None)]
    while left:
        holder, above = left.pop()
        for each in rows_in(holder, "concept"):
            code = text_in(each, "code")
            yield code, each, above
            left.append((each, code))


def _turned(pairs: list[tuple[str, str]], meaning: str) -> list[tuple[str, str]]:
    """Return pairs as they are for what is below, and the other way round for what is above."""
    return [(two, one) for one, two in pairs] if meaning == ABOVE else pairs


def _below(top: str, edges: list[tuple[str, str]]) -> set[str]:
    children: dict[str, list[str]] = {}
    for above, code in edges:
        children.setdefault(above, []).append(code)
    found: set[str] = set()
    left = [top]
    while left:
        for each in children.get(left.pop(), ()):
            if each not in found:
                found.add(each)
                left.append(each)
    return found


def _said(concept: Resource, name: str) -> Iterator[Value | None]:
    """Yield the values of a property, None for one that cannot be read."""
    for each in rows_in(concept, "property"):
        code = text_in(each, "code")
        if code == name:
            yield _value(each)
        elif code is None:
            yield None


def _value(row: Resource) -> Value | None:
    values = [value for key, value in row.items() if key.startswith("value")]
    value = values[0] if len(values) == 1 else None
    if isinstance(value, dict):
        return text_in(value, "code")
    return value if isinstance(value, str | bool | int | Decimal) and value != "" else None


def _equals(said: Value | None, value: str) -> bool:
    if said is None or isinstance(said, str):
        return said == value
    if isinstance(said, bool):
        return str(said).lower() == value
    try:
        return Decimal(value) == said
    except InvalidOperation:
        return False
