"""What must a unit test not do?"""

import socket

import pytest


def _refuse(_socket: socket.socket, address: object) -> None:
    message = f"a unit test reaches for the network: {address!r}"
    raise AssertionError(message)


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rules are functions of values; what needs a peer belongs to another folder."""
    monkeypatch.setattr(socket.socket, "connect", _refuse)
