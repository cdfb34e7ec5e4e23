import cv2
import numpy as np

from nitrogen.extract import colour
from nitrogen.extract.hypotheses import Control

OPACITY = 0.7


def ring(filled: bool) -> np.ndarray:
    """A white outlined button, (48, 48, 4) premultiplied; a press fills it half transparently."""
    alpha = np.zeros((48, 48), np.float32)
    if filled:
        cv2.circle(alpha, (24, 24), 13, 0.8, -1, cv2.LINE_AA)
    cv2.circle(alpha, (24, 24), 13, 1.0, 2, cv2.LINE_AA)
    return np.dstack([alpha * 235, alpha * 235, alpha * 235, alpha])


def shown(pressed: bool, background: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The packed picture of the button over a grey (48, 48) background, with some coding noise."""
    drawn = ring(pressed) * OPACITY
    luma = background * (1 - drawn[..., 3]) + drawn[..., 0] + rng.normal(0, 2, (48, 48))
    return np.vstack([luma, np.full((24, 48), 128.0)]).astype(np.float32)


def test_an_outline_over_a_plain_sky_is_not_taken_for_a_press():
    rng = np.random.default_rng(0)
    busy = [cv2.blur(rng.uniform(0, 255, (48, 48)), (3, 3)) for _ in range(60)]
    skies = [np.full((48, 48), level) for level in np.linspace(150, 215, 20)]
    stack = np.stack([shown(False, picture, rng) for picture in (*busy, *skies)])
    views = [colour.view(ring(filled), colour.MATRICES["bt709"]) for filled in (False, True)]
    nothing = np.zeros(stack.shape[1:], np.bool_)
    control = Control(
        views, stack, np.median(stack, axis=0), opacity=OPACITY, others=nothing, inside=~nothing
    )

    def level(pressed: bool, backgrounds: list[np.ndarray]) -> np.ndarray:
        patches = control.patches(np.stack([shown(pressed, one, rng) for one in backgrounds]))
        released = np.zeros(len(backgrounds), np.intp)
        return control.level(patches, control.energies(patches), released, released + 1)

    assert (level(False, skies) < 0.4).all()
    assert (level(False, busy) < 0.4).all()
    assert (level(True, skies) > 0.6).all()
    assert (level(True, busy) > 0.6).all()
