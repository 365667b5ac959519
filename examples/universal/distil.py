"""One model of links that says what a committee says.

Models that learned from other sets err in other places, and their mean carries over better than any of them.
It costs as many times more, too, and most of a clustering would go to it. So one model learns what the
committee answers, also to questions beside the links of the training sets, which no label could tell (Hinton,
Vinyals and Dean, "Distilling the Knowledge in a Neural Network", 2015).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from sklearn_gcncluster._graph._link_network import (
    LinkSample,
    descend,
    forward,
    moments,
    placed,
    standardised,
)
from sklearn_gcncluster._model import LinkNetwork

EPOCHS, WEIGHT_DECAY = 3, 1e-3
WIDTHS = (128, 32)  # (256, 64) come nearer to the committee, and carry over less well
NOISE, CONTEXT_NOISE = 0.3, 1.0
"""Largest deviations of what is added to the inputs of all, in deviations of these."""
TAIL = 0.02
"""Weight of the squared difference of log-odds, which matters where all are sure."""
_TAIL_CUT = 6.0


def student(samples: list[LinkSample], committee: Sequence[LinkNetwork], *, seed: int) -> LinkNetwork:
    """Train a model on what a committee answers; the labels of the samples are not looked at."""
    generator = torch.Generator().manual_seed(seed)
    links = np.concatenate([placed(sample.features, sample.context) for sample in samples])
    sets = np.stack([sample.context.ravel() for sample in samples])
    mean, std = moments(links)
    context_mean, context_std = sets.mean(axis=0), sets.std(axis=0) + 1e-6
    owner = torch.from_numpy(np.repeat(np.arange(len(samples)), [len(sample.same) for sample in samples]))
    answer = answers_of(committee)
    features, contexts = torch.from_numpy(links), torch.from_numpy(sets)

    def asked(values, std, largest):
        size = largest * torch.rand((len(values), 1), generator=generator)
        return values + size * torch.from_numpy(std) * torch.randn(values.shape, generator=generator)

    def loss_of(layers, biases, chosen):
        seen = asked(features[chosen], std, NOISE)
        around = asked(contexts[owner[chosen]], context_std, CONTEXT_NOISE)
        taught = answer(seen, around)
        inputs = standardised(seen, mean, std), standardised(around, context_mean, context_std)
        odds = forward(layers, biases, torch.cat(inputs, dim=1))
        missed = (odds - taught).clamp(-_TAIL_CUT, _TAIL_CUT)
        return binary_cross_entropy_with_logits(odds, torch.sigmoid(taught)) + TAIL * (missed**2).mean()

    widths = (features.shape[1] + contexts.shape[1], *WIDTHS, 1)
    weights, biases = descend(loss_of, len(features), widths, EPOCHS, WEIGHT_DECAY, generator=generator)
    return LinkNetwork(mean, std, context_mean, context_std, weights, biases)


def answers_of(committee: Sequence[LinkNetwork]):
    """A function of placed features and contexts of links: the mean log-odds of a committee."""
    layers = [
        ([torch.from_numpy(weight) for weight in model.weights], list(map(torch.from_numpy, model.biases)))
        for model in committee
    ]

    @torch.inference_mode()
    def answer(features, contexts):
        odds = torch.zeros(len(features))
        for model, (weights, biases) in zip(committee, layers, strict=True):
            inputs = (
                standardised(features, model.mean, model.std),
                standardised(contexts, model.context_mean, model.context_std),
            )
            odds += forward(weights, biases, torch.cat(inputs, dim=1))
        return odds / len(committee)

    return answer
