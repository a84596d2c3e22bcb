"""Words of the user as the values that a protocol takes: instants, days and parameters."""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from ivfhir.errors import ParameterError, UsageError
from ivfhir.expressions.values import Date, DateTime
from ivfhir.knowledge.load import ClinicalProtocol

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MOMENT = re.compile(
    r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})?", re.ASCII
)
_LAST_MILLISECOND = timedelta(days=1) - timedelta(milliseconds=1)

NOT_BY_PARAM = {
    "AsOf": "--as-of",
    "Start": "--start",
    "OverrideReason": "--override-reason",
    "OverrideKind": "--override-kind",
}
"""Parameters of every protocol that have an option of their own."""


def as_options(message: str) -> str:
    """Return a refusal with the options of the command line in place of the parameters' names."""
    for name, option in NOT_BY_PARAM.items():
        message = message.replace(f"({name})", f"({option})")
    return message


def parse_as_of(text: str | None, *, time_zone: str, now: datetime) -> DateTime:
    """Return the evaluation instant, to the millisecond (rule E-11).

    Args:
        text: a date, which means the last millisecond of that day in the site's time zone; a
            date-time, which without an offset is in the site's time zone; None, which means `now`.
        time_zone: the site's, such as `Europe/Berlin`.
        now: an instant with a time zone.

    Raises:
        UsageError: the text is neither, or no such time zone is known.
    """
    zone = site_zone(time_zone)
    if text is None:
        return DateTime.of(now.astimezone(zone))
    try:
        if _DAY.fullmatch(text):
            midnight = datetime.combine(date.fromisoformat(text), time.min)
            return DateTime.of((midnight + _LAST_MILLISECOND).replace(tzinfo=zone))
        if _MOMENT.fullmatch(text):
            moment = datetime.fromisoformat(text)
            return DateTime.of(moment if moment.tzinfo else moment.replace(tzinfo=zone))
    except ValueError:
        pass
    raise UsageError(
        f"'{text}' is no evaluation date; write 2025-03-03 or 2025-03-03T10:30:00+01:00."
    )


def parse_day(text: str) -> Date:
    """Return a calendar day.

    Raises:
        UsageError: the text is none.
    """
    day = Date.parse(text) if _DAY.fullmatch(text) else None
    if day is None:
        raise UsageError(f"'{text}' is no day of the calendar; write 2025-03-03.")
    return day


def site_zone(name: str) -> ZoneInfo:
    """Return the site's time zone.

    Raises:
        UsageError: there is none of that name.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise UsageError(
            f"'{name}' is no time zone; set IVFHIR_TIME_ZONE to a name such as Europe/Berlin."
        ) from None


def typed_parameters(protocol: ClinicalProtocol, raw: Mapping[str, str]) -> dict[str, object]:
    """Return the protocol's parameters as CQL values.

    Bounds are the protocol's own matter: its define `Parameter_Problems` tells them.

    Args:
        protocol: whose parameters they are.
        raw: name → text.

    Raises:
        ParameterError: the protocol has none of that name, or it is of another type.
    """
    declared = protocol.declared
    typed: dict[str, object] = {}
    for name, text in raw.items():
        if name in NOT_BY_PARAM:
            raise ParameterError(f"{name} is given by {NOT_BY_PARAM[name]}, not as a parameter.")
        if name not in declared:
            known = ", ".join(each for each in declared if each not in NOT_BY_PARAM)
            raise ParameterError(f"{protocol.id} has no parameter '{name}'. It has: {known}.")
        type_name = re.split(r"[.}]", declared[name].type_name)[-1]
        typed[name] = _typed(name, text, type_name)
    return typed


def _typed(name: str, text: str, type_name: str) -> object:
    words, parse = _TYPES.get(type_name, ("a value of a type that cannot be given here", None))
    try:
        value = parse(text) if parse is not None else None
    except (ValueError, KeyError, InvalidOperation):
        value = None
    if value is None:
        raise ParameterError(f"{name} is {words}; '{text}' is none.")
    return value


def _integer(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[+-]?\d{1,10}", text, re.ASCII) else None


def _decimal(text: str) -> Decimal | None:
    return Decimal(text) if re.fullmatch(r"[+-]?\d+(\.\d+)?", text, re.ASCII) else None


_TYPES: Mapping[str, tuple[str, Callable[[str], object]]] = {
    "Integer": ("a whole number", _integer),
    "Decimal": ("a number", _decimal),
    "Boolean": ("true or false", {"true": True, "false": False}.get),
    "String": ("a text", str),
    "Date": ("a day, such as 2025-03-03", Date.parse),
    "DateTime": ("a date with time, such as 2025-03-03T10:30:00+01:00", DateTime.parse),
}
