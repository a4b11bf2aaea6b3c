"""Benchmarks: one command each, baselines in the same run, ratios of medians. None of them is a test."""
