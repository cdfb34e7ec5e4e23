import logging

import pytest

from nitrogen.errors import DataError
from nitrogen.logs import MetricLog, read_metrics, set_up


def test_metrics_come_back_and_a_torn_last_line_is_left_out(tmp_path):
    path = tmp_path / "deep" / "metrics.jsonl"
    with MetricLog(path) as log:
        log.write(step=1, loss=0.5)
        log.write(step=2, loss=float("nan"))
    with MetricLog(path) as log:
        log.write(step=3, name="x")
    with path.open("a") as file:
        file.write('{"step": 4, "lo')

    assert read_metrics(path) == [
        {"step": 1, "loss": 0.5},
        {"step": 2, "loss": None},
        {"step": 3, "name": "x"},
    ]
    with MetricLog(path) as log:
        log.write(step=5)
    assert [row["step"] for row in read_metrics(path)] == [1, 2, 3, 5]


@pytest.mark.parametrize("line", ["{torn", "[1, 2]"])
def test_damage_in_the_middle_is_named(tmp_path, line):
    path = tmp_path / "metrics.jsonl"
    path.write_text(f'{line}\n{{"step": 2}}\n')

    with pytest.raises(DataError, match=r"metrics.jsonl:1 is not"):
        read_metrics(path)


@pytest.mark.parametrize(("verbose", "level"), [(True, logging.INFO), (False, logging.WARNING)])
def test_set_up_chooses_the_level(verbose, level):
    before = (logging.root.level, logging.root.handlers[:])
    try:
        set_up(verbose=verbose)
        assert logging.root.level == level
    finally:
        logging.root.level, logging.root.handlers[:] = before
