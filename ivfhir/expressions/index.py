"""One patient's resources, found by type and code."""

from collections.abc import Collection, Iterable, Mapping

from ivfhir.expressions.values.value import Value
from ivfhir.fhir.types import PATIENT, Resource

CodePair = tuple[str | None, str]
"""System and code."""

Expansion = frozenset[CodePair]


class Terminology:
    """Value sets, and for each code the value sets that hold it.

    Args:
        value_sets: canonical of each value set -> its codes as (system, code).
    """

    __slots__ = ("expansions", "holders")

    def __init__(self, value_sets: Mapping[str, Collection[CodePair]]) -> None:
        """Turn the value sets round."""
        self.expansions: dict[str, Expansion] = {}
        self.holders: dict[CodePair, list[str]] = {}
        self.add(value_sets)

    def add(self, value_sets: Mapping[str, Collection[CodePair]]) -> None:
        """Take more value sets in; those that are here stay as they are."""
        for name in value_sets.keys() - self.expansions.keys():
            self.expansions[name] = frozenset(value_sets[name])
            for pair in self.expansions[name]:
                self.holders.setdefault(pair, []).append(name)


class ResourceIndex:
    """The resources of one patient, grouped by type; codes are indexed when first asked for.

    Args:
        patient: the Patient resource; None when there is none.
        resources: the patient's other resources, in any order; the order is kept. The Patient may
            be among them.
        value_sets: canonical of each value set -> its codes as (system, code).
    """

    __slots__ = ("_by_code", "_by_type", "_by_value_set", "patient", "value_sets")

    def __init__(
        self,
        patient: Resource | None,
        resources: Iterable[Resource],
        value_sets: Mapping[str, Collection[CodePair]] | None = None,
    ) -> None:
        """Group the resources by type."""
        self.patient = patient
        self.value_sets: Mapping[str, Collection[CodePair]] = value_sets or {}
        by_type: dict[str, list[Resource]] = {PATIENT: [] if patient is None else [patient]}
        for resource in resources:
            if resource.__class__ is dict and resource is not patient:
                kind = resource.get("resourceType")
                if kind.__class__ is str and kind != PATIENT:
                    by_type.setdefault(kind, []).append(resource)
        self._by_type = by_type
        self._by_code: dict[tuple[str, str], dict[CodePair, list[int]]] = {}
        self._by_value_set: dict[tuple[str, str], dict[str, list[Resource]]] = {}

    def of_type(self, resource_type: str) -> list[Resource]:
        """Return the resources of a type, in the order they came."""
        return self._by_type.get(resource_type, [])

    def of_codes(
        self, resource_type: str, path: str, codes: Collection[CodePair]
    ) -> list[Resource]:
        """Return the resources of a type that carry one of the codes at `path`.

        In the order they came.

        Args:
            resource_type: FHIR type.
            path: JSON name of the element: a CodeableConcept, Coding or code, or a list of them.
            codes: (system, code); for an element of type code only the code counts.
        """
        found = self._by_code.get((resource_type, path))
        if found is None:
            found = self._by_code[resource_type, path] = self._index(resource_type, path)
        if not found:
            return []
        resources = self._by_type[resource_type]
        hits = [found[pair] for pair in found.keys() & codes]
        if len(hits) == 1:
            return [resources[n] for n in hits[0]]
        return [resources[n] for n in sorted({n for positions in hits for n in positions})]

    def of_value_set(
        self, resource_type: str, path: str, value_set: str, terminology: Terminology
    ) -> list[Resource]:
        """Return the resources of a type that carry a code of a value set at `path`.

        In the order they came.

        Args:
            resource_type: FHIR type.
            path: as for `of_codes`.
            value_set: canonical, as it is in `terminology`.
            terminology: the same for all calls.
        """
        found = self._by_value_set.get((resource_type, path))
        if found is None:
            found = self._by_value_set[resource_type, path] = {}
            for resource in self.of_type(resource_type):
                pairs = code_pairs(resource.get(path))
                names = [n for pair in pairs for n in terminology.holders.get(pair, ())]
                for name in dict.fromkeys(names):
                    found.setdefault(name, []).append(resource)
        return found.get(value_set, [])

    def _index(self, resource_type: str, path: str) -> dict[CodePair, list[int]]:
        """Return the positions of a type's resources by the codes at `path`."""
        found: dict[CodePair, list[int]] = {}
        for number, resource in enumerate(self.of_type(resource_type)):
            for pair in code_pairs(resource.get(path)):
                found.setdefault(pair, []).append(number)
        return found


def code_pairs(element: Value) -> list[CodePair]:
    """Return the codes of a CodeableConcept, Coding or list of them, in raw JSON.

    Nothing for other JSON.
    """
    if element.__class__ is list:
        return [pair for item in element for pair in code_pairs(item)]
    if element.__class__ is not dict:
        return [(None, element)] if element.__class__ is str else []
    codings = element.get("coding")
    if codings is None and "code" in element:
        codings = [element]
    pairs: list[CodePair] = []
    if codings.__class__ is list:
        for coding in codings:
            if coding.__class__ is dict:
                code, system = coding.get("code"), coding.get("system")
                if code.__class__ is str and (system is None or system.__class__ is str):
                    pairs.append((system, code))
    return pairs
