"""SMART scopes: https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html ."""

import pytest

from smart_app.smart.scopes import GrantedScopes, names_documents, scopes_to_ask


@pytest.mark.parametrize(
    ("text", "types"),
    [
        ("patient/Observation.rs", {"Observation"}),
        ("patient/Observation.cruds", {"Observation"}),
        ("patient/Observation.read", {"Observation"}),
        ("patient/Observation.*", {"Observation"}),
        ("user/Observation.rs patient/Condition.read", {"Observation", "Condition"}),
        ("patient/Observation.r patient/Observation.s", {"Observation"}),
        ("patient/*.r patient/Observation.s", {"Observation", "Patient"}),
        ("patient/Observation.r", set()),
        ("patient/Observation.s", set()),
        ("patient/Observation.sr", set()),
        ("patient/Observation.write", set()),
        ("patient/Patient.r", {"Patient"}),
        ("system/Observation.rs", set()),
        ("patient/Observation.rs?category=laboratory", set()),
        ("openid fhirUser launch", set()),
        ("", set()),
    ],
)
def test_types_that_may_be_searched_in_full(text: str, types: set[str]) -> None:
    assert GrantedScopes(text).readable_types == types


@pytest.mark.parametrize("text", ["patient/*.rs", "patient/*.read", "user/*.*", "patient/*.cruds"])
def test_a_wildcard_grants_every_type(text: str) -> None:
    assert GrantedScopes(text).readable_types is None
    assert GrantedScopes(text).partial_types == frozenset()


def test_a_narrowed_scope_grants_a_part() -> None:
    scopes = GrantedScopes("patient/Condition.rs?category=problem patient/Observation.rs")
    assert scopes.partial_types == {"Condition"}
    assert scopes.readable_types == {"Observation"}
    assert not scopes.may("Condition", "s")


def test_a_type_granted_in_full_and_in_part_is_granted_in_full() -> None:
    scopes = GrantedScopes("patient/Condition.rs?category=problem patient/Condition.rs")
    assert scopes.partial_types == frozenset()


@pytest.mark.parametrize(
    ("text", "interaction", "granted"),
    [
        ("patient/CarePlan.c", "c", True),
        ("patient/CarePlan.write", "c", True),
        ("patient/CarePlan.write", "u", True),
        ("patient/CarePlan.write", "r", False),
        ("patient/*.write", "c", True),
        ("patient/CarePlan.rs", "c", False),
        ("patient/CarePlan.uc", "c", False),
    ],
)
def test_interactions(text: str, interaction: str, granted: bool) -> None:
    assert GrantedScopes(text).may("CarePlan", interaction) is granted


def ask(*capabilities: str, standalone: bool = False, offline: bool = False) -> list[str]:
    return scopes_to_ask(
        capabilities,
        read_types=["Condition"],
        write_types=["CarePlan"],
        standalone=standalone,
        offline=offline,
    ).split()


def test_version_2_is_asked_unless_only_version_1_is_known() -> None:
    expected = ["openid", "fhirUser", "launch", "patient/CarePlan.crus", "patient/Condition.rs"]
    assert ask() == expected
    assert ask("permission-v1", "permission-v2") == expected


def test_version_1_is_asked_in_its_words() -> None:
    fhir = ["patient/CarePlan.read", "patient/CarePlan.write", "patient/Condition.read"]
    assert ask("permission-v1")[3:] == fhir


def test_a_refresh_token_is_asked_for_where_there_are_any() -> None:
    assert "online_access" in ask("permission-online", "permission-offline")
    assert not {"online_access", "offline_access"} & set(ask())


def test_access_that_outlives_the_session_is_asked_for_only_where_a_setting_says_so() -> None:
    assert "offline_access" not in ask("permission-offline")
    assert "offline_access" in ask("permission-offline", offline=True)
    both = ask("permission-online", "permission-offline", offline=True)
    assert "online_access" in both
    assert "offline_access" not in both


def test_standalone_asks_for_a_patient() -> None:
    assert "launch/patient" in ask(standalone=True)
    assert "launch" not in ask(standalone=True)


@pytest.mark.parametrize(
    ("supported", "named"),
    [
        (["patient/DocumentReference.crus"], True),
        (["user/DocumentReference.c"], True),
        (["patient/DocumentReference.write"], True),
        (["patient/DocumentReference.rs"], False),
        (["patient/DocumentReference.c?category=x"], False),
        (["patient/*.cruds"], False),
        ([], False),
    ],
)
def test_documents_are_asked_for_only_where_their_scope_is_named(
    supported: list[str], named: bool
) -> None:
    assert names_documents(supported) is named
    asked = scopes_to_ask(
        (), read_types=[], write_types=["CarePlan"], standalone=False, documents=named
    )
    assert ("patient/DocumentReference.crus" in asked.split()) is named
