"""Run the commands that docs/guide/command_line.rst shows, on files of the names that stand there."""

import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from sklearn_gcncluster.datasets import make_identities

page = (Path(__file__).parents[1] / "docs" / "guide" / "command_line.rst").read_text(encoding="utf-8")
commands = re.findall(r"^    (sklearn-gcncluster .*)$", page, re.MULTILINE)
assert len(commands) >= 4, f"{len(commands)} commands found on the page"
X, y = make_identities(400, n_features=32, random_state=0)
with TemporaryDirectory() as folder:
    known = y % 2 == 0
    np.save(f"{folder}/faces.npy", X[known])
    np.savetxt(f"{folder}/people.csv", y[known], fmt="%d")
    np.save(f"{folder}/new.npy", X[~known])
    np.savetxt(f"{folder}/truth.csv", y[~known], fmt="%d")
    for command in commands:
        print(f"+ {command}", flush=True)
        subprocess.run(
            [sys.executable, "-m", "sklearn_gcncluster", *command.split()[1:]], cwd=folder, check=True
        )
