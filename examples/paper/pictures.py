"""Pictures of samples, row by row, each in a frame."""

import numpy as np


def picture_rows(images, rows, colours, n_columns, gap=6, scale=2):
    """One picture of many: a line for each list of samples, or more if it is longer than a line.

    Parameters
    ----------
    images : uint8 array of shape (n_samples, height, width)
        0 is paper, 255 is ink.
    rows : list of int arrays
        Samples of each line.
    colours : list of lists of str
        Colour of the frame of each sample, such as "#56B4E9".
    n_columns : int
        Pictures in a line.
    gap, scale : int
        Pixels between two lists; side of each pixel of a picture.

    Returns
    -------
    uint8 array of shape (height, width, 3)
    """
    side = images.shape[1]
    cell = side + 6
    heights = [-(-len(row) // n_columns) * cell for row in rows]
    canvas = np.full((sum(heights) + gap * (len(rows) - 1), n_columns * cell, 3), 255, np.uint8)
    top = 0
    for row, frames, height in zip(rows, colours, heights, strict=True):
        for place, (sample, colour) in enumerate(zip(row, frames, strict=True)):
            y, x = top + place // n_columns * cell, place % n_columns * cell
            canvas[y : y + cell - 1, x : x + cell - 1] = list(bytes.fromhex(colour[1:]))
            inside = slice(y + 2, y + 2 + side), slice(x + 2, x + 2 + side)
            canvas[inside] = 255 - images[sample][..., None]
        top += height + gap
    return canvas.repeat(scale, axis=0).repeat(scale, axis=1)
