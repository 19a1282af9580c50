"""The parts of `tests.benchmarks.bench_gpu`."""

import time

#: When the process began to import the parts. The limit of a call counts from here: torch's import may take long.
STARTED = time.monotonic()
