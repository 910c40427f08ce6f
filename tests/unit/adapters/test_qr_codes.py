"""QR codes: what was drawn is read back from the pictures, also turned, small and noisy ones."""

import io
import random
from pathlib import Path

import pytest
from PIL import Image

from calward.adapters.qr_codes import draw_page, draw_pictures, draw_terminal, read_pictures
from calward.domain.envelope import fingerprint
from calward.domain.errors import LicensingError, Problem

CONTENT = b'{"payload":"' + b"QUJD" * 400 + b'"}\n'


def saved(folder: Path, pictures: list[bytes]) -> list[Path]:
    paths = [folder / f"{n}.png" for n in range(len(pictures))]
    for path, picture in zip(paths, pictures, strict=True):
        path.write_bytes(picture)
    return paths


def test_a_file_comes_back_from_its_pictures_in_any_order(tmp_path: Path) -> None:
    paths = saved(tmp_path, draw_pictures(CONTENT))
    assert len(paths) == 3
    assert read_pictures(paths[::-1]) == CONTENT


def test_one_photograph_may_hold_all_codes_askew_and_noisy(tmp_path: Path) -> None:
    codes = [Image.open(io.BytesIO(one)).convert("L") for one in draw_pictures(CONTENT)]
    sheet = Image.new("L", (sum(one.width for one in codes), max(one.height for one in codes)), 255)
    for n, one in enumerate(codes):
        sheet.paste(one, (sum(before.width for before in codes[:n]), 0))
    photograph = sheet.rotate(7, expand=True, fillcolor=255).resize((sheet.width // 2, sheet.height // 2))
    chance = random.Random(1)
    for _ in range(2_000):
        at = chance.randrange(photograph.width), chance.randrange(photograph.height)
        photograph.putpixel(at, chance.randrange(256))
    photograph.save(tmp_path / "sheet.jpg", quality=80)
    assert read_pictures([tmp_path / "sheet.jpg"]) == CONTENT


def test_the_page_shows_every_code_and_the_fingerprint() -> None:
    page = draw_page(CONTENT, "<request>")
    assert page.count("<svg") == 3
    assert fingerprint(CONTENT) in page
    assert "&lt;request&gt;" in page
    assert "3 of 3" in page
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")


def test_a_terminal_shows_every_code() -> None:
    assert draw_terminal(CONTENT).count(" of 3\n") == 3


@pytest.mark.parametrize(
    ("content", "problem"),
    [(None, Problem.NOT_FOUND), (b"no picture", Problem.MALFORMED), (b"\x89PNG\r\n\x1a\n", Problem.MALFORMED)],
)
def test_what_is_no_picture_says_so(tmp_path: Path, content: bytes | None, problem: Problem) -> None:
    path = tmp_path / "x.png"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(LicensingError) as caught:
        read_pictures([path])
    assert caught.value.problem is problem


def test_a_picture_without_a_code_says_what_helps(tmp_path: Path) -> None:
    Image.new("L", (200, 200), 255).save(tmp_path / "white.png")
    with pytest.raises(LicensingError, match="photograph it sharp"):
        read_pictures([tmp_path / "white.png"])


def test_a_picture_that_unfolds_to_too_much_is_not_unfolded(tmp_path: Path) -> None:
    Image.new("1", (10_000, 8_100), 1).save(tmp_path / "huge.png")
    with pytest.raises(LicensingError, match="pixels"):
        read_pictures([tmp_path / "huge.png"])
