"""Trained weights at work on one data set."""

from __future__ import annotations

import numpy as np
import torch

from .._model import Network
from .._proposals._subgraphs import Subgraphs
from ._layers import to_batch
from ._training import resolve_device, undisturbed

INFERENCE_ROWS = 8_192
"""Rows in a batch at inference: its layers stay in the processor's cache. Changes nothing but the time."""


class TrainedNetwork:
    """A network with its weights in place; the samples' product with the first weights is made once.

    Parameters
    ----------
    network : Module
        Made under ``torch.device("meta")``.
    trained : Network
    embedding : float32 ndarray of shape (n_samples, n_features) or None
    device : str
    """

    def __init__(self, network, trained: Network, embedding: np.ndarray | None, device: str):
        self._device = resolve_device(device)
        self._mean, self._std = trained.mean, trained.std
        parameters = {
            name: torch.tensor(value, device=self._device) for name, value in trained.parameters.items()
        }
        network.load_state_dict(parameters, assign=True)
        self._network = network.eval()
        self._projected = None
        if embedding is not None:
            with torch.inference_mode():
                self._projected = network.input.project(torch.tensor(embedding, device=self._device))

    def __call__(self, subgraphs: Subgraphs, structure: np.ndarray) -> np.ndarray:
        """Output of the network for proposals that fit into memory at once."""
        inputs = ((structure - self._mean) / self._std).astype(np.float32)
        with torch.inference_mode():
            batch = to_batch(subgraphs, self._device)
            rows = torch.from_numpy(inputs).to(self._device)
            return self._network(batch, rows, self._projected, undisturbed).cpu().numpy()


def input_scale(structure: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation of each structural input, to be kept with the parameters."""
    return structure.mean(axis=0), structure.std(axis=0) + 1e-6
