"""Is the license server found where it is?"""

import socket

import pytest

from calward.adapters.network.server_address import DEV_FOLDER, find_server, usual_sockets
from calward.domain.errors import LicensingError, Problem


def listen(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))


def test_what_is_asked_for_wins_over_the_environment():
    assert find_server("https://a", {"CALWARD_SERVER": "https://b"}, None) == "https://a"
    assert find_server("", {"CALWARD_SERVER": "https://b"}, None) == "", "an empty one is wrong, and no other is meant"
    assert find_server(None, {"CALWARD_SERVER": "https://b"}, None) == "https://b"


def test_the_usual_sockets_have_an_order(tmp_path):
    found = usual_sockets({"CALWARD_DATA_DIR": "/d", "XDG_RUNTIME_DIR": "/x"}, tmp_path)
    names = [
        "/run/calward/calward.sock",
        "/d/calward.sock",
        "/x/calward.sock",
        str(tmp_path / DEV_FOLDER / "calward.sock"),
    ]
    assert [str(path) for path in found] == names
    assert str(usual_sockets({"CALWARD_SOCKET": "/s/own.sock"}, tmp_path)[0]) == "/s/own.sock"
    assert str(usual_sockets({"CALWARD_SOCKET": "none"}, tmp_path)[1]) == "/var/lib/calward/calward.sock"


def test_the_first_socket_that_is_there_is_taken_and_a_file_is_none(tmp_path):
    data, runtime = tmp_path / "data", tmp_path / "runtime"
    data.mkdir()
    (data / "calward.sock").write_text("no socket")
    dev = tmp_path / DEV_FOLDER / "license-server" / "calward.sock"
    listen(dev)
    environment = {"CALWARD_DATA_DIR": str(data), "XDG_RUNTIME_DIR": str(runtime)}
    assert find_server(None, environment, tmp_path) == f"unix:{dev}"
    listen(runtime / "calward.sock")
    assert find_server(None, environment, tmp_path) == f"unix:{runtime / 'calward.sock'}"


def test_where_none_is_every_place_is_named(tmp_path):
    with pytest.raises(LicensingError, match=r"no socket at /run/calward/calward\.sock, ") as raised:
        find_server(None, {"CALWARD_DATA_DIR": str(tmp_path)}, tmp_path)
    assert raised.value.problem is Problem.UNREACHABLE
