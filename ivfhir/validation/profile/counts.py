"""What is said of an element, or of a slice, that is there too seldom or too often."""

from collections.abc import Sequence

from ivfhir.validation.profile.checks import Check
from ivfhir.validation.profile.items import Item
from ivfhir.validation.profile.told import Wrong

RULE = "profile-cardinality"


def too_few(holder: Item, check: Check, count: int, of: str = "") -> Wrong:
    """Return that an element is there so seldom; `of` says of which slice."""
    number = f"only {count}" if count else "no"
    wanted = f"asks for {check.minimum}" if check.minimum > 1 else "asks for it, so add it"
    return Wrong(holder.place, f"has {number} {check.shown}{of}", wanted, RULE, "required")


def too_many(items: Sequence[Item], maximum: int, of: str = "") -> Wrong:
    """Return that there are more items than the maximum; `of` says of which slice."""
    if maximum:
        wanted = f"allows {maximum}, so take some out"
        return Wrong(items[maximum].place, f"is one of {len(items)}{of}", wanted, RULE)
    return Wrong(items[0].place, f"is there{of}", "allows none; remove it", RULE)
