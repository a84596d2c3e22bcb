"""The protocols that the specification knows and that no package answers yet."""

import tomllib
from collections.abc import Collection

from ivfhir.knowledge.package import knowledge_root


def planned_protocols(known: Collection[str] = ()) -> list[tuple[str, str]]:
    """Return id and title of the planned protocols, in order, without the `known` ones."""
    text = (knowledge_root() / "planned.toml").read_text(encoding="utf-8")
    rows = tomllib.loads(text)["protocol"]
    return [(row["id"], row["title"]) for row in rows if row["id"] not in known]
