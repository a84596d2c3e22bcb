"""What is wrong with a resource, and where."""

import re
from dataclasses import dataclass

_CHOICE = re.compile(r"\.ofType\((\w)(\w*)\)")
"""How FHIRPath says the type of a choice."""

Pointer = tuple[str | int, ...]
"""The way to a value in JSON: names and numbers, from the resource on."""


@dataclass(frozen=True, slots=True)
class Issue:
    """Something that is wrong.

    Attributes:
        severity: error, warning or information.
        code: http://hl7.org/fhir/R4/valueset-issue-type.html
        expression: FHIRPath of the element.
        text: what is wrong, what is expected and how to mend it, in a sentence or two. It may
            repeat a code or a number, never a name or a text of the resource. It names the element
            as JSON does, `Observation.valueQuantity`, for who does not know FHIRPath.
        rule: the id of the rule: one of R4's (`obs-6`), or ours (`unknown-element`).
        pointer: where it stands in the JSON.
    """

    severity: str
    code: str
    expression: str
    text: str
    rule: str
    pointer: Pointer

    def __post_init__(self) -> None:
        """Name the element, or what holds it, in the text as JSON does."""
        first, blank, rest = self.text.partition(" ")
        if _CHOICE.search(first) and self.expression.startswith(first):
            object.__setattr__(self, "text", f"{_in_json(first)}{blank}{rest}")


def ended(text: str) -> str:
    """Return a sentence with a full stop, where it is no question."""
    return text if text.endswith("?") else f"{text}."


def _in_json(expression: str) -> str:
    return _CHOICE.sub(lambda match: match[1].upper() + match[2], expression)


class Place:
    """Where an element stands, from the resource on; written out only when it is asked for.

    Attributes:
        parent: where what holds it stands; None for the resource itself.
        step: FHIRPath from the parent: `name`, or the type's name of a resource.
        key: its name in JSON.
        index: its number in an array, None where it is in none.
    """

    __slots__ = ("index", "key", "parent", "step")

    def __init__(
        self, parent: "Place | None", step: str, key: str = "", index: int | None = None
    ) -> None:
        """Keep them."""
        self.parent = parent
        self.step = step
        self.key = key
        self.index = index

    @property
    def expression(self) -> str:
        """FHIRPath of the element."""
        own = self.step if self.index is None else f"{self.step}[{self.index}]"
        return own if self.parent is None else f"{self.parent.expression}.{own}"

    @property
    def pointer(self) -> Pointer:
        """The way to it in JSON."""
        if self.parent is None:
            return ()
        own = (self.key,) if self.index is None else (self.key, self.index)
        return (*self.parent.pointer, *own)

    def at(self, index: int) -> "Place":
        """Return the place of an item, where this is an array."""
        return Place(self.parent, self.step, self.key, index)
