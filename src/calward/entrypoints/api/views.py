"""How are the domain's values shown over HTTP?"""

import base64
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from calward.app.heartbeats import Heartbeat, Session
from calward.app.licensing.acts import Done, RefusedAct
from calward.app.licensing.show_status import ServerStatus, say_stop
from calward.app.reading import Counts, HostInForce, LicenseRow, PackRow
from calward.app.registry import AdminToken
from calward.app.registry import Policy as PolicyValue
from calward.domain.answers import answer_from, as_json, decision_name, license_name, rfc3339
from calward.domain.compatibility import cal_opens_host
from calward.domain.events import Event
from calward.domain.ladder import Ladder
from calward.domain.licenses import Status as LicenseStatus
from calward.domain.parties import Server
from calward.domain.reasons import SENTENCES, Reason
from calward.entrypoints.api import answers

__all__ = [
    "act_view",
    "decision_view",
    "done_view",
    "host_answer",
    "host_shown",
    "host_view",
    "keys_view",
    "license_view",
    "pack_view",
    "policy_view",
    "server_view",
    "status_view",
    "token_view",
    "when",
]


def when(seconds: int | None) -> str | None:
    """A time, or nothing."""
    return None if seconds is None else rfc3339(seconds)


def act_view(found: Done | RefusedAct) -> answers.Act:
    """An act that was done or refused."""
    if isinstance(found, RefusedAct):
        return answers.Act(outcome=found.outcome, reason=list(found.reasons), detail=found.detail, **found.facts)
    return answers.Act(outcome=found.outcome, **found.facts)


def done_view(outcome: str, **facts: Any) -> answers.Act:  # noqa: ANN401 - whatever the act has to tell
    """An act that was done, with its facts."""
    return answers.Act(outcome=outcome, **facts)


def pack_view(row: PackRow, ladder: Ladder, now: int) -> answers.Pack:
    """An installed pack; one that has expired or is moving has nothing available, nor have CALs that wait for a change."""
    pack, expired = row.pack, row.pack.expires_at <= now
    issues = not expired and pack.transfer is None
    return answers.Pack(
        id=pack.id,
        version=pack.version,
        type=pack.type.value,
        total=pack.total,
        issued=row.issued,
        available=pack.total - row.issued - pack.aside if issues else 0,
        installed_at=rfc3339(pack.installed_at),
        expires_at=rfc3339(pack.expires_at),
        expired=expired,
        opens=[version for version in ladder.versions if cal_opens_host(ladder, pack.version, version)],
        generation=pack.generation,
        bought_as=pack.bought_as or pack.version,
        moving=pack.transfer,
        aside=pack.aside,
    )


def license_view(row: LicenseRow, now: int) -> answers.License:
    """An issued license; one that has run out has ended, whether the sweep has written it down or not."""
    found = row.license
    ended_at = found.stopped_at(now)
    return answers.License(
        id=license_name(found.id),
        holder=row.holder,
        holder_kind=row.holder_kind.value,
        hardware_id=row.hardware_id,
        type=found.type.value,
        status=found.status.value,
        version=found.version,
        pack=found.seat.pack if found.seat else None,
        host=row.decision.get("host"),
        issued_at=rfc3339(found.issued_at),
        expires_at=rfc3339(found.expires_at),
        ended_at=when(ended_at),
        ending=found.ending.value if found.ending else ("expired" if ended_at is not None else None),
        decision=decision_name(found.decision),
        why=list(row.decision.get("reasons", ())),
    )


def host_view(found: HostInForce, last_seen: int | None = None, heartbeat: Heartbeat | None = None) -> answers.HostView:
    """A host with the mode in force; ``last_seen``: when this process heard of it, which may not be written down yet."""
    host = found.host
    return answers.HostView(
        name=host.name,
        version=host.version,
        mode=found.mode.value,
        mode_from=found.mode_from,
        own_mode=host.mode.value,
        group=host.group,
        enrolled_at=when(host.enrolled_at),
        seen_at=when(max(filter(None, (host.seen_at, last_seen)), default=None)),
        heard_at=when(heartbeat.at) if heartbeat else None,
        agent=heartbeat.agent if heartbeat else None,
        live_sessions=heartbeat.live if heartbeat else None,
    )


def host_shown(found: HostInForce, last_seen: int | None, heartbeat: Heartbeat | None) -> answers.HostShown:
    """A host with its sessions."""
    view = host_view(found, last_seen, heartbeat)
    sessions = [_session(one) for one in heartbeat.sessions] if heartbeat else []
    return answers.HostShown(**view.model_dump(), sessions=sessions)


def _session(one: Session) -> answers.SessionView:
    return answers.SessionView(
        line=one.line, user=one.user, license=one.license, hardware_id=one.hardware_id, since=rfc3339(one.since)
    )


def host_answer(
    found: HostInForce, server: Server, ladder: Ladder, addresses: Sequence[str], keys: Iterable[bytes]
) -> answers.HostAnswer:
    """What a host is told of itself; ``addresses``: license servers where no policy names any."""
    return answers.HostAnswer(
        name=found.host.name,
        version=found.host.version,
        mode=found.mode.value,
        mode_from=found.mode_from,
        servers=list(found.policy.servers if found.policy else ()) or list(addresses),
        grace_days=ladder.grace_days(found.host.version, server.settings.grace_days),
        per_user=server.settings.per_user.value,
        license_keys=keys_view(keys),
        server_id=server.id,
        server_version=server.version,
        activated=server.issue_until is not None,
        issue_until=when(server.issue_until),
    )


def keys_view(keys: Iterable[bytes]) -> list[str]:
    """Public keys in base64."""
    return [base64.b64encode(key).decode() for key in keys]


def policy_view(policy: PolicyValue) -> answers.Policy:
    """A policy."""
    mode = policy.mode.value if policy.mode else None
    return answers.Policy(group=policy.group, mode=mode, servers=list(policy.servers))


def token_view(token: AdminToken) -> answers.TokenView:
    """A token without itself."""
    return answers.TokenView(
        id=f"T{token.id}",
        name=token.name,
        role=token.role.value,
        made_at=rfc3339(token.made_at),
        expires_at=rfc3339(token.expires_at),
    )


def server_view(server: Server, now: int, keys: Iterable[bytes]) -> answers.ServerView:
    """The license server."""
    blocked = server.blocked(now)
    settings = {key: _plain(value) for key, value in asdict(server.settings).items()}
    return answers.ServerView(
        id=server.id,
        server_id=server.id,
        name=server.name,
        version=server.version,
        ladder=server.ladder,
        activated=server.issue_until is not None,
        issue_until=when(server.issue_until),
        blocked=blocked.value if blocked else None,
        settings=settings,
        license_keys=keys_view(keys),
    )


def _plain(value: object) -> object:
    return value if isinstance(value, bool | int) else str(value)


def status_view(found: ServerStatus, ladder: Ladder, now: int, keys: Iterable[bytes]) -> answers.Status:
    """What stops first, and what stands behind it."""
    return answers.Status(
        line=found.line,
        server=server_view(found.server, now, keys),
        stops=[
            answers.StopView(
                at=rfc3339(stop.at),
                what=stop.kind.value,
                holders=stop.holders,
                type=stop.type.value if stop.type else None,
                version=stop.version,
                pack=stop.pack,
                sentence=say_stop(stop),
            )
            for stop in found.stops
        ],
        packs=[pack_view(row, ladder, now) for row in found.packs],
        licenses=_counted(found.counts),
        warnings=list(found.warnings),
    )


def _counted(counts: Iterable[Counts]) -> answers.Counted:
    by_status = dict.fromkeys(LicenseStatus, 0)
    for one in counts:
        by_status[LicenseStatus(one.status)] += one.number
    return answers.Counted(
        total=sum(by_status.values()),
        active=by_status[LicenseStatus.ACTIVE],
        temporary=by_status[LicenseStatus.TEMPORARY],
        over_used=by_status[LicenseStatus.OVER_USED],
    )


def decision_view(event: Event, times: int) -> answers.Decision:
    """A decision from its event."""
    answer: dict[str, Any] = as_json(answer_from(event))
    return answers.Decision(
        **answer,
        host=event["host"],
        at=rfc3339(event["at"]),
        times=times,
        sentences=[_sentence(reason) for reason in event.get("reasons", ())],
        event=dict(event),
    )


def _sentence(reason: str) -> str:
    try:
        return SENTENCES[Reason(reason)]
    except ValueError:
        return f"{reason}: a reason of a newer release"
