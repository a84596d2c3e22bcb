"""Ids inside sentences are marked; the rest is text."""

import pytest

from smart_app.pages.greyed import greyed


@pytest.mark.parametrize(
    ("sentence", "html"),
    [
        ("No id & no <tag>.", "No id &amp; no &lt;tag&gt;."),
        (
            "Theirs (CarePlan/a-1.2, by A) stays.",
            'Theirs (<span class="ref">CarePlan/a-1.2</span>, by A) stays.',
        ),
        (
            "Look at Task/1, Goal/2.",
            'Look at <span class="ref">Task/1</span>, <span class="ref">Goal/2</span>.',
        ),
        ("and/or 50/50 mg/m2 N/A", "and/or 50/50 mg/m2 N/A"),
    ],
)
def test_what_is_an_id_is_marked(sentence: str, html: str) -> None:
    assert str(greyed(sentence)) == html
