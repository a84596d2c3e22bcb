"""The plan as a picture: a lane a kind of treatment, time from left to right.

The shapes are laid out here, and become SVG in the template.

960 units wide, 132 of them for the lanes' names. The time axis is linear, from 30 days before day
0 to 6 days after the last allowed day of the last drawn step.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from ivfhir.wording import dates, words
from smart_app.pages.lanes import (
    DEVICE,
    EMBOLISATION,
    IMAGING,
    INFUSION,
    LABS,
    LANES,
    RADIOTHERAPY,
    SYSTEMIC,
)
from smart_app.pages.plan_items import PlanItem, round_starts

LEFT, RIGHT = 132.0, 952.0
_BEFORE, _AFTER = timedelta(days=30), timedelta(days=6)
_FIRST_TOP = 48
_HEIGHTS = {
    DEVICE: 36,
    INFUSION: 36,
    EMBOLISATION: 36,
    SYSTEMIC: 36,
    LABS: 46,
    IMAGING: 48,
    RADIOTHERAPY: 46,
}
_MIDDLES = {
    DEVICE: 18,
    INFUSION: 18,
    EMBOLISATION: 18,
    SYSTEMIC: 18,
    LABS: 16,
    IMAGING: 16,
    RADIOTHERAPY: 16,
}
"""Height of a lane, and how far below its upper edge its marks stand."""

_LABEL_BELOW = 23
_LETTER = 6.2
_GREYS = ("#e7edf0", "#f3f6f7")
_ROOM_FOR_WORDS = 60


@dataclass(frozen=True)
class Mark:
    """The mark of a planned day, with what a screen reader and a hovering mouse hear."""

    lane: str
    title: str
    x: float
    y: float


@dataclass(frozen=True)
class Bar:
    """The allowed days around a mark."""

    lane: str
    title: str
    x: float
    y: float
    width: float


@dataclass(frozen=True)
class Text:
    """Words on the board; `css` is `head`, `soft`, `lane` or ''."""

    words: str
    x: float
    y: float
    anchor: str = "start"
    css: str = ""


@dataclass(frozen=True)
class Band:
    """A stretch of time under the lanes: a segment, what comes before, what comes after."""

    x: float
    width: float
    fill: str


@dataclass(frozen=True)
class LaneName:
    """A lane's upper edge and its name, with the shape that its marks have."""

    lane: str
    name: str
    top: float
    middle: float


@dataclass(frozen=True)
class Board:
    """Everything that is drawn."""

    title: str
    description: str
    bands: tuple[Band, ...]
    months: tuple[float, ...]
    lanes: tuple[LaneName, ...]
    bars: tuple[Bar, ...]
    marks: tuple[Mark, ...]
    texts: tuple[Text, ...]
    today: float | None
    bottom: float


@dataclass(frozen=True)
class _Axis:
    """The time axis: a day is a place between LEFT and RIGHT; below it the lanes that are used."""

    first: date
    last: date
    lanes: tuple[str, ...]

    def top(self, lane: str) -> int:
        """Return the upper edge of a lane; of none of them, where the last one ends."""
        above = self.lanes[: self.lanes.index(lane)] if lane in self.lanes else self.lanes
        return _FIRST_TOP + sum(_HEIGHTS[each] for each in above)

    def level(self, lane: str) -> int:
        """Return where the marks of a lane stand."""
        return self.top(lane) + _MIDDLES[lane]

    @property
    def bottom(self) -> int:
        """Where the last lane ends."""
        return self.top("")

    @property
    def unit(self) -> float:
        """Units a day."""
        return (RIGHT - LEFT) / ((self.last - self.first).days + 1)

    def edge(self, day: date) -> float:
        """Return where a day begins."""
        return round(LEFT + (day - self.first).days * self.unit, 1)

    def middle(self, day: date) -> float:
        """Return the middle of a day."""
        return round(self.edge(day) + self.unit / 2, 1)

    def holds(self, day: date) -> bool:
        """Return whether the day is on the board."""
        return self.first <= day <= self.last


def draw_board(items: tuple[PlanItem, ...], *, title: str, today: date) -> Board | None:
    """Return the board of a plan; None where it has no step to draw.

    Args:
        items: its steps.
        title: what the picture is called.
        today: the day of the dashed line.
    """
    starts = round_starts(items)
    drawn = [item for item in items if item.step.drawn and item.planned is not None]
    if not drawn:
        return None
    used = tuple(lane for lane, _ in LANES if lane in {item.step.lane for item in drawn})
    day0 = min(starts.values(), default=min(item.day for item in items))
    axis = _Axis(day0 - _BEFORE, max(item.high for item in drawn) + _AFTER, used)
    bands, band_texts = _bands(starts, _round_name(items), axis)
    months, month_texts = _months(axis)
    texts = [
        *band_texts,
        *month_texts,
        *_labels(drawn, axis),
        *_vein_only(items, starts, axis),
        *_later(items, axis),
    ]
    here = axis.middle(today) if axis.holds(today) else None
    if here is not None:
        said = f"Today, {dates.day(today, year=False)}"
        texts.append(Text(said, here, axis.bottom + 19, "middle", "head"))
    return Board(
        title=title,
        description="One lane per kind of treatment, from "
        f"{dates.day(axis.first)} to {dates.day(axis.last)}. Every date is also in the list below.",
        bands=tuple(bands),
        months=tuple(months),
        lanes=tuple(
            LaneName(lane, name, axis.top(lane), axis.level(lane))
            for lane, name in LANES
            if lane in used
        ),
        bars=tuple(_bar(item, axis) for item in drawn if item.low != item.high and item.step.bar),
        marks=tuple(_mark(item, axis) for item in drawn),
        texts=tuple(texts),
        today=here,
        bottom=axis.bottom,
    )


def _bands(starts: dict[int, date], round_name: str, axis: _Axis) -> tuple[list[Band], list[Text]]:
    if not starts:
        return [Band(LEFT, RIGHT - LEFT, "#fff")], []
    days = [starts[number] for number in sorted(starts)]
    length = days[-1] - days[-2] if len(days) > 1 else timedelta(days=28)
    edges = [
        LEFT,
        *(axis.edge(day) for day in days),
        min(axis.edge(days[-1] + length), RIGHT),
        RIGHT,
    ]
    names = ["Before", *(f"{round_name} {number}" for number in sorted(starts)), "After"]
    bands, texts = [], []
    for place, name in enumerate(names):
        left, right = edges[place], edges[place + 1]
        inside = 0 < place < len(names) - 1
        bands.append(
            Band(left, round(right - left, 1), _GREYS[(place + 1) % 2] if inside else "#fff")
        )
        if right - left >= _ROOM_FOR_WORDS:
            texts.append(Text(name, round((left + right) / 2, 1), 38, "middle", "head"))
    return bands, texts


def _round_name(items: tuple[PlanItem, ...]) -> str:
    return next((item.round_name for item in items if item.round_name), "")


def _months(axis: _Axis) -> tuple[list[float], list[Text]]:
    firsts = [axis.first]
    while True:
        last = firsts[-1]
        following = date(last.year + last.month // 12, last.month % 12 + 1, 1)
        if following > axis.last:
            break
        firsts.append(following)
    ticks, texts = [], []
    for place, first in enumerate(firsts):
        right = axis.edge(firsts[place + 1]) if place + 1 < len(firsts) else RIGHT
        year = place == 0 or first.month == 1
        words = dates.MONTHS[first.month - 1] + (f" {first.year}" if year else "")
        ticks.append(axis.edge(first))
        if right - axis.edge(first) >= _ROOM_FOR_WORDS / (1 if year else 2):
            texts.append(Text(words, axis.edge(first) + 4, 16, "start", "soft"))
    return ticks, texts


def _mark(item: PlanItem, axis: _Axis) -> Mark:
    return Mark(
        item.step.lane,
        f"{_where(item)}{item.title}, {dates.weekday_day(item.day)}",
        axis.middle(item.day),
        axis.level(item.step.lane),
    )


def _bar(item: PlanItem, axis: _Axis) -> Bar:
    left, right = axis.edge(max(item.low, axis.first)), axis.edge(item.high + timedelta(days=1))
    return Bar(
        item.step.lane,
        f"{_where(item)}{item.title}, allowed days: {dates.days(item.low, item.high)}",
        left,
        axis.level(item.step.lane) - 6,
        round(right - left, 1),
    )


def _where(item: PlanItem) -> str:
    return f"{item.round_name} {item.round}: " if item.in_round else ""


def _labels(drawn: list[PlanItem], axis: _Axis) -> list[Text]:
    """Return the words of the marks: right of them in the lanes of treatment, else below.

    Below, words that would run into those before them are left out; the mark's title has the day.
    """
    texts, seen = [], set()
    ends: dict[str, float] = {}
    for item in drawn:
        key = (item.step.lane, item.round if item.round is not None else item.stem)
        if item.step.label is None or (key in seen and item.step.lane in (SYSTEMIC, LABS)):
            continue
        seen.add(key)
        same = (
            [
                other
                for other in drawn
                if other.step.lane == item.step.lane
                and other.round == item.round
                and other.step.label == item.step.label
            ]
            if item.step.lane in (SYSTEMIC, LABS)
            else [item]
        )
        words = item.step.label.replace("{day}", _short_days([other.day for other in same]))
        middle = sum(axis.middle(other.day) for other in same) / len(same)
        if item.step.lane in (DEVICE, INFUSION, EMBOLISATION, SYSTEMIC):
            right = max(axis.middle(other.day) for other in same) + (
                12 if item.step.lane != SYSTEMIC else 17
            )
            texts.append(Text(words, round(right, 1), axis.level(item.step.lane) + 4.5))
        else:
            half = len(words) * _LETTER / 2
            if middle - half < ends.get(item.step.lane, LEFT - half):
                continue
            ends[item.step.lane] = middle + half
            texts.append(
                Text(words, round(middle, 1), axis.level(item.step.lane) + _LABEL_BELOW, "middle")
            )
    return texts


def _short_days(days: list[date]) -> str:
    """Return `10, 17 Mar`, or `28 Jul, 4 Aug`."""
    words = []
    for place, day in enumerate(days):
        same_month = place + 1 < len(days) and days[place + 1].month == day.month
        words.append(str(day.day) if same_month else dates.day(day, year=False))
    return ", ".join(words)


def _vein_only(items: tuple[PlanItem, ...], starts: dict[int, date], axis: _Axis) -> list[Text]:
    """Return the words in the arterial lane of a round whose drugs all go into a vein."""
    arterial = {item.round for item in items if item.step.lane == INFUSION}
    venous = {item.round for item in items if item.step.lane == SYSTEMIC}
    texts = []
    for number, start in starts.items():
        if arterial and number in venous - arterial:
            following = starts.get(number + 1) or start + (start - starts.get(number - 1, start))
            middle = (axis.edge(start) + axis.edge(min(following, axis.last))) / 2
            texts.append(
                Text("by vein only", round(middle, 1), axis.level(INFUSION) + 4.5, "middle", "soft")
            )
    return texts


def _later(items: tuple[PlanItem, ...], axis: _Axis) -> list[Text]:
    """Return what repeats after the board's end, as words at the lower right."""
    repeats = [
        item
        for item in items
        if not item.step.drawn and item.step.lane == IMAGING and item.day > axis.last
    ]
    later: dict[str, list[PlanItem]] = {}
    for item in repeats:
        later.setdefault(item.stem, []).append(item)
    repeated = [
        f"{words.decapitalise(members[0].title)} {dates.list_days([item.day for item in members])}"
        for members in later.values()
        if len(members) > 1
    ]
    if not repeated:
        return []
    return [Text(f"Later: {'; '.join(repeated)}", RIGHT, axis.bottom + 19, "end", "soft")]
