"""What the project measures of itself; run as `python -m benchmarks.replay`."""
