"""How much of the machine an operation takes, as ratios within one run: ``python -m benchmarks --help``."""
