"""One value that stands for all inputs of an evaluation, for the trail of who decided on what.

Equal inputs give an equal digest, whatever the order in which a server gave them; any other value,
another instant, another parameter or a type that could not be read gives another one.
"""

import json
from collections.abc import Mapping
from decimal import Decimal
from hashlib import sha256
from typing import Any

from ivfhir.expressions.values import DateTime
from ivfhir.fhir.types import Json, Resource
from ivfhir.read import PatientRecord

_NOT_READ = ("meta", "text")
"""What no criterion reads: a new version of a resource that says the same is the same input."""


def inputs_digest(
    record: PatientRecord,
    *,
    as_of: DateTime,
    parameters: Mapping[str, Json] | None = None,
) -> str:
    """Return the SHA-256 of what an evaluation rests on, as 64 hex digits.

    It holds the patient, every resource of the record without `meta` and narrative, the types that
    could not be read, the instant and the parameters. Digits count as they are written: 1.0 is not
    1.00. It cannot be turned back, but somebody who knows a record can tell that it is that one's:
    whoever keeps it beside a patient hides it with a key.

    Args:
        record: what was read.
        as_of: the instant of the evaluation.
        parameters: what else the answers were asked with, JSON values by name.

    Source: clinical specification E.6.
    """
    parts = {
        "asOf": str(as_of),
        "parameters": dict(parameters or {}),
        "patient": _digest_of(_said(record.patient)),
        "resources": sorted(_digest_of(_said(each)) for each in record.resources),
        "unread": sorted(record.unread),
    }
    return _digest_of(parts)


def _said(resource: Resource) -> Resource:
    return {name: value for name, value in resource.items() if name not in _NOT_READ}


def _digest_of(value: object) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=_number)
    return sha256(text.encode()).hexdigest()


def _number(value: object) -> dict[str, Any]:
    """Return what stands for a decimal: not the text of its digits, which is another value."""
    if isinstance(value, Decimal):
        return {"decimal": str(value)}
    raise TypeError(f"{type(value).__name__} is no JSON value")
