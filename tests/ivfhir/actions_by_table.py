"""The actions of a plan, worked out from the specification's tables and formulas of schedule.

The rows are the specification's own (tests/data/specification/actions.json); what "every session"
or "every 84 d" means for a row stands here, once more and apart from the protocols' folders.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).parents[1] / "data" / "specification" / "actions.json"


@dataclass(frozen=True)
class Planned:
    """An action of a plan.

    Attributes:
        row: id of its row.
        kind: of its request.
        day: the planned day, with the window's ends.
        near: the target of its relation, where the row relates to one action.
        least: the least distance to it, where the windows of the two do not say it.
        again: whether it comes back, or is done for another reason than the row's first: the row's
            distance is that of the first.
    """

    row: str
    kind: str
    day: date
    earliest: date
    latest: date
    near: str | None = None
    least: int | None = None
    again: bool = False


@cache
def tables() -> dict[str, Any]:
    """Return the tables, by protocol."""
    read: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return dict(read["protocols"])


def in_full(protocol: str, given: Mapping[str, int]) -> dict[str, int]:
    """Return every parameter: the table's default where none is given."""
    defaults = {name: each["default"] for name, each in tables()[protocol]["parameters"].items()}
    return {**defaults, **given}


def expected(
    protocol: str, start: date, given: Mapping[str, int], choice: str = ""
) -> dict[str, Planned]:
    """Return id of an action -> when, for a plan.

    Args:
        protocol: its id.
        start: day 0 of the first session, implantation or stent.
        given: its parameters.
        choice: the mode or the site.
    """
    plan = _Plan(protocol, start, in_full(protocol, given), choice)
    expand = {
        "LIVER": _liver, "LMET": _lmet, "REGI": _regi, "PORT": _port, "STENT": _stent,
    }[protocol]  # fmt: skip
    found: dict[str, Planned] = {}
    for row in tables()[protocol]["actions"]:
        for suffix, each in expand(plan, row):
            found[f"{row['id']}{suffix}"] = each
    return found


@dataclass(frozen=True)
class _Plan:
    protocol: str
    start: date
    values: Mapping[str, int]
    choice: str

    @property
    def count(self) -> int:
        """How many sessions there are."""
        name = {"TACE": "tace_max_planned", "HAIC": "haic_max"}.get(self.choice, "sessions")
        return self.values[name]

    def day0(self, number: int) -> date:
        """Return the day of a session."""
        name = {"TACE": "tace_interval_days", "HAIC": "haic_interval_days"}.get(
            self.choice, "interval_days"
        )
        return self.start + timedelta(days=(number - 1) * self.values[name])

    def infusion(self, number: int) -> date:
        """Return the day of an infusion through the port."""
        first = self.start + timedelta(days=self.values["first_infusion_offset_days"])
        return first + timedelta(days=(number - 1) * self.values["port_interval_days"])


Row = Mapping[str, Any]
Actions = Iterator[tuple[str, Planned]]


def _at(
    row: Row,
    anchor: date,
    *,
    days: int | None = None,
    window: tuple[int, int] | None = None,
    near: str | None = None,
    least: int | None = None,
    again: bool = False,
) -> Planned:
    """Return an action of a row: its offset from the anchor, or other days."""
    offset = row["offsetDays"]
    low, high = window or (offset["min"], offset["max"])
    planned = offset["default"] if days is None else days
    return Planned(
        row["id"],
        row["kind"],
        *(anchor + timedelta(days=each) for each in (planned, low, high)),
        near,
        least,
        again,
    )


def _each_session(plan: _Plan, row: Row) -> Actions:
    for number in range(1, plan.count + 1):
        near = _near(row, f".{number}")
        yield f".{number}", _at(row, plan.day0(number), near=near)


def _watch(plan: _Plan, row: Row) -> Actions:
    """Yield two occurrences, on day 1 and day 7, in the row's window."""
    for number in range(1, plan.count + 1):
        for day in (1, 7):
            near = _near(row, f".{number}")
            again = day > 1
            yield f".{number}.{day}", _at(row, plan.day0(number), days=day, near=near, again=again)


def _near(row: Row, suffix: str) -> str | None:
    return f"{row['related'][0][1].removesuffix('#last')}{suffix}" if row["related"] else None


def _liver(plan: _Plan, row: Row) -> Actions:
    tace = plan.choice == "TACE"
    match row["id"][-3:]:
        case "A01":
            yield "", _at(row, plan.start, near=_near(row, ".1"))
        case "A02" | "A03":
            yield from _each_session(plan, row)
        case "A04" if tace:
            yield from _each_session(plan, row)
        case "A05":
            yield from _watch(plan, row)
        case "A06":
            yield from _liver_images(plan, row)
        case "A07" if tace:
            days = plan.values["tace_interval_days"]
            for number in range(1, plan.count + 1):
                near = f"LIVER-A06.{number}"
                yield f".{number}", _at(row, plan.day0(number), days=days, near=near)


def _liver_images(plan: _Plan, row: Row) -> Actions:
    for number in range(1, plan.count + 1):
        near = f"LIVER-A03.{number}"
        if plan.choice == "TACE" or number == plan.count:
            days = plan.values["response_offset_days"]
            yield f".{number}", _at(row, plan.day0(number), days=days, near=near)
        elif number in (2, 4):
            before = plan.day0(number + 1)
            # 7 days before the next infusion, which comes 21 days later at the earliest.
            least = tables()["LIVER"]["parameters"]["haic_interval_days"]["min"] - 7
            yield (
                f".{number}.haic",
                _at(row, before, days=-7, window=(-7, -7), near=near, least=least, again=True),
            )


def _lmet(plan: _Plan, row: Row) -> Actions:
    match row["id"][-3:]:
        case "A01":
            yield "", _at(row, plan.start, near=_near(row, ".1"))
        case "A02" | "A03":
            yield from _each_session(plan, row)
        case "A04" if plan.choice == "EMBO":
            yield from _each_session(plan, row)
        case "A05":
            yield from _watch(plan, row)
        case "A06":
            yield "", _at(row, plan.day0(plan.count), near=_near(row, f".{plan.count}"))


def _regi(plan: _Plan, row: Row) -> Actions:
    match row["id"][-3:]:
        case "A01":
            yield "", _at(row, plan.start, near=_near(row, ".1"))
        case "A02" | "A03":
            yield from _each_session(plan, row)
        case "A04":
            limb = ".limb" if plan.choice == "limb" else ""
            for suffix, each in _each_session(plan, row):
                yield f"{suffix}{limb}", each
        case "A05":
            yield "", _at(row, plan.day0(plan.count), near=_near(row, f".{plan.count}"))


def _port(plan: _Plan, row: Row) -> Actions:
    values, last = plan.values, plan.values["infusions"]
    match row["id"][-3:]:
        case "A01":
            yield "", _at(row, plan.start)
        case "A02":
            first = min(1, values["first_infusion_offset_days"])
            yield "", _at(row, plan.start, days=first, near="PORT-A01")
            yield from _over_time(plan, row, every=values["patency_check_days"], window=None)
        case "A03":
            first = values["first_infusion_offset_days"]
            yield ".1", _at(row, plan.start, days=first, near="PORT-A02")
            for number in range(2, last + 1):
                yield f".{number}", _at(row, plan.infusion(number), days=0, window=(0, 0))
        case "A04":
            yield from _flushes(plan, row)
        case "A05":
            for number in range(1, last + 1):
                near = f"PORT-A03.{number}"
                yield f".{number}", _at(row, plan.infusion(number), near=near)
        case "A06":
            yield from _over_time(plan, row, every=84, window=(-7, 14))


def _over_time(plan: _Plan, row: Row, *, every: int, window: tuple[int, int] | None) -> Actions:
    """Yield what comes back: the first, and each further one while infusions go on after the last.

    The reading is that of docs/spec-readings.md; `window` counts from the planned day.
    """
    end = plan.infusion(plan.values["infusions"])
    number = 1
    while number == 1 or plan.start + timedelta(days=every * (number - 1)) < end:
        days = every * number
        low, high = window or (0, 0)
        yield (
            f".{number}",
            _at(
                row,
                plan.start,
                days=days,
                window=(days + low, days + high),
                near="PORT-A01",
                again=number > 1 or window is None,
            ),
        )
        number += 1


def _flushes(plan: _Plan, row: Row) -> Actions:
    """Yield floor((g - 1) / flush days) flushes of each gap of g days, and one after the last."""
    every, gap, last = (
        plan.values[name] for name in ("flush_days", "port_interval_days", "infusions")
    )
    for number in range(1, last + 1):
        times = (gap - 1) // every if number < last else 1
        for n in range(1, times + 1):
            access = plan.infusion(number) + timedelta(days=(n - 1) * every)
            near = f"PORT-A03.{number}"
            # Counted from the access itself, whose own window is of another anchor.
            least = row["offsetDays"]["min"]
            again = n > 1
            yield (
                f".{number}.{n}",
                _at(row, access, days=every, near=near, least=least, again=again),
            )


def _stent(plan: _Plan, row: Row) -> Actions:
    near = _near(row, "")
    if row["id"] == "STENT-A05":
        for day in (7, 28):
            again = day > 7
            yield (
                f".{day}",
                _at(row, plan.start, days=day, window=(day, day), near=near, again=again),
            )
    else:
        yield "", _at(row, plan.start, near=near)
