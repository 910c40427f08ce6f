"""The clearinghouse's commands."""

import json
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from calward.domain.operators import Operator, OperatorRole
from calward.entrypoints.cli.clearinghouse.output import EXIT_REFUSED
from calward.entrypoints.cli.clearinghouse.root import clearinghouse
from tests.support.clearinghouses import ClearinghouseWiring
from tests.support.signed import OTHER_SERVER_ID, SERVER_ID, a_request, sealed


@pytest.fixture
def request_file(tmp_path: Path) -> Path:
    path = tmp_path / "request.json"
    path.write_bytes(sealed(a_request()) + b"\n")
    return path


def run(wiring: ClearinghouseWiring, *args: object) -> Result:
    return CliRunner().invoke(clearinghouse, [str(one) for one in args], obj=wiring)


def good(wiring: ClearinghouseWiring, *args: object) -> Any:
    result = run(wiring, *args, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


SALE = ("--server", SERVER_ID, "--version", "2022", "--type", "per-user", "--total", 5)


def test_from_nothing_to_a_pack_in_three_commands(
    wiring: ClearinghouseWiring, folder: Path, request_file: Path, tmp_path: Path
) -> None:
    made = good(wiring, "init", folder, "--name", "Example CALs")
    assert len(made["root_key"]) == 64
    activation, pack = tmp_path / "activation.json", tmp_path / "pack.json"
    said = good(wiring, "activate", request_file, "--dir", folder, "-o", activation)
    assert said["statement"]["issue_until"] == "2026-08-28T08:00:00Z"
    assert activation.read_text() == said["envelope"] + "\n"
    sold = good(wiring, "sign", "--dir", folder, *SALE, "-o", pack, "--order", "A-1")
    assert (sold["order"], sold["statement"]["total"]) == ("A-1", 5)
    assert json.loads(pack.read_text())["payloadType"] == "application/vnd.calward.key-pack+json"
    shown = good(wiring, "show", "--dir", folder)
    assert [one["server_id"] for one in shown["servers"]] == [SERVER_ID]
    assert [one["version"] for one in shown["packs"]] == ["2022"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["activation.json", "ch", "pack.json", "request.json"]


@pytest.mark.parametrize(
    ("options", "until"),
    [
        (["--until", "2027-01-31"], "2027-01-31T23:59:59Z"),
        (["--until", "2027-01-31T08:00:00Z"], "2027-01-31T08:00:00Z"),
        (["--perpetual"], None),
    ],
)
def test_the_end_of_the_right_can_be_said(
    wiring: ClearinghouseWiring, folder: Path, request_file: Path, options: list[str], until: str | None
) -> None:
    good(wiring, "init", folder)
    said = good(wiring, "activate", request_file, "--dir", folder, *options)
    assert said["statement"]["issue_until"] == until
    assert said["file"] is None


def test_without_a_file_the_envelope_itself_comes_out(
    wiring: ClearinghouseWiring, folder: Path, request_file: Path
) -> None:
    good(wiring, "init", folder)
    result = run(wiring, "activate", request_file, "--dir", folder)
    assert json.loads(result.stdout)["payloadType"] == "application/vnd.calward.activation+json"
    assert list(json.loads(result.stdout)) == ["payload", "payloadType", "signatures"]


def test_a_refused_request_says_why_and_ends_with_its_own_code(
    wiring: ClearinghouseWiring, folder: Path, request_file: Path, tmp_path: Path
) -> None:
    good(wiring, "init", folder)
    request_file.write_bytes(request_file.read_bytes()[:-5])
    result = run(wiring, "activate", request_file, "--dir", folder, "--json", "-o", tmp_path / "out")
    assert result.exit_code == EXIT_REFUSED
    assert json.loads(result.stdout)["reason"] == "malformed"
    assert not (tmp_path / "out").exists()
    result = run(wiring, "activate", request_file, "--dir", folder)
    assert result.exit_code == EXIT_REFUSED
    assert "not accepted (malformed)" in result.stderr


def test_a_day_that_is_none_is_a_usage_error(wiring: ClearinghouseWiring, folder: Path, request_file: Path) -> None:
    result = run(wiring, "activate", request_file, "--dir", folder, "--until", "soon")
    assert result.exit_code == 2
    assert "2027-01-31" in result.stderr


def test_a_pack_without_an_order_gets_one(wiring: ClearinghouseWiring, folder: Path, request_file: Path) -> None:
    good(wiring, "init", folder)
    good(wiring, "activate", request_file, "--dir", folder)
    first, second = (good(wiring, "sign", "--dir", folder, *SALE)["order"] for _ in range(2))
    assert first != second


def test_a_sale_to_a_stranger_is_an_error_that_helps(wiring: ClearinghouseWiring, folder: Path) -> None:
    good(wiring, "init", folder)
    result = run(wiring, "sign", "--dir", folder, *SALE[2:], "--server", OTHER_SERVER_ID)
    assert "activate it first" in str(result.exception)


def test_an_output_that_cannot_be_written_is_said(
    wiring: ClearinghouseWiring, folder: Path, request_file: Path
) -> None:
    good(wiring, "init", folder)
    result = run(wiring, "activate", request_file, "--dir", folder, "-o", folder / "no folder" / "out")
    assert "cannot be written" in str(result.exception)


def test_an_operator_s_token_is_shown_once(wiring: ClearinghouseWiring, folder: Path) -> None:
    good(wiring, "init", folder)
    token = good(wiring, "operator", "shop", "--dir", folder)["token"]
    assert wiring.open_clearinghouse(folder).operator_of(token) == Operator("shop", OperatorRole.SELLER)


def test_the_next_keyring_is_published(wiring: ClearinghouseWiring, folder: Path) -> None:
    good(wiring, "init", folder)
    said = good(wiring, "publish", "--dir", folder, "--name", "New name")
    assert (said["statement"]["version"], said["statement"]["clearinghouse"]) == (2, "New name")


def test_show_speaks_to_people_too(wiring: ClearinghouseWiring, folder: Path, request_file: Path) -> None:
    assert "root key" in run(wiring, "init", folder).stdout
    run(wiring, "activate", request_file, "--dir", folder)
    run(wiring, "sign", "--dir", folder, *SALE)
    shown = run(wiring, "show", "--dir", folder).stdout
    assert "5 x 2022/per-user" in shown
    assert "LS1 · Zürich" in shown


def test_serve_opens_the_folder_and_says_where_it_listens(wiring: ClearinghouseWiring, folder: Path) -> None:
    good(wiring, "init", folder)
    assert good(wiring, "serve", "--dir", folder, "--port", 1234) == {"url": "http://127.0.0.1:1234"}
    assert [served[1:] for served in wiring.served] == [("127.0.0.1", 1234)]


def test_the_folder_may_come_from_the_environment(wiring: ClearinghouseWiring, folder: Path) -> None:
    good(wiring, "init", folder)
    found = CliRunner(env={"CALWARD_CLEARINGHOUSE_DIR": str(folder)}).invoke(clearinghouse, ["show"], obj=wiring)
    assert found.exit_code == 0


SINGLE = sorted(name for name, command in clearinghouse.commands.items() if not isinstance(command, click.Group))


@pytest.mark.parametrize("name", SINGLE)
def test_every_command_has_help_with_an_example_and_json(wiring: ClearinghouseWiring, name: str) -> None:
    shown = run(wiring, name, "--help").stdout
    assert f"calward clearinghouse {name}" in shown
    assert "--json" in shown
