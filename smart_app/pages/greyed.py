"""Ids inside a sentence: small and grey, as pages show them wherever they stand."""

import re

from markupsafe import Markup, escape

_REFERENCE = re.compile(r"(\b[A-Z][A-Za-z]+/[A-Za-z0-9.-]*[A-Za-z0-9-])")


def greyed(sentence: str) -> Markup:
    """Return a sentence as HTML in which each `Type/id` is marked as an id."""
    parts = _REFERENCE.split(sentence)
    return Markup().join(
        Markup('<span class="ref">{}</span>').format(part) if place % 2 else escape(part)
        for place, part in enumerate(parts)
    )
