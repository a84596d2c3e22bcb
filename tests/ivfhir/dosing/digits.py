"""Numbers as the specification prints them: to four significant digits."""

from decimal import Context, Decimal


def four(number: Decimal) -> Decimal:
    """Return a number to four significant digits."""
    return Context(prec=4).plus(number)


def d(text: str) -> Decimal:
    """Return the Decimal that a text writes."""
    return Decimal(text)
