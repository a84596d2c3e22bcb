"""Pieces of sentences: capitals, lists, numbers of things."""


def capitalise(text: str) -> str:
    """Return a text with a capital first letter; `eGFR` keeps its own."""
    return text if text[1:2].isupper() else text[:1].upper() + text[1:]


def join(items: list[str], *, last: str = "and") -> str:
    """Return `a`, `a and b`, `a, b and c`."""
    if len(items) <= 1:
        return "".join(items)
    return f"{', '.join(items[:-1])} {last} {items[-1]}"


def count(number: int, one: str, many: str | None = None) -> str:
    """Return `1 fact`, `2 facts`, `no facts`."""
    if number == 1:
        return f"1 {one}"
    return f"{number or 'no'} {many or one + 's'}"


def decapitalise(text: str) -> str:
    """Return a title as it stands inside a sentence; an abbreviation keeps its capitals."""
    return text if text[:2].isupper() else text[:1].lower() + text[1:]
