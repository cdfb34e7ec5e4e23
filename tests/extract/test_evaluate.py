import math

import numpy as np
import pytest

from nitrogen.actions import Actions
from nitrogen.errors import DataError
from nitrogen.extract.evaluate import compare, score


def played():
    parts = [Actions.released(10), Actions.of("south", length=5, left_x=1.0), Actions.released(10)]
    return Actions.concatenate(parts)


def test_a_perfect_reading():
    result = score(played(), played())

    assert result.accuracy == result.f1 == 1.0
    assert result.buttons["south"].recall == result.buttons["south"].precision == 1.0
    assert result.sticks["left_x"] == 1.0
    assert math.isnan(result.sticks["right_x"])


def test_reading_nothing_looks_accurate_and_has_no_f1():
    result = compare(played(), Actions.released(25))

    assert result.read.accuracy > 0.98
    assert result.read.f1 == 0.0
    assert result.read.buttons["south"].balanced_accuracy == 0.5
    assert result.as_dict()["read"]["sticks"]["right_x"] is None


def test_late_presses_are_found_and_timed():
    late = Actions.concatenate([Actions.released(2), played()[:-2]])

    assert score(played(), late).buttons["south"].timing_rows == 2.0


def test_nothing_to_compare():
    with pytest.raises(DataError, match="nothing to compare"):
        score(Actions.released(0), Actions.released(0))


def test_copying_the_last_row_is_a_baseline():
    result = compare(played(), played())

    assert 0 < result.copy_last.f1 < 1
    assert np.isclose(result.always_off.f1, 0)
