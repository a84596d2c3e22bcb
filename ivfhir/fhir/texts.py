"""Texts that people or servers gave, without characters that FHIR, or the eye, cannot take."""

import unicodedata

_KEPT_CONTROLS = "\t\n\r"
_NONE = 0xFFFE
"""The last two code points of each plane are no characters."""

_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""They turn round what stands beside them, so that a text reads otherwise than it is."""


def sound_text(text: str) -> str:
    """Return a text without control characters, code points that are none, and turning marks.

    Tab, line feed and carriage return stay.

    Source: http://hl7.org/fhir/R4/datatypes.html#string
    """
    return "".join(each for each in text if _is_sound(each))


def sound_name(text: str, *, longest: int = 300) -> str:
    """Return a name as one line of `sound_text`, cut to a length in characters."""
    return " ".join(sound_text(text).split())[:longest]


def _is_sound(character: str) -> bool:
    if character in _KEPT_CONTROLS:
        return True
    # Cn holds the noncharacters, and what a later Unicode may assign: that stays.
    is_none = ord(character) & _NONE == _NONE or "\ufdd0" <= character <= "\ufdef"
    return not (is_none or character in _TURNING or unicodedata.category(character) in ("Cc", "Cs"))
