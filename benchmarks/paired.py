"""Ratios of CPU time, in paired runs: subject and baseline in turn, so that a slow phase slows both."""

import gc
import time
from collections.abc import Callable

PAIRS = 7

# Does some work and returns its number of operations.
type Work = Callable[[], int]


def cpu_ratios(subject: Work, baseline: Work, *, pairs: int = PAIRS) -> list[float]:
    """Return, for each pair, the CPU seconds of an operation of the subject over those of the baseline.

    All threads of this process count, other processes do not. Both are run once before, unmeasured.
    """
    subject()
    baseline()
    ratios = []
    for number in range(pairs):
        first, second = (subject, baseline) if number % 2 else (baseline, subject)
        times = {first: cpu_of(first), second: cpu_of(second)}
        ratios.append(times[subject] / times[baseline])
    return ratios


def cpu_of(work: Work) -> float:
    gc.collect()
    started = time.process_time()
    operations = work()
    return (time.process_time() - started) / operations
