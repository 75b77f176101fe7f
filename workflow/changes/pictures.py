"""Which figures of two runs differ, by what a person would see of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from PIL import Image

WIDTH = 400
# Of 255 shades of grey; lines that are drawn beside where they were are darker or lighter by more than this.
VISIBLE = 40


@dataclass(frozen=True)
class Picture:
    """A figure that differs, small, as PNG files; None where the run does not have it."""

    name: str
    before: bytes | None
    after: bytes | None


def thumbnail(png: bytes) -> bytes:
    """A figure as a small picture of few colours; the same figure gives the same bytes."""
    image = Image.open(BytesIO(png)).convert("RGB")
    if image.width > WIDTH:
        image = image.resize((WIDTH, round(image.height * WIDTH / image.width)), Image.Resampling.BOX)
    stream = BytesIO()
    image.quantize(16, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(stream, "PNG", optimize=True)
    return stream.getvalue()


def other_pictures(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> list[Picture]:
    """The figures that differ visibly, or that one run alone has; from thumbnails by name."""
    return [
        Picture(name, before.get(name), after.get(name))
        for name in {**before, **after}
        if not (name in before and name in after and _look_alike(before[name], after[name]))
    ]


def _look_alike(one: bytes, other: bytes) -> bool:
    if one == other:
        return True
    greys = [np.asarray(Image.open(BytesIO(png)).convert("L"), dtype=int) for png in (one, other)]
    return greys[0].shape == greys[1].shape and int(np.abs(greys[1] - greys[0]).max()) <= VISIBLE
