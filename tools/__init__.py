"""What ./run and tox need; not part of the package. ./run's part needs no more than plain Python 3.9."""
