"""A whole number known only as a range: what a duration between partial dates is.

CQL, "Uncertainty" (https://cql.hl7.org/05-languagesemantics.html#uncertainty): a comparison is
decided when every number of the range decides it alike, and is null otherwise.
"""

from ivfhir.expressions.values.value import Value


class Uncertain:
    """Every whole number from `low` to `high` is possible.

    Comparisons answer True, False or None.
    """

    __slots__ = ("high", "low")

    def __init__(self, low: int, high: int) -> None:
        """Keep the least and the greatest possible number, both included."""
        self.low = low
        self.high = high

    def __repr__(self) -> str:
        """Return the range for messages."""
        return f"Uncertain({self.low}, {self.high})"

    def __hash__(self) -> int:
        """Hash by both ends."""
        return hash((self.low, self.high))

    def __lt__(self, other: Value) -> bool | None:
        """Return whether all, none or only some of the numbers are less."""
        low, high = ends(other)
        return True if self.high < low else False if self.low >= high else None

    def __le__(self, other: Value) -> bool | None:
        """Return whether all, none or only some of the numbers are at most `other`."""
        low, high = ends(other)
        return True if self.high <= low else False if self.low > high else None

    def __gt__(self, other: Value) -> bool | None:
        """Return whether all, none or only some of the numbers are greater."""
        less_or_equal = self <= other
        return None if less_or_equal is None else not less_or_equal

    def __ge__(self, other: Value) -> bool | None:
        """Return whether all, none or only some of the numbers are at least `other`."""
        less = self < other
        return None if less is None else not less

    def __eq__(self, other: object) -> bool | None:  # type: ignore[override]  # three-valued by design
        """Return False when no number can be equal, None otherwise.

        A range is never certainly equal.
        """
        low, high = ends(other)
        return False if self.high < low or self.low > high else None

    def __ne__(self, other: object) -> bool | None:  # type: ignore[override]  # three-valued by design
        """Return True when no number can be equal, None otherwise."""
        return True if (self == other) is False else None

    def __add__(self, other: Value) -> "Uncertain":
        """Return the range of the sums."""
        low, high = ends(other)
        return Uncertain(self.low + low, self.high + high)

    __radd__ = __add__

    def __mul__(self, other: Value) -> "Uncertain":
        """Return the range of the products."""
        products = [a * b for a in ends(self) for b in ends(other)]
        return Uncertain(min(products), max(products))

    __rmul__ = __mul__

    def __neg__(self) -> "Uncertain":
        """Return the range of the negated numbers."""
        return Uncertain(-self.high, -self.low)

    def __sub__(self, other: Value) -> "Uncertain":
        """Return the range of the differences."""
        low, high = ends(other)
        return Uncertain(self.low - high, self.high - low)

    def __rsub__(self, other: Value) -> "Uncertain":
        """Return the range of the differences from `other`."""
        low, high = ends(other)
        return Uncertain(low - self.high, high - self.low)


def ends(number: Value) -> tuple[Value, Value]:
    """Return the least and greatest value of a number or a range."""
    if isinstance(number, Uncertain):
        return number.low, number.high
    return number, number
