"""What a CapabilityStatement says about writing a plan."""

from ivfhir.writing.capabilities import read_write_support

TYPES = ("CarePlan", "Goal", "Provenance")


def statement(*resources, interaction=("transaction",)):
    rest = {
        "mode": "server",
        "interaction": [{"code": code} for code in interaction],
        "resource": list(resources),
    }
    return {"resourceType": "CapabilityStatement", "rest": [rest]}


def resource(name, *codes, params=()):
    return {
        "type": name,
        "interaction": [{"code": code} for code in codes],
        "searchParam": [{"name": param} for param in params],
    }


def test_a_server_that_offers_everything_takes_a_plan():
    support = read_write_support(
        statement(
            resource("CarePlan", "create", params=["identifier"]),
            resource("Goal", "create", params=["identifier"]),
            resource("Provenance", "create", params=["_tag"]),
        ),
        TYPES,
    )
    assert (support.hindrances, support.doubts) == ((), ())
    assert support.conditional == set(TYPES)


def test_a_server_without_transactions_takes_none():
    support = read_write_support(statement(interaction=("batch",)), TYPES)
    assert support.hindrances == (
        "The EHR's server takes no transactions, so a plan cannot be written in one piece.",
    )


def test_a_type_that_may_not_be_created_is_named():
    support = read_write_support(
        statement(resource("CarePlan", "read"), resource("Goal", "create")), TYPES
    )
    assert support.hindrances == ("The EHR's server does not let anyone create CarePlan.",)


def test_a_type_that_is_not_mentioned_is_a_doubt_and_not_searched():
    support = read_write_support(
        statement(resource("CarePlan", "create", params=["identifier"])), TYPES
    )
    assert support.hindrances == ()
    assert "Goal, Provenance" in support.doubts[0]
    assert support.conditional == {"CarePlan"}


def test_a_type_that_cannot_be_searched_by_identifier_is_created_without_condition():
    support = read_write_support(
        statement(
            resource("CarePlan", "create", params=["identifier"]),
            resource("Goal", "create", params=["patient"]),
        ),
        ("CarePlan", "Goal"),
    )
    assert support.conditional == {"CarePlan"}


def test_a_silent_server_is_asked_all_the_same():
    support = read_write_support(None, TYPES)
    assert support.hindrances == ()
    assert len(support.doubts) == 1
    assert support.conditional == set(TYPES)
