import base64
import json

import pytest

from tests.tools.conftest import SHARED_CQL
from tools.knowledge.layout import to_bytes
from tools.knowledge.library import build_library


def test_library_carries_the_cql_and_its_elm_unchanged(elm):
    content = build_library(SHARED_CQL.encode(), elm)["content"]
    assert [part["contentType"] for part in content] == ["text/cql", "application/elm+json"]
    assert [base64.b64decode(part["data"]) for part in content] == [SHARED_CQL.encode(), elm]


def test_library_says_what_it_is_and_what_it_depends_on(elm):
    library = build_library(SHARED_CQL.encode(), elm)
    assert library["url"] == "https://ivfhir.example/fhir/Library/Facts"
    assert (library["version"], library["status"], library["experimental"]) == (
        "0.1.0",
        "draft",
        True,
    )
    assert library["title"] == "Facts about age"
    assert library["description"] == "Facts about age. Two or more protocols use them."
    assert [each["resource"] for each in library["relatedArtifact"]] == [
        "https://ivfhir.example/fhir/Library/FHIRHelpers|4.0.1",
        "https://ivfhir.example/fhir/ValueSet/dx",
    ]
    assert [(each["name"], each["type"]) for each in library["parameter"]] == [
        ("AsOf", "dateTime"),
        ("segments", "integer"),
    ]


def test_each_type_and_value_set_is_required_once(elm):
    assert build_library(SHARED_CQL.encode(), elm)["dataRequirement"] == [
        {
            "type": "Condition",
            "codeFilter": [{"path": "code", "valueSet": "https://ivfhir.example/fhir/ValueSet/dx"}],
        },
        {"type": "Patient"},
    ]


def test_cql_without_a_comment_on_top_is_refused(elm):
    with pytest.raises(ValueError, match=r"Facts\.cql: a comment before `library`"):
        build_library(SHARED_CQL[SHARED_CQL.index("library") :].encode(), elm)


def test_parameter_of_a_type_without_fhir_name_is_refused(elm):
    content = json.loads(elm)
    content["library"]["parameters"]["def"][0]["parameterTypeSpecifier"] = {"type": "Interval"}
    with pytest.raises(ValueError, match="parameter AsOf: declare one of"):
        build_library(SHARED_CQL.encode(), json.dumps(content).encode())


def test_same_sources_give_same_bytes(elm):
    assert to_bytes(build_library(SHARED_CQL.encode(), elm)) == to_bytes(
        build_library(SHARED_CQL.encode(), elm)
    )
