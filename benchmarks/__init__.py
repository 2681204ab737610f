"""Benchmarks: run by hand, never by a test. Each prints a table and the machine it ran on."""
