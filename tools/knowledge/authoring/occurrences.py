"""The rows of plan.toml, each as the actions that it stands for.

A row with `segments = [1, 2]` is two actions, one with `times = 4` four; each has an id, its days,
and the point from which these count.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from ivfhir.knowledge.toml_keys import known
from ivfhir.knowledge.toml_source import Table
from tools.knowledge.authoring.parameters import Parameter

Anchor = tuple[str, str | int]
"""From where days count: ("round", 3), ("round", "last"), ("start", "") or ("action", "A02")."""


@dataclass(frozen=True)
class Days:
    """Earliest, planned and latest day of an action, from its anchor.

    Attributes:
        first: earliest day.
        planned: the planned day without what a parameter adds.
        parameter: the parameter that the planned day adds, None for none.
        last: latest day.
        step: the parameter by which all three are later, None for none.
        steps: how many times.
    """

    first: int
    planned: int
    parameter: Parameter | None
    last: int
    step: Parameter | None = None
    steps: int = 0

    def shifted(self, by: int) -> "Days":
        """Return the same days, later by a number of them."""
        return replace(self, first=self.first + by, planned=self.planned + by, last=self.last + by)

    def stepped(self, step: Parameter, steps: int) -> "Days":
        """Return the same days, later by some times a parameter."""
        return replace(self, step=step, steps=steps)

    @property
    def by_default(self) -> int:
        """The planned day with the parameters' defaults."""
        later = self.steps * self.step.default if self.step else 0
        return self.planned + later + (self.parameter.default if self.parameter else 0)

    @property
    def earliest(self) -> int:
        """The earliest day that any choice of parameters gives."""
        return self.first + (self.steps * self.step.low if self.step else 0)

    @property
    def latest(self) -> int:
        """The latest day that any choice of parameters gives."""
        return self.last + (self.steps * self.step.high if self.step else 0)


@dataclass(frozen=True)
class Rounds:
    """The courses that a protocol repeats: LUNG's segments.

    Attributes:
        word: what the protocol calls one: `segment`.
        counts: the parameter that says how many there are; where that depends on a choice, one for
            each of its words, else under ''.
        intervals: the parameter that says how many days lie between two, likewise.
        by: the choice on which they depend; '' for none.
        first: the parameter that says how many days after the start the first one begins; None
            where it begins with the start.
        part: id of the part of the plan in which they stand.
        tables: number -> its table in plan.toml.
    """

    word: str
    counts: dict[str, Parameter]
    intervals: dict[str, Parameter]
    by: str
    first: Parameter | None
    part: str
    tables: dict[int, Table]

    @property
    def always(self) -> int:
        """How many rounds every plan has."""
        return min(each.low for each in self.counts.values())

    @property
    def possible_counts(self) -> list[int]:
        """How many rounds a plan may have."""
        every = (each.choices or range(each.low, each.high + 1) for each in self.counts.values())
        return sorted({number for numbers in every for number in numbers})

    @property
    def shortest(self) -> int:
        """The fewest days between two rounds."""
        return min(each.low for each in self.intervals.values())

    @property
    def longest(self) -> int:
        """The most days between two rounds."""
        return max(each.high for each in self.intervals.values())


@dataclass(frozen=True)
class Occurrence:
    """One action of the plan.

    Attributes:
        action_id: `LUNG-A07.2.14`.
        row: its row in plan.toml.
        row_id: `A07`.
        number: its round, None for an action that is done once.
        within: the round in whose part of the plan it stands; None outside the rounds.
        part: id of the part of the plan, '' inside a round.
        anchor: from where its days count.
        days: its days.
        places: what stands for `{segment}`, `{day}` … in its texts.
        floor: the day before which it never is: an anchor, and days after it.
        only_if: CQL that says whether the plan has it so; '' where it always has.
    """

    action_id: str
    row: Table
    row_id: str
    number: int | None
    within: int | None
    part: str
    anchor: Anchor
    days: Days
    places: dict[str, object]
    floor: tuple[Anchor, int] | None = None
    only_if: str = ""

    @property
    def define(self) -> str:
        """How the names of its defines begin: `LUNG_A07_2_14`."""
        return self.action_id.replace("-", "_").replace(".", "_")


class Rows:
    """Reads the rows of one plan.

    Args:
        protocol_id: `LUNG`.
        plan: plan.toml.
        parameters: the protocol's, by name.
        rounds: its rounds, None where nothing repeats in rounds.
    """

    def __init__(
        self, protocol_id: str, plan: Table, parameters: dict[str, Parameter], rounds: Rounds | None
    ) -> None:
        """Read each row; the actions stand in `occurrences`, in the order of the rows."""
        self._id = protocol_id
        self._parameters = parameters
        self._rounds = rounds
        self._parts = {part["id"] for part in plan.tables("part")}
        self._once = [row["id"] for row in plan.tables("action") if self._is_once(row)]
        self.occurrences: list[Occurrence] = []
        taken: dict[str, Occurrence] = {}
        for row in plan.tables("action"):
            for each in self._read(row):
                other = taken.setdefault(each.action_id, each)
                if other is not each and not (other.only_if and each.only_if):
                    row.refuse(
                        f"the action {each.action_id} is there twice; change one id, or say of "
                        "each by only_if when the plan has it",
                        "id",
                    )
                self.occurrences.append(each)
        self._refuse_circles()

    def _is_once(self, row: Table) -> bool:
        several = self._rounds is not None and f"{self._rounds.word}s" in row
        return not several and "times" not in row

    def _read(self, row: Table) -> Iterator[Occurrence]:
        for number in self._numbers(row):
            within, part = self._part(row, number)
            for suffix, days, places in self._repeats(row):
                stem, _, rest = row["id"].partition(".")
                middle = [] if number is None else [str(number)]
                action_id = ".".join(each for each in (stem, *middle, rest, *suffix) if each)
                if self._rounds is not None and within is not None:
                    places[self._rounds.word] = within
                yield Occurrence(
                    action_id=f"{self._id}-{action_id}",
                    row=row,
                    row_id=row["id"],
                    number=number,
                    within=within,
                    part=part,
                    anchor=self.anchor(row, "from", self._from(row), number),
                    days=days,
                    places=places,
                    floor=self._floor(row, number),
                    only_if=self._only_if(row, places),
                )

    def _only_if(self, row: Table, places: dict[str, object]) -> str:
        """Return the CQL that says whether the plan has the action."""
        if ("only_if" in row) != ("only_if_says" in row):
            row.refuse(f"action {row['id']} needs both 'only_if' and 'only_if_says', or neither")
        written: str = row.get("only_if", "")
        for name, value in places.items():
            written = written.replace(f"{{{name}}}", str(value))
        if re.search(r"\{\w+\}", written):
            row.refuse(f"a place in only_if is unknown; {known('', places)}", "only_if")
        return written

    def _floor(self, row: Table, number: int | None) -> tuple[Anchor, int] | None:
        """Return the day before which an action never is: `14 days after segment 4`."""
        if "not_before" not in row:
            return None
        match = re.fullmatch(r"(\d+) days? after (.+)", row["not_before"])
        if match is None:
            row.refuse("not_before must read like '14 days after segment 4'", "not_before")
        return self.anchor(row, "not_before", match[2], number), int(match[1])

    def _from(self, row: Table) -> str:
        if "from" in row:
            return str(row["from"])
        if self._rounds is None or f"{self._rounds.word}s" not in row:
            row.refuse(f"action {row['id']} has no 'from'; say from where its days count")
        return self._rounds.word

    def _numbers(self, row: Table) -> list[int | None]:
        """Return the rounds that have the action; one None for an action outside of them."""
        key = f"{self._rounds.word}s" if self._rounds else ""
        if not key or key not in row:
            if "part" not in row:
                row.refuse(f"action {row['id']} needs 'part'{f' or {key!r}' if key else ''}")
            return [None]
        if "part" in row:
            row.refuse(f"action {row['id']} has both 'part' and '{key}'; leave one out", "part")
        assert self._rounds is not None  # noqa: S101 - a key of theirs is there
        numbers = list(self._rounds.tables)
        asked: list[int] = numbers if row[key] == "all" else row[key]
        for each in asked:
            if each not in numbers:
                row.refuse(
                    f"there is no {self._rounds.word} {each}; {known('', map(str, numbers))}", key
                )
        return list(asked)

    def _part(self, row: Table, number: int | None) -> tuple[int | None, str]:
        """Return the round and the part in which an action stands."""
        if number is not None:
            return number, ""
        if self._rounds is not None:
            for each in self._rounds.tables:
                if row["part"] == f"{self._rounds.word} {each}":
                    return each, ""
        if row["part"] not in self._parts:
            row.refuse(
                f"there is no part '{row['part']}'; {known(row['part'], self._parts)}", "part"
            )
        return None, row["part"]

    def _repeats(self, row: Table) -> Iterator[tuple[list[str], Days, dict[str, object]]]:
        """Yield what an id ends in, the days, and the places in texts, of each repeat of a row."""
        ways = [key for key in ("times", "regimen_days") if key in row]
        several = isinstance(row["days"][0], list)
        if len(ways) + several > 1:
            row.refuse(f"action {row['id']} repeats in two ways; keep one", (*ways, "days")[0])
        if ("every" in row) != ("times" in row):
            row.refuse(f"action {row['id']} needs both 'times' and 'every', or neither")
        if several:
            for each in row["days"]:
                days = self._days(row, each)
                yield [str(days.by_default)], days, {"day": days.by_default}
            return
        days = self._days(row, row["days"])
        if "times" in row:
            every = row["every"]
            step = self._parameters.get(every) if isinstance(every, str) else None
            if isinstance(every, str) and step is None:
                row.refuse(
                    f"no parameter is called '{every}'; {known(every, self._parameters)}", "every"
                )
            for n in range(1, row["times"] + 1):
                later = days.stepped(step, n - 1) if step else days.shifted((n - 1) * int(every))
                places = {"n": n, "times": row["times"], "day": later.by_default}
                yield [str(n)], later, places
        elif "regimen_days" in row:
            for day in row["regimen_days"]:
                yield [str(day)], days.shifted(day - 1), {"regimen_day": day}
        else:
            yield [], days, {"day": days.by_default} if days.parameter is None else {}

    def _days(self, row: Table, three: list[int | str]) -> Days:
        first, planned, last = three
        if isinstance(first, str) or isinstance(last, str):
            row.refuse(
                "earliest and latest day must be numbers; only the planned day may be a parameter",
                "days",
            )
        if isinstance(planned, int):
            days, low, high = Days(first, planned, None, last), planned, planned
        else:
            parameter = self._parameters.get(planned)
            if parameter is None:
                row.refuse(
                    f"no parameter is called '{planned}'; {known(planned, self._parameters)}",
                    "days",
                )
            days, low, high = Days(first, 0, parameter, last), parameter.low, parameter.high
        if not first <= low <= high <= last:
            said = f"{planned} ({low} to {high})" if isinstance(planned, str) else str(planned)
            row.refuse(
                f"action {row['id']}: the planned day {said} lies outside its window, "
                f"{first} to {last}; it must be earliest <= planned <= latest",
                "days",
            )
        return days

    def anchor(self, row: Table, key: str, text: str, number: int | None) -> Anchor:
        """Return the point that a text names, for the action of a round.

        Raises:
            AuthoringError: there is no such point.
        """
        if text == "start":
            starts = self._rounds is not None and self._rounds.first is None
            return ("round", 1) if starts else ("start", "")
        if self._rounds is not None:
            word = self._rounds.word
            if text == word and number is not None:
                return "round", number
            if text == f"last {word}":
                return "round", "last"
            for each in self._rounds.tables:
                if text == f"{word} {each}":
                    if each > self._rounds.always and "only_if" not in row:
                        row.refuse(f"not every plan has {word} {each}; count from another day", key)
                    return "round", each
        if text in self._once:
            return "action", text
        points = ["start", *self._once]
        if self._rounds is not None:
            word = self._rounds.word
            own = [] if number is None else [word]
            points += [*own, f"{word} 1 … {self._rounds.always}", f"last {word}"]
        row.refuse(f"no day is called '{text}'; {known(text, points)}", key)

    def _refuse_circles(self) -> None:
        """Refuse actions whose days count from one another."""
        leads = {o.row_id: (o.anchor, o.row) for o in self.occurrences}
        for start in leads:
            seen, at = [start], leads[start][0]
            while at[0] == "action":
                if str(at[1]) in seen:
                    path = " from ".join([*seen, str(at[1])])
                    leads[start][1].refuse(
                        f"days count in a circle: {path}; let one count from another day", "from"
                    )
                seen.append(str(at[1]))
                at = leads[str(at[1])][0]
