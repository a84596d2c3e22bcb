"""Every error that ivfhir raises, in one tree.

    IvfhirError
    ├── UsageError                 the call is wrong: mend the command
    │   ├── UnknownProtocolError   no protocol of that id, canonical, file or folder
    │   ├── ParameterError         unknown name, wrong type, out of bounds, Start before AsOf
    │   ├── SeveralPatientsError   more than one Patient, and none was chosen
    │   ├── FhirPathError          an expression cannot be read, or asks what its data cannot answer
    │   └── SettingsError          a setting of the app is missing or cannot be meant
    ├── NoPlanError                the protocol's status allows no plan
    ├── InputError                 what was read is not FHIR, or contradicts itself
    ├── KnowledgeError             a protocol package that cannot be loaded
    │   └── UnsupportedError       it uses an operator that the evaluator does not have
    ├── DatabaseError              the app's database does not answer, or stays locked
    ├── EvaluationError            an expression failed on this patient's data
    ├── InvalidWriteError          what we made is not valid FHIR R4: it is not sent
    ├── LaunchError                the sign-in from the EHR failed: says who can mend it
    │   ├── GrantRefusedError      the EHR refuses the code or the refresh token for good
    │   ├── SessionEndedError      the launch is over, or its token expired: sign in again
    │   ├── RequestForgedError     a form was not sent from our own page
    │   ├── ForeignDraftError      the draft belongs to another launch
    │   └── DraftGoneError         there is no such draft (any more)
    ├── TooManyRequestsError       somebody asks this app too often
    └── ServerError                a FHIR server or the network
        ├── UnreachableError       no answer: refused, timed out, name not found
        ├── BusyError              503 of ours: too many requests wait for this server already
        ├── UnauthorisedError      401: the token is missing or expired
        │   └── TokenRenewedError  401 to a write; there is a new token: look, then send again
        ├── ForbiddenError         403: the scopes do not allow it
        ├── NotFoundError          404 or 410
        ├── VersionConflictError   409 or 412: somebody else wrote first
        ├── ThrottledError         429: too many requests
        ├── RejectedError          400 or 422: the server refuses the content
        └── BadAnswerError         the answer is not what the FHIR REST API promises
            └── IncompleteError    a part of a search is here, the rest cannot be read

Each class names its OperationOutcome issue code (http://hl7.org/fhir/R4/valueset-issue-type.html);
`ivfhir.fhir.outcome` turns an error into an OperationOutcome, an HTTP status and an exit code.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar


class IvfhirError(Exception):
    """Base of all errors that a user can meet.

    Args:
        message: one or two sentences: what is wrong, and what to do about it. It holds no token,
            name, identifier or resource body.
        expression: FHIRPath of the culprit, where there is one.
        outcome: the OperationOutcome a server answered with, kept whole.
    """

    code: ClassVar[str] = "exception"

    def __init__(
        self,
        message: str,
        *,
        expression: str | None = None,
        outcome: dict[str, Any] | None = None,
    ) -> None:
        """Keep the message, the culprit's FHIRPath and the server's outcome."""
        super().__init__(message)
        self.message = message
        self.expression = expression
        self.outcome = outcome


class UsageError(IvfhirError):
    """The call itself is wrong: a word, a name or a value that cannot be meant."""

    code = "invalid"


class UnknownProtocolError(UsageError):
    """No protocol of that id, canonical, file or folder is known."""

    code = "not-found"


class ParameterError(UsageError):
    """A parameter is unknown, of the wrong type or out of its bounds.

    Args:
        message: what is wrong and what to do.
        about: name of a parameter -> what is wrong with it, where that is known; the message says
            it, too.
    """

    code = "value"

    def __init__(self, message: str, *, about: Mapping[str, str] = MappingProxyType({})) -> None:
        """Keep what is wrong with which parameter beside the message."""
        super().__init__(message)
        self.about = about


class SeveralPatientsError(UsageError):
    """The input holds more than one Patient, and none was chosen."""

    code = "multiple-matches"


class FhirPathError(UsageError):
    """A FHIRPath expression cannot be read, or asks for what its input cannot give.

    Args:
        message: what is wrong and what to do, with line and column where they are known.
        line: of the expression's text, the first is 1; 0 where it is not known.
        column: the same.
    """

    code = "invalid"

    def __init__(self, message: str, *, line: int = 0, column: int = 0) -> None:
        """Keep the place beside the message."""
        super().__init__(message)
        self.line = line
        self.column = column


class SettingsError(UsageError):
    """A setting of the app is missing, is of the wrong type, or contradicts another."""

    code = "invalid"


class NoPlanError(IvfhirError):
    """The protocol's status, or a recorded death, allows no plan."""

    code = "business-rule"


class InputError(IvfhirError):
    """What was read is not FHIR R4 JSON, is of the wrong type, or contradicts itself."""

    code = "structure"


class KnowledgeError(IvfhirError):
    """A protocol package cannot be loaded."""

    code = "exception"


class UnsupportedError(KnowledgeError):
    """A library uses an operator that the evaluator lacks; the message names it and its place."""

    code = "not-supported"


class DatabaseError(IvfhirError):
    """The app's own database does not answer, or stays locked by somebody else."""

    code = "transient"


class EvaluationError(IvfhirError):
    """An expression failed on this patient's data; the message names the define."""

    code = "processing"


class InvalidWriteError(IvfhirError):
    """What we made and were about to send is not valid FHIR R4; its outcome tells each fault.

    `plain` says for clinicians what the message says for those who run things.
    """

    code = "invalid"
    plain: ClassVar[str] = (
        "The app checked what it was about to send, and found that it breaks a rule of FHIR. "
        "Nothing was sent. That is a fault of the app, not of the record or of your choices: tell "
        "whoever runs it."
    )


class LaunchError(IvfhirError):
    """The sign-in from the EHR was refused, is broken, or does not hold for this request.

    Args:
        message: what is wrong and what to do, in one or two sentences.
        mender: who can mend it: "You", "Your EHR administrator" or "Whoever runs this app".
        expression: as for every error.
        outcome: as for every error.
    """

    code = "security"

    def __init__(
        self,
        message: str,
        *,
        mender: str = "Your EHR administrator",
        expression: str | None = None,
        outcome: dict[str, Any] | None = None,
    ) -> None:
        """Keep who can mend it beside what every error keeps."""
        super().__init__(message, expression=expression, outcome=outcome)
        self.mender = mender


class GrantRefusedError(LaunchError):
    """The EHR's token endpoint refuses the code or the refresh token, and will go on doing so."""

    code = "security"


class TooManyRequestsError(IvfhirError):
    """Somebody asks this app more often than its settings allow.

    Args:
        message: as for every error.
        retry_after_s: seconds after which trying again makes sense.
    """

    code = "throttled"

    def __init__(self, message: str, *, retry_after_s: float = 60.0) -> None:
        """Keep the pause beside the message."""
        super().__init__(message)
        self.retry_after_s = retry_after_s


class SessionEndedError(LaunchError):
    """The launch is over, or its access token expired and could not be renewed."""

    code = "expired"


class RequestForgedError(LaunchError):
    """A form was sent from elsewhere than our own page, or without its token."""

    code = "security"


class ForeignDraftError(LaunchError):
    """The draft belongs to another launch: another patient, user or EHR."""

    code = "forbidden"


class DraftGoneError(LaunchError):
    """There is no such draft: it never was, or its launch was removed."""

    code = "not-found"


class ServerError(IvfhirError):
    """A FHIR server, or the way to it, failed.

    Args:
        message: as for every error.
        status: the HTTP status, None when there was no answer.
        expression: as for every error.
        outcome: as for every error.

    `retry_after_s` are the seconds that the server asks to wait; None when it does not say.
    `may_be_done` tells of a write that nobody could look whether the server did it all the same.
    `looked` is False where it could not even be looked what an earlier try of that write had done.
    `left` are references of what was written before a refusal midway and could not be taken back.
    """

    code = "transient"
    retry_after_s: float | None = None
    may_be_done: bool = False
    looked: bool = True
    left: tuple[str, ...] = ()

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        expression: str | None = None,
        outcome: dict[str, Any] | None = None,
    ) -> None:
        """Keep the HTTP status beside what every error keeps."""
        super().__init__(message, expression=expression, outcome=outcome)
        self.status = status


class UnreachableError(ServerError):
    """The server did not answer: connection refused, timed out, name not found."""

    code = "no-store"


class BusyError(ServerError):
    """So many requests wait for this server already that this one was not sent.

    Args:
        message: as for every error.
        retry_after_s: seconds after which trying again makes sense.
    """

    code = "throttled"

    def __init__(self, message: str, *, retry_after_s: float = 5.0) -> None:
        """Keep the pause beside what every server error keeps."""
        super().__init__(message)
        self.retry_after_s = retry_after_s


class UnauthorisedError(ServerError):
    """401: the access token is missing, wrong or expired."""

    code = "login"


class TokenRenewedError(UnauthorisedError):
    """401 to a write, and the token was renewed: what was sent may be looked for and sent again."""

    code = "transient"


class ForbiddenError(ServerError):
    """403: the granted scopes do not allow this."""

    code = "forbidden"


class NotFoundError(ServerError):
    """404 or 410: the server has no such resource or operation."""

    code = "not-found"


class VersionConflictError(ServerError):
    """409 or 412: the server holds another version than the one that was read."""

    code = "conflict"


class ThrottledError(ServerError):
    """429: the server asks for fewer requests.

    Args:
        message: as for every error.
        retry_after_s: seconds the server asks to wait, None when it does not say.
        outcome: as for every error.
    """

    code = "throttled"

    def __init__(
        self,
        message: str,
        *,
        retry_after_s: float | None = None,
        outcome: dict[str, Any] | None = None,
    ) -> None:
        """Keep the asked-for pause beside what every server error keeps."""
        super().__init__(message, status=429, outcome=outcome)
        self.retry_after_s = retry_after_s


class RejectedError(ServerError):
    """400 or 422: the server read the request and refuses its content."""

    code = "processing"


class BadAnswerError(ServerError):
    """The answer is not what the FHIR REST API promises: HTML, another type, a broken page."""

    code = "structure"


class NotShownError(ServerError):
    """A search does not show yet what was just written, so others may be missing, too.

    Args:
        message: as for every error.
    """

    def __init__(
        self,
        message: str = (
            "The search does not show yet what was just written, so others may be missing, too."
        ),
    ) -> None:
        """Say so, unless something else is to be said."""
        super().__init__(message)


class IncompleteError(BadAnswerError):
    """A search was answered in part, and the rest cannot be read: the part is not the whole."""

    code = "incomplete"
