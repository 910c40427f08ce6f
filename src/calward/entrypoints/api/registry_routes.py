"""Which session hosts may ask, what holds for groups of them, and what does a host see of itself?"""

from fastapi import APIRouter, Request

from calward.app.licensing.change_host import ChangeHost, RemoveHost, change_host, remove_host
from calward.app.licensing.enroll_host import (
    WRONG_CODE,
    AddHost,
    CodeGiven,
    add_host,
    enroll_host,
    give_code,
    unknown_host,
)
from calward.app.licensing.set_policy import RemovePolicy, SetPolicy, remove_policy, set_policy
from calward.app.licensing.show_status import needed_server
from calward.app.reading import HostInForce
from calward.app.registry import Purpose
from calward.domain.answers import rfc3339
from calward.domain.codes import read_code
from calward.domain.errors import LicensingError, Problem
from calward.entrypoints.api.access import bearer
from calward.entrypoints.api.answers import (
    Act,
    CodeMade,
    HostAnswer,
    HostJoined,
    HostShown,
    HostView,
    Items,
    Joined,
    Policy,
)
from calward.entrypoints.api.bodies import Change, CodeBody, NewHost, NewPolicy
from calward.entrypoints.api.guard import Desk, GuardedRoute, Who
from calward.entrypoints.api.paging import After, Limit, page_of
from calward.entrypoints.api.services import Services
from calward.entrypoints.api.views import (
    act_view,
    done_view,
    host_answer,
    host_shown,
    host_view,
    keys_view,
    policy_view,
)

__all__ = ["router"]

router = APIRouter(route_class=GuardedRoute)


@router.get("/api/v1/hosts", operation_id="listHosts", tags=["hosts"])
def hosts(desk: Desk, limit: Limit = 500, after: After = None) -> Items[HostView]:
    """List session hosts with the mode in force and where it comes from."""
    told = desk.reader.heartbeats()
    views = [
        host_view(one, desk.host_tokens.last_seen(one.host.id), told.get(one.host.id)) for one in desk.reader.hosts()
    ]
    return page_of(views, lambda host: host.name, limit, after)


@router.get("/api/v1/hosts/{host}", operation_id="showHost", tags=["hosts"])
def show(desk: Desk, host: str) -> HostShown:
    """Show one session host, and the sessions that its agent told of last."""
    found = _known(desk, host)
    number = found.host.id
    return host_shown(found, desk.host_tokens.last_seen(number), desk.reader.heartbeat(number))


@router.post("/api/v1/hosts", operation_id="addHost", tags=["hosts"])
def add(desk: Desk, who: Who, body: NewHost) -> CodeMade:
    """Add a session host and make its one-time code, which is shown once."""
    command = AddHost(body.name, body.version, body.mode, who.name, body.group)
    made = desk.ledger.write(
        lambda book: add_host(
            command, book, desk.ladder, now=book.now(), entropy=desk.entropy, fingerprint=desk.fingerprint
        )
    )
    return _code(desk, made)


@router.post("/api/v1/hosts/{host}:code", operation_id="makeHostCode", tags=["hosts"])
def new_code(desk: Desk, host: str) -> CodeMade:
    """Make a new code for a host that lost its token, or never came; its old token works until the code is used."""
    name = _known(desk, host).host.name
    made = desk.ledger.write(
        lambda book: give_code(name, book, now=book.now(), entropy=desk.entropy, fingerprint=desk.fingerprint)
    )
    return _code(desk, made)


@router.patch("/api/v1/hosts/{host}", operation_id="changeHost", tags=["hosts"])
def change(desk: Desk, who: Who, host: str, body: Change) -> Act:
    """Change a host's version, mode or group."""
    name = _known(desk, host).host.name
    command = ChangeHost(name, who.name, body.version, body.mode, body.group)
    desk.ledger.write(lambda book: change_host(command, book, desk.ladder, now=book.now()))
    desk.host_tokens.forget()
    return done_view("set", host=_shown(desk, _known(desk, name)))


@router.delete("/api/v1/hosts/{host}", operation_id="removeHost", tags=["hosts"])
def remove(desk: Desk, who: Who, host: str) -> Act:
    """Remove a host; its token ends at once, licenses given through it stay."""
    command = RemoveHost(_known(desk, host).host.name, who.name)
    done = desk.ledger.write(lambda book: remove_host(command, book, now=book.now()))
    desk.host_tokens.forget()
    return act_view(done)


@router.post("/api/v1/hosts:enroll", operation_id="enrollHost", tags=["for hosts"])
def enroll(desk: Desk, request: Request, body: CodeBody) -> HostJoined:
    """Change a one-time code for the host's token, which is shown once."""
    with request.app.state.attempts.one():
        # Looked up first, so that who guesses never makes the ledger write.
        if not desk.reader.code_works(read_code(body.code).hash, Purpose.ENROLL, desk.clock.now()):
            raise LicensingError(Problem.UNAUTHORIZED, WRONG_CODE, field="code")
        made = desk.ledger.write(lambda book: enroll_host(body.code, book, now=book.now(), entropy=desk.entropy))
    desk.host_tokens.forget()
    found = _known(desk, made.host.name)
    joined = Joined(name=found.host.name, version=found.host.version, mode=found.mode.value)
    keys = keys_view(desk.license_keys())
    return HostJoined(host=joined, token=made.token, license_keys=keys, server_id=needed_server(desk.reader).id)


@router.get("/api/v1/host", operation_id="showThisHost", tags=["for hosts"])
def this_host(desk: Desk, request: Request) -> HostAnswer:
    """Show the host that asks what it is here: the mode in force, its license servers, the rules it needs."""
    caller = desk.host_tokens.host_of(bearer(request) or "")
    if caller is None:
        detail = "a host token is needed (Authorization: Bearer …): enroll the session host to get one"
        raise LicensingError(Problem.UNAUTHORIZED, detail)
    found, server = _known(desk, caller.name), needed_server(desk.reader)
    return host_answer(found, server, desk.ladder, desk.addresses(), desk.license_keys())


@router.get("/api/v1/policies", operation_id="listPolicies", tags=["policies"])
def policies(desk: Desk, limit: Limit = 500, after: After = None) -> Items[Policy]:
    """List policies of groups of hosts."""
    return page_of([policy_view(x) for x in desk.reader.policies()], lambda policy: policy.group, limit, after)


@router.put("/api/v1/policies/{group}", operation_id="setPolicy", tags=["policies"])
def put_policy(desk: Desk, who: Who, group: str, body: NewPolicy) -> Act:
    """Set the whole policy of a group: license servers in order, and the mode, if it is to be the same for all."""
    command = SetPolicy(group, who.name, body.mode, tuple(body.servers))
    policy = desk.ledger.write(lambda book: set_policy(command, book, now=book.now()))
    desk.host_tokens.forget()
    return done_view("set", policy=policy_view(policy))


@router.delete("/api/v1/policies/{group}", operation_id="removePolicy", tags=["policies"])
def delete_policy(desk: Desk, who: Who, group: str) -> Act:
    """Remove a policy: the group's hosts use their own values again."""
    command = RemovePolicy(group, who.name)
    done = desk.ledger.write(lambda book: remove_policy(command, book, now=book.now()))
    desk.host_tokens.forget()
    return act_view(done)


def _known(desk: Services, name: str) -> HostInForce:
    found = desk.reader.host(name) if name.isprintable() else None
    if found is None:
        raise unknown_host(name)
    return found


def _shown(desk: Services, found: HostInForce) -> HostView:
    return host_view(found, desk.host_tokens.last_seen(found.host.id))


def _code(desk: Services, made: CodeGiven) -> CodeMade:
    return CodeMade(
        host=_shown(desk, _known(desk, made.host.name)),
        code=made.code.text(),
        code_expires_at=rfc3339(made.expires_at),
    )
