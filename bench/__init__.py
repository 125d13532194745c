"""Benchmarks: the product and what a user would pick instead, interleaved in one run on one machine."""
