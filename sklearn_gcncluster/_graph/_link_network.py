"""Probability that a link joins two samples of one class: a small network on link features."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike

from .._model import LinkNetwork

_BATCH, _LEARNING_RATE = 2048, 3e-3
_INFERENCE_LINKS = 8_192
"""Links in a batch at inference: its layers stay in the processor's cache."""
_LEAST_SPREAD = 1e-3
"""Added to deviations, which are 0 where all links of a set are alike."""
_CLIP = 6.0
"""Standardised inputs are cut here, so that another embedding's extremes do not run away."""


class LinkTraining(NamedTuple):
    """How a model of links learns."""

    epochs: int
    weight_decay: float
    noise: float
    """Deviation of the noise added to the standardised inputs: the best regulariser of those compared."""
    context_noise: float | None = None
    """The same for what all links of a set have in common, by which single sets could be learned by heart.
    None for models of one set, which do not look at it."""
    widths: tuple[int, ...] = (64, 32)
    """Of the hidden layers."""


ONE_SET = LinkTraining(epochs=6, weight_decay=1e-3, noise=0.15)
MANY_SETS = LinkTraining(epochs=3, weight_decay=0.1, noise=0.3, context_noise=1.0, widths=(128, 32))


class LinkSample(NamedTuple):
    """Some links of one data set, to learn from."""

    features: np.ndarray
    """float32 of shape (n_links, n_features)."""
    same: np.ndarray
    """bool of shape (n_links,): whether both ends have the same label."""
    context: np.ndarray
    """float32 of shape (n_statistics, n_features): how each feature is spread over all links of the set;
    mean and deviation first."""


def placed(features: np.ndarray, context: np.ndarray) -> np.ndarray:
    """Features of links of one set, and where these lie among all of the set.

    Parameters
    ----------
    features : float32 ndarray of shape (n_links, n_features)
    context : float32 ndarray of shape (n_statistics, n_features)
        As in :class:`LinkSample`.

    Returns
    -------
    float32 ndarray of shape (n_links, 2 * n_features)
    """
    level, spread = context[:2]
    return np.concatenate([features, (features - level) / (spread + _LEAST_SPREAD)], axis=1)


def train_links(samples: list[LinkSample], training: LinkTraining, *, seed: int) -> LinkNetwork:
    """Train the network by binary cross-entropy on "both ends have the same label".

    Parameters
    ----------
    samples : list of LinkSample
        Of one set, or of many if `training` has a ``context_noise``.
    training : LinkTraining
    seed : int

    Returns
    -------
    LinkNetwork
    """
    generator = torch.Generator().manual_seed(seed)
    around_noise = training.context_noise
    features = np.concatenate(
        [
            sample.features if around_noise is None else placed(sample.features, sample.context)
            for sample in samples
        ]
    )
    mean, std = moments(features)
    inputs = standardised(features, mean, std)
    target = torch.from_numpy(np.concatenate([sample.same for sample in samples]).astype(np.float32))
    deviation = torch.full((inputs.shape[1],), training.noise)
    around, context_mean, context_std = torch.empty(len(samples), 0), None, None
    if around_noise is not None:
        contexts = np.stack([sample.context.ravel() for sample in samples])
        context_mean, context_std = contexts.mean(axis=0), contexts.std(axis=0) + 1e-6
        around = standardised(contexts, context_mean, context_std)
        deviation = torch.cat([deviation, torch.full((contexts.shape[1],), around_noise)])
    owner = torch.from_numpy(np.repeat(np.arange(len(samples)), [len(sample.same) for sample in samples]))

    def loss_of(layers, biases, chosen):
        rows = torch.cat([inputs[chosen], around[owner[chosen]]], dim=1)
        noise = torch.randn(rows.shape, generator=generator)
        odds = forward(layers, biases, rows + deviation * noise)
        return torch.nn.functional.binary_cross_entropy_with_logits(odds, target[chosen])

    widths = (len(deviation), *training.widths, 1)
    weights, biases = descend(
        loss_of, len(inputs), widths, training.epochs, training.weight_decay, generator=generator
    )
    return LinkNetwork(mean, std, context_mean, context_std, weights, biases)


def moments(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation of each column."""
    mean, std = features.mean(axis=0), features.std(axis=0)
    std[std < _LEAST_SPREAD] = 1  # what no set varies says nothing of how much it may
    return mean, std


def descend(
    loss_of: Callable[[list[torch.Tensor], list[torch.Tensor], torch.Tensor], torch.Tensor],
    n_links: int,
    widths: tuple[int, ...],
    epochs: int,
    weight_decay: float,
    *,
    generator: torch.Generator,
) -> tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]]:
    """Layers of a network, by batches of links under one cycle of the learning rate.

    Parameters
    ----------
    loss_of : callable
        Takes layers, biases and numbers of links, and gives their mean loss.
    n_links : int
    widths : tuple of int
        Of the inputs, the hidden layers and the output.
    epochs : int
    weight_decay : float
    generator : torch.Generator

    Returns
    -------
    weights, biases : tuples of float32 ndarrays
    """
    layers = [
        torch.randn(n_in, n_out, generator=generator) * (2 / n_in) ** 0.5 for n_in, n_out in pairwise(widths)
    ]
    layers[-1] *= 0.1
    biases = [torch.zeros(n_out) for n_out in widths[1:]]
    parameters = [parameter.requires_grad_() for parameter in (*layers, *biases)]
    optimiser = torch.optim.AdamW(parameters, lr=_LEARNING_RATE, weight_decay=weight_decay)
    batch = min(_BATCH, max(64, n_links // 20))
    n_batches = max(n_links // batch, 1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, _LEARNING_RATE, total_steps=epochs * n_batches + 1
    )
    for _ in range(epochs):
        order = torch.randperm(n_links, generator=generator)
        for chosen in order[: n_batches * batch].split(batch):
            loss = loss_of(layers, biases, chosen)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    return (
        tuple(layer.detach().numpy() for layer in layers),
        tuple(bias.detach().numpy() for bias in biases),
    )


def link_odds(model: LinkNetwork, features: np.ndarray, context: np.ndarray) -> np.ndarray:
    """Log-odds of each link: float32 of shape (n_links,).

    Parameters
    ----------
    model : LinkNetwork
    features : float32 ndarray of shape (n_links, n_features)
    context : float32 ndarray of shape (n_statistics, n_features)
        As in :class:`LinkSample`; to a model of one set it matters for rounding alone.
    """
    (first, *layers), (start, *biases) = (
        [torch.tensor(array) for array in arrays] for arrays in (model.weights, model.biases)
    )
    if looks_around := model.context_mean is not None:  # the same for all links, so it joins the bias
        around = standardised(context.ravel()[None], model.context_mean, model.context_std)
        first, of_context = first[: -around.shape[1]], first[-around.shape[1] :]
        start = start + (around @ of_context)[0]
    uncut = _uncut(model, first, start, context)
    odds = np.empty(len(features), dtype=np.float32)
    for begin in range(0, len(features), _INFERENCE_LINKS):
        part = features[begin : begin + _INFERENCE_LINKS]
        with torch.inference_mode():
            rows = torch.from_numpy(np.subtract(part, uncut.level, dtype=np.float32))
            hidden = torch.addmm(uncut.bias, rows, uncut.weight)
            beyond = (rows.clamp(uncut.low, uncut.high) - rows).abs_().sum(dim=1)
            if len(cut := np.flatnonzero(beyond.numpy())):
                seen = placed(part[cut], context) if looks_around else part[cut]
                hidden[cut] = torch.addmm(start, standardised(seen, model.mean, model.std), first)
            odds[begin : begin + len(part)] = forward(layers, biases, hidden.relu_())
    return odds


class _Uncut(NamedTuple):
    """The first layer as it is where no standardised input is cut: linear in the features themselves."""

    level: np.ndarray
    """float32: what is subtracted from each feature, since large values would drown small differences."""
    weight: torch.Tensor
    bias: torch.Tensor
    low: torch.Tensor
    high: torch.Tensor
    """Between which, after subtraction, no input is cut."""


def _uncut(model, weight, bias, context):
    """Features, and where they lie among all of the set, are standardised by the weights."""
    level, spread = context[:2].astype(np.float64)
    mean, std = (moment.reshape(-1, len(level)) for moment in (model.mean, model.std))
    units = np.stack([np.ones_like(spread), spread + _LEAST_SPREAD])[: len(mean)]
    shift, scale = np.stack([level, np.zeros_like(level)])[: len(mean)] - mean * units, std * units
    weights = weight.double().numpy().reshape(*mean.shape, -1) / scale[..., None]
    return _Uncut(
        context[0],
        weight=_float32(weights.sum(axis=0)),
        bias=_float32(bias.double().numpy() + np.einsum("vf,vfh->h", shift, weights)),
        low=_float32((-_CLIP * scale - shift).max(axis=0)),
        high=_float32((_CLIP * scale - shift).min(axis=0)),
    )


def _float32(values):
    return torch.from_numpy(values.astype(np.float32))


def standardised(values: ArrayLike, mean: np.ndarray | None, std: np.ndarray | None) -> torch.Tensor:
    """Values in deviations from the mean, cut where they run away."""
    return torch.from_numpy(np.clip((np.asarray(values) - mean) / std, -_CLIP, _CLIP).astype(np.float32))


def forward(layers: list[torch.Tensor], biases: list[torch.Tensor], rows: torch.Tensor) -> torch.Tensor:
    """Log-odds of standardised rows."""
    for layer, bias in zip(layers[:-1], biases[:-1], strict=True):
        rows = torch.relu(rows @ layer + bias)
    return (rows @ layers[-1] + biases[-1])[:, 0]
