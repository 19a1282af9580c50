"""All metrics of one set of embeddings, from one pass over its pairs and one singular value decomposition.

The evaluation of a trained model uses it.
"""

from torch import Tensor

from trainables.metrics.effective_rank import effective_rank_of, singular_values
from trainables.metrics.energy_distance import energy_distance_of
from trainables.metrics.gaussian_mmd import gaussian_mmd_of
from trainables.metrics.pair_sums import pair_sums
from trainables.metrics.relative_rank import relative_rank_of
from trainables.metrics.uniformity import uniformity_of
from trainables.metrics.wasserstein_uniformity import wasserstein_uniformity_of


def embedding_metrics(z: Tensor) -> dict[str, float]:
    """Each metric by the name of its function, for `(n, d)` unit-norm rows. Raises `ValueError` for other input.

    The cost is about that of one Gram matrix of the points. The memory does not grow with n.
    """
    pairs, values = pair_sums(z), singular_values(z)
    return {
        "uniformity": uniformity_of(pairs),
        "wasserstein_uniformity": wasserstein_uniformity_of(pairs),
        "energy_distance": energy_distance_of(pairs),
        "gaussian_mmd": gaussian_mmd_of(pairs),
        "effective_rank": effective_rank_of(values),
        "relative_rank": relative_rank_of(values),
    }
