"""Does all of it work without any network: by files that are carried, and by QR codes that are read back from their pictures?"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.command_line import calward
from tests.support.estate import Estate, an_estate

Carry = Callable[[Path], Path]


@pytest.fixture
def estate(tmp_path: Path) -> Iterator[Estate]:
    with an_estate(tmp_path) as made:
        made.serve("old", "2019")
        made.serve("new", "2022")
        yield made


def by_file(path: Path) -> Path:
    return path


def by_qr(path: Path) -> Path:
    """Draw the file as pictures, and read them back into another file."""
    picture = path.with_suffix(".png")
    drawn = calward("qr", "show", str(path), "-o", str(picture), "--json")
    assert drawn.code == 0, drawn
    read = path.with_suffix(".read")
    back = calward("qr", "read", *drawn.json["files"], "-o", str(read))
    assert back.code == 0, back
    return read


class Courier:
    """Carries what a license server asks to the clearinghouse and the answer back."""

    def __init__(self, estate: Estate, carry: Carry) -> None:
        self.estate, self.carry, self.journeys = estate, carry, 0

    def ask(self, server: str, *command: str) -> str:
        self.journeys += 1
        request, answer = (self.estate.folder / f"{what}-{self.journeys}" for what in ("request", "answer"))
        made = self.estate.at(server, *command, "--request-file", str(request))
        assert made.code == 0, made
        answered = self.estate.desk("answer", str(self.carry(request)), "-o", str(answer))
        assert answered.code == 0, answered
        taken = self.estate.at(server, "server", "take", str(self.carry(answer)))
        assert taken.code == 0, taken
        return taken.out


@pytest.mark.parametrize("carry", [by_file, by_qr])
def test_activation_install_and_move_need_no_network(estate: Estate, carry: Carry) -> None:
    courier = Courier(estate, carry)
    for name in ("old", "new"):
        assert "the right to issue is in force" in courier.ask(name, "server", "activate")
    numbers = estate.buy("retail", "2019", 4)
    offer = courier.ask("old", "pack", "install", "--program", "retail", *numbers, "--preview")
    assert "would install 4 CALs 2019/per-user" in offer
    installed = courier.ask("old", "pack", "install", "--program", "retail", *numbers)
    (pack,) = estate.packs("old")
    assert f"installed key pack {pack}" in installed
    way = ("--from", estate.id_of("old"), "--pack", pack, "--proof", numbers[0])
    courier.ask("new", "pack", "move", *way)
    assert "released key pack" in courier.ask("old", "server", "contact")  # The order comes back with it.
    assert "has moved away" in courier.ask("old", "server", "contact")  # The release goes along.
    assert f"installed key pack {pack}" in courier.ask("new", "server", "contact")
    assert (estate.packs("old"), list(estate.packs("new"))) == ({}, [pack])
    assert estate.desk("audit", "verify").code == 0


def test_files_that_come_twice_cut_or_to_the_wrong_server_change_nothing(estate: Estate) -> None:
    courier = Courier(estate, by_file)
    for name in ("old", "new"):
        courier.ask(name, "server", "activate")
    courier.ask("old", "pack", "install", "--program", "retail", *estate.buy("retail", "2019", 4))
    answer = estate.folder / f"answer-{courier.journeys}"
    packs = estate.packs("old")
    again = estate.at("old", "server", "take", str(answer))
    assert estate.packs("old") == packs, again
    strange = estate.at("new", "server", "take", str(answer))
    assert (strange.code, estate.packs("new")) == (4, {})
    assert "for-another-server" in strange.err
    content = answer.read_bytes()
    cut = estate.folder / "cut"
    cut.write_bytes(content[: len(content) // 2])
    refused = estate.at("old", "server", "take", str(cut))
    assert refused.code != 0
    request = estate.folder / f"request-{courier.journeys}"
    mixed_up = estate.at("old", "server", "take", str(request))
    assert (mixed_up.code, "wrong-payload-type" in mixed_up.err) == (4, True)
    assert estate.packs("old") == packs


def test_a_request_is_the_same_file_until_its_answer_was_taken(estate: Estate) -> None:
    courier = Courier(estate, by_file)
    courier.ask("old", "server", "activate")
    numbers = estate.buy("retail", "2019", 4)
    one, two = estate.folder / "one", estate.folder / "two"
    for path in (one, two):
        estate.at("old", "pack", "install", "--program", "retail", *numbers, "--request-file", str(path))
    assert one.read_bytes() == two.read_bytes()
