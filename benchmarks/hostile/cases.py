"""Hostile answers, made from a seed: what is asked for, and the bytes that come back."""

import gzip
import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from random import Random
from typing import Any

from benchmarks.hostile import record as made
from ivfhir.fhir.json import dumps

KINDS = ("scripts", "nulls", "bombs", "paging", "framing", "types", "outcomes", "slow")
_SEARCHED = ("Condition", "Observation", "AllergyIntolerance", "CarePlan")


@dataclass(frozen=True)
class Reply:
    """Raw bytes of an answer; `pause_s` between any two of them when they are to drip."""

    data: bytes
    pause_s: float = 0.0


Replying = Callable[[str, str], Reply]
"""From the request's path with query below the base, and the base URL, to the answer."""


@dataclass(frozen=True)
class Case:
    """One hostile answer: to requests whose path below the base begins with `on`."""

    name: str
    kind: str
    on: str
    reply: Replying


def cases(seed: int, count: int, *, elsewhere: str) -> Iterator[Case]:
    """Give so many cases, the kinds in turn; the same for the same seed.

    Args:
        seed: of the random numbers.
        count: how many.
        elsewhere: the base URL of another server, where no token may come.
    """
    random = Random(seed)  # noqa: S311 - hostile, not secret
    makers = (_scripts, _nulls, _bomb, _paging, _framing, _types, _outcome)

    def endless() -> Iterator[Case]:
        number = 0
        while True:
            for maker in makers:
                number += 1
                yield maker(random, number, elsewhere)
            if number % (len(makers) * 8) == 0:
                yield _slow(random, number)

    yield from islice(endless(), count)


def answer(
    body: bytes, *headers: str, status: str = "200 OK", kind: str = "application/fhir+json"
) -> bytes:
    """Return a whole HTTP answer."""
    lines = (
        f"HTTP/1.1 {status}",
        f"Content-Type: {kind}",
        f"Content-Length: {len(body)}",
        "Connection: close",
        *headers,
    )
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def bundle(resources: list[Any], **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    """Return a searchset."""
    entries = [{"resource": each, "search": {"mode": "match"}} for each in resources]
    return {"resourceType": "Bundle", "type": "searchset", "entry": entries, **more}


def plain(value: Any) -> bytes:  # noqa: ANN401 - any JSON
    """Return JSON in UTF-8; a lone surrogate stays as an escape."""
    return dumps(value).encode("utf-8", "backslashreplace")


def _fixed(data: bytes) -> Replying:
    return lambda _path, _base: Reply(data)


def _target(random: Random) -> tuple[str, dict[str, Any]]:
    """Return what is asked for, and the resource that stands in the answer."""
    kept = made.record()
    name = random.choice(("Patient", "Practitioner", *_SEARCHED, *_SEARCHED, "metadata"))
    if name == "metadata":
        return name, made.statement()
    resource = random.choice(kept[name] if name in kept else [made.plan()])
    on = f"{name}/" if name in ("Patient", "Practitioner") else name
    return on, resource


def _whole(on: str, resource: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return what the server answers: the resource, or a searchset of the type's resources."""
    if on == "metadata" or on.endswith("/"):
        return resource
    others = [
        each
        for each in made.record().get(on, [])
        if not isinstance(resource, dict) or each["id"] != resource.get("id")
    ]
    return bundle([resource, *others])


def _scripts(random: Random, number: int, _elsewhere: str) -> Case:
    on, resource = _target(random)
    twisted = made.with_scripts(resource, random)
    return Case(f"{number} scripts", "scripts", on, _fixed(answer(plain(_whole(on, twisted)))))


def _nulls(random: Random, number: int, _elsewhere: str) -> Case:
    on, resource = _target(random)
    whole = _whole(on, resource)
    for _ in range(random.randint(1, 3)):
        path = random.choice(list(made.places(whole)))
        whole = made.with_value(whole, path, random.choice(made.ODD))
    return Case(f"{number} nulls", "nulls", on, _fixed(answer(plain(whole))))


def _bomb(random: Random, number: int, _elsewhere: str) -> Case:
    on, resource = _target(random)
    huge = random.choice((200, 400, 900)) << 20
    deep = random.choice((129, 1_000, 100_000, 5_000_000))
    wide = random.choice((1_000_000, 5_000_000))
    text = plain(resource)[:-1]
    bodies: list[Callable[[], bytes]] = [
        lambda: _packed(b" ", huge, gzip_form=True),
        lambda: _packed(b"[", huge, gzip_form=False),
        lambda: _packed(b'{"a":', huge, gzip_form=True),
        lambda: answer(gzip.compress(gzip.compress(b" " * 9_000_000)), _encoded("gzip, gzip")),
        lambda: answer(text, _encoded("br")),
        lambda: answer(b"[" * deep + b"]" * deep),
        lambda: answer(text + b',"x":' + b'{"x":' * deep + b"1" + b"}" * deep + b"}"),
        lambda: answer(text + b',"x":[' + b"{}," * wide + b"{}]}"),
        lambda: answer(text + b',"x":[' + b"0.1," * wide + b"0]}"),
        lambda: answer(text + b',"x":["\xf0\x9f\x92\xa3' + b"a" * (3 * wide) + b'"]}'),
        lambda: answer(text + b',"x":' + b"9" * wide + b"}"),
        lambda: answer(text + b',"x":1e' + b"9" * 9 + b"}"),
        lambda: answer(text + b',"x":0.' + b"0" * wide + b"1}"),
        lambda: answer(
            text + b"," + b",".join(b'"n%d":0' % each for each in range(300_000)) + b"}"
        ),
        lambda: answer(plain(bundle([{**resource, "id": f"x{n}"} for n in range(30_000)]))),
    ]
    make = random.choice(bodies)
    return Case(f"{number} bomb", "bombs", on, lambda _path, _base: Reply(make()))


def _packed(unit: bytes, size: int, *, gzip_form: bool) -> bytes:
    """Return an answer that is `size` bytes when it is unpacked."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31 if gzip_form else 15)
    piece = unit * ((1 << 20) // len(unit))
    body = b"".join(packer.compress(piece) for _ in range(size >> 20)) + packer.flush()
    return answer(body, _encoded("gzip" if gzip_form else "deflate"))


def _encoded(encoding: str) -> str:
    return f"Content-Encoding: {encoding}"


def _paging(random: Random, number: int, elsewhere: str) -> Case:
    on = random.choice(_SEARCHED)
    resources = made.record().get(on, [made.plan()])
    links: list[Callable[[str, str], str]] = [
        lambda _path, _base: f"{elsewhere}/fhir/{on}?page=2",
        lambda _path, base: base.replace("/fhir", "/other/fhir") + f"/{on}?page=2",
        lambda _path, base: f"{base}/../other/{on}",
        lambda _path, base: f"{base}/%2e%2e/other/{on}",
        lambda _path, base: f"{base}/..%2f..%2fother",
        lambda _path, base: f"{base}/..;/other",
        lambda _path, base: base.replace("//", "//user:pw@", 1) + f"/{on}?page=2",
        lambda _path, base: base.replace("http:", "https:") + f"/{on}",
        lambda _path, _base: f"//{elsewhere.partition('//')[2]}/fhir/{on}",
        lambda _path, base: base.replace("127.0.0.1", "localhost") + f"/{on}?page=2",
        lambda _path, base: base.replace("127.0.0.1", "127.0.0.1.evil.example") + f"/{on}",
        lambda _path, base: base + "\\@evil.example/" + on,
        lambda _path, _base: "file:///etc/passwd",
        lambda _path, _base: f"javascript:{made.CANARY}()",
        lambda _path, _base: f"/other/{on}?page=2",
        lambda _path, base: base.removesuffix("/fhir") + f"/fhirx/{on}",
        lambda path, base: f"{base}/{path}",
        lambda _path, base: f"{base}/{on}?page=again",
        lambda path, base: f"{base}/{on}?page={len(path) + 1}&{'x' * (len(path) % 500)}",
        lambda _path, _base: "?page=again",
        lambda _path, base: f"{base}/{on}?page=1\r\nX-Smuggled: yes",
        lambda _path, _base: "http://[::1",
        lambda _path, _base: "x" * 100_000,
    ]
    link = random.choice(links)
    empty = random.random() < 0.5

    def reply(path: str, base: str) -> Reply:
        page = bundle([] if empty else resources, link=[{"relation": "next", "url": ""}])
        page["link"][0]["url"] = link(path, base)
        return Reply(answer(plain(page)))

    return Case(f"{number} paging", "paging", on, reply)


def _framing(random: Random, number: int, elsewhere: str) -> Case:
    on, resource = _target(random)
    body = plain(_whole(on, resource))
    good = answer(body)
    cut = random.randint(1, len(good) - 1)
    text = body.decode()
    status = random.choice(("301 Moved", "302 Found", "303 See", "307 Go", "308 Go"))
    choices = (
        good[:cut],
        good[: -random.randint(1, len(body))],
        answer(body, "Content-Length: 5"),
        answer(body, kind="text/html"),
        answer(b"<html><script>xcanary()</script></html>", kind="text/html"),
        answer(b"<Patient xmlns='http://hl7.org/fhir'/>", kind="application/fhir+xml"),
        answer(text.encode("utf-16"), kind="application/fhir+json; charset=utf-16"),
        answer(text.replace("a", "\u00e9").encode("latin-1", "replace")),
        answer(b"\xef\xbb\xbf" + body),
        answer(body.replace(b'"', b"\xff", 3)),
        answer(body[:-1] + b',"resourceType":"Patient","resourceType":"Binary"}'),
        answer(body[:-1] + b',"id":"twice","id":"three"}'),
        answer(body + body),
        answer(b""),
        answer(b"null"),
        answer(b'"text"'),
        answer(b"", status="204 No Content"),
        answer(b"", status="304 Not Modified"),
        answer(b"", f"Location: {elsewhere}/fhir/{on}", status=status),
        answer(b"", "Location: /other/fhir/Patient", status=status),
        answer(body, status="100 Continue") + good,
        b"HTTP/9.9 999 \xff\r\n\r\n",
        b"",
        b"garbage\r\n" * 50,
        b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(500)) + b"\r\n" + body,
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000 + b"\r\n\r\n" + body,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\n" + body,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n" + body,
        answer(zlib.compress(body)[:-4], _encoded("gzip")),
        answer(body, _encoded("gzip")),
    )
    return Case(f"{number} framing", "framing", on, _fixed(random.choice(choices)))


def _types(random: Random, number: int, _elsewhere: str) -> Case:
    on, resource = _target(random)
    name = random.choice(("Binary", "Patient", "Observation", "x", "", "Bundle", "<script>", "a b"))
    odd = random.choice(
        (
            {**resource, "resourceType": name},
            {**resource, "subject": {"reference": "Patient/somebody-else"}},
            {**resource, "id": random.choice(("../x", "a/b", "x" * 500, "", "<b>", "\u202e"))},
            {**resource, "contained": [resource] * 50},
            {**resource, "meta": random.choice(([], "x", {"versionId": {}}, {"lastUpdated": 7}))},
            {**resource, "status": random.choice(("active", "nonsense", {"a": 1}, ["active"]))},
            bundle([bundle([resource])]),
            {"resourceType": "OperationOutcome", "issue": [{"severity": "error"}]},
            {"resourceType": "Parameters", "parameter": [{"name": "x", "resource": resource}]},
            {name: resource},
        )
    )
    whole = _whole(on, odd) if random.random() < 0.7 else odd
    return Case(f"{number} types", "types", on, _fixed(answer(plain(whole))))


def _outcome(random: Random, number: int, _elsewhere: str) -> Case:
    on, _ = _target(random)
    status = random.choice((400, 401, 403, 404, 409, 410, 412, 418, 422, 429, 500, 502, 503, 599))
    issue: Any = random.choice(
        (
            [
                {
                    "severity": "fatal",
                    "code": "exception",
                    "diagnostics": random.choice(made.SCRIPTS),
                }
            ],
            [{"details": {"text": random.choice(made.SCRIPTS)}}] * 500,
            [{"details": random.choice(made.ODD), "diagnostics": random.choice(made.ODD)}],
            random.choice(made.ODD),
            [random.choice(made.ODD)],
        )
    )
    body = json.dumps({"resourceType": "OperationOutcome", "issue": issue}).encode()
    pause = random.choice(("0", "1", "99999999999999999999", "-1", "Fri, 31 Dec 1999 23:59:59 GMT"))
    return Case(
        f"{number} outcome {status}",
        "outcomes",
        on,
        _fixed(answer(body, f"Retry-After: {pause}", status=f"{status} Said")),
    )


def _slow(random: Random, number: int) -> Case:
    on, resource = _target(random)
    good = answer(plain(_whole(on, resource)))
    head = good.index(b"\r\n\r\n") + 4
    start = random.choice((0, 20, head, head + 5))
    data = good[:start] + good[start:][:400]
    return Case(
        f"{number} slow from byte {start}", "slow", on, lambda _path, _base: Reply(data, 0.05)
    )
