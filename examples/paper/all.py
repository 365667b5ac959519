"""All tables and figures of the paper, one after the other.

::

    python examples/paper/all.py                      # on the glyphs: half an hour of one core
    python examples/paper/all.py --data vectors.npz   # on X, y and perhaps train
    python examples/paper/all.py --paper              # by the literal pipeline
    python examples/paper/all.py --fast               # minutes: a few classes, one seed
"""

import figure_4
import figure_5
import figure_6
import figure_7
import figure_8
import table_1
import table_3
from experiment import arguments, run

if __name__ == "__main__":
    args = arguments(__doc__)
    for module in (table_1, table_3, figure_4, figure_5, figure_6, figure_7, figure_8):
        run(module.EXPERIMENT, args)
