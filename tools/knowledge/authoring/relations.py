"""Relations between actions: `after-end A03 of segment 4, at least 14 days`.

The distance follows from the days of both actions where these count from the same day, or one from
the other; else `at least` says it.
"""

import re
from dataclasses import dataclass
from typing import NoReturn

from ivfhir.knowledge.toml_keys import known
from tools.knowledge.authoring.occurrences import Occurrence, Rounds

RELATIONSHIPS = (
    *("before-start", "before", "before-end", "concurrent-with-start", "concurrent"),
    *("concurrent-with-end", "after-start", "after", "after-end"),
)
"""http://hl7.org/fhir/R4/valueset-action-relationship-type.html"""

_RELATION = re.compile(
    r"(?P<kind>\S+) (?P<row>[^\s,]+)"
    r"(?: of (?:(?P<which>previous|last) (?P<word>\w+)|(?P<word2>\w+) (?P<number>\d+)))?"
    r"(?:, at least (?P<least>\d+) days?)?"
)


@dataclass(frozen=True)
class Relation:
    """A relation of one action to another.

    Attributes:
        target: id of the other action.
        relationship: its FHIR code.
        low: the least distance in days.
        high: the greatest; None where it is open.
    """

    target: str
    relationship: str
    low: int
    high: int | None


class Relations:
    """Resolves the relations of a plan.

    Args:
        occurrences: its actions.
        rounds: its rounds, None where it has none.
    """

    def __init__(self, occurrences: list[Occurrence], rounds: Rounds | None) -> None:
        """Resolve the relations of every action; they stand in `of`, by its id."""
        self._all = occurrences
        self._rounds = rounds
        self.of: dict[str, list[Relation]] = {}
        for each in occurrences:
            self._add(each, self._relations(each))
        self._refuse_circles()

    def _add(self, own: Occurrence, found: list[Relation]) -> None:
        """Keep the relations of a row; a plan carries them whichever row plans the action."""
        if set(self.of.setdefault(own.action_id, found)) != set(found):
            self._refuse(
                own,
                "another row of this action has other relations; say the same ones, or give the "
                "row an id of its own",
            )

    def _relations(self, own: Occurrence) -> list[Relation]:
        return [
            relation for text in own.row.get("relations", ()) for relation in self._read(own, text)
        ]

    def _read(self, own: Occurrence, text: str) -> list[Relation]:
        match = _RELATION.fullmatch(text)
        if match is None:
            self._refuse(
                own,
                f"'{text}' is no relation; write 'after-end A03', 'after-end A03 of "
                "segment 4, at least 14 days', or the like",
            )
        if match["kind"] not in RELATIONSHIPS:
            self._refuse(
                own,
                f"there is no relation '{match['kind']}'; {known(match['kind'], RELATIONSHIPS)}",
            )
        word = match["word"] or match["word2"]
        if word is not None and (self._rounds is None or word != self._rounds.word):
            self._refuse(own, f"'{text}' speaks of a {word}, which this plan does not have")
        targets = [
            self._target(own, match["row"], number, text) for number in self._numbers(own, match)
        ]
        return [
            Relation(each.action_id, match["kind"], *self._distance(own, each, match, text))
            for each in targets
        ]

    def _numbers(self, own: Occurrence, match: re.Match[str]) -> list[int | None]:
        """Return the rounds of the targets; None means an action that is done once."""
        if match["number"]:
            return [int(match["number"])]
        if match["which"] == "previous":
            if own.number is None:
                self._refuse(own, "an action that is done once has no previous one")
            return [own.number - 1] if own.number > 1 else []
        if match["which"] == "last" and self._rounds is not None:
            return list(self._rounds.possible_counts)
        if any(each.row_id == match["row"] and each.number is None for each in self._all):
            return [None]
        return [own.within if own.within is not None else 1]

    def _target(self, own: Occurrence, row_id: str, number: int | None, text: str) -> Occurrence:
        ids = dict.fromkeys(each.row_id for each in self._all)
        if row_id not in ids:
            self._refuse(own, f"there is no action {row_id} to relate to; {known(row_id, ids)}")
        same = [e for e in self._all if e.number == number]
        found = list(
            {
                e.action_id: e
                for e in reversed(
                    [e for e in same if e.row_id == row_id]
                    or [e for e in same if e.row.get("stands_for") == row_id]
                )
            }.values()
        )
        bare = [e for e in found if e.action_id.partition("-")[2] == row_id]
        found = bare or found
        if len(found) != 1:
            place = f" in {self._rounds.word} {number}" if self._rounds and number else ""
            self._refuse(
                own,
                f"'{text}' leads to {len(found)} actions{place}; relate to one that is there once",
            )
        return found[0]

    def _distance(
        self, own: Occurrence, other: Occurrence, match: re.Match[str], text: str
    ) -> tuple[int, int | None]:
        if match["least"]:
            return int(match["least"]), None
        a, b = own.days, other.days
        if own.anchor == ("action", other.row_id):
            low, high = a.earliest, a.latest
        elif own.anchor == other.anchor:
            low, high = a.earliest - b.latest, a.latest - b.earliest
        elif match["which"] == "previous" and self._rounds is not None:
            low = a.earliest - b.latest + self._rounds.shortest
            high = a.latest - b.earliest + self._rounds.longest
        else:
            self._refuse(
                own, f"the days do not give the distance of '{text}'; add ', at least N days'"
            )
        if match["kind"].startswith("before"):
            low, high = -high, -low
        if low < 0 and not match["kind"].startswith("concurrent"):
            self._refuse(
                own,
                f"'{text}' contradicts the days: {own.action_id} may fall on the other side of "
                f"{other.action_id}",
            )
        return low, high

    def _refuse_circles(self) -> None:
        """Refuse actions each of which must come before the other."""
        after: dict[str, set[str]] = {each.action_id: set() for each in self._all}
        for own in self._all:
            for relation in self.of[own.action_id]:
                if relation.relationship.startswith("before"):
                    after[relation.target].add(own.action_id)
                elif relation.relationship.startswith("after"):
                    after[own.action_id].add(relation.target)
        done: set[str] = set()
        for own in self._all:
            circle = _circle(own.action_id, after, done, [])
            if circle:
                self._refuse(
                    own, f"the relations go in a circle: {' after '.join(circle)}; remove one"
                )

    def _refuse(self, own: Occurrence, sentence: str) -> NoReturn:
        own.row.refuse(f"action {own.row_id}: {sentence}", "relations")


def _circle(at: str, after: dict[str, set[str]], done: set[str], path: list[str]) -> list[str]:
    """Return a circle that is reached from an action, empty when there is none."""
    if at in path:
        return [*path[path.index(at) :], at]
    if at in done:
        return []
    for each in sorted(after[at]):
        circle = _circle(each, after, done, [*path, at])
        if circle:
            return circle
    done.add(at)
    return []
