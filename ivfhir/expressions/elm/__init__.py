"""ELM, the logical form of CQL 1.5, compiled to Python functions (https://cql.hl7.org/elm.html)."""

from ivfhir.expressions.elm.library import ElmLibrary, ParameterInfo, load_libraries
from ivfhir.expressions.elm.scope import DefineKey, LibraryKey
from ivfhir.expressions.elm.session import Session

__all__ = [
    "DefineKey",
    "ElmLibrary",
    "LibraryKey",
    "ParameterInfo",
    "Session",
    "load_libraries",
]
