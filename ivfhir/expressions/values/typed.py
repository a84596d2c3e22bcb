"""An element of a resource that tells its FHIR type: raw JSON alone does not."""

from ivfhir.expressions.values.value import Value


class Typed:
    """An element of a resource together with the name of its FHIR type.

    Args:
        type: such as `FHIR.Quantity`.
        raw: its JSON.
    """

    __slots__ = ("raw", "type")

    def __init__(self, type: str, raw: Value) -> None:
        """Keep both."""
        self.type = type
        self.raw = raw

    def __eq__(self, other: object) -> bool:
        """Return whether type and JSON are the same."""
        return isinstance(other, Typed) and self.type == other.type and self.raw == other.raw

    def __hash__(self) -> int:
        """Hash by type: JSON has no hash."""
        return hash(self.type)
