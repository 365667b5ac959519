"""The house keeps the order that docs/architecture.rst states.

Offenders that are known stand in lists here. A list names exactly who offends today, so whoever mends one
takes it off the list.
"""

import ast
import re
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
PACKAGE = REPOSITORY / "sklearn_gcncluster"
EXAMPLES = REPOSITORY / "examples"

UPWARD: set[tuple[str, str]] = set()
"""Known imports of what stands higher in the table: module, and what it imports."""

REACHES: set[tuple[str, str]] = set()
"""Known uses of what is private to somebody else: file, and the name that it uses."""

PUBLIC_OF_TUPLES = {"_asdict", "_fields", "_make", "_replace"}
"""Names of a NamedTuple that begin with an underscore only to tell them from its fields."""


@cache
def modules():
    """The file of each module, by a name such as "_graph._links"; of a package it is that of __init__.py."""
    paths = {path.relative_to(PACKAGE).with_suffix(""): path for path in PACKAGE.rglob("*.py")}
    return {".".join(path.parts).removesuffix(".__init__"): file for path, file in paths.items()}


@cache
def statements(file):
    """All nodes of a file but those for type checkers alone, and whether each runs when it is imported."""
    found = []

    def walk(node, at_import):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            return
        found.append((node, at_import))
        at_import &= not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        for child in ast.iter_child_nodes(node):
            walk(child, at_import)

    walk(ast.parse(file.read_text(encoding="utf-8")), True)
    return found


def imports(file, within=""):
    """Full names that a file in the package `within` imports, and whether each is there at import."""
    for node, at_import in statements(file):
        if isinstance(node, ast.Import):
            yield from ((alias.name, at_import) for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            parts = within.split(".")[: within.count(".") + 2 - node.level] if node.level else []
            source = ".".join([*parts, *([node.module] if node.module else [])])
            yield from ((f"{source}.{alias.name}", at_import) for alias in node.names)


def imports_of_module(name):
    """What a module of the package imports."""
    within = f"sklearn_gcncluster.{name}"
    if modules()[name].name != "__init__.py" or name == "__init__":
        within = within.rpartition(".")[0]
    return imports(modules()[name], within)


@cache
def inside():
    """For each module those of the package that it imports, and whether at import."""
    found = {name: set() for name in modules()}
    for name in found:
        for imported, at_import in imports_of_module(name):
            root, _, path = imported.partition(".")
            if root != "sklearn_gcncluster":
                continue
            # What is imported is a module, or a name in one, or (of the package itself) a public name.
            target = next(
                (known for known in (path, path.rpartition(".")[0]) if known in modules()), "__init__"
            )
            found[name].add((target, at_import))
    return found


@cache
def rooms():
    """Modules and folders as the table lists them, from the top of the house to its bottom."""
    table = (REPOSITORY / "docs" / "architecture.rst").read_text(encoding="utf-8")
    names = re.findall(r"^``([\w/]+)``  ", table, flags=re.MULTILINE)
    return [name.replace("/", ".") for name in names]


def room_of(module):
    """Where a module stands in the table, itself or with its folder; None if nowhere."""
    return next((name for name in (module, module.partition(".")[0]) if name in rooms()), None)


def test_the_table_is_complete():
    """Each module stands in the table, or its folder does; and nothing that is not there."""
    assert len(set(rooms())) == len(rooms())
    silent = {
        name
        for name, file in modules().items()
        if not any(
            isinstance(node, ast.stmt) and not isinstance(node, ast.Expr) for node, _ in statements(file)
        )
    }  # a docstring at most
    assert sorted(name for name in modules() if room_of(name) is None and name not in silent) == []
    assert sorted(set(rooms()) - set(map(room_of, modules()))) == []


def test_imports_point_downward():
    """A module imports from those below it in the table, in functions too."""
    floor = {room: number for number, room in enumerate(rooms())}
    upward = {
        (name, target)
        for name, targets in inside().items()
        for target, _ in targets
        if room_of(name) != room_of(target) and floor[room_of(name)] > floor[room_of(target)]
    }
    assert upward == UPWARD


def test_no_circle():
    """No module reaches itself, inside the folders too."""
    graph = {
        name: {target for target, _ in targets if (name, target) not in UPWARD}
        for name, targets in inside().items()
    }
    TopologicalSorter(graph).prepare()


@pytest.mark.parametrize(
    ("folder", "allowed"),
    [
        ("metrics", {"_compat", "_labels"}),
        ("datasets", {"_compat"}),
        ("plotting", {"_compat", "_labels", "metrics"}),
        ("report", {"_files", "_labels", "_warning"}),
    ],
)
def test_what_stands_beside(folder, allowed):
    """Measures, data sets, pictures and reports are there without the estimators."""
    targets = {target for name in modules() if room_of(name) == folder for target, _ in inside()[name]}
    assert set(map(room_of, targets)) - {folder} <= allowed


def test_matplotlib_waits_for_a_picture():
    """It is imported where something is drawn."""
    assert [name for name in modules() if "matplotlib" in imported_at_once(name)] == []


def test_walls_around_torch():
    """Torch is imported at once in few rooms, and these are imported at once by each other alone."""

    def has_torch(name):
        return name.startswith("_nn.") or name == "_graph._link_network"

    for name in modules():
        if not has_torch(name):
            assert "torch" not in imported_at_once(name), name
            assert not [target for target, at_import in inside()[name] if at_import and has_torch(target)], (
                name
            )


def imported_at_once(name):
    """Packages that are there once a module is imported, of those that it names itself."""
    return {imported.partition(".")[0] for imported, at_import in imports_of_module(name) if at_import}


def test_private_names_of_scikit_learn():
    """They are imported in one place."""
    users = {
        name
        for name in modules()
        for imported, _ in imports_of_module(name)
        if imported.startswith("sklearn.") and "._" in imported
    }
    assert users == {"_compat"}


def test_nobody_outside_reaches_inside():
    """Examples, benchmarks and plots use public names of estimators, and the former of the package.

    The recipe of the universal networks may: it trains what the package only uses.
    """
    reaches = set()
    for file in EXAMPLES.rglob("*.py"):
        if "universal" not in file.parts:
            place = str(file.relative_to(EXAMPLES))
            for imported, _ in imports(file):
                source = (
                    imported if imported.rpartition(".")[2].startswith("_") else imported.rpartition(".")[0]
                )
                if source.startswith("sklearn_gcncluster.") and "._" in source:
                    reaches.add((place, source))
            reaches |= {(place, name) for name in private_attributes(file)}
    for file in (PACKAGE / "plotting").glob("*.py"):
        reaches |= {(f"plotting/{file.name}", name) for name in private_attributes(file)}
    assert reaches == REACHES


def private_attributes(file):
    """Names that begin with one underscore, of objects other than self and cls."""
    return {
        node.attr
        for node, _ in statements(file)
        if isinstance(node, ast.Attribute)
        and re.match("_[^_]", node.attr)
        and node.attr not in PUBLIC_OF_TUPLES
        and not (isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"})
    }
