"""What a text is freed of before it goes on a page or into a resource."""

import pytest

from ivfhir.fhir.texts import sound_name, sound_text


@pytest.mark.parametrize("bad", ["\x00", "\x01", "\x1b", "\x7f", "\x85", "\ud800", "\ufffe"])
def test_what_fhir_strings_cannot_hold_goes(bad: str) -> None:
    assert sound_text(f"a{bad}b") == "ab"


@pytest.mark.parametrize("bad", ["\u202e", "\u202a", "\u2066", "\u2069", "\ufdd0", "\U0010ffff"])
def test_what_makes_a_text_read_otherwise_goes(bad: str) -> None:
    assert sound_text(f"a{bad}b") == "ab"


@pytest.mark.parametrize("good", ["é", "Ł", "李", "\u200d", "\u200f", "😀", "\t", "\r\n", "\ufffd"])
def test_letters_of_every_script_and_lines_stay(good: str) -> None:
    assert sound_text(f"a{good}b") == f"a{good}b"


def test_a_name_is_one_line_of_bounded_length() -> None:
    assert sound_name(" Dr\r\nImogen\x00\u202e  Vance\t") == "Dr Imogen Vance"
    assert sound_name("x" * 301) == "x" * 300
