"""When plans say that they were made: dateTimes of any precision, compared as far as they go."""

import re
from datetime import UTC, datetime

from ivfhir.fhir.types import Resource

_DATE = re.compile(r"(\d{4}(?:-\d{2}(?:-\d{2})?)?)(?:T.*)?")


def is_later(ours: object, theirs: object) -> bool:
    """Tell whether a dateTime is surely later than another, whatever their precisions."""
    mine, other = str(ours or ""), str(theirs or "")
    first, second = _instant(mine), _instant(other)
    if first is not None and second is not None:
        return first > second
    dates = [match[1] for match in map(_DATE.fullmatch, (mine, other)) if match]
    if len(dates) != 2:  # noqa: PLR2004 - both must be dates
        return False
    length = min(map(len, dates))
    return dates[0][:length] > dates[1][:length]


def created_key(plan: Resource) -> tuple[str, float]:
    """Return what orders plans by `created`: by day, then by instant."""
    text = str(plan.get("created", ""))
    instant = _instant(text)
    if instant is None:
        return text, 0.0
    return f"{instant:%Y-%m-%d}", instant.timestamp()


def _instant(text: str) -> datetime | None:
    """Return the instant of a dateTime with a time and a zone; None for anything else."""
    try:
        instant = datetime.fromisoformat(text)
        return instant.astimezone(UTC) if instant.tzinfo else None
    except (ValueError, OverflowError):  # The first and the last day of all have no other zone.
        return None
