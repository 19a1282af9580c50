"""The losses in the style in which they are published: exponentials, boolean masks and selections, `pdist`.

Written for the benchmark, compactly. Like ours they take unit-norm rows: normalising is left out on both sides.
"""

import torch
from torch import Tensor
from torch.nn import functional


def infonce(z_a: Tensor, z_b: Tensor, temperature: float = 0.5) -> Tensor:
    """Cross-entropy of the similarity matrix and of its transpose, as in CLIP."""
    logits = z_a @ z_b.T / temperature
    labels = torch.arange(len(z_a), device=z_a.device)
    return (functional.cross_entropy(logits, labels) + functional.cross_entropy(logits.T, labels)) / 2


def ntxent(z_a: Tensor, z_b: Tensor, temperature: float = 0.5) -> Tensor:
    """Masked selection of positives and negatives out of the 2M x 2M matrix, then cross-entropy."""
    pairs = len(z_a)
    labels = torch.cat([torch.arange(pairs, device=z_a.device)] * 2)
    same = labels[:, None] == labels[None, :]
    features = torch.cat([z_a, z_b])
    similarity = features @ features.T
    self_mask = torch.eye(2 * pairs, dtype=torch.bool, device=z_a.device)
    same = same[~self_mask].view(2 * pairs, -1)
    similarity = similarity[~self_mask].view(2 * pairs, -1)
    positives = similarity[same].view(2 * pairs, -1)
    negatives = similarity[~same].view(2 * pairs, -1)
    logits = torch.cat([positives, negatives], dim=1) / temperature
    return functional.cross_entropy(logits, torch.zeros(2 * pairs, dtype=torch.long, device=z_a.device))


def dcl(z_a: Tensor, z_b: Tensor, temperature: float = 0.5) -> Tensor:
    """Exponentials of the 2M x 2M matrix, negatives selected by a mask."""
    pairs = len(z_a)
    features = torch.cat([z_a, z_b])
    similarity = torch.exp(features @ features.T / temperature)
    mask = ~torch.eye(pairs, dtype=torch.bool, device=z_a.device).repeat(2, 2)
    negatives = similarity.masked_select(mask).view(2 * pairs, -1).sum(dim=-1)
    positives = torch.exp((z_a * z_b).sum(dim=-1) / temperature)
    return -torch.log(torch.cat([positives, positives]) / negatives).mean()


def dhel(z_a: Tensor, z_b: Tensor, temperature: float = 0.5) -> Tensor:
    """Exponentials with the diagonal masked, then the logarithm of their ratio."""
    mask = torch.eye(len(z_a), device=z_a.device).bool()
    energies = [torch.exp(z @ z.T / temperature).masked_fill(mask, 0).sum(dim=-1) for z in (z_a, z_b)]
    positives = torch.exp((z_a * z_b).sum(dim=-1) / temperature)
    return -torch.log(positives / (energies[0] * energies[1])).mean()


def kcl(z_a: Tensor, z_b: Tensor, kernel: str = "gaussian", t: float = 2.0, gamma: float = 16.0) -> Tensor:
    """Kernels of `pdist` distances."""
    energy = sum(_kernel(kernel, torch.pdist(z), t).mean() for z in (z_a, z_b))
    return -2 * _kernel(kernel, (z_a - z_b).norm(dim=1), t).mean() + gamma * energy


def _kernel(name: str, distance: Tensor, t: float) -> Tensor:
    if name == "gaussian":
        return distance.pow(2).mul(-t).exp()
    if name == "log":
        return -0.5 * torch.log(t * distance.pow(2) + 1)
    return t / (t**2 + distance.pow(2)).sqrt()
