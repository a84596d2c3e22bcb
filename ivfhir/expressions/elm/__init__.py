"""ELM, the logical form of CQL 1.5, compiled to Python functions (https://cql.hl7.org/elm.html)."""

from ivfhir.expressions.elm.library import ElmLibrary, ParameterInfo, load_libraries
from ivfhir.expressions.elm.session import Session

__all__ = ["ElmLibrary", "ParameterInfo", "Session", "load_libraries"]
