"""Code blocks of the pages run where they may write files."""

import pytest


@pytest.fixture(autouse=True)
def in_folder_of_its_own(tmp_path, monkeypatch):
    """What a page writes goes nowhere else."""
    monkeypatch.chdir(tmp_path)
