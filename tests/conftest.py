"""The fixtures that start real things: servers, a browser. They skip where one cannot start."""

from tests.servers.java import java

__all__ = ["java"]
