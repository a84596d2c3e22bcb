"""What makes a condition true by not being there."""

import pytest

from ivfhir.expressions.fhirpath import compile_fhirpath


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("data.empty() or contentType.exists()", {"data"}),
        ("a.empty() or b.empty()", {"a", "b"}),
        ("a.b.c.empty()", {"a"}),
        ("a.b.empty() and a.c.empty()", {"a"}),
        ("a.empty() and b.empty()", set()),
        ("a.exists() implies b > 0", {"a"}),
        ("a > 0 implies b.empty()", {"b"}),
        ("(a.exists() and b.exists()) implies c", {"a", "b"}),
        ("(a.exists() or b.exists()) implies c", set()),
        ("(a.exists() and c > 0) or a.exists().not()", {"a"}),
        ("a.hasValue().not() or b", {"a"}),
        ("a.exists()", set()),
        ("a.where(b).empty()", set()),
        ("a.exists(b).not()", set()),
        ("$this.a.empty()", set()),
        ("%resource.a.empty()", set()),
        ("a.empty() xor b.exists()", set()),
        ("a.empty() = b.empty()", set()),
    ],
)
def test_an_element_whose_absence_suffices_is_named(text, names):
    compiled = compile_fhirpath(text)
    assert compiled.true_without == names
    given = {"resourceType": "Basic", "a": [{"b": 1}], "b": 1, "c": 2, "data": "x"}
    for name in names:
        without = {key: value for key, value in given.items() if key != name}
        assert compiled.is_true(without) is True
