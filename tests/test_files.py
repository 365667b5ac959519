"""Tests of files that are written whole or not at all."""

import os

import pytest

from sklearn_gcncluster._files import replacing


def test_takes_the_place(tmp_path):
    """Until the end the old file is there; afterwards the new one, and nothing beside it."""
    path = tmp_path / "result.txt"
    path.write_text("old")
    with replacing(path) as part:
        part.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert os.listdir(tmp_path) == ["result.txt"]


def test_error(tmp_path):
    """After an error nothing has changed."""
    path = tmp_path / "result.txt"
    path.write_text("old")

    def fail():
        with replacing(path) as part:
            part.write_text("half of the n")
            raise RuntimeError("no room left")

    with pytest.raises(RuntimeError, match="no room left"):
        fail()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["result.txt"]


def test_link_and_permissions(tmp_path):
    """A link stays a link, and the file has the permissions of any new file."""
    real, link, other = tmp_path / "real.txt", tmp_path / "link.txt", tmp_path / "other.txt"
    real.write_text("old")
    other.write_text("")
    link.symlink_to(real)
    with replacing(link) as part:
        part.write_text("new")
    assert link.is_symlink()
    assert real.read_text() == "new"
    assert real.stat().st_mode == other.stat().st_mode


def test_long_name(tmp_path):
    """A name as long as the file system allows is no obstacle."""
    path = tmp_path / ("x" * 255)
    with replacing(path) as part:
        part.write_text("new")
    assert path.read_text() == "new"


@pytest.mark.skipif(not os.path.exists("/dev/null"), reason="no /dev/null")
def test_device():
    """What is no file is written to, not replaced."""
    with replacing("/dev/null") as part:
        part.write_text("nothing")
    assert not os.path.isfile("/dev/null")
