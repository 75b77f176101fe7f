"""An SVG made lighter: the same picture, to a hundredth of a point, and the same words."""

import base64
import re
from io import BytesIO
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image
from twolevel.figures.lighter import lighter
from twolevel.figures.style import points, style

HOSTILE = 'x="1.23456" d="M 1.23456 2 \n L 3 4" translate(1.23456 2) <path d="M 1.23456 2">'
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def both() -> tuple[str, str]:
    """A curve, two thousand points, a title that looks like code: as matplotlib writes it, and lighter."""
    with style():
        figure = Figure(figsize=(4, 3))
        axes = figure.subplots()
        x = np.linspace(0, 7, 2001)
        points(axes, x, np.random.default_rng(1).standard_normal(2001))
        axes.collections[0].set_rasterized(True)
        axes.plot(x[:90], np.sin(x[:90]))
        buffer = BytesIO()
        figure.savefig(buffer, format="svg", metadata={"Title": HOSTILE, "Date": None})
    svg = buffer.getvalue().decode("utf-8")
    return svg, lighter(svg)


def attributes(svg: str, name: str) -> list[str]:
    return [element.attrib[name] for element in ElementTree.fromstring(svg).iter() if name in element.attrib]


def test_every_coordinate_is_there_to_a_hundredth_of_a_point(both) -> None:
    for name in ("d", "x", "y", "transform", "width", "height"):
        before, after = (attributes(svg, name) for svg in both)
        assert len(before) == len(after)
        for old, new in zip(before, after, strict=True):
            assert re.findall("[A-Za-z]", old) == re.findall("[A-Za-z]", new)
            numbers = [[float(n) for n in re.findall(r"-?[\d.]+", text)] for text in (old, new)]
            np.testing.assert_allclose(*numbers, rtol=0, atol=0.005 + 1e-9)  # half of the last decimal kept
            scale = re.findall(r"scale\([^)]*\)", old)
            assert scale == re.findall(r"scale\([^)]*\)", new)  # a factor is kept as it is


def test_points_keep_their_shade_and_words_their_letters(both) -> None:
    pictures = []
    for svg in both:
        (data,) = re.findall(r"data:image/png;base64,\s*([^\"]+)", svg)
        pictures.append(np.asarray(Image.open(BytesIO(base64.b64decode(data))).convert("RGBA"), dtype=int))
    before, after = pictures
    assert np.abs(before[..., 3] - after[..., 3]).max() <= 32  # of 255, in a few pixels: 64 shades are enough
    assert np.abs(before[..., 3] - after[..., 3]).mean() < 3
    assert after[..., :3][after[..., 3] > 0].max() <= 8  # black
    titles = [ElementTree.fromstring(svg).find(f"{SVG}title").text.split() for svg in both]
    assert titles[0] == titles[1] == HOSTILE.split()


def test_it_is_lighter(both) -> None:
    before, after = map(len, both)
    assert after < 0.75 * before
