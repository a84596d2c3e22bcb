"""The end of a launch: its tokens are forgotten here, and revoked at the EHR where it offers that.

Source: https://www.rfc-editor.org/rfc/rfc7009
"""

from collections.abc import Mapping
from typing import Any

from ivfhir.errors import LaunchError, ServerError
from smart_app.services import AppServices
from smart_app.smart.renewal import token_client
from smart_app.store import LaunchRecord
from smart_app.store.uses import SIGNED_OUT

REVOKED, NOT_OFFERED, FAILED, WAITS = "revoked", "not-offered", "failed", "waits"


def sign_out(app: AppServices, record: LaunchRecord) -> str:
    """Close a launch, and end its access at the EHR.

    Returns:
        What became of the access: `REVOKED`; `NOT_OFFERED` or `FAILED`, so it ends by itself;
        `WAITS` for an accepted plan that the EHR has not confirmed yet.
    """
    kept = record.body.get("subject") is not None
    if app.store.close_launch(record.id, reason=SIGNED_OUT, drafts_kept=kept):
        app.log.info("sign_out", count=1)
        return WAITS
    outcome = _revoke(app, record.body)
    app.log.info("sign_out", count=0)
    return outcome


def end_what_was_waiting(app: AppServices, launch_id: str) -> None:
    """End the access of a closed launch once the plan for which it was kept is there."""
    body = app.store.forget_tokens_of_closed(launch_id)
    if body is not None:
        _revoke(app, body)


def _revoke(app: AppServices, body: Mapping[str, Any]) -> str:
    """Tell the EHR that the tokens are no longer needed; that it fails is no harm to the user."""
    endpoint = body.get("revocation_endpoint")
    ehr = app.settings.ehr_of(body["iss"])
    tokens = [(body[kind], kind) for kind in ("refresh_token", "access_token") if kind in body]
    if not endpoint or ehr is None or not tokens:
        return NOT_OFFERED
    client = token_client(app, ehr, dict(body))
    try:
        done = [client.revoke(token, kind, endpoint=endpoint) for token, kind in tokens]
    except (ServerError, LaunchError) as error:
        app.log.warning("revocation", error=type(error).__name__)
        return FAILED
    return REVOKED if all(done) else FAILED
