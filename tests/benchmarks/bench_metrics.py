"""Speed and memory of the metrics, on one thread: `python -m tests.benchmarks.bench_metrics`.

All embedding metrics together, against one full Gram matrix of the same points, side by side in one run (limits: 3
times the Gram matrix, 1 GB).
"""

import torch

from tests.benchmarks.memory import peak_bytes
from tests.benchmarks.timing import seconds_each
from trainables.metrics.embedding import embedding_metrics
from trainables.metrics.pair_sums import pair_sums


def main() -> None:
    """Print one row a size."""
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(0)
    print("     n    d | ms all metrics | times one Gram matrix | of it pairs | peak MB above the points")
    for n, d in ((1000, 128), (5000, 128), (5000, 512), (2000, 4096)):
        z = torch.nn.functional.normalize(torch.randn(n, d, generator=generator), dim=-1)
        embedding_metrics(z[:100])  # what the first call loads is no part of it
        memory = peak_bytes(lambda z=z: embedding_metrics(z))
        both, gram, pairs = seconds_each(
            [lambda z=z: embedding_metrics(z), lambda z=z: z @ z.T, lambda z=z: pair_sums(z)], budget=3.0
        )
        print(
            f"{n:6} {d:4} | {both * 1e3:14.1f} | {both / gram:21.2f} | {pairs / both:11.0%} | {memory / 1e6:8.1f}"
        )


if __name__ == "__main__":
    main()
