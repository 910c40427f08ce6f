"""Which tables does a clearinghouse's store have, and what do they refuse?

INVARIANTS that the database holds itself: nothing is removed but lists of licenses that were delivered; the packs of a purchase never
have more CALs than were bought; a pack is at one server, its generation only rises, and it changes in no other way than by a
new generation; a pack has one pending transfer at most; events are numbered without a gap and never change.
"""

from collections.abc import Iterator
from typing import Final

from pysqlite3 import dbapi2 as sqlite

__all__ = ["REGISTER_SINCE", "SCHEMA", "SCHEMA_VERSION", "statements"]

SCHEMA_VERSION: Final = 3
REGISTER_SINCE: Final = 2
"""The version from which on a store has a register of its own."""

VERSION_1: Final = """
CREATE TABLE servers (
    server_id TEXT PRIMARY KEY, name TEXT NOT NULL, public_key BLOB NOT NULL, registered_at INTEGER NOT NULL
) STRICT;
CREATE TABLE intents (
    n INTEGER PRIMARY KEY, payload_type TEXT NOT NULL, intent_order TEXT NOT NULL, asked TEXT NOT NULL,
    payload BLOB NOT NULL, planned_at INTEGER NOT NULL, envelope BLOB, UNIQUE (payload_type, intent_order)
) STRICT;
CREATE TABLE operators (
    token_hash BLOB PRIMARY KEY, name TEXT NOT NULL UNIQUE, named_at INTEGER NOT NULL
) STRICT;
CREATE TRIGGER servers_stay BEFORE DELETE ON servers BEGIN SELECT RAISE(ABORT, 'servers stay'); END;
CREATE TRIGGER servers_keep_their_key BEFORE UPDATE OF server_id, public_key, registered_at ON servers
    BEGIN SELECT RAISE(ABORT, 'a server keeps its key'); END;
CREATE TRIGGER intents_stay BEFORE DELETE ON intents BEGIN SELECT RAISE(ABORT, 'intents stay'); END;
CREATE TRIGGER intents_keep_their_content BEFORE UPDATE OF n, payload_type, intent_order, asked, payload, planned_at ON intents
    BEGIN SELECT RAISE(ABORT, 'an intent keeps its content'); END;
CREATE TRIGGER intents_are_signed_once BEFORE UPDATE OF envelope ON intents WHEN OLD.envelope IS NOT NULL
    BEGIN SELECT RAISE(ABORT, 'an intent is signed once'); END;
"""
"""As first released; what follows is laid upon it, so that a new file and one carried over are the same."""

VERSION_2: Final = """
CREATE TABLE organizations (
    organization_id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, contact TEXT NOT NULL, added_at INTEGER NOT NULL
) STRICT;
ALTER TABLE operators ADD COLUMN role TEXT NOT NULL DEFAULT 'seller';
ALTER TABLE servers ADD COLUMN organization_id TEXT REFERENCES organizations;
ALTER TABLE servers ADD COLUMN version TEXT NOT NULL DEFAULT '';
ALTER TABLE servers ADD COLUMN issue_until INTEGER;
ALTER TABLE servers ADD COLUMN right_asked_at INTEGER;
ALTER TABLE servers ADD COLUMN last_contact INTEGER;
ALTER TABLE servers ADD COLUMN heard_at INTEGER;
ALTER TABLE servers ADD COLUMN heard_nonce TEXT NOT NULL DEFAULT '';
ALTER TABLE servers ADD COLUMN checkpoint_size INTEGER NOT NULL DEFAULT 0;
ALTER TABLE servers ADD COLUMN checkpoint_root BLOB NOT NULL DEFAULT x'';
ALTER TABLE servers ADD COLUMN rolled_back INTEGER NOT NULL DEFAULT 0;
ALTER TABLE servers ADD COLUMN keyid TEXT NOT NULL DEFAULT '';
CREATE INDEX server_key ON servers (keyid);
CREATE TABLE key_changes (
    server_id TEXT NOT NULL REFERENCES servers, public_key BLOB NOT NULL, reason TEXT NOT NULL, asked_at INTEGER NOT NULL,
    confirmed_by TEXT, confirmed_at INTEGER, PRIMARY KEY (server_id, public_key)
) STRICT;
CREATE TABLE purchases (
    n INTEGER PRIMARY KEY, purchase_id TEXT NOT NULL UNIQUE, organization_id TEXT REFERENCES organizations,
    sale_order TEXT UNIQUE, program TEXT NOT NULL, numbers TEXT NOT NULL UNIQUE, proof TEXT NOT NULL UNIQUE,
    ladder TEXT NOT NULL, version TEXT NOT NULL, cal_type TEXT NOT NULL, quantity INTEGER NOT NULL CHECK (quantity > 0),
    expires_at INTEGER NOT NULL, convertible INTEGER NOT NULL, added_at INTEGER NOT NULL
) STRICT;
CREATE TABLE transfers (
    n INTEGER PRIMARY KEY, transfer_id TEXT NOT NULL UNIQUE, pack_id TEXT NOT NULL, generation INTEGER NOT NULL,
    source_id TEXT NOT NULL REFERENCES servers, target_id TEXT NOT NULL REFERENCES servers, target_name TEXT NOT NULL,
    source TEXT NOT NULL, reason TEXT NOT NULL, ordered_at INTEGER NOT NULL, effective_at INTEGER,
    outcome TEXT, ended_at INTEGER, claimed INTEGER NOT NULL, CHECK (source_id <> target_id)
) STRICT;
CREATE UNIQUE INDEX transfer_pending ON transfers (pack_id) WHERE outcome IS NULL;
CREATE TABLE packs (
    n INTEGER PRIMARY KEY, pack_id TEXT NOT NULL UNIQUE, generation INTEGER NOT NULL CHECK (generation > 0),
    server_id TEXT NOT NULL REFERENCES servers, purchase_id TEXT NOT NULL REFERENCES purchases (purchase_id),
    total INTEGER NOT NULL CHECK (total > 0), payload BLOB NOT NULL, transfer_id TEXT REFERENCES transfers (transfer_id)
) STRICT;
CREATE INDEX pack_server ON packs (server_id);
CREATE INDEX pack_purchase ON packs (purchase_id);
CREATE TABLE outbox (
    n INTEGER PRIMARY KEY, server_id TEXT NOT NULL REFERENCES servers, item TEXT NOT NULL, payload_type TEXT NOT NULL,
    intent_order TEXT NOT NULL, handover TEXT, posted_at INTEGER NOT NULL, done_at INTEGER, UNIQUE (server_id, item),
    FOREIGN KEY (payload_type, intent_order) REFERENCES intents (payload_type, intent_order)
) STRICT;
CREATE INDEX outbox_waiting ON outbox (server_id) WHERE done_at IS NULL;
CREATE TABLE handovers (
    transfer_id TEXT PRIMARY KEY REFERENCES transfers (transfer_id), envelope BLOB NOT NULL
) STRICT;
CREATE TABLE answered (
    digest TEXT PRIMARY KEY, server_id TEXT NOT NULL, nonce TEXT NOT NULL, payload_type TEXT NOT NULL,
    answered_at INTEGER NOT NULL, parts TEXT NOT NULL, UNIQUE (server_id, nonce)
) STRICT;
CREATE TABLE events (n INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL) STRICT;
CREATE TABLE tree (one INTEGER PRIMARY KEY CHECK (one = 1), frontier BLOB NOT NULL) STRICT;
DROP TRIGGER servers_keep_their_key;
CREATE TRIGGER servers_keep_their_id BEFORE UPDATE OF server_id, registered_at ON servers
    WHEN NEW.server_id IS NOT OLD.server_id OR NEW.registered_at IS NOT OLD.registered_at
    BEGIN SELECT RAISE(ABORT, 'a server keeps its id'); END;
CREATE TRIGGER servers_keep_their_key BEFORE UPDATE OF public_key ON servers
    WHEN NEW.public_key IS NOT OLD.public_key AND NOT EXISTS (SELECT 1 FROM key_changes WHERE
        server_id = NEW.server_id AND public_key = NEW.public_key AND confirmed_at IS NOT NULL)
    BEGIN SELECT RAISE(ABORT, 'a server keeps its key until another was confirmed'); END;
CREATE TRIGGER key_changes_are_confirmed_once BEFORE UPDATE ON key_changes WHEN OLD.confirmed_at IS NOT NULL
    BEGIN SELECT RAISE(ABORT, 'a key is confirmed once'); END;
CREATE TRIGGER organizations_stay_as_they_are BEFORE UPDATE ON organizations
    BEGIN SELECT RAISE(ABORT, 'an organization stays as it is'); END;
CREATE TRIGGER purchases_stay_as_they_are BEFORE UPDATE ON purchases
    BEGIN SELECT RAISE(ABORT, 'a purchase stays as it is'); END;
CREATE TRIGGER packs_fit_their_purchase BEFORE INSERT ON packs
    WHEN NEW.total + (SELECT coalesce(sum(total), 0) FROM packs WHERE purchase_id = NEW.purchase_id)
        > (SELECT quantity FROM purchases WHERE purchase_id = NEW.purchase_id)
    BEGIN SELECT RAISE(ABORT, 'more CALs than were bought'); END;
CREATE TRIGGER packs_never_grow BEFORE UPDATE OF total ON packs WHEN NEW.total > OLD.total
    BEGIN SELECT RAISE(ABORT, 'a pack never grows'); END;
CREATE TRIGGER packs_keep_their_purchase BEFORE UPDATE OF n, pack_id, purchase_id ON packs
    WHEN NEW.n IS NOT OLD.n OR NEW.pack_id IS NOT OLD.pack_id OR NEW.purchase_id IS NOT OLD.purchase_id
    BEGIN SELECT RAISE(ABORT, 'a pack belongs to its purchase'); END;
CREATE TRIGGER packs_change_by_a_new_generation BEFORE UPDATE OF generation, server_id, total, payload ON packs
    WHEN NEW.generation < OLD.generation OR (NEW.generation = OLD.generation AND
        (NEW.server_id IS NOT OLD.server_id OR NEW.total IS NOT OLD.total OR NEW.payload IS NOT OLD.payload))
    BEGIN SELECT RAISE(ABORT, 'a pack changes by a new generation'); END;
CREATE TRIGGER transfers_keep_what_they_move BEFORE UPDATE OF n, transfer_id, pack_id, generation, source_id, target_id ON transfers
    WHEN NEW.n IS NOT OLD.n OR NEW.transfer_id IS NOT OLD.transfer_id OR NEW.pack_id IS NOT OLD.pack_id
        OR NEW.generation IS NOT OLD.generation OR NEW.source_id IS NOT OLD.source_id OR NEW.target_id IS NOT OLD.target_id
    BEGIN SELECT RAISE(ABORT, 'a transfer keeps what it moves'); END;
CREATE TRIGGER transfers_end_once BEFORE UPDATE ON transfers WHEN OLD.outcome IS NOT NULL
    BEGIN SELECT RAISE(ABORT, 'a transfer ends once'); END;
CREATE TRIGGER outbox_is_done_once BEFORE UPDATE ON outbox WHEN OLD.done_at IS NOT NULL
    BEGIN SELECT RAISE(ABORT, 'an order is done once'); END;
CREATE TRIGGER answers_stay_as_they_are BEFORE UPDATE ON answered BEGIN SELECT RAISE(ABORT, 'answers stay'); END;
CREATE TRIGGER events_are_in_order BEFORE INSERT ON events WHEN NEW.n <> 1 + (SELECT coalesce(max(n), 0) FROM events)
    BEGIN SELECT RAISE(ABORT, 'events are in order'); END;
CREATE TRIGGER events_stay_as_they_are BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'events stay'); END;
"""
VERSION_3: Final = """
CREATE TRIGGER servers_are_not_replaced BEFORE INSERT ON servers
    WHEN EXISTS (SELECT 1 FROM servers WHERE server_id = NEW.server_id AND public_key IS NOT NEW.public_key)
        AND NOT EXISTS (SELECT 1 FROM key_changes WHERE
            server_id = NEW.server_id AND public_key = NEW.public_key AND confirmed_at IS NOT NULL)
    BEGIN SELECT RAISE(ABORT, 'a server keeps its key until another was confirmed'); END;
CREATE TRIGGER key_changes_are_not_replaced BEFORE INSERT ON key_changes
    WHEN EXISTS (SELECT 1 FROM key_changes WHERE server_id = NEW.server_id AND public_key = NEW.public_key)
    BEGIN SELECT RAISE(IGNORE); END;
CREATE TRIGGER transfers_are_not_replaced BEFORE INSERT ON transfers
    WHEN EXISTS (SELECT 1 FROM transfers WHERE n = NEW.n
        OR (pack_id = NEW.pack_id AND outcome IS NULL AND NEW.outcome IS NULL AND transfer_id IS NOT NEW.transfer_id)
        OR (transfer_id = NEW.transfer_id AND (outcome IS NOT NULL OR pack_id IS NOT NEW.pack_id
            OR generation IS NOT NEW.generation OR source_id IS NOT NEW.source_id OR target_id IS NOT NEW.target_id)))
    BEGIN SELECT RAISE(ABORT, 'a transfer keeps what it moves and ends once'); END;
"""
"""What INSERT OR REPLACE could take away: SQLite asks no trigger of DELETE then, unless the connection wants it so."""
_NEW: Final = {
    "intents": "n = NEW.n OR (payload_type = NEW.payload_type AND intent_order = NEW.intent_order)",
    "organizations": "organization_id = NEW.organization_id OR name = NEW.name",
    "purchases": (
        "n = NEW.n OR purchase_id = NEW.purchase_id OR sale_order = NEW.sale_order"
        " OR numbers = NEW.numbers OR proof = NEW.proof"
    ),
    "packs": "n = NEW.n OR pack_id = NEW.pack_id",
    "outbox": "n = NEW.n OR (server_id = NEW.server_id AND item = NEW.item)",
    "answered": "digest = NEW.digest OR (server_id = NEW.server_id AND nonce = NEW.nonce)",
}
"""Of tables that only grow: what makes a row one that is there already."""
_STAYS: Final = (
    "key_changes",
    "organizations",
    "purchases",
    "transfers",
    "packs",
    "outbox",
    "answered",
    "events",
    "tree",
)

SCHEMA: Final = (
    VERSION_1,
    VERSION_2
    + "".join(
        f"CREATE TRIGGER {one}_stay BEFORE DELETE ON {one} BEGIN SELECT RAISE(ABORT, '{one} stay'); END;\n"
        for one in _STAYS
    ),
    VERSION_3
    + "".join(
        f"CREATE TRIGGER {one}_are_new BEFORE INSERT ON {one} WHEN EXISTS (SELECT 1 FROM {one} WHERE {same})\n"  # noqa: S608 - our own text
        f"    BEGIN SELECT RAISE(ABORT, '{one} stay'); END;\n"
        for one, same in _NEW.items()
    ),
)
"""What makes each version out of the one before; the first out of an empty file."""


def statements(script: str) -> Iterator[str]:
    """The statements of a script one by one: ``executescript`` would commit before it begins."""
    collected = ""
    for line in script.splitlines(keepends=True):
        collected += line
        if sqlite.complete_statement(collected):
            yield collected
            collected = ""
