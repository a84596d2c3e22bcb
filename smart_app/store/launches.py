"""Sign-ins and launches in the database."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from ivfhir.errors import SessionEndedError
from ivfhir.outbox.line import SIGN_IN
from smart_app.store.database import rowcount
from smart_app.store.models import ClosedLaunchRow, DraftRow, LaunchRow, OutboxRow, SignInRow
from smart_app.store.outbox import resume, resume_unsent
from smart_app.store.readings import forget_reading
from smart_app.store.uses import SIGNED_OUT, UseStore


@dataclass(frozen=True, repr=False)
class LaunchRecord:
    """A launch as kept; `body` holds its tokens, patient and user, and is in no repr."""

    id: str
    body: dict[str, Any]
    usable_until: int
    expires_at: int
    return_to: str | None = None


class LaunchStore(UseStore):
    """Keeps sign-ins until they are used, and launches until they are removed."""

    def save_sign_in(
        self, state: str, browser_secret: str, body: Mapping[str, Any], *, life_s: int
    ) -> None:
        """Keep a begun sign-in; neither its state nor the browser's secret is kept readable."""
        key = digest(state)
        row = SignInRow(
            state_hash=key,
            browser_hash=digest(browser_secret),
            sealed=self._sealer.seal(dict(body), f"sign-in:{key}"),
            expires_at=self._now + life_s,
        )
        with self._transaction() as session:
            session.add(row)

    def sign_in_is_open(self, state: str) -> bool:
        """Tell whether a sign-in with that state is under way, without using it up."""
        with self._transaction() as session:
            row = session.get(SignInRow, digest(state))
            return row is not None and row.expires_at > self._now

    def look_at_sign_in(self, state: str, browser_secret: str) -> dict[str, Any] | None:
        """Return what was kept for the state to the browser that began it, without using it up."""
        key = digest(state)
        with self._transaction() as session:
            row = session.get(SignInRow, key)
            if row is None or not hmac.compare_digest(row.browser_hash, digest(browser_secret)):
                return None
            return self._sealer.open(row.sealed, f"sign-in:{key}")

    def use_sign_in(self, state: str, browser_secret: str) -> dict[str, Any] | None:
        """Return what was kept for the state, once, to the browser that began it; else None.

        Another browser's try does not use it up.
        """
        key = digest(state)
        with self._transaction() as session:
            row = session.get(SignInRow, key)
            if row is None or not hmac.compare_digest(row.browser_hash, digest(browser_secret)):
                return None
            sealed, expires_at = row.sealed, row.expires_at
            used = session.execute(delete(SignInRow).where(SignInRow.state_hash == key))
            if rowcount(used) != 1 or expires_at <= self._now:
                return None
        return self._sealer.open(sealed, f"sign-in:{key}")

    def save_launch(
        self,
        launch_id: str,
        browser_secret: str,
        body: Mapping[str, Any],
        *,
        owner: tuple[str, str, str],
        usable_until: int,
        expires_at: int,
    ) -> str | None:
        """Keep a launch, new or signed in again, and take over what its owner left behind.

        Drafts of the same owner's launches that are over move to this one; accepted plans among
        them that waited for a sign-in are sent.

        Args:
            launch_id: its id; a launch of that id is replaced.
            browser_secret: the secret that this browser's cookie holds.
            body: tokens, patient, user, scopes: sealed.
            owner: EHR, user and patient.
            usable_until: when its access ends unless it is renewed.
            expires_at: when it ends, whatever is renewed.

        Returns:
            The page that the owner wanted to see when an earlier launch ended, as a path below
            `/l/<launch>/`; None when there was none.
        """
        fingerprint = self._sealer.fingerprint(*owner)
        with self._transaction() as session:
            row = session.get(LaunchRow, launch_id) or LaunchRow(id=launch_id, created_at=self._now)
            row.browser_hash, row.owner = digest(browser_secret), fingerprint
            row.sealed = self._sealer.seal(dict(body), f"launch:{launch_id}")
            row.usable_until, row.expires_at, row.refreshing_until = usable_until, expires_at, 0
            row.return_to, row.holds_tokens = None, holds_tokens(body)
            session.add(row)
            session.flush()
            self._note_in(session, launch_id)
            session.execute(delete(ClosedLaunchRow).where(ClosedLaunchRow.launch_id == launch_id))
            left_at = self._take_over(session, launch_id, fingerprint)
            resume(session, launch_id, now=self._now)
            return left_at

    def _take_over(self, session: Session, launch_id: str, fingerprint: str) -> str | None:
        over = session.scalars(
            select(LaunchRow)
            .where(LaunchRow.owner == fingerprint, LaunchRow.id != launch_id)
            .where(or_(LaunchRow.usable_until <= self._now, LaunchRow.expires_at <= self._now))
            .order_by(LaunchRow.usable_until)
        ).all()
        return_to = None
        for row in over:
            session.execute(
                update(DraftRow).where(DraftRow.launch_id == row.id).values(launch_id=launch_id)
            )
            return_to = row.return_to or return_to
            row.return_to = None
            if not self._is_ended_later(session, row):
                session.delete(row)
        self._take_over_waiting(session, launch_id, fingerprint)
        return return_to

    def _is_ended_later(self, session: Session, row: LaunchRow) -> bool:
        """Tell whether a closed launch holds an access that is ended once a try with it is over.

        The plan that is being sent may be another launch's of the same owner by now.
        """
        if row.browser_hash != "" or not row.holds_tokens:
            return False
        closed = session.get(ClosedLaunchRow, row.id)
        if closed is not None and closed.reason == SIGNED_OUT:
            return True
        theirs = select(LaunchRow.id).where(LaunchRow.owner == row.owner)
        sent_now = (
            select(DraftRow.id)
            .where(DraftRow.launch_id.in_(theirs), DraftRow.state == "sending")
            .where(DraftRow.claimed_until > self._now)
        )
        return session.scalar(sent_now.limit(1)) is not None

    def _take_over_waiting(self, session: Session, launch_id: str, fingerprint: str) -> None:
        """Take over what waits for a sign-in in a launch that counts as alive.

        The EHR refused its token, and who was told so was killed, or another renewed it meanwhile.
        """
        theirs = select(LaunchRow.id).where(LaunchRow.owner == fingerprint)
        session.execute(
            update(DraftRow)
            .where(DraftRow.launch_id.in_(theirs), DraftRow.launch_id != launch_id)
            .where(DraftRow.state == "accepted")
            .where(DraftRow.id.in_(select(OutboxRow.draft_id).where(OutboxRow.state == SIGN_IN)))
            .values(launch_id=launch_id)
            .execution_options(synchronize_session=False)
        )

    def load_launch(self, launch_id: str, browser_secret: str) -> LaunchRecord | None:
        """Return the launch when it exists and the secret is its browser's; None otherwise."""
        with self._transaction() as session:
            row = session.get(LaunchRow, launch_id)
            if row is None or not hmac.compare_digest(row.browser_hash, digest(browser_secret)):
                return None
            return self._record(row)

    def other_launches(self, launch_id: str) -> list[str]:
        """Return the ids of the other launches of the same EHR, user and patient, newest first."""
        owner = select(LaunchRow.owner).where(LaunchRow.id == launch_id).scalar_subquery()
        query = select(LaunchRow.id).where(LaunchRow.owner == owner, LaunchRow.id != launch_id)
        with self._transaction() as session:
            return list(session.scalars(query.order_by(LaunchRow.created_at.desc(), LaunchRow.id)))

    def end_launch(self, launch_id: str, *, return_to: str | None) -> None:
        """End a launch's access now, and remember which page it was wanted for."""
        with self._transaction() as session:
            row = session.get(LaunchRow, launch_id)
            if row is not None:
                row.usable_until = min(row.usable_until, self._now)
                row.return_to = return_to or row.return_to
            forget_reading(session, launch_id)

    def end_refused(self, launch_id: str, token: str, *, draft_id: str) -> None:
        """End a launch's access, the token of which the EHR refused while a plan was sent with it.

        Where somebody signed in meanwhile, there or in a launch that took the plan over, that
        access goes on, and the plan is sent with it.

        Args:
            launch_id: the launch with which it was sent.
            token: what the EHR refused.
            draft_id: the plan's draft.
        """
        with self._transaction() as session:
            row = session.get(LaunchRow, launch_id)
            draft = session.get(DraftRow, draft_id)
            kept = None if row is None else self._record(row).body.get("access_token")
            is_newer = kept not in (None, token)
            if row is not None and not is_newer:
                row.usable_until = min(row.usable_until, self._now)
                forget_reading(session, launch_id)
            if draft is not None and (is_newer or draft.launch_id != launch_id):
                resume_unsent(session, draft.launch_id, now=self._now)

    def claim_refresh(self, launch_id: str, *, hold_s: int) -> bool:
        """Return True to the one caller that may renew the launch's token now."""
        with self._transaction() as session:
            claimed = session.execute(
                update(LaunchRow)
                .where(LaunchRow.id == launch_id, LaunchRow.refreshing_until <= self._now)
                .values(refreshing_until=self._now + hold_s)
            )
            return rowcount(claimed) == 1

    def reload_launch(self, launch_id: str) -> LaunchRecord:
        """Return a launch whose browser was checked before.

        Raises:
            SessionEndedError: it was removed meanwhile.
        """
        with self._transaction() as session:
            row = session.get(LaunchRow, launch_id)
            if row is None:
                raise SessionEndedError(
                    "Your session ended. Open the app again from the EHR.", mender="You"
                )
            return self._record(row)

    def renew_launch(self, launch_id: str, body: Mapping[str, Any], *, usable_until: int) -> None:
        """Keep a launch's renewed tokens and give the claim to renew it back.

        A launch that was closed meanwhile stays as it is. What waited for a sign-in since the EHR
        had refused the token is sent with the new one.
        """
        with self._transaction() as session:
            renewed = session.execute(
                update(LaunchRow)
                .where(LaunchRow.id == launch_id, LaunchRow.browser_hash != "")
                .values(
                    sealed=self._sealer.seal(dict(body), f"launch:{launch_id}"),
                    holds_tokens=holds_tokens(body),
                    usable_until=usable_until,
                    refreshing_until=0,
                )
            )
            if rowcount(renewed) == 1:
                resume_unsent(session, launch_id, now=self._now)

    def _record(self, row: LaunchRow) -> LaunchRecord:
        body = self._sealer.open(row.sealed, f"launch:{row.id}")
        return LaunchRecord(
            id=row.id,
            body=body,
            usable_until=row.usable_until,
            expires_at=row.expires_at,
            return_to=row.return_to,
        )


def digest(secret: str) -> str:
    """Return the SHA-256 of a secret of full entropy, as hex."""
    return hashlib.sha256(secret.encode()).hexdigest()


def holds_tokens(body: Mapping[str, Any]) -> bool:
    """Tell whether a launch's body holds a token."""
    return any(name.endswith("_token") for name in body)
