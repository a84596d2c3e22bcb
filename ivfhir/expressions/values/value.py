"""The name of what every expression gives."""

from typing import Any

Value = Any
"""A CQL value.

None, bool, int, Decimal, str, a class of this package, a list, a tuple as a dict, or FHIR JSON.
"""
