"""Probability that a link joins two samples of one class: a small network on link features."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from tqdm.auto import trange

_WIDTHS = (64, 32)
_EPOCHS, _BATCH, _LEARNING_RATE, _DECAY = 8, 2048, 3e-3, 1e-3
_INPUT_NOISE = 0.15
"""Deviation of the noise added to the standardised inputs: the best regulariser of those compared."""
_INFERENCE_LINKS = 8_192
"""Links in a batch at inference: its layers stay in the processor's cache."""
_CLIP = 6.0
"""Standardised inputs are cut here, so that another embedding's extremes do not run away."""

Weights = dict[str, np.ndarray]


def train_links(features: np.ndarray, same: np.ndarray, *, seed: int, verbose: bool = False) -> Weights:
    """Train the network by binary cross-entropy on "both ends have the same label".

    Parameters
    ----------
    features : float32 ndarray of shape (n_links, n_features)
    same : bool ndarray of shape (n_links,)
    seed : int

    Returns
    -------
    dict of str to float32 ndarray
    """
    generator = torch.Generator().manual_seed(seed)
    mean, std = features.mean(axis=0), features.std(axis=0) + 1e-6
    inputs = torch.from_numpy(np.clip((features - mean) / std, -_CLIP, _CLIP))
    target = torch.from_numpy(same.astype(np.float32))
    widths = (features.shape[1], *_WIDTHS, 1)
    layers = [
        torch.randn(n_in, n_out, generator=generator) * (2 / n_in) ** 0.5 for n_in, n_out in pairwise(widths)
    ]
    layers[-1] *= 0.1
    biases = [torch.zeros(n_out) for n_out in widths[1:]]
    parameters = [parameter.requires_grad_() for parameter in (*layers, *biases)]
    optimiser = torch.optim.AdamW(parameters, lr=_LEARNING_RATE, weight_decay=_DECAY)
    batch = min(_BATCH, max(64, len(inputs) // 20))
    n_batches = max(len(inputs) // batch, 1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, _LEARNING_RATE, total_steps=_EPOCHS * n_batches + 1
    )
    for _ in trange(_EPOCHS, desc="links", disable=not verbose, leave=False):
        order = torch.randperm(len(inputs), generator=generator)
        for chosen in order[: n_batches * batch].split(batch):
            noise = torch.randn(len(chosen), inputs.shape[1], generator=generator)
            odds = _forward(layers, biases, inputs[chosen] + _INPUT_NOISE * noise)
            loss = torch.nn.functional.binary_cross_entropy_with_logits(odds, target[chosen])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    weights = {"mean": mean, "std": std}
    for depth, (layer, bias) in enumerate(zip(layers, biases, strict=True)):
        weights |= {f"weight{depth}": layer.detach().numpy(), f"bias{depth}": bias.detach().numpy()}
    return weights


def link_odds(weights: Weights, features: np.ndarray) -> np.ndarray:
    """Log-odds of each link: float32 of shape (n_links,)."""
    layers, biases = (
        [torch.tensor(weights[f"{name}{depth}"]) for depth in range(len(_WIDTHS) + 1)]
        for name in ("weight", "bias")
    )
    odds = np.empty(len(features), dtype=np.float32)
    for start in range(0, len(features), _INFERENCE_LINKS):
        part = slice(start, start + _INFERENCE_LINKS)
        inputs = np.clip((features[part] - weights["mean"]) / weights["std"], -_CLIP, _CLIP)
        with torch.inference_mode():
            odds[part] = _forward(layers, biases, torch.from_numpy(inputs.astype(np.float32)))
    return odds


def _forward(layers, biases, rows):
    for layer, bias in zip(layers[:-1], biases[:-1], strict=True):
        rows = torch.relu(rows @ layer + bias)
    return (rows @ layers[-1] + biases[-1])[:, 0]
