"""Launches that no EHR of the settings sends, each a query of `/launch`."""

from collections.abc import Iterator
from urllib.parse import quote, urlencode, urlsplit

_TAILS = (
    *(
        "/..",
        "/../fhir2",
        "//",
        "/./",
        "/%2e%2e",
        "/;x",
        "?x=1",
        "?",
        "#",
        "#x",
        "%00",
        "%0d%0aX: y",
    ),
    *(
        "\\",
        "/\\evil.example",
        " ",
        "\t",
        "\n",
        "\r\n",
        "/metadata",
        "/Patient",
        "/.well-known",
        "@evil",
    ),
    *(
        "\u200b",
        "\u2044",
        "\uff0f",
        "\u00a0",
        "é",
        "\u202e",
        ".",
        ",",
        "/fhir",
        "//evil.example",
        "|",
        "*",
    ),
)
_SCHEMES = (
    *("javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "ftp://127.0.0.1/fhir"),
    *(
        "gopher://127.0.0.1:70/_x",
        "ws://127.0.0.1/fhir",
        "view-source:http://127.0.0.1",
        "about:blank",
    ),
    *(
        "vbscript:x",
        "blob:http://127.0.0.1/x",
        "//127.0.0.1/fhir",
        "/fhir",
        "fhir",
        "http:",
        "http://",
    ),
    *(
        "http:///fhir",
        "https://",
        "http://[::1",
        "http://[::1]/fhir",
        "http://%31/fhir",
        "mailto:a@b",
    ),
)
_HOSTS = (
    *("evil.example", "localhost", "127.0.0.2", "127.1", "0x7f000001", "2130706433", "0177.0.0.1"),
    *("[::ffff:127.0.0.1]", "127.0.0.1.evil.example", "evil.example#127.0.0.1", "127.0.0.1.", "0"),
    *(
        "127.0.0.1%00.evil.example",
        "127。0。0。1",
        "①②⑦.0.0.1",
        "169.254.169.254",
        "metadata.google.internal",
    ),
)


def hostile_queries(iss: str) -> Iterator[str]:
    """Give queries that must open nothing; `iss` is the one EHR that may launch."""
    parts = urlsplit(iss)
    for tail in _TAILS:
        yield _query(iss + tail)
        yield _query(iss + tail, launch="a\r\nSet-Cookie: b=c")
    for text in _SCHEMES:
        yield _query(text)
        yield f"iss={text}&launch=x"
    for host in _HOSTS:
        for port in (f":{parts.port}", ""):
            yield _query(f"http://{host}{port}{parts.path}")
    for user in ("user@", "user:pass@", "@", ":@", "evil.example@", "%40", "evil.example:80@"):
        yield _query(f"http://{user}{parts.netloc}{parts.path}")
    for port in (
        "",
        "0",
        "80",
        "443",
        "65536",
        "-1",
        "1e3",
        "00",
        f"0{parts.port}",
        f"+{parts.port}",
    ):
        yield _query(f"http://{parts.hostname}:{port}{parts.path}")
    for path in (
        "/FHIR",
        "/Fhir",
        "/fhiR",
        "/fhi",
        "/fhir2",
        "/fhir/fhir",
        "/%66hir",
        "/fhir%2f",
        "",
    ):
        yield _query(f"http://{parts.netloc}{path}")
    yield _query(iss.replace("http:", "HTTP:"))
    yield _query(iss.replace("http:", "https:"))
    yield _query(iss.upper())
    yield from _doubled_and_misnamed(iss)


def _doubled_and_misnamed(iss: str) -> Iterator[str]:
    for size in (2_000, 3_900):
        yield _query("http://evil.example/" + "a" * size)
        yield _query(iss + "/" + "a" * size)
        yield _query(iss + "%00" * (size // 3))
    good = quote(iss, safe="")
    for evil in ("https://evil.example/fhir", "javascript:alert(1)", ""):
        yield f"iss={quote(evil, safe='')}&iss={good}&launch=x"
    for name in (
        "ISS",
        "Iss",
        "iss[]",
        "iss[0]",
        "iss%00",
        "%20iss",
        "issuer",
        "aud",
        "fhirServiceUrl",
    ):
        yield f"{name}={good}&launch=x"
    for text in (
        "<script>alert(1)</script>",
        "\"'><img src=x>",
        "{{7*7}}",
        "${7*7}",
        "%s%n",
        "../../etc",
    ):
        yield _query(text)
        yield _query("https://evil.example/" + text, launch=text)
    for header in (
        "%0d%0aLocation:%20https://evil.example",
        "%0aSet-Cookie:%20x=y",
        "%E5%98%8A%E5%98%8Dx",
    ):
        yield f"iss=https://evil.example{header}&launch=x"
        yield f"iss={good}{header}&launch=x"
    yield ""
    yield "launch=x"
    yield f"launch={good}"
    yield "iss=&launch=x"
    yield "iss"
    for number in range(60):
        yield _query(f"https://ehr-{number}.example/fhir")


HOSTILE_HEADERS = (
    {"X-Forwarded-Host": "evil.example"},
    {"X-Forwarded-For": "127.0.0.1"},
    {"X-Original-URL": "/health"},
    {"X-Rewrite-URL": "/launch?iss=https://evil.example"},
    {"Forwarded": "host=evil.example;proto=https"},
    {"Referer": "https://evil.example/"},
    {"X-HTTP-Method-Override": "POST"},
    {"Accept": "application/fhir+json"},
)


def _query(iss: str, *, launch: str = "x") -> str:
    return urlencode({"iss": iss, "launch": launch}, errors="surrogatepass")
