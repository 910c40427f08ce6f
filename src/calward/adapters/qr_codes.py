"""How do signed files become pictures of QR codes, and pictures signed files again?

Only what a person at this machine hands in is ever decoded: no picture comes from the network.
"""

import io
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Final

import segno
import zxingcpp
from PIL import Image, UnidentifiedImageError

from calward.domain.carried import cut, put_together
from calward.domain.envelope import fingerprint
from calward.domain.errors import LicensingError, Problem

__all__ = ["draw_page", "draw_pictures", "draw_terminal", "read_pictures"]

_MAX_PIXELS: Final = 80_000_000
"""More than any camera or scanner gives; a picture that unfolds to more is refused before it is unfolded."""
_OURS: Final = "CALWARD:"
_STYLE: Final = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#182433;background:#fff}"
    "figure{display:inline-block;margin:1rem;break-inside:avoid;text-align:center}"
    "svg{width:min(18rem,80vw);height:auto;display:block}code{font-size:1.1em;letter-spacing:.05em}"
)
_FITS: Final = '<meta name="viewport" content="width=device-width">'


def draw_page(content: bytes, title: str) -> str:
    """A page that prints well and needs nothing else: all codes of a file, numbered, and its fingerprint to compare."""
    codes = _codes(content)
    figures = "".join(
        f"<figure>{code.svg_inline(omitsize=True, border=4)}<figcaption>{n} of {len(codes)}</figcaption></figure>"
        for n, code in enumerate(codes, 1)
    )
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8">{_FITS}<title>{escape(title)}</title><style>{_STYLE}</style>'
        f"<main><h1>{escape(title)}</h1><p>Fingerprint, to compare with the other side: <code>{fingerprint(content)}</code></p>"
        f"<p>Photograph all {len(codes)} codes, in any order, and read the pictures with <code>calward qr read</code>.</p>"
        f"{figures}</main></html>\n"
    )


def draw_pictures(content: bytes) -> list[bytes]:
    """Each code of a file as a PNG."""
    pictures = []
    for code in _codes(content):
        drawn = io.BytesIO()
        code.save(drawn, kind="png", scale=6, border=4)
        pictures.append(drawn.getvalue())
    return pictures


def draw_terminal(content: bytes) -> str:
    """The codes as text for a terminal, one below the other."""
    drawn = io.StringIO()
    codes = _codes(content)
    for n, code in enumerate(codes, 1):
        drawn.write(f"{n} of {len(codes)}\n")
        code.terminal(out=drawn, border=2, compact=True)
    return drawn.getvalue()


def read_pictures(paths: Sequence[Path]) -> bytes:
    """The file whose codes stand in these pictures; raises LicensingError: NOT_FOUND, MALFORMED."""
    return put_together(text for path in paths for text in _read(path))


def _codes(content: bytes) -> list[segno.QRCode]:
    # Level M lets a seventh of the code be unreadable: a crease, a reflection.
    return [segno.make(text, error="m", micro=False, boost_error=False) for text in cut(content)]


def _read(path: Path) -> list[str]:
    try:
        with Image.open(path) as picture:
            if picture.width * picture.height > _MAX_PIXELS:
                raise LicensingError(
                    Problem.MALFORMED, f"{str(path)!a} has more than {_MAX_PIXELS} pixels: make it smaller"
                )
            found = zxingcpp.read_barcodes(
                picture.convert("L"), formats=zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCode])
            )
    except FileNotFoundError:
        raise LicensingError(Problem.NOT_FOUND, f"there is no picture {str(path)!a}") from None
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as error:
        raise LicensingError(Problem.MALFORMED, f"{str(path)!a} is no picture that can be read: {error}") from None
    ours = [one.text for one in found if one.text.startswith(_OURS)]
    if not ours:
        detail = f"no code of Calward was found in {str(path)!a}: photograph it sharp, straight and whole"
        raise LicensingError(Problem.MALFORMED, detail)
    return ours
