"""How near the forecast is to the truth: `python -m benchmarks.accuracy`, see `__main__`."""

import os

# Before NumPy is imported: processes share the cores, and threads in each would only get in their way.
for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")
