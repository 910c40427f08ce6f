"""Change what a session host runs as, or remove it."""

from dataclasses import dataclass, replace

from calward.app.licensing.acts import Done, write_act
from calward.app.licensing.enroll_host import describe, unknown_host
from calward.app.registry import HostRecord, RegistryBook
from calward.domain.cals import CalType
from calward.domain.events import Kind
from calward.domain.ladder import Ladder
from calward.domain.names import check_group

__all__ = ["ChangeHost", "RemoveHost", "change_host", "remove_host"]


@dataclass(frozen=True, slots=True)
class ChangeHost:
    """A host by name, its new values (None: as before; group "": none), and who asks."""

    name: str
    by: str
    version: str | None = None
    mode: CalType | None = None
    group: str | None = None


@dataclass(frozen=True, slots=True)
class RemoveHost:
    """A host by name, and who asks."""

    name: str
    by: str


def change_host(command: ChangeHost, book: RegistryBook, ladder: Ladder, *, now: int) -> HostRecord:
    """Store the new values; its token goes on. Raises LicensingError: NOT_FOUND, MALFORMED."""
    known = _known(command.name, book)
    version = known.version if command.version is None else ladder.canonical(command.version)
    group = known.group if command.group is None else (check_group(command.group) if command.group else None)
    changed = replace(
        known, version=version, family=ladder.family_of(version), mode=command.mode or known.mode, group=group
    )
    if changed != known:
        book.registry.put_host(changed)
        write_act(book, Kind.HOST_CHANGED, now, command.by, **describe(changed))
    return changed


def remove_host(command: RemoveHost, book: RegistryBook, *, now: int) -> Done:
    """Remove a host with its token and code; licenses given through it stay. Raises LicensingError(NOT_FOUND)."""
    known = _known(command.name, book)
    book.registry.put_host(replace(known, removed_at=now, enrolled_at=None))
    book.registry.set_host_token(known.id, None)
    book.registry.end_codes(known.id)
    book.registry.forget_heartbeat(known.id)
    return Done("removed", write_act(book, Kind.HOST_REMOVED, now, command.by, host=known.name))


def _known(name: str, book: RegistryBook) -> HostRecord:
    known = book.registry.host(name)
    if known is None:
        raise unknown_host(name)
    return known
