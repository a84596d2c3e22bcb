"""Small profiles and value sets, and resources beside them."""

from ivfhir.packages import Package, Packages
from ivfhir.validation import validate_resource
from ivfhir.validation.profile.library import Profiles

BASE = "http://x.example/"
R4 = "http://hl7.org/fhir/StructureDefinition/"
TEXT = {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'}
LOINC = "http://loinc.org"


def profile(name, *elements, of="Observation", base=None, form="differential", **more):
    """Return a StructureDefinition; an element is `(id, {…})`."""
    rows = [{"id": of, "path": of}, *(element(*each) for each in elements)]
    return {
        "resourceType": "StructureDefinition",
        "url": BASE + name,
        "version": "1.0",
        "title": name,
        "type": of,
        "derivation": "constraint",
        "baseDefinition": base or R4 + of,
        form: {"element": rows},
        **more,
    }


def element(id_, said):
    path = ".".join(each.partition(":")[0] for each in id_.split("."))
    slice_ = id_.rpartition(".")[2].partition(":")[2]
    return {"id": id_, "path": path, **({"sliceName": slice_} if slice_ else {}), **said}


class Texts:
    """Definitions of a package, without files."""

    names = ("package.json",)


def package(*definitions, name="x", depends=None):
    files = {str(number): each for number, each in enumerate(definitions)}
    canonicals = {}
    for number, each in files.items():
        canonicals.setdefault((each["resourceType"], each["url"]), []).append(number)
    rows = {key: tuple(names) for key, names in canonicals.items()}
    return Package(name, "1", depends or {}, Texts(), rows, dict(files))


def profiles(*definitions):
    return Profiles(Packages([package(*definitions)]))


def observation(*claims, **more):
    return {
        "resourceType": "Observation",
        **({"meta": {"profile": [BASE + each for each in claims]}} if claims else {}),
        "text": TEXT,
        "status": "final",
        "code": {"text": "x"},
        **more,
    }


def found(resource, *definitions, severities=("error",)):
    """Return rule and place of what is wrong, in the order in which it is told."""
    rows = validate_resource(resource, profiles(*definitions))
    return [(e.rule, e.expression) for e in rows if e.severity in severities]


def texts(resource, *definitions):
    rows = validate_resource(resource, profiles(*definitions))
    return [each.text for each in rows if each.severity != "information"]
