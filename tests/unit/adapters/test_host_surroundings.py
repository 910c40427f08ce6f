"""What is read of a host's surroundings: PAM's lines, the kernel's sockets, the memory's folder, certificates."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from calward.adapters.network.certificates import own_certificate
from calward.adapters.sessionhost.config import HostConfig, RelayConfig
from calward.adapters.sessionhost.pam_service import apply_change, plan_install
from calward.adapters.sessionhost.surroundings import listening, pam_lines, relay_facts, state_facts

TCP = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:0D3D 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
   1: 0100007F:0D3E 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2 1 0 100 0 0 10 0
   2: 0100007F:0D3E 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 3 1 0 100 0 0 10 0
"""
TCP6 = """\
  sl  local_address                         remote_address                        st
   0: 00000000000000000000000001000000:0016 00000000000000000000000000000000:0000 0A
   1: 0000000000000000FFFF00000100007F:0017 00000000000000000000000000000000:0000 0A
"""


def test_listening_sockets_are_what_the_kernel_lists_as_such(tmp_path):
    (tmp_path / "tcp").write_text(TCP)
    (tmp_path / "tcp6").write_text(TCP6)
    found = listening(tmp_path)
    assert found == (("0.0.0.0", 3389), ("127.0.0.1", 3390), ("::1", 22), ("::ffff:127.0.0.1", 23))


def test_without_proc_nothing_is_said_of_sockets(tmp_path):
    assert listening(tmp_path) is None


def test_without_ipv6_there_are_the_others(tmp_path):
    (tmp_path / "tcp").write_text(TCP)
    assert len(listening(tmp_path)) == 2


def a_service(folder: Path, program: str, config: Path | None = None) -> None:
    (folder / "xrdp-sesman").write_text("@include common-account\n@include common-session\n")
    apply_change(plan_install(folder, "xrdp-sesman", program, config))


def test_the_lines_that_we_install_are_found_again(tmp_path):
    program = tmp_path / "calward"
    program.touch(mode=0o755)
    a_service(tmp_path, f"{program} -I -m calward.bootstrap.pam", Path("/opt/host.toml"))
    lines = list(pam_lines(tmp_path))
    assert [(one.service, one.stack, one.program, one.runs) for one in lines] == [
        ("xrdp-sesman", "account", program, True),
        ("xrdp-sesman", "session", program, True),
    ]
    assert {one.settings for one in lines} == {Path("/opt/host.toml")}


def test_a_program_that_is_gone_is_seen_and_a_comment_is_not(tmp_path):
    a_service(tmp_path, "/opt/gone/calward pam")
    with (tmp_path / "xrdp-sesman").open("a") as file:
        file.write(
            "# account required pam_exec.so /usr/bin/calward pam account\n-account required pam_exec.so calward\n"
        )
    lines = list(pam_lines(tmp_path))
    assert [(one.stack, one.runs, one.settings) for one in lines] == [
        ("account", False, None),
        ("session", False, None),
    ]


def test_a_machine_without_pam_has_no_lines(tmp_path):
    assert list(pam_lines(tmp_path / "none")) == []


def test_a_folder_that_can_be_made_is_no_trouble(tmp_path):
    facts = state_facts(tmp_path / "a" / "b", "me")
    assert (facts.trouble, facts.memory) == ("", None)
    assert not (tmp_path / "a").exists(), "nothing is changed"


def test_a_memory_is_read(tmp_path):
    tmp_path.chmod(0o700)
    memory = {"format": 1, "first_connection": "2026-11-24T06:22:46Z", "first_full": None, "spent_seconds": 0}
    memory |= {"observed_at": None, "answering": True, "policy": None}
    (tmp_path / "host.json").write_text(json.dumps(memory))
    facts = state_facts(tmp_path, "me")
    assert facts.memory.grace.first_connection == datetime(2026, 11, 24, 6, 22, 46, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 9}', "\xff"])
def test_a_broken_memory_is_said_to_be_so(tmp_path, text):
    tmp_path.chmod(0o700)
    (tmp_path / "host.json").write_bytes(text.encode("latin-1"))
    facts = state_facts(tmp_path, "me")
    assert "host.json" in facts.broken
    assert facts.memory is None


def test_a_folder_that_is_open_to_others_or_no_folder_is_trouble(tmp_path):
    tmp_path.chmod(0o755)
    assert state_facts(tmp_path, "me").trouble == "it is open to others"
    file = tmp_path / "file"
    file.touch()
    assert state_facts(file, "me").trouble == "it is no folder"
    assert state_facts(file / "below", "me").trouble == "me cannot look at it: Not a directory"


@pytest.mark.skipif(os.geteuid() != 0, reason="gives a folder away")
def test_a_folder_of_somebody_else_is_trouble(tmp_path):
    tmp_path.chmod(0o700)
    os.chown(tmp_path, 12345, -1)
    assert state_facts(tmp_path, "root").trouble == "it does not belong to root"


def test_a_relay_without_a_certificate_makes_its_own_later(tmp_path):
    facts = relay_facts(HostConfig(state_dir=tmp_path, relay=RelayConfig()), tmp_path)
    assert (facts.certificate, facts.wire) == (None, None)
    assert relay_facts(HostConfig(), tmp_path) is None


def test_the_relays_certificates_are_read_with_their_end(tmp_path):
    own_certificate(tmp_path, ["localhost"], now=0)
    (tmp_path / "wire-chain.json").write_text('{"expires_at": "2027-01-01T00:00:00+00:00"}')
    facts = relay_facts(HostConfig(state_dir=tmp_path, relay=RelayConfig()), tmp_path)
    assert (facts.certificate.ends_at.year, facts.wire.ends_at.year) == (1989, 2027)


@pytest.mark.parametrize("content", [None, b"no PEM"])
def test_certificates_that_are_none_are_said_to_be_so(tmp_path, content):
    file = tmp_path / "x.pem"
    if content is not None:
        file.write_bytes(content)
    (tmp_path / "wire-chain.json").write_bytes(b"{}")
    facts = relay_facts(HostConfig(state_dir=tmp_path, relay=RelayConfig(certificate=file, key=file)), tmp_path)
    assert facts.certificate.trouble
    assert facts.wire.trouble
