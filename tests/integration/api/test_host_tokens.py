"""Does a host's token say who it is, at once and no longer than it may?"""

from contextlib import contextmanager

import pytest
from sqlalchemy import Engine, event

from calward.adapters.store import host_tokens
from calward.adapters.store.host_tokens import SqlHostTokens
from tests.support.builders import USER
from tests.support.clocks import DAY, NOW


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


def test_it_is_known_and_kept_when_a_host_was_last_heard_of(server, admin, tokens):
    def seen_at():
        return server.client.get("/api/v1/hosts/SH1", headers=admin).json()["seen_at"]

    token = token_of(server.host())
    assert seen_at() is None
    tokens.host_of(token)
    assert seen_at() == "2026-03-01T08:00:00Z"
    tokens.keep_seen(server.ledger)
    server.clock.pass_days(1)
    tokens.host_of(token)
    assert seen_at() == "2026-03-02T08:00:00Z"
    assert server.services.reader.host("SH1").host.seen_at == NOW
    tokens.keep_seen(server.ledger)
    assert server.services.reader.host("SH1").host.seen_at == NOW + DAY


def test_nothing_is_written_where_no_host_was_heard_of(server, tokens):
    tokens.host_of(token_of(server.host()))
    tokens.keep_seen(server.ledger)
    tokens.keep_seen(None)
