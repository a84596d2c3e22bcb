"""The plan by date: rows under a heading a round, and what must be settled first."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

from ivfhir.wording import dates, words
from smart_app.pages.plan_items import Condition, PlanItem, round_starts

_SATURDAY = 5


@dataclass(frozen=True)
class AgendaRow:
    """One row: days, allowed days, a warning when time runs out, what, how; is it today?

    `gates` are anchors and names of what must hold before it starts.
    """

    days: tuple[str, ...]
    allowed: str
    late: str
    lane: str
    title: str
    details: str
    gates: tuple[tuple[str, str], ...]
    today: bool


@dataclass(frozen=True)
class AgendaPart:
    """A heading with its rows."""

    heading: str
    rows: tuple[AgendaRow, ...]


def agenda(items: tuple[PlanItem, ...], today: date) -> tuple[AgendaPart, ...]:
    """Return the list by date; repeats of one step in one part of the plan share a row.

    Args:
        items: the steps, in order of date.
        today: the day the plan is looked at.
    """
    starts = round_starts(items)
    told: dict[tuple[str, str], int | None] = {}
    parts = []
    by_part = sorted(items, key=lambda item: _place(item, starts))
    for (_, heading), members in groupby(
        by_part, key=lambda item: (_place(item, starts), _heading(item, starts))
    ):
        parts.append(AgendaPart(heading, tuple(_rows(list(members), today, told))))
    return tuple(parts)


def gates(items: tuple[PlanItem, ...]) -> tuple[tuple[str, str, str], ...]:
    """Return anchor, name and wording of all that must hold before a step starts, each once."""
    return tuple(dict.fromkeys(_gate(gate) for item in items for gate in item.conditions))


def _gate(condition: Condition) -> tuple[str, str, str]:
    """Return anchor, name and wording; the plan's words begin with the name, as a sentence."""
    name, _, wording = condition.words.partition(". ")
    return condition.anchor, name.rstrip("."), words.pretty(wording)


def to_settle(
    items: tuple[PlanItem, ...],
    today: date,
    *,
    warnings: Sequence[str] = (),
    expiring: Sequence[tuple[str, ...]] = (),
) -> tuple[str, ...]:
    """Return sentences on what should be settled before a plan is accepted.

    Args:
        items: the steps.
        today: the day the plan is looked at.
        warnings: what its dates mean for the protocol's goals, as the protocol says it.
        expiring: concept, last day and, where it is kept, day of the result, of each fact that
            will be too old on the day of the start.
    """
    return (*warnings, *_expired(expiring), *_late_steps(items, today), *_weekends(items))


def _expired(expiring: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """Yield a sentence a last day: these facts count until then, and not on the start day."""
    by_day = sorted(
        {
            (until, words.concept_inside(concept) + "".join(f" of {dates.day(day)}" for day in of))
            for concept, until, *of in expiring
        }
    )
    for until, members in groupby(by_day, key=lambda each: each[0]):
        names = words.join([name for _, name in members])
        last = dates.parse_day(until)
        yield (
            f"Too old on the day of the start: {names}, counted until "
            f"{dates.weekday_day(last) if last else until}. Obtain them anew before it."
        )


def _weekends(items: tuple[PlanItem, ...]) -> Iterator[str]:
    """Yield one sentence that names each planned day on a weekend, with what is planned then."""
    planned: dict[date, list[str]] = {}
    for item in items:
        if item.planned is not None and item.planned.weekday() >= _SATURDAY:
            where = f" ({item.in_round})" if item.in_round else ""
            planned.setdefault(item.planned, []).append(f"{words.decapitalise(item.title)}{where}")
    if planned:
        named = [f"{dates.weekday_day(day)}: {words.join(what)}" for day, what in planned.items()]
        days = words.count(len(planned), "planned day")
        yield (
            f"{days} {'is' if len(planned) == 1 else 'are'} on a weekend: {'; '.join(named)}. "
            f"{_other_days(items)}"
        )


def _other_days(items: tuple[PlanItem, ...]) -> str:
    """Return what can be done about planned days on a weekend: move them, or the start."""
    fixed = [
        item
        for item in items
        if _is_on_weekend(item) and all(day.weekday() >= _SATURDAY for day in _span(item))
    ]
    if not fixed:
        return "Any allowed day will do."
    names = words.join(list(dict.fromkeys(words.decapitalise(item.title) for item in fixed)))
    return (
        f"No weekday is allowed for {names}: choose another start or interval. "
        "For the others any allowed day will do."
        if len(fixed) < sum(_is_on_weekend(item) for item in items)
        else f"No weekday is allowed for {names}: choose another start or interval."
    )


def _span(item: PlanItem) -> list[date]:
    return [item.low + timedelta(days=n) for n in range((item.high - item.low).days + 1)]


def _is_on_weekend(item: PlanItem) -> bool:
    return item.planned is not None and item.planned.weekday() >= _SATURDAY


def _late_steps(items: tuple[PlanItem, ...], today: date) -> list[str]:
    """Return a sentence for each step whose days are over, end today, or whose day is past."""
    lines = []
    for item in items:
        where = f" of {item.in_round}" if item.in_round else ""
        if item.high < today:
            lines.append(
                f"{item.title}{where}: its days ended on {dates.day(item.high)}. "
                "Choose a later start, or see that it was done."
            )
        elif item.high == today and item.planned != today:
            lines.append(f"{item.title}{where}: today is its last allowed day.")
        elif item.planned is not None and item.planned < today:
            lines.append(
                f"{item.title}{where}: its planned day, "
                f"{dates.weekday_day(item.planned)}, is past; "
                f"allowed until {dates.weekday_day(item.high)}."
            )
    return lines


def _place(item: PlanItem, starts: dict[int, date]) -> int:
    """Return the part's place: 0 before the rounds, their numbers, then one behind the last."""
    if item.round is not None:
        return item.round
    first = min(starts.values(), default=item.day)
    return 0 if item.day <= first else max(starts, default=0) + 1


def _heading(item: PlanItem, starts: dict[int, date]) -> str:
    if item.round is not None:
        begins = f", {dates.day(starts[item.round])}" if item.round in starts else ""
        title = item.group.partition(":")[2].strip() or item.group
        return f"{item.round_name} {item.round}{begins}: {words.decapitalise(title)}"
    return item.group


def _rows(
    items: list[PlanItem], today: date, told: dict[tuple[str, str], int | None]
) -> list[AgendaRow]:
    """Return the rows of one part; what was said of a step before is not said again.

    Repeats of a step share a row where what is said of them is the same.
    """
    rows: list[AgendaRow] = []
    for _, same in groupby(
        sorted(items, key=lambda item: _first_day(item, items)),
        key=lambda item: (item.stem, item.details),
    ):
        members = list(same)
        first = members[0]
        late = list(
            dict.fromkeys(text for text in (_late(item, today) for item in members) if text)
        )
        rows.append(
            AgendaRow(
                days=tuple(
                    dates.weekday_day(item.planned) if item.planned else "no fixed day"
                    for item in members
                ),
                allowed="; ".join(_allowed(item) for item in members),
                late=", ".join(late),
                lane=first.step.lane,
                title=first.title if len(members) == 1 else f"{first.title}, {len(members)} times",
                details=_details(first, told),
                gates=tuple(_gate(condition)[:2] for condition in first.conditions),
                today=any(item.low <= today <= item.high for item in members),
            )
        )
    return rows


def _details(item: PlanItem, told: dict[tuple[str, str], int | None]) -> str:
    before = told.setdefault((item.stem, item.details), item.round)
    if before == item.round:
        return item.details
    return f"As in {words.decapitalise(item.round_name)} {before}."


def _first_day(item: PlanItem, items: list[PlanItem]) -> tuple[date, str, str]:
    """Return the day by which a step's row is placed: that of its first repeat in this row."""
    same = (other for other in items if (other.stem, other.details) == (item.stem, item.details))
    return min(other.day for other in same), item.stem, item.details


def _allowed(item: PlanItem) -> str:
    if item.low == item.high == item.planned:
        return "this day"
    return dates.days(item.low, item.high, year=item.planned is None)


def _late(item: PlanItem, today: date) -> str:
    if item.high < today:
        return (
            "ended yesterday" if (today - item.high).days == 1 else f"ended {dates.day(item.high)}"
        )
    if item.high == today:
        return "today is the last day"
    return "the planned day is past" if item.planned is not None and item.planned < today else ""
