"""Where a protocol's criteria stand: its list of rows, followed in ELM to their defines."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ivfhir.errors import KnowledgeError
from ivfhir.expressions.elm import DefineKey, ElmLibrary, LibraryKey

INCLUSION = "inclusion"
CONTRAINDICATION = "contraindication-absolute"
CAUTION = "caution"
KINDS = (INCLUSION, CONTRAINDICATION, CAUTION)
"""The kinds of criteria, as rows name them."""

Criteria = dict[DefineKey, frozenset[str]]
"""Define of a criterion -> the FHIR types that it needs."""

ROW = "_Criterion"
"""What follows a criterion's name in the name of its row: X_BLEED_Criterion."""


def criteria_of(
    documents: Sequence[Mapping[str, Any]], libraries: Mapping[LibraryKey, ElmLibrary]
) -> tuple[Criteria, Criteria]:
    """Return a protocol's criteria, in its order, and those of the protocols that it rests on.

    What another criterion needs is left out where one rests on it: that one tells it itself.

    Args:
        documents: ELM JSON of the protocol's library and of all that it includes, its own first; a
            library that lists no criteria has none.
        libraries: the same, compiled.

    Raises:
        KnowledgeError: a list holds anything but names of rows.
    """
    own, *included = (each["library"] for each in documents)
    listed = list(listed_defines(own)) if lists_criteria(own) else []
    bases = [
        key
        for elm in included
        if lists_criteria(elm)
        for key in listed_defines(elm)
        if key not in listed
    ]
    rows = [(key, f"{name}{ROW}") for key, name in bases]
    stop = [*listed, *bases, *rows]

    def needs(keys: Iterable[DefineKey]) -> Criteria:
        return {(key, name): libraries[key].retrieved_types(name, stop=stop) for key, name in keys}

    return needs(listed), needs(bases)


def lists_criteria(elm: Mapping[str, Any]) -> bool:
    """Whether a library is a protocol's own: it lists criteria."""
    name = f"{elm['identifier']['id']}_Criteria"
    return any(each["name"] == name for each in elm.get("statements", {}).get("def", []))


def listed_defines(elm: Mapping[str, Any]) -> Iterator[DefineKey]:
    """Yield library and name of the define of each criterion that a protocol lists, in its order.

    Args:
        elm: the `library` object of the protocol's own ELM.

    Raises:
        KnowledgeError: the list is missing, or holds anything but names of rows.
    """
    own: LibraryKey = (elm["identifier"]["id"], elm["identifier"].get("version"))
    includes = {
        each["localIdentifier"]: (each["path"], each.get("version"))
        for each in elm.get("includes", {}).get("def", [])
    }
    for element in listed_rows(elm):
        name = element.get("name", "")
        if element.get("type") != "ExpressionRef" or not name.endswith(ROW):
            raise KnowledgeError(
                f"{own[0]}_Criteria must list rows by name, such as Common.X_BLEED{ROW}; "
                f"{name or element.get('type')} is none."
            )
        alias = element.get("libraryName")
        yield (own if alias is None else includes[alias]), name.removesuffix(ROW)


def listed_rows(elm: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the elements of `<ID>_Criteria` as ELM nodes.

    Raises:
        KnowledgeError: there is no such define, or it is no list.
    """
    name = f"{elm['identifier']['id']}_Criteria"
    for define in elm.get("statements", {}).get("def", []):
        if define["name"] == name and define.get("expression", {}).get("type") == "List":
            elements: list[Mapping[str, Any]] = define["expression"].get("element", [])
            return elements
    raise KnowledgeError(f"Define {name} as the list of the protocol's criteria, {{ …{ROW}, … }}.")


def criterion_names(documents: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the names of the criteria that a protocol lists, each once: `C_AGE`.

    One that has a row a mode, `LIVER_I02_TACE` and `LIVER_I02_HAIC`, goes by the name before them.

    Args:
        documents: the `library` objects of the protocol's own ELM and of what it includes, its own
            first.

    Raises:
        KnowledgeError: the list is missing, or holds anything but names of rows.
    """
    libraries = {each["identifier"]["id"]: each for each in documents}
    names = []
    for (library, _), name in listed_defines(documents[0]):
        mode = mode_of_row(libraries[library], name)
        names.append(name.removesuffix(f"_{mode}") if mode else name)
    return list(dict.fromkeys(names))


def mode_of_row(elm: Mapping[str, Any], name: str) -> str:
    """Return the mode of the row of a criterion; '' where it holds for all of them."""
    operands = row_expression(elm, name).get("operand", [])
    if not operands or operands[0].get("type") != "Literal":
        return ""
    return str(operands[0].get("value", ""))


def row_expression(elm: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return the expression of the row of a criterion; {} where a library has none."""
    for define in elm.get("statements", {}).get("def", []):
        if define["name"] == f"{name}{ROW}":
            expression: Mapping[str, Any] = define.get("expression", {})
            return expression
    return {}
