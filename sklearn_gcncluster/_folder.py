"""A growing clustering as a folder: files that never change, and one small file that names those in force.

::

    rows-HASH.npy               samples that came together, read by memory map
    estimator-HASH.safetensors  what clusters them
    state-HASH.npz              labels, constraints and history
    current.json                the names of the others

A file is called after its content, so one that is there need not be written again. `current.json` is
replaced after all that it names is on the disk, and what it no longer names is removed after that. So
whenever a process is ended, the folder holds the state before or the one after.
"""

from __future__ import annotations

import json
import os
import re
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from ._files import replacing
from ._ledger import State
from ._persistence import load

FORMAT = 1
_CURRENT = "current.json"
_NAME = r"(rows-[0-9a-f]{32}\.npy|estimator-([0-9a-f]{32}|new)\.safetensors|state-([0-9a-f]{32}|new)\.npz)"
_OURS = re.compile(rf"{_NAME}|\.({_NAME}|current\.json)\.[0-9a-f]{{32}}\.part")
"""What has been written here before, whole or in part; other files in the folder are none of our business."""
_MAX_BLOCKS = 32
"""Files of rows from which the smallest are put together, so that there are never many."""
_ARRAYS = ("labels", "known", "must_link", "cannot_link", "groups")


def write_folder(
    folder: str | os.PathLike[str], estimator: Any, state: State, feature_names: list[str] | None
) -> None:
    """Write what is new, then name it.

    Parameters
    ----------
    folder : str or path-like
    estimator : GCNClustering
        Fitted.
    state : State
    feature_names : list of str or None
    """
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    current = {
        "format": FORMAT,
        "rows": [_write_rows(place, block) for block in _few(state.blocks)],
        "estimator": _write(
            place, "estimator-{}.safetensors", lambda part: estimator.save(part, include_labels=False)
        ),
        "state": _write(place, "state-{}.npz", lambda part: _write_state(part, state)),
        "feature_names": feature_names,
    }
    with replacing(place / _CURRENT) as part:
        part.write_text(json.dumps(current, indent=1), encoding="utf-8")
    named = {_CURRENT, current["estimator"], current["state"], *current["rows"]}
    for file in place.iterdir():
        if _OURS.fullmatch(file.name) and file.name not in named:
            file.unlink()


def read_folder(folder: str | os.PathLike[str]) -> tuple[Any, State, list[str] | None]:
    """Read what :func:`write_folder` wrote.

    Returns
    -------
    estimator : GCNClustering
    state : State
        Its blocks are memory maps.
    feature_names : list of str or None

    Raises
    ------
    FileNotFoundError
        If there is no such folder, or nothing was saved in it.
    ValueError
        If files are damaged, missing or of a later version.
    """
    place = Path(folder)
    if not (place / _CURRENT).is_file():
        raise FileNotFoundError(
            f"{place} has no {_CURRENT}. Give a folder that IncrementalGCNClustering.save has written."
        )
    try:
        current = json.loads((place / _CURRENT).read_text(encoding="utf-8"))
        if current["format"] > FORMAT:
            raise ValueError(f"its format is {current['format']}, and this version reads up to {FORMAT}")
        blocks = [np.load(place / name, mmap_mode="r", allow_pickle=False) for name in current["rows"]]
        with np.load(place / current["state"], allow_pickle=False) as file:
            arrays = {name: file[name] for name in _ARRAYS}
            rest = json.loads(str(file["rest"]))
        n_samples = sum(map(len, blocks))
        if any(len(arrays[name]) != n_samples for name in ("labels", "known", "groups")):
            raise ValueError(f"its labels are not those of {n_samples} samples")
        estimator = load(place / current["estimator"])
    except Exception as error:  # damaged files make their readers stumble over anything
        raise ValueError(
            f"{place} does not hold a clustering that this version can read: {error}. Copy it again from "
            "where it was saved, or save it again."
        ) from error
    rest["formed"] = {int(number): size for number, size in rest["formed"].items()}
    return estimator, State(blocks=blocks, **arrays, **rest), current["feature_names"]


def gathered(blocks: list[np.ndarray], rows: np.ndarray) -> np.ndarray:
    """Some rows of all blocks, by their numbers."""
    starts = np.cumsum([0, *map(len, blocks)])
    found = np.empty((len(rows), blocks[0].shape[1]), dtype=np.result_type(*blocks))
    block_of = np.searchsorted(starts, rows, side="right") - 1
    for number in np.unique(block_of):
        inside = block_of == number
        found[inside] = blocks[number][rows[inside] - starts[number]]
    return found


def _few(blocks):
    """Blocks, the last of them put together if there are many."""
    if len(blocks) <= _MAX_BLOCKS:
        return blocks
    kept = _MAX_BLOCKS // 2
    return [*blocks[:kept], np.concatenate(blocks[kept:])]


def _write_rows(place, block):
    digest = sha256(f"{block.dtype.str} {block.shape}".encode())
    digest.update(np.ascontiguousarray(block).tobytes())
    name = f"rows-{digest.hexdigest()[:32]}.npy"
    if not (place / name).exists():
        with replacing(place / name) as part, part.open("wb") as file:
            np.save(file, block, allow_pickle=False)
    return name


def _write(place, pattern, write):
    """Name of the file that a function writes, after its content."""
    fresh = place / pattern.format("new")
    with replacing(fresh) as part:
        write(part)
        name = pattern.format(sha256(part.read_bytes()).hexdigest()[:32])
    os.replace(fresh, place / name)
    return name


def _write_state(part, state):
    arrays = {name: getattr(state, name) for name in _ARRAYS}
    rest = {name: value for name, value in state._asdict().items() if name not in (*_ARRAYS, "blocks")}
    with part.open("wb") as file:
        np.savez(file, **arrays, rest=np.array(json.dumps(rest)))
