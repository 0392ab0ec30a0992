"""Copied into an environment to be imported at its start: opening a connection or looking up a host is an error."""

import socket
from typing import NoReturn


def refuse(*args: object, **kwargs: object) -> NoReturn:
    """Stand in for what would reach the network."""
    raise OSError("the network is blocked in this environment")


def block() -> None:
    """Replace every way out of the socket module."""
    for name in ("connect", "connect_ex"):
        setattr(socket.socket, name, refuse)
    for name in ("create_connection", "getaddrinfo", "gethostbyname", "gethostbyname_ex"):
        setattr(socket, name, refuse)


block()
