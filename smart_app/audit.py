"""What happened, for the audit trail: one line at each place where something happens."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from flask import has_request_context, request

from ivfhir.errors import LaunchError, ServerError
from smart_app.audit_courier import goes_to_ehr
from smart_app.services import services

if TYPE_CHECKING:
    from smart_app.smart.launch import Launch


def record(
    event: str,
    launch: "Launch",
    *,
    done: bool = True,
    once: tuple[str, ...] | None = None,
    **details: str,
) -> None:
    """Keep that the launch's user did something about its patient.

    Args:
        event: one of the kinds that `audit_event` knows.
        launch: the launch: its EHR, user and patient.
        done: whether it succeeded.
        once: when given, an event with the same parts is kept once.
        details: what more there is to say, such as `protocol` and `draft`; never a name of a
            patient, never a text of the record.

    Raises:
        DatabaseError: it could not be kept.
    """
    _keep(_content(event, launch, done=done, **details), launch, once=once)


def record_opening(launch: "Launch") -> None:
    """Keep that the page of the request was opened, once a launch and page.

    Raises:
        DatabaseError: it could not be kept.
    """
    path = {name: str(value) for name, value in (request.view_args or {}).items()}
    details = {name: path[name] for name in sorted(path) if name != "launch"}
    page = str(request.endpoint).rsplit(".", 1)[-1]
    _keep(
        _content("open", launch, done=True, page=page, **details),
        launch,
        once=(launch.id, page, *(f"{name}={value}" for name, value in details.items())),
    )


def record_sign_in(
    *,
    ehr: str,
    user: str | None,
    patient: str | None,
    launch: str,
    done: bool,
    scope: str = "",
    **details: str,
) -> None:
    """Keep that somebody signed in, or that a sign-in that this browser began failed.

    `scope` is what was granted: it may let the EHR have the event, too.

    Raises:
        DatabaseError: it could not be kept.
    """
    who = {"ehr": ehr, "user": user or "", "patient": patient or "", "launch": launch}
    services().store.add_event(
        _told("sign-in", who, done=done, **details),
        deliver=launch if goes_to_ehr(services(), ehr, scope) else None,
    )


def record_sign_out(body: Mapping[str, Any], launch_id: str) -> None:
    """Keep that a launch was ended by its user.

    Args:
        body: of the launch, as kept.
        launch_id: its id.

    Raises:
        DatabaseError: it could not be kept.
    """
    who = {
        "ehr": str(body["iss"]).rstrip("/"),
        "user": str(body.get("fhir_user") or body.get("subject") or ""),
        "user_name": str(body.get("user_name") or ""),
        "patient": f"Patient/{body['patient']}",
        "launch": launch_id,
    }
    services().store.add_event(_told("sign-out", who, done=True))


@contextmanager
def failed_sign_in(begun: Mapping[str, Any]) -> Iterator[None]:
    """Keep that a sign-in failed which this browser began; the error goes on.

    An answer that belongs to no sign-in of this browser is not kept: anybody could fill the trail.

    Raises:
        DatabaseError: it could not be kept.
    """
    try:
        yield
    except (LaunchError, ServerError) as error:
        record_sign_in(
            ehr=begun["iss"].rstrip("/"),
            user=None,
            patient=None,
            launch=begun["launch_id"],
            done=False,
            why=type(error).__name__,
        )
        raise


def _keep(
    content: dict[str, str], launch: "Launch", *, once: tuple[str, ...] | None = None
) -> None:
    """Add an event to the trail, and let the EHR have it where that is allowed."""
    app = services()
    to_ehr = goes_to_ehr(app, launch.fhir_base, launch.scopes.text)
    app.store.add_event(content, once=once, deliver=launch.id if to_ehr else None)


def _content(event: str, launch: "Launch", *, done: bool, **details: str) -> dict[str, str]:
    signer = launch.practitioner
    who = {
        "ehr": launch.fhir_base,
        "user": signer.reference if signer else "",
        "user_name": signer.name if signer else "",
        "patient": f"Patient/{launch.patient_id}",
        "launch": launch.id,
    }
    return _told(event, who, done=done, **details)


def _told(event: str, who: dict[str, str], *, done: bool, **details: str) -> dict[str, str]:
    address = (request.remote_addr or "") if has_request_context() else ""
    outcome = "success" if done else "failure"
    content = {"event": event, "outcome": outcome, "address": address, **who, **details}
    return {name: value for name, value in content.items() if value}
