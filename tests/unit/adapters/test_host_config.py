"""The host's settings: read strictly, with the key that is wrong named."""

from pathlib import Path

import pytest

from calward.adapters.sessionhost.config import HostConfig, RelayConfig, load_host_config, read_token
from calward.adapters.sessionhost.state import Lost
from calward.domain.errors import LicensingError, Problem

PIN = "ab" * 32


def load(tmp_path: Path, text: str) -> HostConfig:
    path = tmp_path / "host.toml"
    path.write_text(text)
    return load_host_config(path)


def test_an_empty_file_is_a_host_without_servers_whose_only_administrator_is_root(tmp_path):
    config = load(tmp_path, "")
    assert config == HostConfig()
    assert config.exempt_users == {"root"}
    assert config.lost is Lost.NO_GRACE


def test_every_setting_is_read(tmp_path):
    config = load(
        tmp_path,
        f"""
        token_file = "/etc/calward/host.token"
        state_dir = "/srv/state"
        grace_days = 0
        deadline_seconds = 1
        on_trouble = "admit"
        exempt_users = ["root", "admin"]
        exempt_groups = ["wheel"]
        [[server]]
        url = "https://ls1.example:8443"
        fingerprint = "{PIN}"
        [[server]]
        url = "unix:/run/calward/api.sock"
        token_file = "/etc/calward/second.token"
        """,
    )
    assert [server.address.name for server in config.servers] == [
        "https://ls1.example:8443",
        "unix:/run/calward/api.sock",
    ]
    assert [str(server.token_file) for server in config.servers] == [
        "/etc/calward/host.token",
        "/etc/calward/second.token",
    ]
    assert config.servers[0].address.pin == PIN
    assert (config.grace_days, config.deadline_seconds, config.lost) == (0, 1.0, Lost.NEW_GRACE)
    assert config.exempt_users == {"root", "admin"}
    assert config.exempt_groups == {"wheel"}
    assert config.state_dir == Path("/srv/state")


def test_agent_and_relay_are_read_and_without_its_table_there_is_no_relay(tmp_path):
    assert load(tmp_path, "[agent]").relay is None
    config = load(
        tmp_path,
        """
        [agent]
        socket = "/run/x.sock"
        without_device = "admit"
        [relay]
        listen = "[::]:3389"
        host = "127.0.0.1:3390"
        host_security = "nla"
        certificate = "/c.pem"
        key = "/k.pem"
        store_licenses = false
        """,
    )
    assert (config.agent.socket, config.agent.admit_without_device) == (Path("/run/x.sock"), True)
    assert config.relay == RelayConfig(
        listen=("::", 3389),
        host_security="nla",
        certificate=Path("/c.pem"),
        key=Path("/k.pem"),
        store_licenses=False,
    )


@pytest.mark.parametrize(("text", "field"), [
    ("grace_day = 5", "grace_day"),
    ("grace_days = -1", "grace_days"),
    ("grace_days = true", "grace_days"),
    ("grace_days = 1.5", "grace_days"),
    ("deadline_seconds = 0", "deadline_seconds"),
    ("deadline_seconds = 90", "deadline_seconds"),
    ('deadline_seconds = "2"', "deadline_seconds"),
    ('on_trouble = "maybe"', "on_trouble"),
    ("on_trouble = []", "on_trouble"),
    ('exempt_users = "root"', "exempt_users"),
    ("exempt_users = [1]", "exempt_users"),
    ('state_dir = "relative"', "state_dir"),
    ("agent = 5", "agent"),
    ('[agent]\nsocket = "relative"', "agent.socket"),
    ("[agent]\nheartbeat_seconds = 0", "agent.heartbeat_seconds"),
    ("[agent]\nport = 5", "agent.port"),
    ("relay = 5", "relay"),
    ('[relay]\nlisten = "3389"', "relay.listen"),
    ('[relay]\nlisten = "0.0.0.0:70000"', "relay.listen"),
    ('[relay]\nhost_security = "none"', "relay.host_security"),
    ('[relay]\nhost_security = "nla"', "relay.key"),
    ('[relay]\ncertificate = "/c.pem"', "relay.key"),
    ("[relay]\nstore_licenses = 1", "relay.store_licenses"),
    ("server = 5", "server"),
    ("server = [5]", "server[0]"),
    ("[[server]]", "server[0].url"),
    ("[[server]]\nurl = 5", "server[0].url"),
    ('[[server]]\nurl = ""', "server[0].url"),
    ('[[server]]\nurl = "ftp://x"', "server[0].url"),
    ('[[server]]\nurl = "https://x/path"', "server[0].url"),
    ('[[server]]\nurl = "https://x:port"', "server[0].url"),
    ('[[server]]\nurl = "http://ls1.example"', "server[0].url"),
    ('[[server]]\nurl = "https://x"\nfingerprint = "abc"', "server[0].url"),
    ('[[server]]\nurl = "https://x"\ntoken = "secret"', "server[0].token"),
])  # fmt: skip
def test_a_wrong_setting_is_named(tmp_path, text, field):
    with pytest.raises(LicensingError) as caught:
        load(tmp_path, text)
    assert caught.value.problem is Problem.MALFORMED
    assert caught.value.field == field
    assert "host.toml" in caught.value.detail


def test_a_file_that_is_missing_or_no_toml_is_said(tmp_path):
    with pytest.raises(LicensingError, match="names this host's license servers"):
        load_host_config(tmp_path / "none.toml")
    with pytest.raises(LicensingError, match="cannot be read"):
        load(tmp_path, "= 5")


def test_a_token_is_read_without_its_line_end(tmp_path):
    path = tmp_path / "token"
    path.write_text("secret\n")
    path.chmod(0o600)
    assert read_token(path) == "secret"
    assert read_token(None) is None


@pytest.mark.parametrize("content", ["", "\n", "two words", "a\nb", "ä"])
def test_a_file_without_a_token_is_said(tmp_path, content):
    path = tmp_path / "token"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(LicensingError, match="holds no token"):
        read_token(path)


def test_a_token_that_others_can_read_is_not_used(tmp_path):
    path = tmp_path / "token"
    path.write_text("secret")
    path.chmod(0o640)
    with pytest.raises(LicensingError, match="chmod 600"):
        read_token(path)


def test_a_token_file_that_is_missing_is_said(tmp_path):
    with pytest.raises(LicensingError, match="cannot be read"):
        read_token(tmp_path / "none")
