"""Stage 1, read: the data that the protocols need, of one patient."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from ivfhir.errors import (
    BadAnswerError,
    ForbiddenError,
    IncompleteError,
    ServerError,
    UnauthorisedError,
)
from ivfhir.fhir.references import is_about_another, names_somebody, reference_of
from ivfhir.fhir.types import PATIENT, Resource
from ivfhir.repository import Repository
from ivfhir.shape import check_shape


@dataclass(frozen=True)
class PatientRecord:
    """What was read about one patient.

    Attributes:
        patient: the Patient resource.
        resources: everything else, each once.
        unread: resource type → why it could not be read to its end; what it holds is unknown.
        notes: what was left out, as sentences.
        refused: those of the unread types that the server does not let us read, by scope or by its
            answer; reading again does not help.
    """

    patient: Resource
    resources: tuple[Resource, ...]
    unread: Mapping[str, str]
    notes: tuple[str, ...] = ()
    refused: frozenset[str] = frozenset()


def read_record(
    repository: Repository,
    patient_id: str,
    resource_types: Collection[str],
    *,
    granted_types: Collection[str] | None = None,
    without_any: bool = False,
) -> PatientRecord:
    """Return the patient and every resource of the types that belongs to the patient.

    Args:
        repository: where to read.
        patient_id: logical id.
        resource_types: what the protocols retrieve; Patient among them is read anyway.
        granted_types: the types that the token's scopes allow; others are not asked for. None means
            that the scopes are not known, and everything is asked for.
        without_any: the patient alone is an answer too, when no search brings anything.

    Returns:
        The record. A search that failed, was not granted or not read to its last page leaves its
        type in `unread`: absence of data is then not absence of the fact (rule E-03).

    Raises:
        ServerError: the Patient cannot be read, the token is not accepted, or every search failed
            and `without_any` is not set.
        InputError: a resource is not of the shape that R4 gives its type.
    """
    patient = repository.read(PATIENT, patient_id)
    resources: list[Resource] = []
    unread: dict[str, str] = {}
    refused: set[str] = set()
    failures: list[ServerError] = []
    wanted = sorted(set(resource_types) - {PATIENT})
    for resource_type in wanted:
        if granted_types is not None and resource_type not in granted_types:
            unread[resource_type] = f"{resource_type} was not read: the granted scopes lack it."
            refused.add(resource_type)
            continue
        try:
            resources += _search(repository, resource_type, patient_id)
        except UnauthorisedError:
            raise
        except ServerError as error:
            unread[resource_type] = f"{resource_type} could not be read to its end: {error.message}"
            failures.append(error)
            if isinstance(error, ForbiddenError):
                refused.add(resource_type)
    partial = all(isinstance(failure, IncompleteError) for failure in failures)
    if len(failures) == len(wanted) and not partial and not without_any:
        raise failures[0]
    for resource in (patient, *resources):
        check_shape(resource)
    named, notes = _named(resources)
    return PatientRecord(patient, named, unread, notes, refused=frozenset(refused))


def _named(resources: Collection[Resource]) -> tuple[tuple[Resource, ...], tuple[str, ...]]:
    """Return the resources, those without an id under a name of their own, and a note of these.

    Rules tell resources apart by their references: without a name, what an entry leaves open is
    lost, and unknown becomes no.
    """
    taken = {each["id"] for each in resources if "id" in each}
    names = (name for name in map("without-id-{}".format, count(1)) if name not in taken)
    named = tuple(each if "id" in each else {**each, "id": next(names)} for each in resources)
    ours = [reference_of(new) for old, new in zip(resources, named, strict=True) if old is not new]
    return named, (_names_told(ours),) if ours else ()


def _names_told(references: Sequence[str]) -> str:
    more = f" and {len(references) - 1} more" if len(references) > 1 else ""
    verb = "entries came without an id and are" if more else "entry came without an id and is"
    return f"{len(references)} {verb} named by this program: {references[0]}{more}."


def _search(repository: Repository, resource_type: str, patient_id: str) -> list[Resource]:
    """Return the patient's resources of a type.

    Raises:
        BadAnswerError: the answer holds another patient's data, so nothing in it can be trusted.
        IncompleteError: it holds data that name no patient, and may be this one's (rule E-17).
    """
    found = repository.search(resource_type, {"patient": patient_id})
    if unnamed := sum(not names_somebody(resource) for resource in found):
        raise IncompleteError(
            f"the answer holds {unnamed} that name no patient and may be this one's; tell the "
            "server's operator."
        )
    if any(is_about_another(resource, f"{PATIENT}/{patient_id}") for resource in found):
        raise BadAnswerError(
            f"The search for {resource_type} brought another patient's data, so none of it "
            "counts; tell the server's operator."
        )
    return found
