"""The design system's stylesheet is cut down without losing a rule that applies."""

import pytest

from tools.styles.trim import names_in, trim


def kept(css, *used):
    return trim(css, used.__contains__)


@pytest.mark.parametrize(
    ("css", "expected"),
    [
        ("a{color:red}", "a{color:red}\n"),
        (".nhsuk-used{top:0}", ".nhsuk-used{top:0}\n"),
        (".nhsuk-other{top:0}", ""),
        (".nhsuk-other,.nhsuk-used{top:0}", ".nhsuk-used{top:0}\n"),
        (".nhsuk-used .nhsuk-other{top:0}", ""),
        (
            ".nhsuk-used:not(.nhsuk-other):hover{top:0}",
            ".nhsuk-used:not(.nhsuk-other):hover{top:0}\n",
        ),
        ("@media print{.nhsuk-other{top:0}}", ""),
        (
            "@media print{.nhsuk-other{top:0}.nhsuk-used{top:1px}}",
            "@media print{.nhsuk-used{top:1px}\n}\n",
        ),
        ("@supports (a:b){.nhsuk-other{top:0}}", ""),
        (":root{--nhsuk-colour:#000}", ":root{--nhsuk-colour:#000}\n"),
    ],
)
def test_a_rule_stays_when_its_classes_are_used(css, expected):
    assert kept(css, "nhsuk-used") == expected


def test_a_class_of_a_width_is_found_by_its_escaped_name():
    css = r".nhsuk-u-half\@tablet{width:50%}"
    assert kept(css, "nhsuk-u-half@tablet") == css + "\n"
    assert kept(css, "nhsuk-u-half") == ""


def test_a_name_that_a_template_completes_stands_for_all_that_begin_so(tmp_path):
    page = tmp_path / "page.html"
    page.write_text('<input class="nhsuk-input nhsuk-input--width-{{ width }}">')
    uses = names_in([page])
    assert uses("nhsuk-input")
    assert uses("nhsuk-input--width-20")
    assert not uses("nhsuk-input--error")
    assert not uses("nhsuk-inputs")
