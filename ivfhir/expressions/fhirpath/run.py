"""What one evaluation is given, and what it may spend."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from ivfhir.expressions.fhirpath.nodes import Items, Node
from ivfhir.expressions.fhirpath.place import PlacedError
from ivfhir.expressions.values import DateTime
from ivfhir.expressions.values.value import Value
from ivfhir.fhir.targets import Targets

MAX_STEPS = 5_000_000
"""How many items one evaluation may look at."""
MAX_ITEMS = 1_000_000
"""How many items a collection may have, and characters a text that is made."""

SHORT = 16
"""Texts up to this length cost nothing to make; of longer ones so many characters count as one."""

Members = Collection[tuple[str | None, str]]
"""The codes of a value set: system and code; a code without system is compared by itself."""


@dataclass(frozen=True, slots=True)
class Services:
    """What an expression may ask beyond its resource.

    Attributes:
        value_set: the members of a value set by its canonical; None where it is not known.
        resolve: the resource that a reference names, asked where the input does not hold it.
        conforms: whether an element conforms to a profile, by its canonical; None where that
            cannot be told. Of R4's own types it is asked of what is of the type already.
        trace: told the name and items of each `trace()`.
    """

    value_set: Callable[[str], Members | None] = lambda url: None
    resolve: Callable[[str], Value] = lambda reference: None
    conforms: Callable[[Node, str], bool | None] = lambda element, url: None
    trace: Callable[[str, Items], None] = lambda name, items: None


@dataclass(slots=True)
class Run:
    """One evaluation.

    Attributes:
        context: `%context`: what the expression is about.
        resource: `%resource`: the resource that holds the context.
        root: `%rootResource`: the one that contains that resource.
        variables: further `%` names.
        now: the moment that `now()`, `today()` and `timeOfDay()` tell; None: they are refused.
        services: see there.
        left: how many items may still be looked at.
        index: `$index`.
        total: `$total`.
        holders: for `resolve()`: the resource that holds each object, by the object's identity.
        targets: for `resolve()`: what references name in each root.
    """

    context: Items
    resource: Items
    root: Items
    variables: Mapping[str, Items]
    now: DateTime | None
    services: Services
    left: int = MAX_STEPS
    index: int = 0
    total: Items = field(default_factory=list)
    holders: dict[int, Value] | None = None
    targets: list[Targets] | None = None

    def spend(self, items: int) -> None:
        """Count items that are looked at.

        Raises:
            PlacedError: more than the evaluation may look at.
        """
        self.left -= items
        if self.left < 0:
            raise PlacedError(
                f"it looked at more than {MAX_STEPS} items; ask for less, or in parts"
            )

    def made(self, value: Value) -> Value:
        """Return a value that was made; of a long text, its length counts as items.

        Raises:
            PlacedError: it is longer than a text may become, or all together are.
        """
        if value.__class__ is str and len(value) > SHORT:
            if len(value) > MAX_ITEMS:
                raise PlacedError(f"a text of more than {MAX_ITEMS} characters; make a shorter one")
            self.spend(len(value) // SHORT)
        return value
