"""Members of JSON that nobody vouches for, as the kind of JSON that FHIR gives them.

What is of another kind is as if it were not there: that it is wrong, validation tells.
"""

from collections.abc import Mapping
from typing import Any

from ivfhir.fhir.types import Resource


def text_in(holder: Mapping[str, Any], name: str) -> str | None:
    """Return a member that is a text, None where there is none; no text of FHIR is empty."""
    value = holder.get(name)
    return value if isinstance(value, str) and value else None


def texts_in(holder: Mapping[str, Any], name: str) -> list[str]:
    """Return the texts of a member that is an array."""
    value = holder.get(name)
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def object_in(holder: Mapping[str, Any], name: str) -> Resource:
    """Return a member that is an object, an empty one where there is none."""
    value = holder.get(name)
    return value if isinstance(value, dict) else {}


def objects_in(holder: Mapping[str, Any], name: str) -> list[Resource]:
    """Return the items of a member that is an array.

    One that is no object is empty, so that the others keep their numbers.
    """
    value = holder.get(name)
    if not isinstance(value, list):
        return []
    return [each if isinstance(each, dict) else {} for each in value]


def rows_in(holder: Mapping[str, Any], name: str) -> list[Resource]:
    """Return the items of a member as `objects_in`, so that nothing malformed is passed over.

    A member that is no array, or one with nothing in it, counts as an array of one empty item.
    """
    return objects_in(holder, name) or ([{}] if name in holder else [])
