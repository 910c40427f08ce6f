"""Do key packs come, move and change online, between real processes that are asked by the command line?"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.estate import Estate, an_estate


@pytest.fixture
def estate(tmp_path: Path) -> Iterator[Estate]:
    with an_estate(tmp_path) as made:
        made.serve_clearinghouse()
        for name, version in (("old", "2022"), ("new", "2025")):
            made.serve(name, version)
            done = made.at(name, "server", "activate", "--clearinghouse", made.url)
            assert done.code == 0, done
        yield made


def test_what_was_bought_is_shown_then_installed_by_its_number(estate: Estate) -> None:
    numbers = estate.buy("open", "2022", 30)
    shown = estate.at("old", "pack", "install", "--program", "open", *numbers, "--quantity", "20", "--preview")
    assert "would install 20 CALs 2022/per-user" in shown.out
    assert "10 would be left" in shown.out
    assert estate.packs("old") == {}
    done = estate.at("old", "pack", "install", "--program", "open", *numbers, "--quantity", "20")
    assert done.code == 0, done
    assert list(estate.packs("old").values()) == ["20 2022/per-user"]
    left = estate.desk("purchase", "list", "--json").json["items"]
    assert [one["left"] for one in left] == [10]


def test_a_pack_moves_and_each_side_sees_what_is_pending(estate: Estate) -> None:
    estate.at("old", "pack", "install", "--program", "retail", *estate.buy())
    (pack,) = estate.packs("old")
    (number,) = estate.desk("purchase", "list", "--json").json["items"][0]["numbers"]
    way = ("--from", estate.id_of("old"), "--pack", pack, "--proof", number)
    ordered = estate.at("new", "pack", "move", *way)
    assert ordered.code == 0, ordered
    assert "the move is ordered" in ordered.out
    assert [one["direction"] for one in estate.at("new", "pack", "moves", "--json").json["items"]] == ["in"]
    assert len(estate.desk("transfers", "--json").json["items"]) == 1
    released = estate.at("old", "server", "contact")
    assert f"released key pack {pack} for new" in released.out
    assert f"key pack {pack} has moved away" in released.out
    arrived = estate.at("new", "server", "contact")
    assert f"installed key pack {pack}" in arrived.out
    assert (estate.packs("old"), list(estate.packs("new"))) == ({}, [pack])
    assert estate.at("new", "pack", "moves", "--json").json["items"] == []
    assert estate.desk("transfers", "--json").json["items"] == []


def test_a_pack_that_is_too_new_is_refused_with_the_ways_out_and_nothing_is_claimed(estate: Estate) -> None:
    refused = estate.at("old", "pack", "install", "--program", "retail", *estate.buy("retail", "2025"))
    assert refused.code == 4
    assert "2025" in refused.err
    assert "downgrade" in refused.err
    assert estate.desk("purchase", "list", "--json").json["items"][0]["left"] == 5


def test_a_server_with_a_new_key_is_activated_once_its_fingerprint_was_compared(estate: Estate) -> None:
    server = estate.servers["old"]
    server.end()
    (estate.folder / "old" / "server.key").unlink()
    server.environment["CALWARD_NEW_KEY"] = "true"
    server.start()
    again = ("server", "activate", "--clearinghouse", estate.url, "--reason", "key-lost")
    refused = estate.at("old", *again)
    assert refused.code == 4, refused
    assert "key-not-confirmed" in refused.err
    (waiting,) = estate.desk("register", "--json").json["keys_to_confirm"]
    assert waiting["fingerprint"] in refused.err
    assert estate.at("old", "server", "show", "--json").json["key_fingerprint"] == waiting["fingerprint"]
    wrong = estate.desk("confirm-key", waiting["server_id"], "AAAA-AAAA-AAAA-AAAA")
    assert wrong.code == 3
    assert estate.desk("confirm-key", waiting["server_id"], waiting["fingerprint"].lower()).code == 0
    done = estate.at("old", *again)
    assert done.code == 0, done
    assert "activated: may issue until" in done.out


def test_a_move_is_given_up_and_may_be_asked_for_again(estate: Estate) -> None:
    numbers = estate.buy()
    estate.at("old", "pack", "install", "--program", "retail", *numbers)
    (pack,) = estate.packs("old")
    order = ("pack", "move", "--from", estate.id_of("old"), "--pack", pack, "--proof", *numbers)
    assert estate.at("new", *order).code == 0
    (pending,) = estate.at("new", "pack", "moves", "--json").json["items"]
    assert "waits for" in estate.at("new", "pack", "moves").out
    assert estate.at("new", "pack", "cancel-move", pending["move"]).code == 0
    assert estate.at("new", "pack", "moves", "--json").json["items"] == []
    assert estate.desk("transfers", "--json").json["items"] == []
    estate.at("old", "server", "contact")
    assert list(estate.packs("old")) == [pack]
    assert estate.at("new", *order).code == 0
    (waiting,) = estate.desk("transfers", "--json").json["items"]
    assert estate.desk("cancel", waiting["transfer_id"]).code == 0
    estate.at("new", "server", "contact")
    assert estate.at("new", "pack", "moves", "--json").json["items"] == []


def test_a_dead_server_s_packs_come_once_its_right_has_run_out(estate: Estate) -> None:
    numbers = estate.buy()
    estate.at("old", "pack", "install", "--program", "retail", *numbers)
    source = estate.id_of("old")
    estate.servers["old"].end()
    way = ("--from", source, "--pack", "all", "--source", "dead", "--reason", "no-longer-working")
    refused = estate.at("new", "pack", "move", *way)
    assert refused.code == 4
    assert estate.at("new", "pack", "move", *way, "--proof", *numbers).code == 0
    (waiting,) = estate.desk("transfers", "--json").json["items"]
    assert waiting["effective_at"] is not None
    assert estate.packs("new") == {}
    assert "right to issue" in estate.at("new", "pack", "moves").out
