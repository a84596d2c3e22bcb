"""What a narrative may hold (http://hl7.org/fhir/R4/narrative.html#rules).

These are the rules txt-1 and txt-2.
"""

from functools import lru_cache
from xml.etree import ElementTree

XHTML = "{http://www.w3.org/1999/xhtml}"
WORDS = """
a abbr acronym b big blockquote br caption cite code col colgroup dd dfn div dl dt em h1 h2 h3 h4 h5
h6 hr i img li ol p pre q samp small span strong sub sup table tbody td tfoot th thead tr tt ul var
"""
ELEMENTS = frozenset(WORDS.split())
NAMES = """
abbr accesskey align alt axis bgcolor border cellhalign cellpadding cellspacing cellvalign char
charoff charset cite class colspan compact coords dir frame headers height href hreflang hspace id
lang longdesc name nowrap rel rev rowspan rules scope shape span src start style summary tabindex
title type valign value vspace width
{http://www.w3.org/XML/1998/namespace}lang {http://www.w3.org/XML/1998/namespace}id
"""
ATTRIBUTES = frozenset(NAMES.split())
_ACTIVE = ("javascript:", "vbscript:")


@lru_cache(maxsize=64)
def is_allowed(text: str) -> bool:
    """Return whether the text is one `div` of XHTML, holds something, and nothing active.

    Entities of HTML (`&nbsp;`) are none of XML, and not allowed.
    """
    if "<!" in text.replace("<!--", ""):
        return False  # a document type or its entities
    try:
        root = ElementTree.fromstring(text)  # noqa: S314 - no DTD: above
    except ElementTree.ParseError:
        return False
    if root.tag != f"{XHTML}div":
        return False
    return all(map(_is_allowed_element, root.iter())) and _holds_something(root)


def _is_allowed_element(element: ElementTree.Element) -> bool:
    if not isinstance(element.tag, str):
        return True  # a comment
    if element.tag.removeprefix(XHTML) not in ELEMENTS or not element.tag.startswith(XHTML):
        return False
    return all(
        name in ATTRIBUTES and not value.strip().lower().startswith(_ACTIVE)
        for name, value in element.attrib.items()
    )


def _holds_something(root: ElementTree.Element) -> bool:
    return any(text.strip() for text in root.itertext()) or any(
        each.tag == f"{XHTML}img" for each in root.iter()
    )
