"""Files that are written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Path of a new file that takes the place of `path` when the ``with`` block ends without an error.

    Until then `path` stays as it is, and after an error nothing is left beside it. What is no regular file,
    such as ``/dev/stdout``, is written directly.
    """
    final = Path(os.path.realpath(path))  # of a link, what it points to is replaced
    if final.exists() and not final.is_file():
        yield final
        return
    part = final.with_name(f".{final.name[:100]}.{uuid4().hex}.part")
    try:
        yield part
        with part.open("rb+") as file:  # on the disk before it has the name
            os.fsync(file.fileno())
        os.replace(part, final)
    finally:
        part.unlink(missing_ok=True)
