"""How are signed files carried to a machine without a network as QR codes? ``calward qr``."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import rich_click as click

from calward.entrypoints.cli.files import read_small, write_text
from calward.entrypoints.cli.output import say

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
    """Carry requests and answers as QR codes, where no cable and no stick may go.

    \b
    Examples:
      calward qr show request.calward -o request.html
      calward qr read photo1.jpg photo2.jpg -o answer.calward
    """  # noqa: D301 -- click wants the character itself, which keeps the lines below it apart


@qr.command()
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path, allow_dash=True))
@click.option(
    "-o",
    "--output",
    metavar="OUT",
    type=click.Path(path_type=Path),
    help="A page to print (.html), or a picture (.png, numbered where there are several); without it, the terminal.",
)
@click.pass_obj
def show(wiring: QrWiring, file: Path, output: Path | None) -> None:
    """Show a signed file as QR codes.

    \b
    Examples:
      calward qr show request.calward
      calward qr show request.calward -o request.html
      calward qr show request.calward -o request.png
    """  # noqa: D301
    content = read_small(file)
    if output is None:
        click.echo(wiring.draw_qr_terminal(content), nl=False)
    elif output.suffix.lower() == ".png":
        _write_pictures(wiring.draw_qr_pictures(content), output)
    else:
        write_text(output, wiring.draw_qr_page(content, file.name))
        say(f"written to {output}: open it in a browser, print it or hold it before a camera")


@qr.command()
@click.argument("pictures", metavar="PICTURE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", metavar="FILE", default="-", show_default=True, type=click.Path(path_type=Path, allow_dash=True)
)
@click.pass_obj
def read(wiring: QrWiring, pictures: tuple[Path, ...], output: Path) -> None:
    """Read a signed file back from pictures of its codes, in any order; one picture may hold several codes.

    \b
    Example:
      calward qr read photo1.jpg photo2.jpg -o answer.calward
    """  # noqa: D301
    content = wiring.read_qr_pictures(pictures)
    write_text(output, content.decode())


def _write_pictures(pictures: Sequence[bytes], output: Path) -> None:
    alone = len(pictures) == 1
    for n, picture in enumerate(pictures, 1):
        path = output if alone else output.with_stem(f"{output.stem}-{n}")
        path.write_bytes(picture)
        say(f"written to {path} ({n} of {len(pictures)})")
