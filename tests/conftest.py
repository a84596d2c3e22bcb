"""The fixtures that start real things: servers, a browser. They skip where one cannot start."""

from tests.servers.chromium import browser
from tests.servers.hapi_server import hapi, hapi_with_knowledge
from tests.servers.java import java
from tests.servers.sekmet_server import sekmet

__all__ = ["browser", "hapi", "hapi_with_knowledge", "java", "sekmet"]
