"""A small network that recognises: pictures or vectors -> embeddings of unit length, learned from classes."""

import numpy as np
import torch
from torch import nn

N_FEATURES, SCALE = 64, 16.0
BATCH_SIZE = 64


def network_for(X):
    """Two convolutions for pictures, one hidden layer for vectors; then the embedding."""
    if X.ndim == 3:
        side = X.shape[1] // 4
        body = [
            nn.Unflatten(1, (1, X.shape[1])),
            nn.Conv2d(1, 16, 3, padding=1),
            nn.BatchNorm2d(16),
            nn.ReLU(),
        ]
        body += [nn.MaxPool2d(2), nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU()]
        body += [nn.MaxPool2d(2), nn.Flatten(), nn.Linear(32 * side * side, N_FEATURES)]
        return nn.Sequential(*body)
    return nn.Sequential(nn.Linear(X.shape[1], 256), nn.ReLU(), nn.Linear(256, N_FEATURES))


def learn(X, y, n_steps, seed):
    """Train on samples and their classes, by the cosines of embeddings and one vector for each class."""
    _, classes = np.unique(y, return_inverse=True)
    random = np.random.default_rng(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = network_for(X)
        centres = nn.Parameter(torch.randn(classes.max() + 1, N_FEATURES))
    optimiser = torch.optim.AdamW([*network.parameters(), centres], lr=3e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 6e-3, total_steps=n_steps)
    network.train()
    for _ in range(n_steps):
        chosen = random.choice(len(X), BATCH_SIZE)
        rows = shifted(X[chosen], random) if X.ndim == 3 else X[chosen]
        found = nn.functional.normalize(network(torch.from_numpy(rows)))
        cosines = found @ nn.functional.normalize(centres).T
        loss = nn.functional.cross_entropy(SCALE * cosines, torch.from_numpy(classes[chosen]))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return network.eval()


def shifted(pictures, random):
    """Pictures moved by up to a pixel: more than there are."""
    down, right = random.integers(-1, 2, size=2)
    return np.roll(pictures, (down, right), axis=(1, 2))


def embed(network, X):
    """Embeddings of unit length."""
    with torch.no_grad():
        blocks = [network(torch.from_numpy(X[start : start + 1024])) for start in range(0, len(X), 1024)]
        return nn.functional.normalize(torch.cat(blocks)).numpy()


def recognition(embedding, y, n_galleries=10):
    """Share of samples whose nearest, among one known sample of each class, is of their class."""
    random, shares = np.random.default_rng(0), []
    names, classes = np.unique(y, return_inverse=True)
    for _ in range(n_galleries):
        known = np.array([random.choice(np.flatnonzero(classes == one)) for one in range(len(names))])
        probes = np.setdiff1d(np.arange(len(y)), known)
        nearest = (embedding[probes] @ embedding[known].T).argmax(axis=1)
        shares.append(np.mean(classes[probes] == nearest))
    return float(np.mean(shares))
