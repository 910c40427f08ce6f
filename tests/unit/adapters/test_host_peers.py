"""The client's address behind a logon of xrdp 0.9 or FreeRDP's shadow, by a made-up /proc."""

import sys
from ipaddress import ip_address

import pytest

from calward.adapters.sessionhost.peers import callers, listens_as
from calward.app.sessionhost.joins import Callers

SESMAN, XRDP, OTHER, HELPER = 100, 200, 201, 300


def hexed(address: str, port: int) -> str:
    return "".join(f"{int(part):02X}" for part in reversed(address.split("."))) + f":{port:04X}"


def hexed6(address: str, port: int) -> str:
    """IPv6 as the kernel prints it: four words, each in this machine's order."""
    packed = ip_address(address).packed
    words = [int.from_bytes(packed[at : at + 4], sys.byteorder) for at in range(0, 16, 4)]
    return "".join(f"{word:08X}" for word in words) + f":{port:04X}"


def only(*addresses: str, once: bool = False) -> Callers:
    return Callers(frozenset(addresses), once)


def row(inode: int, local: tuple[str, int], remote: tuple[str, int], state: str = "01") -> str:
    return f"   0: {hexed(*local)} {hexed(*remote)} {state} 00000000:00000000 00:00000000 00000000 0 0 {inode} 1"


@pytest.fixture
def proc(tmp_path):
    def make(rows: list[str], sockets: dict[int, list[int]]):
        (tmp_path / "net").mkdir()
        (tmp_path / "net" / "tcp").write_text("  sl  local_address ...\n" + "\n".join(rows) + "\n")
        for pid, inodes in sockets.items():
            folder = tmp_path / str(pid) / "fd"
            folder.mkdir(parents=True)
            parent = SESMAN if pid == HELPER else 1
            (tmp_path / str(pid) / "stat").write_text(f"{pid} (a (b) c) S {parent} 0 0")
            for number, inode in enumerate(inodes):
                (folder / str(number)).symlink_to(f"socket:[{inode}]")
        return tmp_path

    return make


LOOP = "127.0.0.1"
LISTENING = row(9, (LOOP, 3350), ("0.0.0.0", 0), "0A")
INNER = [row(1, (LOOP, 3350), (LOOP, 40000)), row(2, (LOOP, 40000), (LOOP, 3350))]
OUTER = row(3, (LOOP, 3390), ("127.64.0.7", 50000))
STRANGER = row(4, (LOOP, 3390), ("127.64.0.8", 50001))


def test_the_peer_of_the_xrdp_process_that_talks_to_sesman_is_the_client(proc):
    made = proc([LISTENING, *INNER, OUTER, STRANGER], {SESMAN: [9, 1], XRDP: [2, 3], OTHER: [4], HELPER: []})
    assert callers(HELPER, proc=made) == only("127.64.0.7")


def test_of_two_logons_in_the_same_instant_it_may_be_either(proc):
    second = [row(5, (LOOP, 3350), (LOOP, 40001)), row(6, (LOOP, 40001), (LOOP, 3350))]
    made = proc(
        [LISTENING, *INNER, *second, OUTER, STRANGER], {SESMAN: [9, 1, 5], XRDP: [2, 3], OTHER: [6, 4], HELPER: []}
    )
    assert callers(HELPER, proc=made) == only("127.64.0.7", "127.64.0.8")


def test_a_logon_beside_one_without_a_connection_may_be_that(proc):
    second = [row(5, (LOOP, 3350), (LOOP, 40001)), row(6, (LOOP, 40001), (LOOP, 3350))]
    made = proc([LISTENING, *INNER, *second, OUTER], {SESMAN: [9, 1, 5], XRDP: [2, 3], OTHER: [6], HELPER: []})
    assert callers(HELPER, proc=made) == only("127.64.0.7", "")


def test_a_logon_whose_process_is_not_to_be_seen_comes_from_nowhere(proc):
    made = proc([LISTENING, *INNER, STRANGER], {SESMAN: [9, 1], OTHER: [4], HELPER: []})
    assert callers(HELPER, proc=made) == only("")


def test_a_logon_without_a_connection_of_its_own_has_no_client(proc):
    made = proc([LISTENING, *INNER, STRANGER], {SESMAN: [9, 1], XRDP: [2], OTHER: [4], HELPER: []})
    assert callers(HELPER, proc=made) == only("")


def test_without_proc_nothing_is_found(tmp_path):
    assert callers(HELPER, proc=tmp_path) == Callers()


def test_processes_called_xrdp_are_looked_at_first_and_no_others_then(proc):
    made = proc([LISTENING, *INNER, OUTER, STRANGER], {OTHER: [2, 4], SESMAN: [9, 1], XRDP: [2, 3], HELPER: []})
    (made / str(XRDP) / "comm").write_text("xrdp\n")
    (made / str(OTHER) / "comm").write_text("bash\n")
    assert callers(HELPER, proc=made) == only("127.64.0.7")


def test_a_process_of_another_name_is_found_as_well(proc):
    made = proc([LISTENING, *INNER, OUTER, STRANGER], {SESMAN: [9, 1], XRDP: [2, 3], OTHER: [4], HELPER: []})
    (made / str(XRDP) / "comm").write_text("my-rdp\n")
    assert callers(HELPER, proc=made) == only("127.64.0.7")


def test_a_sesman_that_talks_over_ipv6_is_read_too(proc):
    made = proc([OUTER, STRANGER], {SESMAN: [9, 1], XRDP: [2, 3], OTHER: [4], HELPER: []})
    sides = hexed6("::1", 3350), hexed6("::1", 40000)
    rows = [f" 0: {one} {other} 01 0:0 00:0 0 0 0 {inode} 1" for inode, one, other in ((1, *sides), (2, *sides[::-1]))]
    (made / "net" / "tcp6").write_text("  sl  local_address ...\n" + "\n".join(rows) + "\n")
    assert callers(HELPER, proc=made) == only("127.64.0.7")


def test_ipv4_within_ipv6_is_ipv4(proc):
    made = proc(INNER, {SESMAN: [1], XRDP: [2, 3], HELPER: []})
    line = f" 0: {hexed6('::ffff:127.0.0.1', 3390)} {hexed6('::ffff:127.64.0.7', 50000)} 01 0:0 00:0 0 0 0 3 1"
    (made / "net" / "tcp6").write_text("  sl  local_address ...\n" + line + "\n")
    assert callers(HELPER, proc=made) == only("127.64.0.7")


def test_a_program_that_asks_pam_itself_asks_for_one_of_those_it_has_accepted(proc):
    listening = row(9, (LOOP, 3391), ("0.0.0.0", 0), "0A")
    clients = [row(3, (LOOP, 3391), ("127.64.0.7", 50000)), row(4, (LOOP, 3391), ("127.64.0.8", 50001), "08")]
    outwards = row(5, (LOOP, 50002), (LOOP, 636))
    elsewhere = row(6, (LOOP, 3390), ("127.64.0.9", 50003))
    over = row(0, (LOOP, 3391), ("127.64.0.10", 50004), "06")
    made = proc([listening, *clients, outwards, elsewhere, over], {SESMAN: [9, 3, 4, 5], OTHER: [6], HELPER: []})
    assert callers(HELPER, proc=made) == only("127.64.0.7", "127.64.0.8", once=True)


def test_the_program_that_listens_at_a_port_is_named_where_it_can_be_seen(proc):
    made = proc(
        [row(9, (LOOP, 3391), ("0.0.0.0", 0), "0A"), row(3, (LOOP, 3390), ("127.64.0.7", 50000))], {OTHER: [9, 3]}
    )
    (made / str(OTHER) / "comm").write_text("freerdp-shadow-\n")
    assert listens_as(3391, proc=made) == "freerdp-shadow-"
    assert listens_as(3390, proc=made) == ""


def test_without_proc_nobody_listens(tmp_path):
    assert listens_as(3391, proc=tmp_path) == ""
