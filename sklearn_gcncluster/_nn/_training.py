"""One training loop for both networks: AdamW, one cycle of rates, batches under a budget of rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from .._proposals._subgraphs import vertex_batches

_MIN_BATCHES = 24
"""Batches in an epoch: on small data they are smaller, since a few long steps do not learn anything."""
_INPUT_NOISE = 0.1
"""Deviation of the noise added to the standardised inputs in training."""


class Disturbance(NamedTuple):
    """What training does to inputs and hidden rows, so that nothing is learned by heart."""

    inputs: Callable[[torch.Tensor], torch.Tensor]
    hidden: Callable[[torch.Tensor], torch.Tensor]


class Schedule(NamedTuple):
    """How long and how fast to train."""

    max_epochs: int
    learning_rate: float
    batch_size: int
    """Rows (vertices of proposals) a batch."""
    weight_decay: float
    dropout: float
    epoch_rows: int = 120_000
    """Rows in an epoch: where there are more, each epoch sees a random part, so training takes minutes."""


def resolve_device(device: str) -> torch.device:
    """The torch device of that name; "auto" is CUDA where there is one, else the CPU.

    Raises
    ------
    ValueError
        If torch does not know it, or does not find it here.
    """
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(
            f'device="{device}" cannot be used here: {reason}. Use "auto", "cpu", or with CUDA "cuda:0".'
        ) from error
    return torch.device(device)


def search_device(device: str) -> str | None:
    """Where neighbours are searched when networks run on `device`: there if it is CUDA; None elsewhere.

    Nor there where torch was told to make products of fewer digits, by which the nearest is not found.
    """
    resolved, precise = resolve_device(device), torch.get_float32_matmul_precision() == "highest"
    return str(resolved) if resolved.type == "cuda" and precise else None


def train(
    network: nn.Module,
    loss_of: Callable,
    sizes: np.ndarray,
    train_items: np.ndarray,
    valid_items: np.ndarray,
    schedule: Schedule,
    *,
    seed: int,
    device: torch.device,
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Train a network, its learning rate going up once and down to nothing.

    Parameters
    ----------
    network : Module
        Its parameters are overwritten.
    loss_of : callable(network, items, disturbance) -> Tensor of shape (n_items,)
        Loss of each item, an item being a training example (a proposal, or a proposal with a seed).
    sizes : int ndarray of shape (n_items,)
        Rows of each item, for the budget of a batch.
    train_items, valid_items : int ndarrays
        Which items to learn from, and which only to tell the loss of.
    schedule : Schedule
    seed, device

    Returns
    -------
    parameters : dict of str to float32 ndarray
    loss_curve : float ndarray of shape (n_epochs, 2)
        Mean training and validation loss of each epoch.
    """
    generator = torch.Generator(device).manual_seed(seed)
    order_random = np.random.default_rng(seed)
    _initialise(network, generator)
    network.to(device)
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    valid_items = _within(order_random.permutation(valid_items), sizes, schedule.epoch_rows)
    valid_batches = vertex_batches(offsets, valid_items, schedule.batch_size)
    rows_per_epoch = min(int(sizes[train_items].sum()), schedule.epoch_rows)
    batch_size = max(min(schedule.batch_size, rows_per_epoch // _MIN_BATCHES), 1)
    epochs = [
        vertex_batches(
            offsets, _within(order_random.permutation(train_items), sizes, schedule.epoch_rows), batch_size
        )
        for _ in range(schedule.max_epochs)
    ]
    optimiser = torch.optim.AdamW(network.parameters(), weight_decay=schedule.weight_decay, foreach=True)
    rates = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, schedule.learning_rate, total_steps=sum(map(len, epochs)) + 1
    )
    disturbance = Disturbance(_noise(_INPUT_NOISE, generator), _dropout(schedule.dropout, generator))

    def loss_over(batches):
        with torch.no_grad():
            return sum(float(loss_of(network, items, undisturbed).sum()) for items in batches)

    curve = []
    for batches in epochs:
        total = 0.0
        for items in batches:
            losses = loss_of(network, items, disturbance)
            optimiser.zero_grad()
            losses.mean().backward()
            optimiser.step()
            rates.step()
            total += float(losses.detach().sum())
        mean = total / max(sum(map(len, batches)), 1)
        curve.append((mean, loss_over(valid_batches) / len(valid_items) if len(valid_items) else mean))
    return network_parameters(network), np.array(curve)


def _within(items, sizes, n_rows):
    """As many of the items, in their order, as have so many rows; at least one."""
    return items[: max(int(np.searchsorted(np.cumsum(sizes[items]), n_rows, side="right")), 1)]


def network_parameters(network: nn.Module) -> dict[str, np.ndarray]:
    """The parameters as plain arrays, so that they outlive torch, devices and pickles."""
    return {name: value.detach().cpu().numpy().copy() for name, value in network.state_dict().items()}


def _as_they_are(rows):
    return rows


undisturbed = Disturbance(_as_they_are, _as_they_are)
"""At inference."""


def _noise(deviation, generator):
    def noise(rows):
        return rows + deviation * torch.randn(rows.shape, generator=generator, device=rows.device)

    return noise


def _dropout(share, generator):
    """Dropout that draws from a generator of its own instead of torch's global one."""
    if share == 0:
        return _as_they_are

    def dropout(rows):
        kept = torch.rand(rows.shape, generator=generator, device=rows.device) >= share
        return rows * kept / (1 - share)

    return dropout


def _initialise(network, generator):
    network.to_empty(device=generator.device)
    for name, parameter in network.named_parameters():
        if parameter.ndim == 1 or name.startswith("head."):
            nn.init.zeros_(parameter)  # a head of random weights starts where the sigmoid is flat
        else:
            nn.init.kaiming_uniform_(parameter, nonlinearity="relu", generator=generator)
