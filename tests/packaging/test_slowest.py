"""What pytest says of its slowest tests is found in an environment's log."""

from __future__ import annotations

from tools import matrix


def test_the_slowest_tests_are_found_between_their_headline_and_what_follows() -> None:
    log = [
        "....",
        "===== slowest 10 durations =====",
        "5.13s call     tests/a.py::test_one",
        "0.51s setup    tests/a.py::test_two",
        "",
        "(8 durations < 0.5s hidden.)",
        "1.00s call     not among them",
        "===== 2 passed in 6.00s =====",
    ]
    assert matrix._slowest(log) == [
        "5.13s call     tests/a.py::test_one",
        "0.51s setup    tests/a.py::test_two",
    ]
    assert matrix._slowest(["....", "===== 2 passed in 6.00s ====="]) == []
    assert matrix._closing(log) == "===== 2 passed in 6.00s ====="
