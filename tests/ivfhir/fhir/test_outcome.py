"""Every error has its OperationOutcome, HTTP status and exit code."""

from collections.abc import Iterator

import pytest

from ivfhir import errors
from ivfhir.fhir.outcome import exit_code, http_status, issues_of, operation_outcome, words_of


def _tree(family: type[errors.IvfhirError]) -> Iterator[type[errors.IvfhirError]]:
    yield family
    for child in family.__subclasses__():
        yield from _tree(child)


@pytest.mark.parametrize("family", list(_tree(errors.IvfhirError)))
def test_every_error_has_a_status_an_exit_code_and_an_issue(
    family: type[errors.IvfhirError],
) -> None:
    error = family("Something is wrong; do this.")
    assert 400 <= http_status(error) <= 599
    assert exit_code(error) in {1, 2, 3, 4, 5}
    assert operation_outcome(error)["issue"][0]["code"] == family.code


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.UnknownProtocolError("x"), 2),
        (errors.ParameterError("x"), 2),
        (errors.SeveralPatientsError("x"), 2),
        (errors.NoPlanError("x"), 3),
        (errors.InputError("x"), 4),
        (errors.UnreachableError("x"), 5),
        (errors.UnauthorisedError("x"), 5),
        (errors.IncompleteError("x"), 5),
    ],
)
def test_exit_codes_are_those_promised(error: errors.IvfhirError, code: int) -> None:
    assert exit_code(error) == code


def test_a_servers_outcome_follows_ours_whole() -> None:
    theirs = {"severity": "error", "code": "invariant", "diagnostics": "obs-7"}
    error = errors.RejectedError(
        "The server refuses it.",
        expression="Observation.value",
        outcome={"resourceType": "OperationOutcome", "issue": [theirs]},
    )
    assert operation_outcome(error) == {
        "resourceType": "OperationOutcome",
        "issue": [
            {
                "severity": "error",
                "code": "processing",
                "diagnostics": "The server refuses it.",
                "expression": ["Observation.value"],
            },
            theirs,
        ],
    }


@pytest.mark.parametrize(
    ("issue", "said"),
    [
        ([{"diagnostics": "no such unit", "details": {"text": "a unit"}}], ["no such unit"]),
        ([{"details": {"text": "a unit"}}, {"severity": "error"}], ["a unit", ""]),
        ([{"details": "a unit"}], [""]),
        (["a unit", {"diagnostics": "no such unit"}], ["no such unit"]),
        ("a unit", []),
        ({"diagnostics": "no such unit"}, []),
        (None, []),
    ],
)
def test_what_is_no_object_in_a_servers_outcome_is_left_out(issue: object, said: list[str]) -> None:
    outcome = {"resourceType": "OperationOutcome", "issue": issue}
    assert list(map(words_of, issues_of(outcome))) == said
    assert issues_of(None) == []
