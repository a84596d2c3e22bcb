"""Whether elements conform to profiles, also where these lead to one another in circles.

In a circle nothing speaks first: an element conforms unless something speaks against it. So each is
taken to conform when it is first asked for, and asked again when what its answer rests on turns out
otherwise. The answers do not depend on the order, but where rules of a circle deny one another.
"""

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from ivfhir.expressions.operators.logical import Truth
from ivfhir.fhir.types import Resource
from ivfhir.validation.profile.items import Item

MAX_TIMES = 50
"""So often one answer is looked for; what then still changes, as rules deny it, is not known."""
_Key = tuple[int, int, str, str, int]


@dataclass(frozen=True, slots=True)
class Question:
    """Whether an element conforms to a profile.

    Attributes:
        item: the element.
        profile: canonical.
        resource: the resource that holds the element, or is it.
        root: the resource that contains that one; itself where it is not contained.
    """

    item: Item
    profile: str
    resource: Resource
    root: Resource

    @property
    def key(self) -> _Key:
        """What tells it apart, as long as the question is kept."""
        item = self.item
        return id(item.value), id(item.beside), item.type_name, self.profile, id(self.resource)


Judge = Callable[[Question], Truth]


class Conformity:
    """Answers by question, each found out when it is first asked for."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._known: dict[_Key, Truth] = {}
        self._questions: dict[_Key, Question] = {}
        self._rest_on: defaultdict[_Key, set[_Key]] = defaultdict(set)
        self._times: Counter[_Key] = Counter()
        self._new: list[_Key] = []
        self._again: dict[_Key, None] = {}
        self._judging: _Key | None = None

    def truth(self, question: Question, judge: Judge) -> Truth:
        """Return whether an element conforms; None where it is not known.

        Args:
            question: see there.
            judge: answers it, and asks here for the answers that its own rests on.
        """
        key = question.key
        if key not in self._known:
            self._known[key] = True
            self._questions[key] = question
            self._new.append(key)
        if self._judging is None:
            self._settle(judge)
        else:
            self._rest_on[key].add(self._judging)
        return self._known[key]

    def _settle(self, judge: Judge) -> None:
        """Ask until no answer changes any more."""
        while self._new or self._again:
            key = self._new.pop() if self._new else next(iter(self._again))
            self._again.pop(key, None)
            self._times[key] += 1
            self._judging = key
            found = judge(self._questions[key]) if self._times[key] <= MAX_TIMES else None
            self._judging = None
            if found is not self._known[key]:
                self._known[key] = found
                self._again |= dict.fromkeys(self._rest_on[key])
