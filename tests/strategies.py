"""Random inputs for property tests, shared by all test modules."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nitrogen.actions import BUTTONS, STICKS, Actions


@st.composite
def actions(draw, min_length=0, max_length=20):
    length = draw(st.integers(min_length, max_length))
    travel = st.floats(0, 1, width=32)
    position = st.floats(-1, 1, width=32)
    return Actions(
        draw(hnp.arrays(np.float32, (length, len(BUTTONS)), elements=travel)),
        draw(hnp.arrays(np.float32, (length, len(STICKS)), elements=position)),
    )
