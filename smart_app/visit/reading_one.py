"""Reading one resource that the address of a page names: only what the launch is for."""

from ivfhir.errors import ForbiddenError, NotFoundError
from ivfhir.fhir.references import Key, parse_literal, subject_of
from ivfhir.fhir.types import PATIENT, Resource
from ivfhir.shape import check_shape
from ivfhir.wording.record_parts import RECORD_PARTS
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
        raise ForbiddenError(_refused(key))
    patient = Key(PATIENT, launch.patient_id)
    if key.resource_type == PATIENT and key != patient:
        raise NotFoundError(_NOT_HERE)
    resource = _read(launch, key)
    check_shape(resource)
    about = (subject_of(resource) or {}).get("reference")
    subject = parse_literal(about) if isinstance(about, str) else None
    if subject is not None and subject.key.resource_type == PATIENT and subject.key != patient:
        raise NotFoundError(_NOT_HERE)
    return resource


def _read(launch: Launch, key: Key) -> Resource:
    """Return the resource; a refusal and an absence are said in a clinician's words."""
    try:
        return launch.repository.read(*key)
    except ForbiddenError as error:
        raise ForbiddenError(_refused(key), status=error.status, outcome=error.outcome) from error
    except NotFoundError as error:
        raise NotFoundError(_NOT_HERE, status=error.status, outcome=error.outcome) from error


def _refused(key: Key) -> str:
    what = RECORD_PARTS.get(key.resource_type, "entries of this kind")
    return (
        f"The EHR does not let the app read {what}. Look the entry up in the EHR itself; your "
        "EHR administrator can let the app read such entries."
    )


def _granted(launch: Launch, key: Key) -> bool:
    """Tell whether the scopes, `fhirUser` among them, let the app read the resource."""
    user = launch.practitioner
    if user is not None and user.reference == str(key):
        return True
    return launch.scopes.may(key.resource_type, "r") or key.resource_type in launch.partial_types
