"""Which patient a resource is about."""

from collections import defaultdict
from collections.abc import Iterable

from ivfhir.fhir.bundles import Entry
from ivfhir.fhir.references import (
    absolute_reference,
    identifier_tokens,
    parse_literal,
    subject_of,
)
from ivfhir.fhir.types import PATIENT

_SEARCH = f"{PATIENT}?identifier="


class Subjects:
    """The patients of an input, by every name by which a resource can point at one of them."""

    def __init__(self, patients: Iterable[Entry]) -> None:
        """Index the patients.

        Args:
            patients: entries that hold a Patient with an id; copies of one may be among them.
        """
        self._by_full_url: dict[tuple[int, str], str] = {}
        self._anywhere: dict[str, set[str]] = defaultdict(set)
        self._bases: dict[str, set[str]] = defaultdict(set)
        self._by_identifier: dict[tuple[str, str], set[str]] = defaultdict(set)
        for entry in patients:
            patient_id = str(entry.resource["id"])
            bases = self._bases[patient_id]
            for token in identifier_tokens(entry.resource.get("identifier")):
                self._by_identifier[token].add(patient_id)
            if entry.full_url is not None:
                self._by_full_url[entry.scope, entry.full_url] = patient_id
                self._anywhere[entry.full_url].add(patient_id)
                literal = parse_literal(entry.full_url)
                if literal is not None:
                    bases.add(literal.base)

    def patient_id(self, entry: Entry) -> str | None:
        """Return the id of the patient whom the resource is about, None when it is nobody's."""
        if entry.resource["resourceType"] == PATIENT:
            return str(entry.resource["id"])
        subject = subject_of(entry.resource)
        if subject is None:
            return None
        reference = subject.get("reference")
        if isinstance(reference, str) and not reference.startswith(_SEARCH):
            return self._referenced(reference.partition("/_history/")[0], entry)
        if isinstance(reference, str):
            system, _, value = reference.removeprefix(_SEARCH).rpartition("|")
            return self._identified(frozenset({(system, value)}))
        return self._identified(identifier_tokens(subject.get("identifier")))

    def _referenced(self, reference: str, entry: Entry) -> str | None:
        """Look up by fullUrl in the entry's own Bundle, by fullUrl anywhere, by type and id.

        See http://hl7.org/fhir/R4/bundle.html#references. An address on another server than the
        Patient's own is another patient.
        """
        own = self._by_full_url.get((entry.scope, absolute_reference(reference, entry.full_url)))
        if own is not None:
            return own
        elsewhere = self._anywhere.get(reference, set())
        if len(elsewhere) == 1:
            return next(iter(elsewhere))
        literal = parse_literal(reference)
        if literal is None or literal.key.resource_type != PATIENT:
            return None
        bases = self._bases.get(literal.key.resource_id)
        elsewhere_served = literal.base and bases and literal.base not in bases
        return None if bases is None or elsewhere_served else literal.key.resource_id

    def _identified(self, tokens: frozenset[tuple[str, str]]) -> str | None:
        found = {
            patient_id for token in tokens for patient_id in self._by_identifier.get(token, ())
        }
        return found.pop() if len(found) == 1 else None
