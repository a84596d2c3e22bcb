"""A plan that the EHR does not take, as files for whoever accepted it."""

from flask import Response, abort

from ivfhir.writing.bundle import created_entries
from ivfhir.writing.content import PDF
from ivfhir.writing.document import DATA, contents_of
from smart_app.pages.blueprint import blueprint
from smart_app.services import services
from smart_app.smart.launch import Launch
from smart_app.smart.session import needs_launch
from smart_app.visit.way import FILES

_TYPES = {"plan.pdf": PDF, "plan.json": DATA}


@blueprint.get("/l/<launch>/receipt/<draft_id>/<any('plan.pdf', 'plan.json'):name>")
@needs_launch
def plan_file(launch: Launch, draft_id: str, name: str) -> Response:
    """Give a file of an accepted plan that nothing was written of."""
    store = services().store
    draft = store.load_draft(launch.id, draft_id)
    kept = store.load_receipt(launch.id, draft_id)
    if kept is None or kept.body.get("way") != FILES or not kept.body.get("closed"):
        abort(404)
    document = created_entries(kept.body["bundle"])[0]["resource"]
    data = contents_of(document).get(_TYPES[name])
    if data is None:
        abort(404)
    answer = Response(data, mimetype=_TYPES[name])
    # The name is the protocol's: file lists and logs are read by others.
    file = f"{draft.protocol}-{name}"
    answer.headers["Content-Disposition"] = f'attachment; filename="{file}"'
    return answer
