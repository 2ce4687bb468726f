"""How queues are measured side by side: `python benchmarks/bench.py` (or bin/bench)."""
