"""One patient's resources, found by type and code."""

from collections.abc import Collection, Iterable, Mapping

from ivfhir.expressions.values.value import Value
from ivfhir.fhir.types import PATIENT, Resource

CodePair = tuple[str | None, str]
"""System and code."""

Expansion = frozenset[CodePair]


NOTHING: list[Resource] = []
"""What is found where nothing is; never changed."""


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

    __slots__ = ("_by_code", "_by_type", "_by_value_set", "_pairs", "patient", "value_sets")

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
        self._pairs: dict[tuple[str, str], list[list[CodePair]]] = {}
        self._by_code: dict[tuple[str, str], dict[CodePair, list[int]]] = {}
        self._by_value_set: dict[tuple[str, str], dict[str, list[Resource]]] = {}

    def of_type(self, resource_type: str) -> list[Resource]:
        """Return the resources of a type, in the order they came."""
        return self._by_type.get(resource_type, NOTHING)

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
        hits = [found[pair] for pair in codes if pair in found]
        if not hits:
            return NOTHING
        resources = self._by_type[resource_type]
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
            holders = terminology.holders
            every = zip(self.of_type(resource_type), self._coded(resource_type, path), strict=True)
            for resource, pairs in every:
                names = holders.get(pairs[0], ()) if len(pairs) == 1 else held(holders, pairs)
                for name in names:
                    if name in found:
                        found[name].append(resource)
                    else:
                        found[name] = [resource]
        return found.get(value_set, NOTHING)

    def _index(self, resource_type: str, path: str) -> dict[CodePair, list[int]]:
        """Return the positions of a type's resources by the codes at `path`."""
        found: dict[CodePair, list[int]] = {}
        for number, pairs in enumerate(self._coded(resource_type, path)):
            for pair in pairs:
                found.setdefault(pair, []).append(number)
        return found

    def _coded(self, resource_type: str, path: str) -> list[list[CodePair]]:
        """Return the codes that each of a type's resources has at `path`."""
        found = self._pairs.get((resource_type, path))
        if found is None:
            resources = self.of_type(resource_type)
            found = [code_pairs(resource.get(path)) for resource in resources]
            self._pairs[resource_type, path] = found
        return found


def held(holders: Mapping[CodePair, Collection[str]], pairs: Iterable[CodePair]) -> Iterable[str]:
    """Return the value sets that hold any of the codes, each once."""
    return dict.fromkeys(name for pair in pairs for name in holders.get(pair, ()))


def code_pairs(element: Value) -> list[CodePair]:
    """Return the codes of a CodeableConcept, Coding or list of them, in raw JSON.

    Nothing for other JSON.
    """
    if element.__class__ is not dict:
        if element.__class__ is list:
            return [pair for item in element for pair in code_pairs(item)]
        return [(None, element)] if element.__class__ is str else []
    codings = element.get("coding")
    if codings is None and "code" in element:
        codings = (element,)
    elif codings.__class__ is not list:
        return []
    pairs: list[CodePair] = []
    for coding in codings:
        if coding.__class__ is dict:
            code, system = coding.get("code"), coding.get("system")
            if code.__class__ is str and (system is None or system.__class__ is str):
                pairs.append((system, code))
    return pairs
