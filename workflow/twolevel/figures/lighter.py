"""Make an SVG smaller without a visible change: shorter numbers, paths on one line, fewer shades in its images."""

import base64
import re
from io import BytesIO

from PIL import Image

_DECIMALS = 2  # of a point, of which a hundredth is a fiftieth of the finest screen's pixel
_SHADES = 64

_IMAGE = re.compile(r"(data:image/png;base64,)\s*([^\"]+)")
_INDENT = re.compile(r"\n\s*")
_TAG = re.compile(r"<(?:path|use|g|image|rect|clipPath)\b[^>]*>")  # and no text, which may look like code
_PATH = re.compile(r'(?<=\bd=")[^"]*')
_PLACE = re.compile(r'\b(?:x|y|width|height)="[-\d.]+"|translate\([^)]*\)')
_NUMBER = re.compile(r"-?\d+\.\d+")
_AFTER_LETTER = re.compile(r"(?<=[A-Za-z])\s+|\s+(?=[A-Za-z])")


def lighter(svg: str) -> str:
    """The same picture in about two thirds of the bytes.

    Parameters
    ----------
    svg : as matplotlib writes it: coordinates to six decimals, an image of points in full colour.
    """
    svg = _IMAGE.sub(lambda found: found[1] + _fewer_shades(found[2]), svg)
    return _TAG.sub(lambda found: _shorter_tag(found[0]), _INDENT.sub("\n", svg))


def _shorter_tag(tag: str) -> str:
    tag = _PATH.sub(lambda found: _AFTER_LETTER.sub("", _shorter(" ".join(found[0].split()))), tag)
    return _PLACE.sub(lambda found: _shorter(found[0]), tag)


def _shorter(text: str) -> str:
    """Its numbers rounded, without zeros at their end."""
    return _NUMBER.sub(lambda found: f"{float(found[0]):.{_DECIMALS}f}".rstrip("0").rstrip("."), text)


def _fewer_shades(encoded: str) -> str:
    """An image reduced to a palette: its few colours differ most in shade, where points overlap."""
    buffer = BytesIO()
    with Image.open(BytesIO(base64.b64decode(encoded))) as image:
        image.quantize(_SHADES, method=Image.Quantize.FASTOCTREE).save(buffer, "png", optimize=True)
    return base64.b64encode(buffer.getvalue()).decode("ascii")
