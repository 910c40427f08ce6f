"""Make a license server, activate or deactivate it, change its settings."""

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace

from calward.app.licensing.acts import Done, RefusedAct, refuse_act, write_act
from calward.app.ports import Book
from calward.domain.events import Kind
from calward.domain.parties import Server
from calward.domain.reasons import Reason
from calward.domain.settings import Settings, changed

__all__ = ["activate_server", "change_settings", "deactivate_server", "make_server"]


def make_server(server: Server, book: Book, *, now: int, by: str) -> Done:
    """Store a new license server's state; all its settings stand in the event, so that it can be refolded for good."""
    book.set_server(server)
    facts = {"server": server.name, "server_id": server.id, "version": server.version, "ladder": server.ladder}
    values = _shown(server.settings, (x.name for x in fields(Settings)))
    return Done("made", write_act(book, Kind.SERVER_MADE, now, by, **facts, values=values, until=server.issue_until))


def activate_server(issue_until: int, book: Book, *, now: int, by: str, clearinghouse: str | None = None) -> Done:
    """Give the server its right to issue until a second since 1970; from then on temporary licenses only."""
    server = book.server()
    book.set_server(replace(server, issue_until=issue_until))
    number = 4 if server.issue_until is None else None
    event = write_act(book, Kind.ACTIVATED, now, by, until=issue_until, number=number, clearinghouse=clearinghouse)
    return Done("activated", event)


def deactivate_server(book: Book, *, now: int, by: str) -> Done | RefusedAct:
    """Take the right to issue away: temporary licenses only, what runs goes on."""
    server = book.server()
    if server.issue_until is None:
        return refuse_act(book, "deactivate", now, by, Reason.NOTHING_TO_DO)
    book.set_server(replace(server, issue_until=None))
    return Done("deactivated", write_act(book, Kind.DEACTIVATED, now, by))


def change_settings(values: Mapping[str, object], book: Book, *, now: int, by: str) -> Done:
    """Change some settings; raises LicensingError(MALFORMED) that names the key."""
    server = book.server()
    settings = changed(server.settings, values)
    book.set_server(replace(server, settings=settings))
    return Done("set", write_act(book, Kind.SETTINGS, now, by, values=_shown(settings, values)))


def _shown(settings: Settings, names: Iterable[str]) -> dict[str, str]:
    """These settings as events write them."""
    return {name: str(getattr(settings, name)) for name in names}
