"""Where in the text of an expression something is wrong."""

from ivfhir.errors import FhirPathError


class PlacedError(Exception):
    """Something is wrong at a place; whoever has the text makes a FhirPathError of it.

    Args:
        message: what is wrong and what to do, a sentence without place.
        at: how many characters stand before it; None where only the caller knows.
    """

    def __init__(self, message: str, at: int | None = None) -> None:
        """Keep both."""
        super().__init__(message)
        self.message = message
        self.at = at


def placed(error: PlacedError, text: str) -> FhirPathError:
    """Return the error with line and column, both counted from 1."""
    before = text[: error.at or 0]
    line = before.count("\n") + 1
    column = len(before) - (before.rfind("\n") + 1) + 1
    return FhirPathError(
        f"FHIRPath, line {line}, column {column}: {error.message}", line=line, column=column
    )
