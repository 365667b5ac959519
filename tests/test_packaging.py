"""The files that say which versions of other packages are needed agree with each other."""

import re
import tomllib
from pathlib import Path

from sklearn_gcncluster import __version__

REPOSITORY = Path(__file__).parents[1]
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def pinned(file):
    """Version of each package in a constraints file."""
    lines = (REPOSITORY / file).read_text(encoding="utf-8").lower()
    return dict(re.findall(r"^([\w.-]+)==(\S+)$", lines, re.MULTILINE))


def bounds(*extras):
    """Lowest version of each package that the package and extras of it admit; the same wherever it stands."""
    required = {
        *PROJECT["dependencies"],
        *(one for extra in extras for one in PROJECT["optional-dependencies"][extra]),
    }
    lowest = dict(requirement.split(">=") for requirement in required)
    assert len(lowest) == len(required), sorted(required)
    return lowest


def padded(version):
    """A version of three numbers, as pip takes 1.6 for 1.6.0."""
    return [*map(int, version.split(".")), 0, 0][:3]


def test_lowest_versions():
    """constraints-lowest.txt has the bounds of pyproject.toml, of torch the tested version."""
    lowest = pinned("constraints-lowest.txt")
    assert lowest.pop("torch") == pinned("constraints.txt")["torch"]
    expected = {name: padded(bound) for name, bound in bounds("test", "examples").items() if name != "torch"}
    assert {name: padded(version) for name, version in lowest.items()} == expected


def test_tested_versions():
    """constraints.txt has a version of all that the package and its extras need, not below the bounds."""
    tested = pinned("constraints.txt")
    for name, bound in bounds(*PROJECT["optional-dependencies"]).items():
        assert padded(tested[name]) >= padded(bound), name


def test_recipe_and_citation():
    """They name the version of the package, and the recipe what pyproject.toml needs, at the same bounds."""
    recipe = (REPOSITORY / "recipe" / "meta.yaml").read_text(encoding="utf-8")
    citation = (REPOSITORY / "CITATION.cff").read_text(encoding="utf-8")
    assert f'set version = "{__version__}"' in recipe
    assert re.search(r"^version: (\S+)$", citation, re.MULTILINE).group(1) == __version__
    run = recipe[recipe.index("  run:") : recipe.index("\ntest:")]
    needed = dict(re.findall(r"^    - ([\w-]+) >=([\d.]+)$", run, re.MULTILINE))
    needed["torch"] = needed.pop("pytorch")  # as conda calls it
    assert needed == bounds()
