"""Resources of one or many files as one body of data.

Copies of one resource are settled, and each resource stands with the patient whom it is about.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from ivfhir.errors import InputError, NotFoundError
from ivfhir.fhir.bundles import Entry, last_updated
from ivfhir.fhir.references import Key, key_of, names_somebody, parse_literal
from ivfhir.fhir.subjects import Subjects
from ivfhir.fhir.types import PATIENT, WITHOUT_A_PATIENT, Resource

_ID = re.compile(r"[A-Za-z0-9.\-]{1,64}")
"""http://hl7.org/fhir/R4/datatypes.html#id"""

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Collection:
    """Every patient of an input, and what belongs to each.

    Attributes:
        patients: the Patient resources, by id, in the order of the input.
        notes: what was left out, as sentences.
        unnamed: how many resources of a type say nothing of whom they are about.
    """

    def __init__(self, entries: Iterable[Entry]) -> None:
        """Settle copies and find each resource's patient.

        Args:
            entries: what was read, in the order of the input.

        Raises:
            InputError: a Patient has neither id nor fullUrl.
        """
        named = [_with_id(entry) for entry in entries]
        self.patients: dict[str, Resource] = {}
        self._resources: dict[str, list[Resource]] = defaultdict(list)
        self._contradictions: dict[str, Key] = {}
        self._misnamed: dict[str, str] = {}
        self.unnamed: Counter[str] = Counter()
        patients = [entry for entry in named if _type(entry) == PATIENT]
        for entry in patients:
            self._check_name(_patient_id(entry), entry.full_url)
        subjects = Subjects(patients)
        nobody: Counter[str] = Counter()
        for copies in _copies(named):
            newest = [(subjects.patient_id(entry) or "", entry) for entry in _newest(copies)]
            contradicts = len(newest) > 1 and not _are_named_apart(newest)
            for patient_id, entry in newest:
                self._keep(entry, patient_id, contradicts=contradicts)
                if not patient_id and _type(entry) not in WITHOUT_A_PATIENT:
                    nobody[_type(entry)] += 1
                    self.unnamed[_type(entry)] += not names_somebody(entry.resource)
        self.notes = _left_out(nobody)

    def _check_name(self, patient_id: str, full_url: str | None) -> None:
        """Keep what is wrong with a Patient's id; its data cannot be told from others' then."""
        literal = parse_literal(full_url) if full_url is not None else None
        if not _ID.fullmatch(patient_id):
            self._misnamed[patient_id] = (
                "The Patient's id is none that FHIR allows (up to 64 letters, digits, - and .), so "
                "nothing can point at it; give it another."
            )
        elif literal is not None and literal.key != (PATIENT, patient_id):
            self._misnamed[patient_id] = (
                "The Patient's id is not that of its fullUrl, so it cannot be told which data "
                "belong to it; correct one of the two."
            )

    def _keep(self, entry: Entry, patient_id: str, *, contradicts: bool) -> None:
        key = key_of(entry.resource)
        if contradicts and key is not None:
            self._contradictions.setdefault(patient_id, key)
        if _type(entry) == PATIENT:
            self.patients[patient_id] = entry.resource
        else:
            self._resources[patient_id].append(entry.resource)

    def patient(self, patient_id: str) -> Resource:
        """Return the Patient.

        Raises:
            NotFoundError: the input holds no Patient of that id.
            InputError: the Patient's id is wrong, or the input says two different things of this
                patient's resources.
        """
        if patient_id not in self.patients:
            raise NotFoundError("The input holds no Patient of that id; check --id.", status=404)
        if patient_id in self._misnamed:
            raise InputError(self._misnamed[patient_id], expression="Patient.id")
        key = self._contradictions.get(patient_id)
        if key is not None:
            raise InputError(
                f"The input holds two different versions of {key}, and meta.lastUpdated does not "
                "say which is newer; remove one of them.",
                expression=str(key),
            )
        return self.patients[patient_id]

    def resources(self, patient_id: str, resource_type: str) -> list[Resource]:
        """Return what belongs to the patient, of one type, in the order of the input."""
        self.patient(patient_id)
        found = self._resources.get(patient_id, [])
        return [resource for resource in found if resource["resourceType"] == resource_type]


def _with_id(entry: Entry) -> Entry:
    """Return the entry, its resource under the id of its fullUrl when it has none itself."""
    if isinstance(entry.resource.get("id"), str) or entry.full_url is None:
        return entry
    literal = parse_literal(entry.full_url)
    resource_id = literal.key.resource_id if literal else entry.full_url.rpartition(":")[2]
    return entry._replace(resource={**entry.resource, "id": resource_id})


def _patient_id(entry: Entry) -> str:
    patient_id = entry.resource.get("id")
    if isinstance(patient_id, str) and patient_id:
        return patient_id
    raise InputError(
        "The Patient has no id, so nothing can belong to it; give it an id.",
        expression="Patient.id",
    )


def _type(entry: Entry) -> str:
    return str(entry.resource["resourceType"])


def _copies(entries: Sequence[Entry]) -> Iterable[list[Entry]]:
    """Return entries of the same type and id together; one without an id stands alone."""
    groups: dict[object, list[Entry]] = defaultdict(list)
    for number, entry in enumerate(entries):
        groups[key_of(entry.resource) or number].append(entry)
    return groups.values()


def _newest(copies: Sequence[Entry]) -> list[Entry]:
    """Return the newest of the copies, without those that say the same.

    The newest `meta.lastUpdated` counts, then the highest numeric `meta.versionId`. Copies that
    differ only in `text` and `meta` say the same.
    """
    newest = max(_age(entry) for entry in copies)
    distinct: list[Entry] = []
    for entry in copies:
        if _age(entry) == newest and not any(_facts(entry) == _facts(kept) for kept in distinct):
            distinct.append(entry)
    return distinct


def _are_named_apart(copies: Sequence[tuple[str, Entry]]) -> bool:
    """Return whether one id was made up for several resources, which all count then.

    So it is when Bundles give them `urn:` names, not addresses, and the names or patients differ.
    """
    names = {(patient_id, entry.full_url) for patient_id, entry in copies}
    return len(names) == len(copies) and all(
        _type(entry) != PATIENT and entry.full_url is not None and entry.full_url.startswith("urn:")
        for _, entry in copies
    )


def _age(entry: Entry) -> tuple[datetime, int]:
    meta = entry.resource.get("meta")
    version = meta.get("versionId") if isinstance(meta, dict) else None
    number = int(version) if isinstance(version, str) and version.isdecimal() else -1
    return last_updated(entry.resource) or _LONG_AGO, number


def _facts(entry: Entry) -> Resource:
    return {name: value for name, value in entry.resource.items() if name not in {"text", "meta"}}


def _left_out(nobody: Counter[str]) -> tuple[str, ...]:
    counts = [f"{name} {count}" for name, count in sorted(nobody.items()) if count]
    if not counts:
        return ()
    return (f"Left out, because they name no patient of the input: {', '.join(counts)}.",)
