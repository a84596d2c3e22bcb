"""Each evaluation leaves an entry in the audit trail: by which rules, on which inputs.

The entry holds no value of the record and no answer: versions, and a keyed hash of the inputs that
only this app's database can make again.

Source: clinical specification E.6.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress

from ivfhir import __version__
from ivfhir.errors import UnknownProtocolError
from ivfhir.expressions.values import DateTime
from ivfhir.inputs_digest import inputs_digest
from ivfhir.knowledge.load import BrokenProtocol, ClinicalProtocol
from ivfhir.knowledge.overlay import Overlay
from ivfhir.knowledge.regimens import load_regimen
from ivfhir.knowledge.route import BrokenRoute, RouteRule
from ivfhir.prescribe import REGIMEN, site_regimens
from ivfhir.read import PatientRecord
from smart_app import audit
from smart_app.smart.launch import Launch
from smart_app.visit.draft import PlanRequest


def record_evaluation(
    launch: Launch,
    record: PatientRecord,
    judged: Iterable[ClinicalProtocol | BrokenProtocol | RouteRule | BrokenRoute],
    *,
    as_of: DateTime,
    request: PlanRequest | None = None,
) -> None:
    """Keep that these rules were asked about the record; once a launch, rules and inputs.

    Args:
        launch: whose record it is.
        record: what was read.
        judged: the protocols, and the rule of the route where it was asked.
        as_of: the instant of the evaluation.
        request: what the clinician asked for; None where the protocols' defaults hold.

    Raises:
        DatabaseError: it could not be kept.
    """
    every = list(judged)
    asked = {} if request is None else _asked(request)
    digest = inputs_digest(record, as_of=as_of, parameters=asked)
    protocols = [each for each in every if isinstance(each, ClinicalProtocol | BrokenProtocol)]
    overlay = next((each.overlay for each in protocols if each.overlay is not None), None)
    rules = ", ".join(_versions(every, request))
    of_site = "" if overlay is None else _told(overlay)
    inputs = launch.app.store.keyed_digest(digest)
    audit.record(
        "evaluate",
        launch,
        once=(launch.id, "evaluate", rules, of_site, inputs),
        rules=rules,
        overlay=of_site,
        software=f"ivfhir {__version__}",
        inputs=inputs,
        as_of=str(as_of),
        protocol="" if request is None else ", ".join(each.id for each in protocols),
    )


def _asked(request: PlanRequest) -> dict[str, str | None]:
    return {
        **request.values,
        "Start": request.start,
        "OverrideReason": request.override_reason,
        "OverrideKind": request.override_kind,
    }


def _versions(
    judged: Iterable[ClinicalProtocol | BrokenProtocol | RouteRule | BrokenRoute],
    request: PlanRequest | None,
) -> list[str]:
    """Return name and version of every library that was asked, of what is broken, of a regimen."""
    found: dict[str, None] = {}
    for each in judged:
        if isinstance(each, BrokenRoute):
            found["ROUTE broken"] = None
        elif isinstance(each, BrokenProtocol):
            found[f"{each.id} {each.version or ''} broken"] = None
        else:
            keys = [library.key for library in (each.library, *each.libraries.values())]
            keys += [key for key, _ in (*each.criteria, *each.base_criteria)]
            found |= {f"{name} {version}": None for name, version in keys}
            found |= {f"{name} {version}": None for name, version in _regimen(each, request)}
    return sorted(found)


def _regimen(
    judged: ClinicalProtocol | RouteRule, request: PlanRequest | None
) -> Iterator[tuple[str, str]]:
    """Yield id and version of the regimen that was chosen; nothing where there is none such."""
    chosen = "" if request is None else request.values.get(REGIMEN, "")
    if chosen and isinstance(judged, ClinicalProtocol):
        with suppress(UnknownProtocolError):
            regimen = load_regimen(chosen, beside=site_regimens(judged))
            yield regimen.id, regimen.version


def _told(overlay: Overlay) -> str:
    return f"{overlay.called}, sha256:{overlay.digest}"
