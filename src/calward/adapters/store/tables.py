"""What does the ledger look like as tables? The same on SQLite and PostgreSQL.

Times are seconds since 1970 (UTC). Kinds are one letter: holder "d"/"u", license type "d"/"u", status "t"/"a"/"o" (temporary,
active, over-used). INVARIANT: a CAL is one row of ``seat``; two running licenses can never name the same one (``license_cal``).
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    text,
)

__all__ = [
    "checkpoint",
    "code",
    "document",
    "event",
    "heartbeat",
    "holder",
    "host",
    "license_",
    "metadata",
    "pack",
    "policy",
    "refusal",
    "request",
    "seat",
    "server",
    "token",
    "tree",
    "warning",
]

metadata = MetaData(
    naming_convention={
        "ix": "%(table_name)s_%(column_0_name)s",
        "pk": "%(table_name)s_pk",
        "uq": "%(table_name)s_%(column_0_name)s_once",
    }
)

# SQLite's own ids are 64 bit already, but only INTEGER becomes the row id.
Id = BigInteger().with_variant(Integer(), "sqlite")

server = Table(
    "server",
    metadata,
    Column("k", Integer, primary_key=True),
    Column("body", Text, nullable=False),
    CheckConstraint("k = 1", name="server_is_one"),
)
"""The license server's state: one row."""

document = Table(
    "document",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("body", LargeBinary, nullable=False),
)
"""Signed things that the license server keeps whole: the newest keyring, the nonce of its last activation request."""

pack = Table(
    "pack",
    metadata,
    Column("number", Id, primary_key=True, autoincrement=False),
    Column("id", String(64), nullable=False),
    Column("version", String(32), nullable=False),
    Column("family", Integer, nullable=False),
    Column("type", String(1), nullable=False),
    Column("total", Integer, nullable=False),
    Column("installed_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("removed_at", BigInteger),
    Column("statement", LargeBinary, nullable=False),
    Column("generation", Integer, nullable=False, server_default="1"),
    Column("bought_as", String(32), nullable=False, server_default=""),
    Column("transfer", String(32)),
    Column("frozen_at", BigInteger),
    Column("aside", Integer, nullable=False, server_default="0"),
    CheckConstraint("total >= 1", name="pack_holds_cals"),
)
"""``transfer``: for which it is frozen; of a removed pack: with which it left. ``aside``: CALs that wait for a change."""
Index(
    "pack_installed_once",
    pack.c.id,
    unique=True,
    sqlite_where=text("removed_at IS NULL"),
    postgresql_where=text("removed_at IS NULL"),
)

seat = Table(
    "seat",
    metadata,
    Column("pack", BigInteger, ForeignKey("pack.number"), primary_key=True, autoincrement=False),
    Column("n", Integer, primary_key=True, autoincrement=False),
    Column("license", BigInteger),
    Column("held_until", BigInteger, nullable=False, server_default="0"),
    CheckConstraint("license IS NOT NULL OR held_until = 0", name="seat_held_by_a_license"),
    sqlite_with_rowid=False,
)
"""One row a CAL. It is free when ``held_until`` is not in the future. One that is set aside is held until ``NEVER`` by no license
at all, for which -1 stands."""
Index("seat_free", seat.c.pack, seat.c.held_until, seat.c.n)

holder = Table(
    "holder",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("kind", String(1), nullable=False),
    Column("key", Text),
    Column("label", Text),
    Column("salt", LargeBinary),
    Column("hash", LargeBinary, nullable=False),
    Column("proven_at", BigInteger),
)
"""Devices and users. Key, label and salt can be erased; the hash, which events name, stays."""
Index("holder_key", holder.c.kind, holder.c.key, unique=True)

license_ = Table(
    "license",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("holder", BigInteger, ForeignKey("holder.id"), nullable=False),
    Column("type", String(1), nullable=False),
    Column("status", String(1), nullable=False),
    Column("version", String(32), nullable=False),
    Column("family", Integer, nullable=False),
    Column("pack", BigInteger),
    Column("seat", Integer),
    Column("issued_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("decision", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("ending", String(16)),
    CheckConstraint("(status = 'a') = (seat IS NOT NULL)", name="license_full_holds_a_cal"),
)
Index("license_holder", license_.c.holder)
_HOLDS = text("ended_at IS NULL AND seat IS NOT NULL")
Index("license_cal", license_.c.pack, license_.c.seat, unique=True, sqlite_where=_HOLDS, postgresql_where=_HOLDS)
_LOOSE = text("ended_at IS NULL AND seat IS NULL")
Index("license_loose_end", license_.c.expires_at, sqlite_where=_LOOSE, postgresql_where=_LOOSE)
_REVOKED = text("ending = 'revoked'")
Index("license_revoked", license_.c.family, license_.c.expires_at, sqlite_where=_REVOKED, postgresql_where=_REVOKED)

event = Table(
    "event",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("position", BigInteger, unique=True),
    Column("body", Text, nullable=False),
)
"""Append-only, which triggers hold (first migration). ``position``: its place in the tree, from 1."""

request = Table(
    "request",
    metadata,
    Column("key", LargeBinary(16), primary_key=True),
    Column("event", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""Answered request ids: ``key`` is a hash of host and request id."""
Index("request_at", request.c.at)

refusal = Table(
    "refusal",
    metadata,
    Column("holder", BigInteger, primary_key=True, autoincrement=False),
    Column("host", BigInteger, primary_key=True, autoincrement=False),
    Column("reasons", Text, primary_key=True),
    Column("event", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("times", Integer, nullable=False),
)
Index("refusal_event", refusal.c.event)

warning = Table(
    "warning", metadata, Column("name", String(128), primary_key=True), Column("at", BigInteger, nullable=False)
)

host = Table(
    "host",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("name", String(255), nullable=False, unique=True),
    Column("version", String(32), nullable=False),
    Column("family", Integer, nullable=False),
    Column("mode", String(1), nullable=False),
    Column("host_group", String(64)),
    Column("token_hash", LargeBinary, unique=True),
    Column("enrolled_at", BigInteger),
    Column("removed_at", BigInteger),
    Column("seen_at", BigInteger),
)

heartbeat = Table(
    "heartbeat",
    metadata,
    Column("host", BigInteger, ForeignKey("host.id"), primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("agent", String(64), nullable=False),
    Column("live", Integer, nullable=False),
    Column("sessions", Text, nullable=False),
)
"""What each host told last of itself; no event stands behind it. ``sessions``: a list of lists, see ``registry``."""

code = Table(
    "code",
    metadata,
    Column("hash", LargeBinary, primary_key=True),
    Column("purpose", String(16), nullable=False),
    Column("host", BigInteger),
    Column("expires_at", BigInteger, nullable=False),
    Column("used_at", BigInteger),
)
"""One-time codes: a host's enrollment, the first administrator's set-up."""

policy = Table(
    "policy",
    metadata,
    Column("host_group", String(64), primary_key=True),
    Column("mode", String(1)),
    Column("servers", Text, nullable=False),
)

token = Table(
    "token",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("name", String(64), nullable=False),
    Column("role", String(32), nullable=False),
    Column("hash", LargeBinary, nullable=False, unique=True),
    Column("made_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
)

tree = Table(
    "tree",
    metadata,
    Column("k", Integer, primary_key=True),
    Column("frontier", LargeBinary, nullable=False),
    CheckConstraint("k = 1", name="tree_is_one"),
)

checkpoint = Table(
    "checkpoint",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("note", Text, nullable=False),
)
"""Signed statements of what the tree was: one a day and at each export."""
