"""The selection method `spectral`: clusters of equal size. Similar pairs, which are hard negatives, share a batch."""

import functools
import warnings

import numpy as np
import torch
from torch import Tensor

from trainables.selection.selection import BatchSelection, shuffled_batches

#: Up to this spread, differences of log affinities may come from the rounding of float32 embeddings.
_NO_SPREAD = 1e-5

#: Number of starts of k-means; the best one is used. This is the default of the scikit-learn version of the source.
_STARTS = 10


class SpectralClustering(BatchSelection):
    """Clusters the k B pairs of a random draw into k batches of B. The other pairs are not used in this round.

    With u, v the views divided by sqrt(temperature), and B the batch size, the affinity A of the pairs is:

        a_kl = log(1 + (B-1) exp(u_k.v_l - u_k.v_k)) + log(1 + (B-1) exp(v_k.u_l - u_k.v_k)),  A = exp(a + a^T)

    The next steps are: the k lowest eigenvectors of the symmetric-normalised Laplacian of A, divided by the roots of
    the degrees; k-means on their rows; each centre B times; and the linear assignment of pairs to centres with the
    least total distance, which makes all clusters equal in size. Losses without a `temperature` are treated as at 1.
    If all affinities are equal, if embeddings are not finite, or if k = 1, there is no clustering and the batches are
    those of the draw, which is a shuffle.
    Source: Cho et al. 2024 (TMLR, arXiv 2307.05906) and its released code; eigenvectors as in scikit-learn.
    """

    looks = True

    def draw(self, generator: torch.Generator) -> Tensor:
        """k batches of one shuffle. Their pairs are then clustered."""
        return shuffled_batches(self.n, self.batch_size, self.pool, generator)

    def choose(self, candidates: Tensor, z_a: Tensor, z_b: Tensor, generator: torch.Generator) -> Tensor:
        """The clusters, `(k, B)`."""
        # Always drawn, so that the candidates of later rounds do not depend on the embeddings.
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
    """`(m, clusters)`: one row per pair, from the lowest eigenvectors of the symmetric-normalised Laplacian."""
    from scipy.linalg import eigh
    from scipy.sparse.csgraph import laplacian

    # The Laplacian does not depend on the diagonal of A or on a common factor. So the largest affinity is set to 1,
    # since exp would overflow below temperature 0.01. Affinities that underflow would cut the graph; the floor
    # prevents this.
    affinity = np.exp(np.maximum(log_affinity - _off_diagonal(log_affinity).max(), -600.0))
    normalised, root_degrees = laplacian(affinity, normed=True, return_diag=True)
    _, vectors = eigh(normalised, subset_by_index=[0, clusters - 1])
    rows: np.ndarray = vectors / root_degrees[:, None]
    return rows


def even_clusters(rows: np.ndarray, size: int, seed: int) -> np.ndarray:
    """Labels `(m,)` from 0 to m / size - 1, each `size` times, by k-means and an assignment to its centres."""
    from scipy.optimize import linear_sum_assignment
    from scipy.spatial.distance import cdist
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    means = KMeans(len(rows) // size, n_init=_STARTS, random_state=seed)
    # Several threads would sum a centre in random order, but a trial must give the same result after a restart.
    with warnings.catch_warnings(), _thread_pools().limit(limits=1):
        # With equal pairs, k-means finds fewer clusters than requested; the assignment fills all of them.
        warnings.simplefilter("ignore", ConvergenceWarning)
        centres = means.fit(rows).cluster_centers_
    assigned: np.ndarray = linear_sum_assignment(cdist(rows, centres.repeat(size, axis=0)))[1]
    return assigned // size


@functools.cache
def _thread_pools():  # type: ignore[no-untyped-def]
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
