"""The plan: settings in, dates out. A draft is kept when asked for, never by looking."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import date
from typing import Any

from flask import abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from ivfhir.errors import ParameterError, VersionConflictError
from ivfhir.fhir.texts import sound_text
from ivfhir.knowledge.load import ClinicalProtocol
from ivfhir.prescribe import REGIMEN
from ivfhir.wording import dates
from smart_app.pages import context
from smart_app.pages.blueprint import blueprint
from smart_app.pages.parameters import (
    StartField,
    errors_by_field,
    given_values,
    not_numbers,
    proposed_start,
    read_start,
    start_field,
)
from smart_app.pages.plan import plan_page
from smart_app.pages.regimens import NOTHING, regimen_table, regimen_values
from smart_app.pages.review import gap_words
from smart_app.pages.ways import way_note
from smart_app.pages.why import why_headline
from smart_app.services import services
from smart_app.smart.launch import Launch
from smart_app.smart.session import needs_launch
from smart_app.store import Draft
from smart_app.visit.accepting import find_doubtful
from smart_app.visit.draft import DraftContent, PlanRequest, request_of
from smart_app.visit.drafting import Attempt, draft_plan, option_statuses, try_draft
from smart_app.visit.overriding import KINDS, override_of
from smart_app.visit.reading import Reading

_START = "Start"
_OVERRIDE_FIELDS = {"OverrideReason": "override-reason", "OverrideKind": "override-kind"}
"""The protocol's parameters -> fields of the override's form."""


@blueprint.get("/l/<launch>/plan/<protocol>")
@needs_launch
def plan(launch: Launch, protocol: str) -> str | Response:
    """Show the plan of a draft, or the one proposed; for a block, the form of the override."""
    if request.args.get("read") == "again":
        context.visit_of(launch).forget_reading()
        return redirect(context.here_again(launch))
    chosen, reading = context.protocol_of(protocol), context.reading_of(launch)
    draft = _draft_of_request(launch, chosen)
    if draft is not None and (
        draft.state != "draft" or find_doubtful(context.visit_of(launch), draft)
    ):
        return redirect(url_for("pages.receipt", launch=launch.id, draft_id=draft.id))
    if draft is not None:
        return _show_draft(launch, chosen, draft)
    entry = reading.of_protocol(protocol) or {}
    if entry.get("status") in ("ineligible", "indeterminate") and not reading.decision[
        "patient"
    ].get("deceased"):
        return _override_form(launch, chosen, reading, PlanRequest({}, ""), {})
    if entry.get("status") != "eligible" or reading.decision["patient"].get("deceased"):
        return redirect(url_for("pages.why", launch=launch.id, protocol=protocol))
    asked = PlanRequest({}, proposed_start(context.today_of(reading.decision["asOf"])).isoformat())
    content = None
    # With several modes, sites or bases that fit there is no plan before one is chosen.
    with suppress(ParameterError):
        more = _more(launch, chosen, reading)
        content = draft_plan(launch, chosen, reading, asked, more=more)
    return _plan_form(
        launch, chosen, reading, content=content, asked=asked, start=_start_of(asked, reading)
    )


@blueprint.post("/l/<launch>/plan/<protocol>")
@needs_launch
def keep_plan(launch: Launch, protocol: str) -> str | Response | tuple[str, int]:
    """Keep the plan with the settings that were sent as a draft, and show it, or its review."""
    chosen, reading = context.protocol_of(protocol), context.reading_of(launch)
    draft = _draft_of_request(launch, chosen)
    if draft is not None and find_doubtful(context.visit_of(launch), draft):
        return redirect(url_for("pages.receipt", launch=launch.id, draft_id=draft.id), 303)
    asked = request_of(draft.body) if draft is not None else _override_of_form()
    entry = reading.of_protocol(protocol) or {}
    if draft is None and entry.get("status") != "eligible":
        wrong = _override_problems(asked)
        if wrong:
            return _override_form(launch, chosen, reading, asked, wrong), 422
    asked, start, errors = _settings_of_form(
        chosen, asked, context.today_of(reading.decision["asOf"])
    )
    tried = Attempt(None)
    if not errors:
        more = _more(launch, chosen, reading)
        tried = try_draft(launch, chosen, reading, asked, more=more)
    if tried.refusal:
        errors = {REGIMEN: tried.refusal} if tried.of_regimen else errors_by_field(tried.refusal)
    if draft is None and not errors.keys().isdisjoint(_OVERRIDE_FIELDS):
        wrong = {_OVERRIDE_FIELDS.get(name, name): text for name, text in errors.items()}
        return _override_form(launch, chosen, reading, asked, wrong), 422
    if tried.content is None:
        return _plan_form(
            launch,
            chosen,
            reading,
            content=tried.shown,
            asked=asked,
            start=start,
            errors=errors,
            about=tried.about,
            draft=draft,
        ), 422
    kept = _keep(launch, chosen, draft, tried.content.to_body())
    if request.form.get("next") == "review":
        return redirect(url_for("pages.review", launch=launch.id, draft_id=kept.id), 303)
    return redirect(url_for("pages.plan", launch=launch.id, protocol=protocol, draft=kept.id), 303)


def _settings_of_form(
    protocol: ClinicalProtocol, asked: PlanRequest, today: date
) -> tuple[PlanRequest, StartField, dict[str, str]]:
    """Return what the form asks for, its boxes of the start, and what is wrong, by parameter."""
    fields = context.fields_of(protocol, {})
    start = read_start(request.form, earliest=today)
    if "start-year" not in request.form:
        start = start_field(proposed_start(today), earliest=today)
    values = given_values(request.form, fields)
    errors = not_numbers(values, fields)
    if REGIMEN in protocol.declared:
        values |= regimen_values(request.form)
    if start.iso is None:
        errors[_START] = "The start must be a date: day, month and year."
    return replace(asked, values=values, start=start.iso or ""), start, errors


def _draft_of_request(launch: Launch, protocol: ClinicalProtocol) -> Draft | None:
    """Return the draft that the address names, which must be one of its protocol."""
    draft_id = request.args.get("draft")
    draft = services().store.load_draft(launch.id, draft_id) if draft_id else None
    if draft is not None and draft.protocol != protocol.id:
        abort(404)
    return draft


def _keep(
    launch: Launch, protocol: ClinicalProtocol, draft: Draft | None, body: Mapping[str, Any]
) -> Draft:
    store = services().store
    if draft is None:
        return store.save_draft(launch.id, protocol=protocol.id, body=body)
    if request.form.get("version") != str(draft.version):
        raise VersionConflictError(
            "This draft was changed in another window since this page was opened. "
            "Reload it, then change it."
        )
    return store.update_draft(draft, body=body)


def _show_draft(launch: Launch, protocol: ClinicalProtocol, draft: Draft) -> str:
    reading = context.reading_of(launch)
    content = DraftContent.of_body(draft.body)
    asked = content.request
    return _plan_form(
        launch,
        protocol,
        reading,
        content=content,
        asked=asked,
        start=_start_of(asked, reading),
        draft=draft,
    )


def _start_of(asked: PlanRequest, reading: Reading) -> StartField:
    earliest = context.today_of(reading.decision["asOf"])
    return start_field(dates.parse_day(asked.start) or earliest, earliest=earliest)


def _more(launch: Launch, protocol: ClinicalProtocol, reading: Reading) -> list[tuple[str, str]]:
    """Return the further terms of the banner, kept with a draft."""
    return list(
        context.frame_of_reading(launch, reading, here="Plan", protocol=protocol).patient.more
    )


def _plan_form(
    launch: Launch,
    protocol: ClinicalProtocol,
    reading: Reading,
    *,
    content: DraftContent | None,
    asked: PlanRequest,
    start: StartField,
    errors: Mapping[str, str] | None = None,
    about: Mapping[str, str] = NOTHING,
    draft: Draft | None = None,
) -> str:
    errors = errors or {}
    statuses = option_statuses(protocol, reading)
    fields = context.fields_of(protocol, asked.values, errors, statuses)
    free = [field for field in fields if not field.fixed]
    card = context.card_of(protocol)
    page = None
    if content is not None:
        page = plan_page(content, card, today=context.today_of(content.as_of))
    known = {field.name for field in fields}
    unchosen = [field.label for field in fields if field.labels and not field.value]
    regimens = None
    if content is not None:
        regimens = regimen_table(
            content.offers,
            asked.values,
            lambda reference: context.record_href(launch, reference),
            error=errors.get(REGIMEN, ""),
            about=about,
        )
    if regimens is not None and regimens.error:
        errors = {**errors, REGIMEN: regimens.error}
        known.add(REGIMEN)
    problems = [
        (text, name if name in known else "start-day" if name == _START else "")
        for name, text in errors.items()
    ]
    arguments: dict[str, Any] = {"draft": draft.id} if draft else {}
    writer = context.writer_for(launch, reading.resources, reading.record.refused)
    entry = content.decision if content is not None else reading.of_protocol(protocol.id) or {}
    return render_template(
        "plan.html",
        page=page,
        regimens=regimens,
        card=card,
        draft=draft,
        frame=context.frame_of_draft(launch, draft, protocol, here="Plan")
        if draft
        else context.frame_of_reading(launch, reading, here="Plan", protocol=protocol),
        problems=problems,
        asked=asked,
        override=override_of(asked),
        override_gap=gap_words(entry, writer) if asked.override_reason else "",
        hindered=reading.hindrances,
        way_note=way_note(reading.ways[protocol.id]),
        earlier=context.earlier_of(launch, reading, protocol),
        named_documents=context.documents_in(
            launch, reading, protocol, but=draft.id if draft else ""
        ),
        unchosen=unchosen,
        main_fields=[field for field in free if field.main],
        other_fields=[field for field in free if not field.main],
        fixed_fields=[field for field in fields if field.fixed],
        start=start
        if not errors.get(_START)
        else StartField(start.day, start.month, start.year, start.earliest, errors[_START]),
        form_action=url_for("pages.plan", launch=launch.id, protocol=protocol.id, **arguments),
    )


def _override_of_form() -> PlanRequest:
    given = (request.form.get(name, "") for name in _OVERRIDE_FIELDS.values())
    reason, kind = (sound_text(text).strip() for text in given)
    return PlanRequest({}, "", reason or None, kind or None)


def _override_problems(asked: PlanRequest) -> dict[str, str]:
    """Return what an override lacks, by field; how long a reason must be is the protocol's rule."""
    problems = {}
    if asked.override_kind not in KINDS:
        problems["override-kind"] = "Choose what the override rests on."
    if asked.override_reason is None:
        problems["override-reason"] = "Write why a plan is made all the same."
    return problems


def _override_form(
    launch: Launch,
    protocol: ClinicalProtocol,
    reading: Reading,
    asked: PlanRequest,
    errors: Mapping[str, str],
) -> str:
    answered = context.answer_of(launch, reading, protocol)
    return render_template(
        "override.html",
        card=answered.card,
        headline=why_headline(reading.decision, answered),
        findings=[*answered.blocks, *answered.unread, *answered.missing],
        culprits={fact.reference for fact in answered.culprits},
        frame=context.frame_of_reading(launch, reading, here="Plan", protocol=protocol),
        kinds=KINDS,
        kind=asked.override_kind or "",
        reason=asked.override_reason or "",
        errors={name: errors.get(name, "") for name in _OVERRIDE_FIELDS.values()},
        problems=[(text, name) for name, text in errors.items()],
    )
