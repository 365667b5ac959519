"""One training loop for both networks: Adam, batches under a vertex budget, early stopping by class."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import nn
from tqdm.auto import trange

from .._proposals._subgraphs import vertex_batches

_MIN_BATCHES = 24
"""Batches in an epoch: on small data they are smaller, since a few long steps do not learn anything."""
_FURTHER_RATE = 0.25
"""Share of the learning rate with which a trained network learns on."""


class Schedule(NamedTuple):
    """How long and how fast to train."""

    max_epochs: int
    learning_rate: float
    batch_size: int
    """Rows (vertices of proposals) a batch."""
    weight_decay: float
    dropout: float
    n_iter_no_change: int
    """Epochs without a better validation loss after which training stops."""
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


def train(
    network: nn.Module,
    loss_of: Callable,
    sizes: np.ndarray,
    train_items: np.ndarray,
    valid_items: np.ndarray,
    schedule: Schedule,
    *,
    start: dict[str, np.ndarray] | None = None,
    seed: int,
    device: torch.device,
    description: str = "training",
    verbose: bool = False,
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Train a network and return the weights that were best on the validation items.

    Parameters
    ----------
    network : Module
        Its parameters are overwritten.
    loss_of : callable(network, items, dropout) -> Tensor of shape (n_items,)
        Loss of each item, an item being a training example (a proposal, or a proposal with a seed).
    sizes : int ndarray of shape (n_items,)
        Rows of each item, for the budget of a batch.
    train_items, valid_items : int ndarrays
        Which items to learn from and which to stop by.
    schedule : Schedule
    start : dict of str to float32 ndarray, optional
        Parameters to start from, and to keep if no epoch is better; by default random ones.
    seed, device, description, verbose

    Returns
    -------
    weights : dict of str to float32 ndarray
    loss_curve : float ndarray of shape (n_epochs, 2)
        Mean training and validation loss of each epoch; with `start`, before the first one too.
    """
    generator = torch.Generator(device).manual_seed(seed)
    order_random = np.random.default_rng(seed)
    if start is None:
        _initialise(network, generator)
    else:
        network.load_state_dict({name: torch.tensor(value) for name, value in start.items()}, assign=True)
    network.to(device)
    rate = schedule.learning_rate * (1 if start is None else _FURTHER_RATE)
    optimiser = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=schedule.weight_decay)
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    valid_items = _within(order_random.permutation(valid_items), sizes, schedule.epoch_rows)
    valid_batches = vertex_batches(offsets, valid_items, schedule.batch_size)
    rows_per_epoch = min(int(sizes[train_items].sum()), schedule.epoch_rows)
    batch_size = max(min(schedule.batch_size, rows_per_epoch // _MIN_BATCHES), 1)

    def loss_over(batches):
        with torch.no_grad():
            return sum(float(loss_of(network, items, no_dropout).sum()) for items in batches)

    best, best_loss, waited, curve = network_weights(network), np.inf, 0, []
    if start is not None and len(valid_items):
        best_loss = loss_over(valid_batches) / len(valid_items)
        curve.append((np.nan, best_loss))
    for _ in trange(schedule.max_epochs, desc=description, disable=not verbose, leave=False):
        total = 0.0
        epoch_items = _within(order_random.permutation(train_items), sizes, schedule.epoch_rows)
        for items in vertex_batches(offsets, epoch_items, batch_size):
            losses = loss_of(network, items, _dropout(schedule.dropout, generator))
            optimiser.zero_grad()
            losses.mean().backward()
            optimiser.step()
            total += float(losses.detach().sum())
        mean = total / max(len(epoch_items), 1)
        curve.append((mean, loss_over(valid_batches) / len(valid_items) if len(valid_items) else mean))
        if curve[-1][1] < best_loss:
            best, best_loss, waited = network_weights(network), curve[-1][1], 0
        else:
            waited += 1
            if waited >= schedule.n_iter_no_change:
                break
    return best, np.array(curve)


def _within(items, sizes, n_rows):
    """As many of the items, in their order, as have so many rows; at least one."""
    return items[: max(int(np.searchsorted(np.cumsum(sizes[items]), n_rows, side="right")), 1)]


def network_weights(network: nn.Module) -> dict[str, np.ndarray]:
    """The parameters as plain arrays, so that they outlive torch, devices and pickles."""
    return {name: value.detach().cpu().numpy().copy() for name, value in network.state_dict().items()}


def no_dropout(rows: torch.Tensor) -> torch.Tensor:
    """Leave rows as they are."""
    return rows


def _dropout(share, generator):
    """Dropout that draws from a generator of its own instead of torch's global one."""
    if share == 0:
        return no_dropout

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
