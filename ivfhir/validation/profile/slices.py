"""Items sorted into slices (http://hl7.org/fhir/R4/profiling.html#slicing)."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ivfhir.validation.profile.asked import Asked
from ivfhir.validation.profile.checks import DEFAULT_SLICE, SliceCheck
from ivfhir.validation.profile.elements import Slicing
from ivfhir.validation.profile.items import Item
from ivfhir.validation.profile.told import Wrong, listed

RULE = "profile-slice"


@dataclass(slots=True)
class Sorted:
    """Items by slice.

    Attributes:
        rows: each item, with the name of its slice; None for one of no slice.
        unsure: items of which it cannot be told.
        of: the items of each slice.
        maybe: how many more may be of each slice.
    """

    rows: list[tuple[Item, str | None]] = field(default_factory=list)
    unsure: list[Item] = field(default_factory=list)
    of: dict[str, list[Item]] = field(default_factory=dict)
    maybe: Counter[str] = field(default_factory=Counter)


def sort_items(items: Sequence[Item], slices: Sequence[SliceCheck], asked: Asked) -> Sorted:
    """Return the items by the first slice that each is of."""
    found = Sorted(of={each.name: [] for each in slices})
    for item in items:
        name, maybe = _slice_of(item, slices, asked)
        if name is None and maybe:
            found.unsure.append(item)
            found.maybe.update(maybe)
            continue
        if name is None and DEFAULT_SLICE in found.of:
            name = DEFAULT_SLICE
        found.rows.append((item, name))
        if name is not None:
            found.of[name].append(item)
    return found


def wrong_order(found: Sorted, slicing: Slicing, slices: Sequence[SliceCheck]) -> Iterator[Wrong]:
    """Yield what breaks the rules of a slicing: closed, open at the end only, ordered."""
    order = [each.name for each in slices]
    last = -1
    outside = False
    for item, name in found.rows:
        if name is None:
            outside = True
            if slicing.rules == "closed":
                allowed = listed([named(each) for each in slices])
                yield Wrong(item.place, "is of no slice", f"allows {allowed}", RULE)
            continue
        if slicing.rules == "openAtEnd" and outside:
            text = f"is of the slice '{name}', but after items of no slice"
            yield Wrong(item.place, text, "has these at the end", RULE)
            outside = False
        if slicing.ordered and order.index(name) < last:
            text = f"is of the slice '{name}' and stands too late"
            yield Wrong(item.place, text, f"has the order {', '.join(order)}", RULE)
        last = max(last, order.index(name))


def named(slice_: SliceCheck) -> str:
    """Return a slice with what it is told by, for a message."""
    return f"'{slice_.name}' ({slice_.text})" if slice_.text else f"'{slice_.name}'"


def _slice_of(
    item: Item, slices: Sequence[SliceCheck], asked: Asked
) -> tuple[str | None, list[str]]:
    """Return the slice of an item; where none is sure, those that it may be of."""
    maybe = []
    whole = asked.is_whole(item)
    for each in slices:
        is_in = False if each.name == DEFAULT_SLICE else each.test(item, asked)
        if is_in:
            return each.name, []
        if is_in is None or not whole:
            maybe.append(each.name)
    left = [each.name for each in slices if each.name == DEFAULT_SLICE and maybe]
    return None, list(dict.fromkeys([*maybe, *left]))
