"""The browser's half of a sign-in or launch: one secret a cookie, one cookie a launch.

Over https the cookie is `__Host-…; Secure; HttpOnly; SameSite=None; Partitioned`: the only form
that comes back in a frame of another site. Chromium takes that form over http on this machine too;
other clients do not send a Secure cookie over http, so there a plain `SameSite=Lax` twin goes with
it.

Source: https://developer.mozilla.org/docs/Web/Privacy/Guides/Privacy_sandbox/Partitioned_cookies
"""

from dataclasses import dataclass

from flask import Request
from werkzeug.wrappers import Response


@dataclass(frozen=True)
class SecretCookies:
    """Sets, reads and clears secrets in cookies.

    Args:
        https: whether browsers reach the app over https.
    """

    https: bool

    def put(self, response: Response, name: str, secret: str, *, max_age_s: int) -> None:
        """Give the browser a secret under a name, for a time."""
        response.set_cookie(
            f"__Host-{name}",
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

    def read(self, request: Request, name: str) -> list[str]:
        """Return what the browser holds under a name: usually nothing or one secret."""
        names = [f"__Host-{name}"] if self.https else [f"__Host-{name}", name]
        return list(
            dict.fromkeys(request.cookies[each] for each in names if request.cookies.get(each))
        )

    def clear(self, response: Response, name: str) -> None:
        """Take a secret back."""
        self.put(response, name, "", max_age_s=0)
