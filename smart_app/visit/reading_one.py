"""Reading one resource that the address of a page names: only what the launch is for."""

from ivfhir.errors import ForbiddenError, NotFoundError
from ivfhir.fhir.references import Key, parse_literal, subject_of
from ivfhir.fhir.types import PATIENT, Resource
from ivfhir.shape import check_shape
from smart_app.smart.launch import Launch

_NOT_HERE = "This record holds no such entry. Go back to the page that you came from."


def read_allowed(launch: Launch, key: Key) -> Resource:
    """Return a resource of the launch's patient, or one that is about nobody.

    An EHR should refuse the others itself; the app does not lean on that.

    Raises:
        NotFoundError: the address names no resource, or another patient's.
        InputError: it is not of the shape that R4 gives its type.
        ForbiddenError: the granted scopes do not let the app read the type.
    """
    literal = parse_literal(str(key))
    named = literal is not None and not literal.base and literal.key == key
    if not named or not key.resource_id.strip(".") or key.resource_id.startswith("_"):
        raise NotFoundError(_NOT_HERE)
    if not _granted(launch, key):
        raise ForbiddenError(
            f"The EHR does not let the app read {key.resource_type}. Your EHR administrator can "
            "grant it."
        )
    patient = Key(PATIENT, launch.patient_id)
    if key.resource_type == PATIENT and key != patient:
        raise NotFoundError(_NOT_HERE)
    resource = launch.repository.read(*key)
    check_shape(resource)
    about = (subject_of(resource) or {}).get("reference")
    subject = parse_literal(about) if isinstance(about, str) else None
    if subject is not None and subject.key.resource_type == PATIENT and subject.key != patient:
        raise NotFoundError(_NOT_HERE)
    return resource


def _granted(launch: Launch, key: Key) -> bool:
    """Tell whether the scopes, `fhirUser` among them, let the app read the resource."""
    user = launch.practitioner
    if user is not None and user.reference == str(key):
        return True
    return launch.scopes.may(key.resource_type, "r") or key.resource_type in launch.partial_types
