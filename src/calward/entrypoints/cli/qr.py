"""How are signed files carried to a machine without a network as QR codes? ``calward qr``."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import rich_click as click

from calward.domain.carried import cut
from calward.domain.envelope import fingerprint
from calward.domain.errors import LicensingError, Problem
from calward.entrypoints.cli.common.files import read_small, write_new, write_text
from calward.entrypoints.cli.common.output import print_json, say

__all__ = ["QrWiring", "qr"]


class QrWiring(Protocol):
    """What these commands need of the context object."""

    def draw_qr_page(self, content: bytes, title: str) -> str:
        """A page with all codes."""

    def draw_qr_terminal(self, content: bytes) -> str:
        """The codes as text."""

    def draw_qr_pictures(self, content: bytes) -> list[bytes]:
        """Each code as a PNG."""

    def read_qr_pictures(self, paths: Sequence[Path]) -> bytes:
        """The file whose codes stand in the pictures."""


@click.group()
def qr() -> None:
    """Carry signed files as QR codes, where no cable and no stick may go, and read them back from pictures.

    \b
    Examples:
      calward qr show request.calward -o request.html
      calward qr read photo1.jpg photo2.jpg -o answer.calward
    """  # noqa: D301 -- click wants the character itself, which keeps the lines below it apart


_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@qr.command()
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path, allow_dash=True))
@click.option(
    "-o",
    "--output",
    metavar="OUT",
    type=click.Path(path_type=Path),
    help="A page to print (.html), or a picture (.png, numbered where there are several); without it, the terminal.",
)
@_json
@click.pass_obj
def show(wiring: QrWiring, file: Path, output: Path | None, *, as_json: bool) -> None:
    """Show a signed file as QR codes.

    \b
    Examples:
      calward qr show request.calward
      calward qr show request.calward -o request.html
      calward qr show request.calward -o request.png
    """  # noqa: D301
    content = read_small(file)
    if output is None and as_json:
        print_json({"codes": cut(content), "fingerprint": fingerprint(content)})
    elif output is None:
        click.echo(wiring.draw_qr_terminal(content), nl=False)
    else:
        written = _write(wiring, content, file.name, output)
        if as_json:
            print_json({"files": [str(path) for path in written], "fingerprint": fingerprint(content)})
        for path in () if as_json else written:
            say(f"written: {path}")


@qr.command()
@click.argument("pictures", metavar="PICTURE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", metavar="FILE", default="-", show_default=True, type=click.Path(path_type=Path, allow_dash=True)
)
@_json
@click.pass_obj
def read(wiring: QrWiring, pictures: tuple[Path, ...], output: Path, *, as_json: bool) -> None:
    """Read a signed file back from pictures of its codes, in any order; one picture may hold several codes.

    \b
    Example:
      calward qr read photo1.jpg photo2.jpg -o answer.calward
    """  # noqa: D301
    content = wiring.read_qr_pictures(pictures)
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise LicensingError(Problem.MALFORMED, "the codes hold no signed file: it is no text") from None
    if as_json:
        print_json({"content": text, "fingerprint": fingerprint(content)})
    if not as_json or str(output) != "-":
        write_text(output, text)


def _write(wiring: QrWiring, content: bytes, title: str, output: Path) -> list[Path]:
    if output.suffix.lower() != ".png":
        write_text(output, wiring.draw_qr_page(content, title))
        return [output]
    pictures = wiring.draw_qr_pictures(content)
    alone = len(pictures) == 1
    paths = [output if alone else output.with_stem(f"{output.stem}-{n}") for n in range(1, len(pictures) + 1)]
    for path, picture in zip(paths, pictures, strict=True):
        write_new(path, picture)
    return paths
