"""Does a host's token say who it is, at once and no longer than it may?"""

from contextlib import contextmanager

import pytest
from sqlalchemy import Engine, event

from calward.adapters.store import host_tokens
from calward.adapters.store.host_tokens import SqlHostTokens
from tests.support.builders import USER


def token_of(headers):
    return headers["Authorization"].removeprefix("Bearer ")


@contextmanager
def counted(engine: Engine):
    """How many statements were sent meanwhile."""
    sent = []

    def note(_connection, _cursor, statement, *_):
        sent.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield sent
    event.remove(engine, "before_cursor_execute", note)


@pytest.fixture
def tokens(server):
    return server.services.host_tokens


def test_a_known_token_is_looked_up_once(server, tokens):
    token = token_of(server.host(mode=USER))
    with counted(server.services.reader.engine) as sent:
        found = {tokens.host_of(token) for _ in range(10)}
    assert [(host.name, host.mode, host.enrolled) for host in found] == [("SH1", USER, True)]
    assert len([x for x in sent if "token_hash" in x]) == 1


@pytest.mark.parametrize("token", ["", "calh_", "cala_x", "calh_" + "A" * 43, "calh_\ud800", "calh_" + "x" * 10_000])
def test_what_is_no_token_is_nobody_and_is_not_kept(tokens, token):
    assert tokens.host_of(token) is None
    assert tokens._known == {}


def test_what_was_read_before_a_change_is_not_kept_after_it(server):
    token = token_of(server.host())
    engine = server.services.reader.engine
    tokens = SqlHostTokens(engine, server.clock)

    def change_meanwhile(_connection, _cursor, statement, *_):
        if "token_hash" in statement:
            tokens.forget()

    event.listen(engine, "after_cursor_execute", change_meanwhile)
    assert tokens.host_of(token).name == "SH1"
    event.remove(engine, "after_cursor_execute", change_meanwhile)
    assert tokens._known == {}


def test_memory_is_bounded(server, monkeypatch):
    monkeypatch.setattr(host_tokens, "MOST", 2)
    tokens = SqlHostTokens(server.services.reader.engine, server.clock)
    for number in range(5):
        assert tokens.host_of(token_of(server.host(f"H{number}"))).name == f"H{number}"
    assert len(tokens._known) <= 2
