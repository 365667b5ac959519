"""Files from elsewhere, which may hold anything."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike


@contextmanager
def reading(path: str | PathLike[str]) -> Iterator[None]:
    """Name the file in errors of those that read it; what it holds can make them stumble over anything.

    Raises
    ------
    ValueError
        In place of any error but that of the system, such as for a file that is not there.
    """
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        if "Python objects" in str(error) or "allow_pickle" in str(error):
            raise ValueError(
                f"{path} holds Python objects, which may execute something when they are loaded. Save an "
                "array of numbers or of strings: np.save(path, np.array(values.tolist()))."
            ) from error
        raise ValueError(f"{path} cannot be read: {error}") from error
