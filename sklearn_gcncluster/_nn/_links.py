"""Probability that a link joins two samples of one class: a small network on link features."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from tqdm.auto import trange

_WIDTHS = (64, 32)
_BATCH, _LEARNING_RATE = 2048, 3e-3
_INFERENCE_LINKS = 8_192
"""Links in a batch at inference: its layers stay in the processor's cache."""
_LEAST_SPREAD = 1e-3
"""Added to deviations, which are 0 where all links of a set are alike."""
_CLIP = 6.0
"""Standardised inputs are cut here, so that another embedding's extremes do not run away."""

Weights = dict[str, np.ndarray]


class LinkTraining(NamedTuple):
    """How a model of links learns."""

    epochs: int
    weight_decay: float
    noise: float
    """Deviation of the noise added to the standardised inputs: the best regulariser of those compared."""
    context_noise: float = 0.0
    """The same for what all links of a set have in common, by which single sets could be learned by heart."""


ONE_SET = LinkTraining(epochs=8, weight_decay=1e-3, noise=0.15)
MANY_SETS = LinkTraining(epochs=3, weight_decay=0.1, noise=0.3, context_noise=0.7)


def placed(features: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Features of links of one set; where these lie among all of the set; and the middle of the set.

    Parameters
    ----------
    features : float32 ndarray of shape (n_links, n_features)
    place : ndarray of shape (2, n_features)
        Mean and deviation of the features over the set.

    Returns
    -------
    float32 ndarray of shape (n_links, 3 * n_features)
    """
    level, spread = place.astype(np.float32)
    among = (features - level) / (spread + _LEAST_SPREAD)
    return np.concatenate([features, among, np.broadcast_to(level, features.shape)], axis=1)


def train_links(
    features: np.ndarray, same: np.ndarray, training: LinkTraining, *, seed: int, verbose: bool = False
) -> Weights:
    """Train the network by binary cross-entropy on "both ends have the same label".

    Parameters
    ----------
    features : float32 ndarray of shape (n_links, n_features)
        As they are, or as :func:`placed` gives them if `training` has noise for their last third.
    same : bool ndarray of shape (n_links,)
    training : LinkTraining
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
    optimiser = torch.optim.AdamW(parameters, lr=_LEARNING_RATE, weight_decay=training.weight_decay)
    deviation = torch.full((features.shape[1],), training.noise)
    if training.context_noise:
        deviation[-(features.shape[1] // 3) :] = training.context_noise
    batch = min(_BATCH, max(64, len(inputs) // 20))
    n_batches = max(len(inputs) // batch, 1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, _LEARNING_RATE, total_steps=training.epochs * n_batches + 1
    )
    for _ in trange(training.epochs, desc="links", disable=not verbose, leave=False):
        order = torch.randperm(len(inputs), generator=generator)
        for chosen in order[: n_batches * batch].split(batch):
            noise = torch.randn(len(chosen), inputs.shape[1], generator=generator)
            odds = _forward(layers, biases, inputs[chosen] + deviation * noise)
            loss = torch.nn.functional.binary_cross_entropy_with_logits(odds, target[chosen])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    weights = {"mean": mean, "std": std}
    for depth, (layer, bias) in enumerate(zip(layers, biases, strict=True)):
        weights |= {f"weight{depth}": layer.detach().numpy(), f"bias{depth}": bias.detach().numpy()}
    return weights


def link_odds(weights: Weights, features: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Log-odds of each link: float32 of shape (n_links,).

    Parameters
    ----------
    weights : Weights
    features : float32 ndarray of shape (n_links, n_features)
    place : ndarray of shape (2, n_features)
        As for :func:`placed`; models of one set need none.
    """
    looks_around = len(weights["mean"]) > features.shape[1]
    layers, biases = (
        [torch.tensor(weights[f"{name}{depth}"]) for depth in range(len(_WIDTHS) + 1)]
        for name in ("weight", "bias")
    )
    odds = np.empty(len(features), dtype=np.float32)
    for start in range(0, len(features), _INFERENCE_LINKS):
        part = slice(start, start + _INFERENCE_LINKS)
        seen = placed(features[part], place) if looks_around else features[part]
        inputs = np.clip((seen - weights["mean"]) / weights["std"], -_CLIP, _CLIP)
        with torch.inference_mode():
            odds[part] = _forward(layers, biases, torch.from_numpy(inputs.astype(np.float32)))
    return odds


def _forward(layers, biases, rows):
    for layer, bias in zip(layers[:-1], biases[:-1], strict=True):
        rows = torch.relu(rows @ layer + bias)
    return (rows @ layers[-1] + biases[-1])[:, 0]
