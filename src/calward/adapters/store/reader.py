"""What do lists and look-ups read from the database?

A query-only engine: nothing here can write, and on SQLite nothing here holds up the writer. Lists go on after a key, never after
a count of rows, so that a page costs the same at the end of a list as at its beginning.
"""
# ruff: noqa: D102 - the port says what each method does

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Engine,
    Row,
    Select,
    and_,
    case,
    func,
    literal,
    or_,
    select,
    text,
)

from calward.adapters.store import rows
from calward.adapters.store.registry import HOST, TOKEN, host_record_from, policy_from, sessions_from, token_from
from calward.adapters.store.tables import (
    code,
    event,
    heartbeat,
    holder,
    host,
    license_,
    pack,
    policy,
    refusal,
    seat,
    server,
    token,
    warning,
)
from calward.app.heartbeats import Heartbeat
from calward.app.reading import (
    Counts,
    Ended,
    EventPage,
    HostInForce,
    LicenseFilter,
    LicenseRow,
    PackRow,
    Page,
    RefusalRow,
    UseStep,
)
from calward.app.registry import AdminToken, Policy
from calward.domain.cals import HolderKind
from calward.domain.events import Event, read_event
from calward.domain.key_packs import PackId, Shelf
from calward.domain.licenses import Status
from calward.domain.parties import Server
from calward.domain.roles import Role

__all__ = ["SqlReader"]

Condition = ColumnElement[bool]
_DAY = 86_400
_PACKS = 1 << 44
"""More than there can be numbers of packs: below it a pack and a day are one number."""


class SqlReader:
    """Port ``Reader`` on a reading engine (``engines.open_reader``); safe between threads."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    # Server and packs.

    def server(self) -> Server | None:
        body = self._scalar(select(server.c.body))
        return rows.server_from(body) if body else None

    def packs(self, now: int) -> Sequence[PackRow]:
        return self._packs(now, pack.c.removed_at.is_(None))

    def pack(self, name: str, now: int) -> PackRow | None:
        return next(iter(self._packs(now, and_(pack.c.removed_at.is_(None), pack.c.id == name))), None)

    def pack_statements(self) -> Mapping[PackId, bytes]:
        found = self._all(select(pack.c.id, pack.c.statement).where(pack.c.removed_at.is_(None)))
        return {PackId(name): bytes(statement) for name, statement in found}

    def _packs(self, now: int, where: Condition) -> Sequence[PackRow]:
        held = (
            select(func.count())
            .select_from(seat)
            .where(seat.c.pack == pack.c.number, seat.c.held_until > now)
            .scalar_subquery()
        )
        found = self._all(select(*(pack.c[name] for name in rows.PACK), held).where(where))
        issued = {row[0]: row[-1] for row in found}
        in_order = Shelf.of(rows.pack_from(row[:-1]) for row in found).packs
        return [PackRow(x, issued[x.row] - x.aside) for x in in_order]  # CALs that are set aside are held by nobody.

    # Licenses.

    def licenses(self, wanted: LicenseFilter, page: Page, now: int) -> Sequence[LicenseRow]:
        query = _LICENSES.where(*_conditions(wanted, now)).order_by(license_.c.id.desc()).limit(page.limit)
        if page.after is not None:
            query = query.where(license_.c.id < page.after)
        return self._licenses(query)

    def license(self, number: int) -> LicenseRow | None:
        return next(iter(self._licenses(_LICENSES.where(license_.c.id == number))), None)

    def _licenses(self, query: Select[Any]) -> Sequence[LicenseRow]:
        with self.engine.connect() as connection:
            names = _pack_names(connection)
            return [_license_row(row, names) for row in connection.execute(query)]

    def counts(self, now: int) -> Sequence[Counts]:
        columns = (license_.c.type, license_.c.status, license_.c.version, license_.c.family)
        query = (
            select(*columns, func.count(), func.min(license_.c.expires_at))
            .where(_runs(now))
            .group_by(*columns)
            .order_by(license_.c.family, license_.c.version, license_.c.type, license_.c.status)
        )
        found = self._all(query)
        return [Counts(rows.type_from(x[0]), rows.status_from(x[1]).value, *x[2:]) for x in found]

    def over_used(self, now: int) -> Mapping[str, int]:
        # They hold no seat: where that is said, an index leads to them. GROUP BY would sort them all in memory; this keeps none.
        where = and_(_runs(now), license_.c.seat.is_(None), license_.c.status == _OVER_USED)
        versions = sorted(x[0] for x in self._all(select(license_.c.version).where(where).distinct()))
        if not versions:
            return {}
        numbers = (func.count().filter(license_.c.version == version) for version in versions)
        found = self._all(select(*numbers).select_from(license_).where(where))[0]
        return dict(zip(versions, found, strict=True))

    def use_steps(self, until: int) -> Sequence[UseStep]:
        end = case((license_.c.ended_at < license_.c.expires_at, license_.c.ended_at), else_=license_.c.expires_at)
        moments = ((license_.c.issued_at, 1), (end, -1))
        return [
            step
            for moment, sign in moments
            for step in (*self._full_steps(moment, sign, until), *self._loose_steps(moment, sign, until))
        ]

    def _full_steps(self, moment: ColumnElement[int], sign: int, until: int) -> Iterable[UseStep]:
        """One number is the key: sorting a million rows by it takes a third of what several columns do."""
        key = _days_before(until, moment) * literal(_PACKS, BigInteger) + license_.c.pack
        query = select(key.label("key"), func.min(license_.c.type), func.min(license_.c.version), func.count())
        where = (license_.c.seat.is_not(None), moment <= until, license_.c.issued_at <= until)
        for both, type_, version, number in self._all(query.where(*where).group_by(text("key"))):
            days, number_of_pack = divmod(int(both), _PACKS)
            full = Status.ACTIVE.value
            yield UseStep(number_of_pack, rows.type_from(type_), full, version, days, sign * number)

    def _loose_steps(self, moment: ColumnElement[int], sign: int, until: int) -> Iterable[UseStep]:
        columns = (license_.c.type, license_.c.status, license_.c.version)
        query = select(*columns, _days_before(until, moment).label("days"), func.count())
        where = (license_.c.seat.is_(None), moment <= until, license_.c.issued_at <= until)
        for type_, status, version, days, number in self._all(query.where(*where).group_by(*columns, text("days"))):
            kinds = rows.type_from(type_), rows.status_from(status).value
            yield UseStep(None, *kinds, version, int(days), sign * number)

    def pack_events(self) -> Sequence[Event]:
        query = select(event.c.body).where(event.c.body.like('%"kind":"pack-%')).order_by(event.c.id)
        return [read_event(body) for (body,) in self._all(query)]

    def revoked_until(self, now: int) -> Sequence[tuple[int, int]]:
        query = select(license_.c.family, license_.c.expires_at)
        found = self._all(query.where(license_.c.ending == "revoked", license_.c.expires_at > now))
        return [(x[0], x[1]) for x in found]

    def revoked(self, now: int, limit: int) -> Sequence[int]:
        # By family, else the index (family, expires_at) is read from its beginning: all that was ever revoked.
        families = self._scalar(select(func.max(license_.c.family)).where(_REVOKED))
        if families is None:
            return []
        query = select(license_.c.id).where(
            _REVOKED, license_.c.family.in_(range(families + 1)), license_.c.expires_at > now
        )
        return [row[0] for row in self._all(query.order_by(license_.c.expires_at.desc()).limit(limit))]

    # Hosts, policies, tokens, codes.

    def hosts(self) -> Sequence[HostInForce]:
        return [_host_in_force(row) for row in self._all(_HOSTS.order_by(host.c.name))]

    def host(self, name: str) -> HostInForce | None:
        found = self._all(_HOSTS.where(func.lower(host.c.name) == name.lower()))
        return _host_in_force(found[0]) if found else None

    def heartbeats(self) -> Mapping[int, Heartbeat]:
        columns = (heartbeat.c.host, heartbeat.c.at, heartbeat.c.agent, heartbeat.c.live)
        return {number: Heartbeat(at, agent, live) for number, at, agent, live in self._all(select(*columns))}

    def heartbeat(self, number: int) -> Heartbeat | None:
        columns = (heartbeat.c.at, heartbeat.c.agent, heartbeat.c.live, heartbeat.c.sessions)
        found = self._all(select(*columns).where(heartbeat.c.host == number))
        if not found:
            return None
        at, agent, live, sessions = found[0]
        return Heartbeat(at, agent, live, sessions_from(sessions))

    def policies(self) -> Sequence[Policy]:
        columns = (policy.c.host_group, policy.c.mode, policy.c.servers)
        return [policy_from(row) for row in self._all(select(*columns).order_by(policy.c.host_group))]

    def tokens(self, now: int) -> Sequence[AdminToken]:
        return [token_from(row) for row in self._all(_TOKENS.where(_token_runs(now)).order_by(token.c.id))]

    def token_by_hash(self, token_hash: bytes, now: int) -> AdminToken | None:
        found = self._all(_TOKENS.where(token.c.hash == token_hash, _token_runs(now)))
        return token_from(found[0]) if found else None

    def code_works(self, code_hash: bytes, purpose: str, now: int) -> bool:
        where = (code.c.hash == code_hash, code.c.purpose == purpose, code.c.used_at.is_(None), code.c.expires_at > now)
        return self._scalar(select(code.c.hash).where(*where)) is not None

    def has_administrator(self, now: int) -> bool:
        mine = token.c.role == Role.LICENSE_ADMINISTRATOR.value
        return self._scalar(select(token.c.id).where(mine, _token_runs(now)).limit(1)) is not None

    # Events.

    def event(self, number: int) -> Event | None:
        body = self._scalar(select(event.c.body).where(event.c.id == number))
        return read_event(body) if body else None

    def repeated(self, event: int) -> int:
        return int(self._scalar(select(refusal.c.times).where(refusal.c.event == event)) or 1)

    def refusals(self, page: Page) -> Sequence[RefusalRow]:
        query = _REFUSALS.where(refusal.c.event > (page.after or 0)).order_by(refusal.c.event).limit(page.limit)
        return [
            RefusalRow(read_event(body), label or key or "", at, times)
            for body, label, key, at, times in self._all(query)
        ]

    def events(self, page: Page) -> EventPage:
        query = _EVENTS.order_by(event.c.position).limit(page.limit).where(event.c.position > (page.after or 0))
        return EventPage([(position, read_event(body)) for position, body in self._all(query)])

    def last_events(self, limit: int) -> EventPage:
        query = _EVENTS.order_by(event.c.position.desc()).limit(limit)
        return EventPage([(position, read_event(body)) for position, body in self._all(query)][::-1])

    def device_key(self, text: str) -> str:
        device = holder.c.kind == HolderKind.DEVICE.value[0]
        known = self._scalar(select(holder.c.key).where(device, holder.c.key == text))
        if known:
            return text
        named = self._all(select(holder.c.key).where(device, holder.c.label == text).limit(2))
        return str(named[0][0]) if len(named) == 1 else text

    def warnings(self, since: int) -> Sequence[tuple[str, int]]:
        found = self._all(select(warning.c.name, warning.c.at).where(warning.c.at > since).order_by(warning.c.at))
        return [(x[0], x[1]) for x in found]

    def _all(self, query: Select[Any]) -> Sequence[Row[Any]]:
        with self.engine.connect() as connection:
            return connection.execute(query).fetchall()

    def _scalar(self, query: Select[Any]) -> Any:  # noqa: ANN401 - whatever the column holds
        with self.engine.connect() as connection:
            return connection.execute(query).scalar()


_HOSTS = (
    select(*(host.c[name] for name in HOST), policy.c.host_group, policy.c.mode, policy.c.servers)
    .select_from(host.outerjoin(policy, policy.c.host_group == host.c.host_group))
    .where(host.c.removed_at.is_(None))
)
_REVOKED = text("license.ending = 'revoked'")
"""Said as the partial index says it, never as a parameter, or the index is not used."""
_OVER_USED = "o"
_EVENTS = select(event.c.position, event.c.body).where(event.c.position.is_not(None))
_REFUSALS = select(event.c.body, holder.c.label, holder.c.key, refusal.c.at, refusal.c.times).select_from(
    refusal.join(event, event.c.id == refusal.c.event).outerjoin(holder, holder.c.id == refusal.c.holder)
)
_TOKENS = select(*(token.c[name] for name in TOKEN))
_LICENSES = select(
    *(license_.c[name] for name in rows.LICENSE), holder.c.kind, holder.c.key, holder.c.label, event.c.body
).select_from(license_.join(holder, holder.c.id == license_.c.holder).join(event, event.c.id == license_.c.decision))


def _days_before(until: int, moment: ColumnElement[int]) -> ColumnElement[int]:
    return (literal(until, BigInteger) - moment) // _DAY


def _runs(now: int) -> Condition:
    return and_(license_.c.ended_at.is_(None), license_.c.expires_at > now)


def _token_runs(now: int) -> Condition:
    return and_(token.c.ended_at.is_(None), token.c.expires_at > now)


def _conditions(wanted: LicenseFilter, now: int) -> Iterable[Condition]:
    if wanted.ended != Ended.ALL:
        runs = _runs(now)
        yield runs if wanted.ended == Ended.NO else ~runs
    if wanted.type:
        yield license_.c.type == rows.type_letter(wanted.type)
    if wanted.status:
        yield license_.c.status == wanted.status[0]
    if wanted.version:
        yield license_.c.version == wanted.version
    if wanted.pack:
        yield license_.c.pack.in_(select(pack.c.number).where(pack.c.id == wanted.pack))
    if wanted.holder:
        yield or_(holder.c.key == wanted.holder, holder.c.label == wanted.holder)
    if wanted.host:
        # An event's text is canonical, and a host's name holds nothing that JSON would write in another way.
        yield event.c.body.contains(f'"host":"{wanted.host}"', autoescape=True)


def _pack_names(connection: Connection) -> dict[int, PackId]:
    return {number: PackId(name) for number, name in connection.execute(select(pack.c.number, pack.c.id))}


def _license_row(row: Row[Any], names: dict[int, PackId]) -> LicenseRow:
    *own, letter, key, label, body = row
    kind = rows.kind_from(letter)
    return LicenseRow(
        license=rows.license_from(own, names),
        holder=label or key or "",
        holder_kind=kind,
        hardware_id=key if kind is HolderKind.DEVICE else None,
        decision=read_event(body),
    )


def _host_in_force(row: Row[Any]) -> HostInForce:
    *own, group, mode, servers = row
    return HostInForce(host_record_from(own), policy_from((group, mode, servers)) if group else None)
