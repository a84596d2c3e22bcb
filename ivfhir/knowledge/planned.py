"""The protocols that the specification knows and that no package answers yet."""

import tomllib
from collections.abc import Collection

from ivfhir.knowledge.package import knowledge_root


def planned_protocols(known: Collection[str] = ()) -> list[tuple[str, str]]:
    """Return id and title of the planned protocols, in order, without the `known` ones."""
    file = knowledge_root() / "planned.toml"
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    rows = tomllib.loads(text).get("protocol", [])
    return [(row["id"], row["title"]) for row in rows if row["id"] not in known]
