"""Do the how-to pages about key packs work as they are written? Against the programs that users start."""

import re
from pathlib import Path

import pytest

from tests.support.estate import an_estate
from tests.support.pages import Player, steps

PAGES = Path(__file__).parents[3] / "docs" / "howto"
ONLINE = ["buy-and-install.md", "move-cals.md", "downgrade-and-upgrade.md"]
BY_HAND = ["air-gap.md", "run-a-clearinghouse.md"]


def vendor(folder: Path, page: Path) -> dict[str, str]:
    """A folder with the file that the page has the reader save, and the variables that it has set."""
    folder.mkdir()
    for content in re.findall(r"^```toml\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
        (folder / "harbor.toml").write_text(content)
    return {
        "CALWARD_CLEARINGHOUSE_PASSPHRASE_FILE": str(folder / "passphrase"),
        "CALWARD_CLEARINGHOUSE_DIR": str(folder / "ch"),
    }


@pytest.mark.slow
@pytest.mark.timeout(300)  # Some thirty programs are started, one after another.
@pytest.mark.parametrize("name", ONLINE + BY_HAND)
def test_a_page_works_as_it_is_written(name: str, tmp_path: Path) -> None:
    found = list(steps(PAGES / name))
    assert len(found) > 5
    with an_estate(tmp_path) as estate:
        desk = {"CALWARD_CLEARINGHOUSE_DIR": str(estate.house)}
        places = {"ch": desk, "vendor": vendor(tmp_path / "vendor", PAGES / name)}
        if name in ONLINE:
            estate.serve_clearinghouse()
        for server in {one.where for one in found} & {"old", "new"}:
            estate.serve(server, "2022" if server == "new" else "2019")
            places[server] = {"CALWARD_SERVER": f"unix:{estate.servers[server].places['socket']}"}
            if name in ONLINE:
                assert estate.at(server, "server", "activate", "--clearinghouse", estate.url).code == 0
        player = Player(tmp_path / "vendor", places)
        for step in found:
            player.play(step)
