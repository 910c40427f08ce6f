"""What does the administration API answer? Times are RFC 3339 in UTC; null is nothing."""

from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "Act", "CodeMade", "Counted", "Decision", "Event", "Found", "HostAnswer", "HostJoined", "HostShown", "HostView", "Items", "License",
    "MoveView", "Pack", "Policy", "Problem", "Revocation", "ServerView", "SessionView", "Status", "StopView", "TakenView", "TokenMade",
    "TokenView", "Trace",
]  # fmt: skip

T = TypeVar("T")


class Problem(BaseModel):
    """A problem document (RFC 9457)."""

    type: str = Field(examples=["urn:calward:problem:not-found"])
    title: str
    status: int
    detail: str
    field: str | None = None


class Items(BaseModel, Generic[T]):
    """One page of a list; ``next`` goes into ``after`` for the page that follows."""

    items: list[T]
    next: str | None = None


class Act(BaseModel):
    """What an act came to: its past participle, or "refused" with everything that stood in the way; then facts of the act."""

    model_config = ConfigDict(extra="allow")

    outcome: str = Field(examples=["installed", "refused"])
    reason: list[str] = []
    detail: str | None = None


class TakenView(BaseModel):
    """What became of one signed thing: ``outcome`` as its act says, "refused" or "not-accepted"; then facts of the act."""

    model_config = ConfigDict(extra="allow")

    kind: str = Field(examples=["key-pack"])
    outcome: str
    reason: list[str] = []
    detail: str | None = None


class MoveView(BaseModel):
    """A move of key packs that has not ended, as this server knows it; no ``packs``: all of the other server's."""

    move: str
    direction: str = Field(examples=["in", "out"])
    state: str
    packs: list[str]
    other: str
    since: str | None
    waits_for: str
    way_out: str


class Pack(BaseModel):
    """An installed key pack; ``opens``: versions of hosts that its CALs open.

    ``bought_as``: the version that was paid for, up to which it can be raised. ``moving``: the transfer that it waits for; it issues
    and renews nothing meanwhile. ``aside``: CALs that wait to be converted.
    """

    id: str
    version: str
    type: str
    total: int
    issued: int
    available: int
    installed_at: str
    expires_at: str
    expired: bool
    opens: list[str]
    generation: int
    bought_as: str
    moving: str | None = None
    aside: int


class License(BaseModel):
    """An issued license; ``why``: the reasons of the decision it stands on (every temporary and over-used one has some)."""

    id: str
    holder: str
    holder_kind: str
    hardware_id: str | None = None
    type: str
    status: str
    version: str
    pack: str | None
    host: str | None
    issued_at: str
    expires_at: str
    ended_at: str | None
    ending: str | None
    decision: str
    why: list[str]


class Revocation(BaseModel):
    """What may be revoked now among the per-device CALs of a version family, and when the next slot opens."""

    family: str
    installed: int
    limit: int
    used: int
    remaining: int
    next_at: str | None


class HostView(BaseModel):
    """A session host; ``mode`` is the one in force, ``mode_from`` says whether the host or a policy sets it."""

    name: str
    version: str
    mode: str
    mode_from: str
    own_mode: str
    group: str | None
    enrolled_at: str | None
    seen_at: str | None
    heard_at: str | None = Field(None, description="When its agent last told of itself; null: never")
    agent: str | None = Field(None, description="The release of its agent")
    live_sessions: int | None = Field(None, description="How many sessions were open then")


class SessionView(BaseModel):
    """A session that was open when the host's agent last told of it."""

    line: str
    user: str
    license: str | None
    hardware_id: str | None
    since: str


class HostShown(HostView):
    """One session host, with the sessions that its agent told of last."""

    sessions: list[SessionView] = []


class CodeMade(BaseModel):
    """A host and its one-time code, shown once."""

    host: HostView
    code: str
    code_expires_at: str


class Joined(BaseModel):
    """The host as it was enrolled."""

    name: str
    version: str
    mode: str


class HostJoined(BaseModel):
    """A host and its token, shown once."""

    host: Joined
    token: str
    license_keys: list[str]
    server_id: str


class HostAnswer(BaseModel):
    """What a host is, as its license server knows it: the mode in force, and the license servers that a policy names.

    ``license_keys`` (raw Ed25519 public keys in base64, newest first) and ``server_id``: what this server's licenses are checked by.
    ``server_version``, ``activated`` and ``issue_until``: what the server itself is and may do, so that a host can be diagnosed.
    """

    name: str
    version: str
    mode: str
    mode_from: str
    servers: list[str]
    grace_days: int
    per_user: str
    license_keys: list[str]
    server_id: str
    server_version: str
    activated: bool
    issue_until: str | None


class Policy(BaseModel):
    """What holds for the hosts of a group."""

    group: str
    mode: str | None
    servers: list[str]


class TokenView(BaseModel):
    """An administrator's token, without itself."""

    id: str
    name: str
    role: str
    made_at: str
    expires_at: str


class TokenMade(TokenView):
    """The same, with the token, shown once."""

    token: str


class ServerView(BaseModel):
    """The license server; ``blocked``: why only temporary licenses are given now. ``server_id`` is its id, as hosts get it.

    ``license_keys``: raw Ed25519 public keys in base64, newest first, that sign its licenses. ``key_fingerprint``: of its own key, to
    compare with the clearinghouse by telephone.
    """

    id: str
    server_id: str
    name: str
    version: str
    ladder: str
    activated: bool
    issue_until: str | None
    blocked: str | None
    settings: dict[str, Any]
    license_keys: list[str]
    key_fingerprint: str | None = None


class QuarantineView(BaseModel):
    """Whether the ledger may be an old one. ``cause``: "restored" (not confirmed yet), "anew" (another one was lost), "older" (a larger one
    was seen) or "other" (another history was seen); sizes are numbers of events. ``happened`` and ``ways_out`` are sentences.

    ``recovered_at``: when a lost history was given up last. ``waits_for``: packs that the clearinghouse has yet to sign anew.
    """

    quarantined: bool
    cause: str | None = None
    since: str | None = None
    own_size: int | None = None
    seen_size: int | None = None
    seen_at: str | None = None
    seen_by: str | None = None
    happened: list[str] = []
    ways_out: list[str] = []
    recovered_at: str | None = None
    waits_for: list[str] = []


class StopView(BaseModel):
    """Something that stops at a time, and for how many."""

    at: str
    what: str
    holders: int
    type: str | None
    version: str | None
    pack: str | None
    sentence: str


class Counted(BaseModel):
    """Running licenses by status, and in all."""

    total: int
    active: int
    temporary: int
    over_used: int


class Status(BaseModel):
    """What an administrator fears, in ``line``; then what stands behind it. ``stops`` is the whole list, soonest first."""

    line: str
    server: ServerView
    stops: list[StopView]
    packs: list[Pack]
    licenses: Counted
    warnings: list[str]


class Trace(BaseModel):
    """One step of a decision."""

    rule: str
    verdict: str
    detail: str


class Given(BaseModel):
    """The license of a decision, as hosts see it."""

    id: str
    version: str
    type: str
    status: str
    expires_at: str
    pack: str | None
    change: str


class Decision(BaseModel):
    """A decision as the host saw it, its event, and its story in sentences; ``times``: equal refusals that it stands for."""

    outcome: str
    license: Given | None
    decision: str | None
    trace: list[Trace]
    reason: list[str]
    host: str
    at: str
    times: int
    sentences: list[str]
    event: dict[str, Any]


class Event(BaseModel):
    """An event and its place in the tree."""

    position: int
    event: dict[str, Any]


class Found(BaseModel):
    """Whether the ledger agrees with its events, and where not."""

    model_config = ConfigDict(extra="allow")

    holds: bool
    findings: list[dict[str, Any]]
