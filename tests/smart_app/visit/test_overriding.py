"""The override of a draft, as it is kept now and as earlier versions kept it."""

import pytest

from smart_app.visit.draft import request_of
from smart_app.visit.overriding import Override, override_note, override_of


@pytest.mark.parametrize(
    ("kept", "override"),
    [
        (None, None),
        ("", None),
        ({}, None),
        ("The board asks for it.", Override("The board asks for it.", "")),
        (
            {"kind": "tumour-board", "reason": "The board asks for it."},
            Override("The board asks for it.", "Tumour-board decision"),
        ),
        (
            {"kind": "outside-the-record", "reason": "INR 1.1 by telephone."},
            Override("INR 1.1 by telephone.", "Facts known outside the record"),
        ),
        ({"kind": None, "reason": "Because of it."}, Override("Because of it.", "")),
    ],
)
def test_both_forms_are_read(kept, override):
    assert override_of(request_of({"override": kept, "values": {}, "start": ""})) == override


@pytest.mark.parametrize(
    ("note", "said"),
    [
        (
            "Override: it is; status x; status ineligible; criteria overridden: Adult (C-AGE, not "
            "met), Severe bleeding tendency (X-BLEED, unknown).",
            "Override: it is; status x; the answer was: not eligible; criteria overridden: Adult "
            "(fails), Severe bleeding tendency (cannot be judged).",
        ),
        ("Override: a reason (B-12, unknown).", "Override: a reason (B-12, unknown)."),
    ],
)
def test_the_note_of_an_override_is_in_the_words_of_the_pages(note, said):
    assert override_note(note) == said
