"""Imported first in every worker process, and only there: one native thread a worker, set before any library loads.

Otherwise each worker's BLAS, OpenMP or libvips would start as many threads as there are processors.
"""

from __future__ import annotations

import os

for _name in (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VIPS_CONCURRENCY",
):
    os.environ.setdefault(_name, "1")
