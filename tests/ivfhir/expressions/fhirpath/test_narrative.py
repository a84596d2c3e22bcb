"""What R4 allows in a narrative, and what not."""

import pytest

from ivfhir.expressions.fhirpath.narrative import is_allowed

DIV = '<div xmlns="http://www.w3.org/1999/xhtml">'


@pytest.mark.parametrize(
    "inside",
    [
        "text",
        "<p>a <b>b</b></p>",
        '<img src="#x" alt=""/>',
        '<a href="http://x.example">x</a>',
        "<table><tbody><tr><td>1</td></tr></tbody></table>",
        "a&#160;b &lt; c",
        "<!-- no --> x",
    ],
)
def test_text_tables_and_links_are_allowed(inside):
    assert is_allowed(f"{DIV}{inside}</div>")


@pytest.mark.parametrize(
    "text",
    [
        f"{DIV}</div>",
        f"{DIV}   <p></p></div>",
        f"{DIV}<script>x</script></div>",
        f'{DIV}<p onclick="x()">x</p></div>',
        f'{DIV}<a href="javascript:x()">x</a></div>',
        f"{DIV}<form>x</form></div>",
        f"{DIV}<iframe>x</iframe></div>",
        "<div>x</div>",
        f"{DIV}x",
        '<p xmlns="http://www.w3.org/1999/xhtml">x</p>',
        f'<!DOCTYPE d [<!ENTITY a "b">]>{DIV}&a;</div>',
        f"{DIV}a&nbsp;b</div>",
        "",
    ],
)
def test_what_is_empty_active_or_no_xhtml_is_not(text):
    assert not is_allowed(text)
