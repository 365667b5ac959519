"""Tests of pictures that a page holds."""

import struct
import sys
import zlib
from base64 import b64decode
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sklearn_gcncluster.report._pictures import embedded_pictures


def opened(address):
    """The picture at a ``data:`` address."""
    head, data = address.split(",")
    image = Image.open(BytesIO(b64decode(data)))
    assert head == f"data:image/{image.format.lower()};base64"
    return image


def embedded(picture, size=128):
    """One picture, as the page holds it."""
    return opened(embedded_pictures([picture], np.array([0]), 1, size)[0])


GREY = np.array([[0, 255], [128, 64]], dtype=np.uint8)


@pytest.mark.parametrize(
    "picture",
    [GREY, GREY / 255, (GREY / 255).astype(np.float32), GREY.astype(int), GREY[:, :, None], GREY.tolist()],
    ids=["bytes", "float64", "float32", "integers", "one channel", "lists"],
)
def test_arrays(picture):
    """Whatever the type, small pictures come out as they were."""
    image = embedded(picture)
    assert image.mode == "L"
    np.testing.assert_array_equal(np.asarray(image), GREY)


def test_colours_and_transparency():
    """Three channels are colours, and a fourth is kept."""
    for n_channels, mode in ((3, "RGB"), (4, "RGBA")):
        picture = np.random.default_rng(0).integers(0, 256, (5, 7, n_channels), dtype=np.uint8)
        image = embedded(picture)
        assert image.mode == mode
        np.testing.assert_array_equal(np.asarray(image), picture)
    assert np.asarray(embedded(np.eye(3) > 0)).max() == 255


@pytest.mark.parametrize("kind", ["jpg", "png", "gif", "webp", "tif"])
def test_files(tmp_path, kind):
    """Files are made smaller, and keep their proportions."""
    path = tmp_path / f"wide.{kind}"
    Image.new("RGB", (400, 200), "red").save(path)
    for given in (path, str(path)):
        image = embedded(given, size=100)
        assert image.size == (100, 50)
        red, green, blue = image.convert("RGB").getpixel((50, 25))
        assert red > 240
        assert max(green, blue) < 20


def test_photographs_are_upright(tmp_path):
    """A camera that was held upright says so in a note."""
    path = tmp_path / "upright.jpg"
    notes = Image.Exif()
    notes[0x0112] = 6
    Image.new("RGB", (300, 200)).save(path, exif=notes)
    assert embedded(path, size=90).size == (60, 90)


def test_images_of_pillow_stay_as_they_are():
    """They are copied before they are made smaller."""
    image = Image.new("L", (300, 300))
    assert embedded(image, size=70).size == (70, 70)
    assert image.size == (300, 300)


def test_room():
    """The first rows that have a picture get the room; a function is asked for no more than that."""
    asked = []

    def picture(row):
        asked.append(row)
        return None if row % 2 else GREY

    size = len(embedded_pictures([GREY], np.array([0]), 1, 128)[0])
    pictures = embedded_pictures(picture, np.arange(9, -1, -1), 3.5 * size / 1e6, 128)
    assert list(pictures) == [8, 6, 4]
    assert asked == [9, 8, 7, 6, 5, 4, 3, 2]
    assert embedded_pictures(picture, np.arange(3), 0, 128) == {}


def test_files_that_cannot_be_read(tmp_path):
    """One bad file among thousands spoils nothing, but is told of."""
    (tmp_path / "text.jpg").write_text("no picture")
    (tmp_path / "size.ppm").write_bytes(b"P6\n6x 60\n255\n" + bytes(99))
    header = b"IHDR" + b"\0\0\0\1\0"
    chunk = struct.pack(">I", 5) + header + struct.pack(">I", zlib.crc32(header))
    (tmp_path / "cut.png").write_bytes(b"\x89PNG\r\n\x1a\n" + chunk)
    Image.new("L", (9, 9)).save(tmp_path / "good.png")
    paths = [tmp_path / name for name in ("text.jpg", "missing.png", "size.ppm", "cut.png", "good.png")]
    with pytest.warns(UserWarning, match=r"4 pictures cannot be read.*text\.jpg"):
        pictures = embedded_pictures(paths, np.arange(5), 1, 128)
    assert list(pictures) == [4]


@pytest.mark.parametrize("kind", ["png of 16 bits", "tif of floats", "tif of 32 bits"])
def test_more_than_eight_bits(tmp_path, kind):
    """Pictures of microscopes and of depth come out from black to white."""
    ramp = np.linspace(0, 1, 40 * 40).reshape(40, 40)
    path = tmp_path / f"ramp.{kind[:3]}"
    values = {
        "png of 16 bits": (60_000 * ramp).astype(np.uint16),
        "tif of floats": ramp.astype(np.float32),
        "tif of 32 bits": (1e6 * ramp).astype(np.int32),
    }[kind]
    Image.fromarray(values).save(path)
    np.testing.assert_allclose(np.asarray(embedded(path)), 255 * ramp, atol=1)


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (np.zeros(4), r"picture of row 0 has shape \(4,\); give \(height, width\)"),
        (np.zeros((2, 2, 5)), r"has shape \(2, 2, 5\)"),
        (np.zeros((0, 2)), r"has shape \(0, 2\)"),
        (np.array([["a"]]), "must hold numbers, got str"),
        (
            np.array([[0.0, 2.0]]),
            "has values from 0.0 to 2.0; give integers from 0 to 255, or floats from 0 to 1",
        ),
        (np.array([[0, 256]]), "has values from 0 to 256"),
        (np.array([[-1, 5]]), "has values from -1 to 5"),
        (np.array([[np.nan]]), "has values from nan"),
    ],
)
def test_errors(picture, message):
    """Say which row, and what is right."""
    with pytest.raises(ValueError, match=message):
        embedded(picture)


def test_without_pillow(monkeypatch):
    """The error tells how to get it."""
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ImportError, match=r"needs Pillow.*pip install sklearn-gcncluster\[report\]"):
        embedded_pictures([Path("a.png")], np.array([0]), 1, 128)
