"""Even-sized spectral clustering: similar pairs, which are each other's hard negatives, share a batch."""

import functools
import warnings

import numpy as np
import torch
from torch import Tensor

from trainables.selection.selection import BatchSelection, shuffled_batches

#: A spread of log affinities that rounding of float32 embeddings explains.
_NO_SPREAD = 1e-5

#: Starts of k-means, of which the best counts; the default of the scikit-learn that the source used.
_STARTS = 10


class SpectralClustering(BatchSelection):
    """Clusters the k B pairs of a random draw into k batches of B; the other pairs sit out this round.

    With u, v the views over sqrt(temperature) and B the batch size, from k clusters:

        a_kl = log(1 + (B-1) exp(u_k.v_l - u_k.v_k)) + log(1 + (B-1) exp(v_k.u_l - u_k.v_k)),  A = exp(a + a^T)

    then the k lowest eigenvectors of the symmetric-normalised Laplacian of A over the roots of the degrees, k-means
    on their rows, each centre B times, and the linear assignment of least total distance: clusters of uneven size
    come out even. Losses without a `temperature` count as at 1. Where nothing can be clustered, all affinities
    being equal or embeddings not finite, or k = 1, the batches are those of the draw, which is a shuffle.
    Source: Cho et al. 2024 (TMLR, arXiv 2307.05906) and its released code; eigenvectors as scikit-learn's.
    """

    looks = True

    def draw(self, generator: torch.Generator) -> Tensor:
        """k batches of one shuffle, whose pairs are clustered."""
        return shuffled_batches(self.n, self.batch_size, self.pool, generator)

    def choose(self, candidates: Tensor, z_a: Tensor, z_b: Tensor, generator: torch.Generator) -> Tensor:
        """The clusters, `(k, B)`."""
        # Drawn in any case, so that the coming rounds' candidates do not depend on the embeddings.
        seed = int(torch.randint(2**31, (), generator=generator))
        temperature = float(getattr(self.loss, "temperature", 1.0))
        if self.pool == 1 or not (z_a.isfinite().all() and z_b.isfinite().all()):
            return candidates
        affinity = log_affinity(_rows(z_a), _rows(z_b), temperature, self.batch_size)
        if np.ptp(_off_diagonal(affinity)) <= _NO_SPREAD:
            return candidates
        labels = even_clusters(spectral_rows(affinity, self.pool), self.batch_size, seed)
        order = np.argsort(labels, kind="stable")
        return candidates.flatten()[torch.from_numpy(order)].view(self.pool, self.batch_size)


def _rows(z: Tensor) -> np.ndarray:
    return z.detach().flatten(0, 1).double().cpu().numpy()


def log_affinity(z_a: np.ndarray, z_b: np.ndarray, temperature: float, batch_size: int) -> np.ndarray:
    """`a + a^T`, `(m, m)`, of unit-norm views `(m, d)`."""
    similarity = z_a @ z_b.T / temperature  # u_k.v_l
    positives = similarity.diagonal()[:, None]
    others = np.log(batch_size - 1) if batch_size > 1 else -np.inf
    a = np.logaddexp(0.0, others + similarity - positives)
    a += np.logaddexp(0.0, others + similarity.T - positives)
    return a + a.T


def _off_diagonal(matrix: np.ndarray) -> np.ndarray:
    return matrix[~np.eye(len(matrix), dtype=bool)]


def spectral_rows(log_affinity: np.ndarray, clusters: int) -> np.ndarray:
    """`(m, clusters)`: a row a pair, from the lowest eigenvectors of the symmetric-normalised Laplacian."""
    from scipy.linalg import eigh
    from scipy.sparse.csgraph import laplacian

    # The Laplacian has no diagonal of A and no common factor: the largest affinity is made 1, or exp overflows
    # below temperature 0.01. What underflows would cut the graph; the floor keeps it connected.
    affinity = np.exp(np.maximum(log_affinity - _off_diagonal(log_affinity).max(), -600.0))
    normalised, root_degrees = laplacian(affinity, normed=True, return_diag=True)
    _, vectors = eigh(normalised, subset_by_index=[0, clusters - 1])
    rows: np.ndarray = vectors / root_degrees[:, None]
    return rows


def even_clusters(rows: np.ndarray, size: int, seed: int) -> np.ndarray:
    """Labels `(m,)` from 0 to m / size - 1, each `size` times: k-means, then an assignment to its centres."""
    from scipy.optimize import linear_sum_assignment
    from scipy.spatial.distance import cdist
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    means = KMeans(len(rows) // size, n_init=_STARTS, random_state=seed)
    # Threads add up a centre in any order, and a trial must come out the same after a restart.
    with warnings.catch_warnings(), _thread_pools().limit(limits=1):
        # Equal pairs make fewer clusters than asked for; the assignment fills all of them.
        warnings.simplefilter("ignore", ConvergenceWarning)
        centres = means.fit(rows).cluster_centers_
    assigned: np.ndarray = linear_sum_assignment(cdist(rows, centres.repeat(size, axis=0)))[1]
    return assigned // size


@functools.cache
def _thread_pools():  # type: ignore[no-untyped-def]
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
