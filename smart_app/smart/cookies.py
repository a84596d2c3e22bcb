"""The browser's half of a sign-in or launch: one secret a cookie, one cookie a launch.

Over https the cookie is `__Host-…; Secure; HttpOnly; SameSite=None; Partitioned`: the only form
that comes back in a frame of another site. Chromium takes that form over http on this machine too;
other clients do not send a Secure cookie over http, so there a plain `SameSite=Lax` twin goes with
it. All of them end with the browser's session.

A secret begins with the time it was made, so that of too many cookies the oldest can go: servers
refuse a request whose cookies are too long (431).

Source: https://developer.mozilla.org/docs/Web/Privacy/Guides/Privacy_sandbox/Partitioned_cookies
"""

import secrets
from dataclasses import dataclass

from flask import Request
from werkzeug.wrappers import Response

MOST_COOKIES = 8
"""How many launches, and how many begun sign-ins, one browser holds at most."""

_HOST = "__Host-"


def dated_secret(now_s: float) -> str:
    """Return a new secret of 256 bits that tells when it was made."""
    return f"{int(now_s * 1000):011x}.{secrets.token_urlsafe(32)}"


@dataclass(frozen=True)
class SecretCookies:
    """Sets, reads and clears secrets in cookies.

    Args:
        https: whether browsers reach the app over https.
    """

    https: bool

    def put(self, response: Response, name: str, secret: str) -> None:
        """Give the browser a secret under a name, until it is closed."""
        self._set(response, name, secret, max_age_s=None)

    def read(self, request: Request, name: str) -> list[str]:
        """Return what the browser holds under a name: usually nothing or one secret."""
        names = [f"{_HOST}{name}"] if self.https else [f"{_HOST}{name}", name]
        return list(
            dict.fromkeys(request.cookies[each] for each in names if request.cookies.get(each))
        )

    def clear(self, response: Response, name: str) -> None:
        """Take a secret back."""
        self._set(response, name, "", max_age_s=0)

    def make_room(
        self, request: Request, response: Response, prefix: str, *, but: tuple[str, ...] = ()
    ) -> list[str]:
        """Take back the oldest secrets, so that with one more there are `MOST_COOKIES`.

        Args:
            request: with what the browser holds.
            response: takes them back.
            prefix: the beginning of the names that are counted together.
            but: beginnings of names that are not meant; a name in full is one that is set anew.

        Returns:
            The names that went, oldest first.
        """
        names = {
            name.removeprefix(_HOST)
            for name in request.cookies
            if name.startswith(_HOST) or not self.https
        }
        counted = [each for each in names if each.startswith(prefix) and not each.startswith(but)]
        by_age = sorted(counted, key=lambda each: (max(self.read(request, each), default=""), each))
        # What has no time is of a release before this one: older than all.
        by_age.sort(key=lambda each: any("." in text for text in self.read(request, each)))
        gone = by_age[: max(len(by_age) + 1 - MOST_COOKIES, 0)]
        for name in gone:
            self.clear(response, name)
        return gone

    def _set(self, response: Response, name: str, secret: str, *, max_age_s: int | None) -> None:
        response.set_cookie(
            f"{_HOST}{name}",
            secret,
            max_age=max_age_s,
            path="/",
            secure=True,
            httponly=True,
            samesite="None",
            partitioned=True,
        )
        if not self.https:
            response.set_cookie(
                name, secret, max_age=max_age_s, path="/", httponly=True, samesite="Lax"
            )
