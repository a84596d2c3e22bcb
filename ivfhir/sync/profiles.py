"""What servers differ in, as data: `profiles/*.toml`, one a kind of server."""

import re
import tomllib
from dataclasses import dataclass, fields
from importlib.resources import files

from ivfhir.errors import SettingsError
from ivfhir.fhir.types import Resource


@dataclass(frozen=True)
class Profile:
    """How a kind of server behaves where its CapabilityStatement does not say.

    Attributes:
        name: the file's name.
        software: start of the `software.name` by which it is known; '' when it is only chosen.
        transaction: takes transactions.
        conditional_create: keeps to If-None-Exist.
        update: lets a client change what it wrote.
        search_needs_patient: refuses searches of clinical types that name no patient.
        care_plan: takes CarePlans.
        document: takes DocumentReferences.
        lists: takes a comma in a search as "or"; of others this is believed once it was seen.
        page: matches of a search that it puts on its first page.
        representation: answers a transaction, where it is asked to, with what it stored.
    """

    name: str = "any"
    software: str = ""
    transaction: bool = True
    conditional_create: bool = True
    update: bool = True
    search_needs_patient: bool = False
    care_plan: bool = True
    document: bool = True
    lists: bool = False
    page: int = 100
    representation: bool = False


def load_profiles() -> dict[str, Profile]:
    """Return the profiles by name."""
    folder = files("ivfhir.sync") / "profiles"
    known = {field.name for field in fields(Profile)} - {"name"}
    profiles = {}
    for file in sorted(folder.iterdir(), key=lambda each: each.name):
        if not file.name.endswith(".toml"):
            continue
        values = tomllib.loads(file.read_text(encoding="utf-8"))
        if set(values) - known:
            raise SettingsError(f"{file.name} has keys that no profile has; mend the file.")
        name = file.name.removesuffix(".toml")
        profiles[name] = Profile(name=name, **values)
    return profiles


def profile_of(capabilities: Resource | None, wanted: str | None = None) -> Profile:
    """Return the profile of a server.

    Args:
        capabilities: its CapabilityStatement; None when it shows none.
        wanted: a profile that was asked for by name.

    Raises:
        SettingsError: there is no profile of that name.
    """
    profiles = load_profiles()
    if wanted is not None:
        if wanted not in profiles:
            raise SettingsError(
                f"There is no server profile '{wanted}'. There is: {', '.join(profiles)}."
            )
        return profiles[wanted]
    software = str((capabilities or {}).get("software", {}).get("name", ""))
    return next(
        (
            each
            for each in profiles.values()
            if each.software and re.match(re.escape(each.software), software, re.IGNORECASE)
        ),
        Profile(),
    )
