"""Date, DateTime and Time of any precision (https://cql.hl7.org/09-b-cqlreference.html#date-and-time-operators-2).

A value holds only the components that are known. A value read from FHIR keeps its text as written.
Two values are compared component by component; when one ends before a difference shows, the answer
is None: not known. Time zones: values with a time are brought to UTC before they are compared,
values without one are compared as they are (CQL normalises only for hours and finer).
"""

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import ClassVar, Self

YEAR, MONTH, DAY, HOUR, MINUTE, SECOND, MILLISECOND = range(1, 8)
"""How many components a value of that precision has."""

PRECISIONS = {
    "Year": YEAR,
    "Month": MONTH,
    "Week": DAY,
    "Day": DAY,
    "Hour": HOUR,
    "Minute": MINUTE,
    "Second": SECOND,
    "Millisecond": MILLISECOND,
}
LOWEST = (1, 1, 1, 0, 0, 0, 0)
HIGHEST = (9999, 12, 31, 23, 59, 59, 999)
DIGITS = (4, 2, 2, 2, 2, 2, 3)
LEAP_SECOND = 60
NANOSECONDS = 10**9

_DATE = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?", re.ASCII)
_DATE_TIME = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(?:(\d\d)(?::(\d\d)(?::(\d\d)(?:\.(\d+))?)?)?)?"
    r"(Z|[+-]\d\d:\d\d)?)?)?)?",
    re.ASCII,
)
_TIME = re.compile(r"T?(\d\d)(?::(\d\d)(?::(\d\d)(?:\.(\d+))?)?)?(?:Z|[+-]\d\d:\d\d)?", re.ASCII)
_FINER = re.compile(r"\.\d{3}(\d+)", re.ASCII)

Parts = tuple[int, ...]


class Partial:
    """Known components from the coarsest on, and the text they were read from.

    Args:
        parts: the known components.
        text: as written in the resource; None for a value that was computed.
    """

    __slots__ = ("parts", "text")
    first: ClassVar[int] = YEAR

    def __init__(self, parts: Parts, text: str | None = None) -> None:
        """Keep the components and the text."""
        self.parts = parts
        self.text = text

    @property
    def key(self) -> Parts:
        """What is compared: the components, brought to one time zone."""
        return self.parts

    @property
    def precision(self) -> int:
        """The finest known component: YEAR to MILLISECOND."""
        return len(self.parts) + self.first - 1

    def __eq__(self, other: object) -> bool:
        """Return whether both are the same value with the same precision."""
        return type(self) is type(other) and self.key == getattr(other, "key", None)

    def __hash__(self) -> int:
        """Hash by what is compared."""
        return hash(self.key)

    def __repr__(self) -> str:
        """Return the class and the text."""
        return f"{type(self).__name__}({self})"


class Date(Partial):
    """A calendar day, month or year."""

    __slots__ = ("_ordinal",)

    def __init__(self, parts: Parts, text: str | None = None) -> None:
        """Keep the components and the text."""
        self.parts = parts
        self.text = text
        self._ordinal: int | None = None

    @property
    def ordinal(self) -> int:
        """The number of the day, counted from the first of year 1.

        Missing components are the first.
        """
        if self._ordinal is None:
            self._ordinal = self.to_python().toordinal()
        return self._ordinal

    @classmethod
    def parse(cls, text: str) -> "Date | None":
        """Return the date of a FHIR date or CQL string, None when it is none."""
        return parse_date(text)

    @classmethod
    def of(cls, day: date) -> Self:
        """Return a Python date as a Date."""
        return cls((day.year, day.month, day.day))

    def to_python(self) -> date:
        """Return the Python date; missing components are the first of their kind."""
        return date(*(self.parts + LOWEST[len(self.parts) : DAY]))

    def __str__(self) -> str:
        """Return the text as written, or YYYY[-MM[-DD]]."""
        return self.text or format_parts(self.parts)


class DateTime(Partial):
    """A moment of any precision with its offset from UTC.

    Args:
        parts: year, month, day, hour, minute, second, millisecond, as far as they are known.
        offset: minutes east of UTC; None when it is not known.
        text: as written in the resource; None for a value that was computed.
    """

    __slots__ = ("_date", "_key", "offset")

    def __init__(self, parts: Parts, offset: int | None = None, text: str | None = None) -> None:
        """Keep components, offset and text."""
        self.parts = parts
        self.offset = offset
        self.text = text
        self._key: Parts | None = None
        self._date: Date | None = None

    @classmethod
    def parse(cls, text: str) -> "DateTime | None":
        """Return the value of a FHIR dateTime, instant or CQL string, None when it is none."""
        return parse_date_time(text)

    @classmethod
    def of(cls, moment: datetime) -> Self:
        """Return a Python datetime as a DateTime of millisecond precision."""
        delta = moment.utcoffset()
        return cls(
            parts_of(moment),
            None if delta is None else int(delta.total_seconds()) // 60,
        )

    @property
    def key(self) -> Parts:
        """The components in UTC, with seconds and their fraction as one number (nanoseconds).

        CQL knows milliseconds; but what is written finer is not equal to what it is cut to.
        """
        if self._key is None:
            self._key = comparable(self.parts, self.offset)
            if self.text is not None and len(self.parts) == MILLISECOND:
                self._key = (*self._key[:-1], self._key[-1] + finer_than_milliseconds(self.text))
        return self._key

    def at_offset(self, offset: int) -> "DateTime":
        """Return the same components, said to be of that offset."""
        return DateTime(self.parts, offset, self.text)

    def in_offset(self, offset: int) -> "DateTime":
        """Return the same moment seen from another offset.

        Unchanged without a time or an offset.
        """
        if self.offset in (offset, None) or len(self.parts) < HOUR:
            return self
        return DateTime(shifted(self.parts, offset - (self.offset or 0)), offset)

    def date(self) -> Date:
        """Return the calendar date as it is written, in its own offset."""
        if self._date is None:
            self._date = Date(self.parts[:DAY])
        return self._date

    def __str__(self) -> str:
        """Return the text as written, or YYYY-MM-DDThh:mm:ss.fff+hh:mm as far as it is known."""
        if self.text is not None:
            return self.text
        text = format_parts(self.parts)
        return text + (format_offset(self.offset) if len(self.parts) >= HOUR else "")


class Time(Partial):
    """A time of day."""

    __slots__ = ()
    first = HOUR

    @classmethod
    def parse(cls, text: str) -> "Time | None":
        """Return the time of a FHIR time or CQL string, None when it is none."""
        return parse_time(text)

    @property
    def key(self) -> Parts:
        """The components, with seconds and milliseconds as one number (nanoseconds)."""
        return merged(self.parts, SECOND - HOUR)

    def __str__(self) -> str:
        """Return the text as written, or hh:mm:ss.fff as far as it is known."""
        if self.text is not None:
            return self.text
        return format_parts((*LOWEST[: HOUR - 1], *self.parts)).partition("T")[2]


def comparable(parts: Parts, offset: int | None) -> Parts:
    """Return date-time components in UTC with seconds and milliseconds as nanoseconds."""
    if offset and len(parts) >= HOUR:
        parts = shifted(parts, -offset)
    return merged(parts, SECOND - 1)


def merged(parts: Parts, second: int) -> Parts:
    """Return the components with the one at index `second` and its milliseconds as nanoseconds."""
    if len(parts) <= second:
        return parts
    rest = parts[second + 1] if len(parts) > second + 1 else 0
    return (*parts[:second], parts[second] * NANOSECONDS + rest * NANOSECONDS // 1000)


def finer_than_milliseconds(text: str) -> int:
    """Return the nanoseconds of a written time beyond its whole milliseconds."""
    match = _FINER.search(text)
    return int(match.group(1)[:6].ljust(6, "0")) if match else 0


def shifted(parts: Parts, minutes: int) -> Parts:
    """Return components moved by minutes; unchanged where the calendar ends."""
    try:
        return parts_of(as_datetime(parts) + timedelta(minutes=minutes))[: len(parts)]
    except OverflowError:
        return parts


def as_datetime(parts: Parts) -> datetime:
    """Return the first moment of a value, as if it were in UTC.

    Raises:
        ValueError: the calendar has no such moment.
    """
    year, month, day, hour, minute, second, milli = parts + LOWEST[len(parts) :]
    return datetime(year, month, day, hour, minute, second, milli * 1000, tzinfo=UTC)


def parts_of(moment: datetime) -> Parts:
    """Return all components of a moment."""
    return (*moment.timetuple()[:6], moment.microsecond // 1000)


def format_parts(parts: Parts) -> str:
    """Return components as ISO 8601 text."""
    fields = [str(n).zfill(w) for n, w in zip(parts, DIGITS, strict=False)]
    text = "-".join(fields[:DAY])
    if len(fields) > DAY:
        text += "T" + ":".join(fields[DAY:SECOND])
    return f"{text}.{fields[SECOND]}" if len(fields) > SECOND else text


def format_offset(offset: int | None) -> str:
    """Return an offset as ±hh:mm, nothing when it is not known."""
    if offset is None:
        return ""
    hours, minutes = divmod(abs(offset), 60)
    return f"{'-' if offset < 0 else '+'}{hours:02}:{minutes:02}"


@lru_cache(maxsize=4096)
def parse_date(text: str) -> Date | None:
    """Return the date of the text, None when it is no date of the calendar."""
    match = _DATE.fullmatch(text)
    parts = match and known_parts(match.groups())
    return Date(parts, text) if parts else None


@lru_cache(maxsize=4096)
def parse_date_time(text: str) -> DateTime | None:
    """Return the date-time of the text, None when it is none of the calendar."""
    match = _DATE_TIME.fullmatch(text)
    parts = match and known_parts(match.groups()[:7])
    if match is None or not parts:
        return None
    zone = match.group(8)
    offset = None
    if zone == "Z":
        offset = 0
    elif zone:
        offset = (int(zone[1:3]) * 60 + int(zone[4:])) * (-1 if zone[0] == "-" else 1)
    return DateTime(parts, offset, text)


@lru_cache(maxsize=1024)
def parse_time(text: str) -> Time | None:
    """Return the time of the text, None when it is no time of the day."""
    match = _TIME.fullmatch(text)
    parts = match and known_parts(("0001", "01", "01", *match.groups()))
    return Time(parts[3:], text) if parts else None


def known_parts(groups: tuple[str | None, ...]) -> Parts | None:
    """Return the components of matched text, None when the calendar does not have them."""
    numbers = [int(g) for g in groups[:6] if g is not None]
    if len(groups) > SECOND and (fraction := groups[6]) is not None:
        numbers.append(int(fraction[:3].ljust(3, "0")))
    if len(numbers) >= SECOND and numbers[5] == LEAP_SECOND:
        numbers[5:] = [59, 999]
    return valid_parts(tuple(numbers))


def valid_parts(parts: Parts) -> Parts | None:
    """Return the components when the calendar has them, None otherwise."""
    try:
        as_datetime(parts)
    except ValueError:
        return None
    return parts
