"""Benchmarks: `make bench` measures speed and writes docs/speed.md."""
