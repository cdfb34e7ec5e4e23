"""What streamers do to an overlay before it meets the picture: tint, blur, shadow, box, opacity.

Works on the premultiplied picture that `overlay.render` draws. What encoders do afterwards is not
its business.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from nitrogen.actions import Actions, Frame
from nitrogen.overlay.render import Placement, Renderer
from nitrogen.overlay.skin import Skin
from nitrogen.overlay.sprites import Premultiplied

Colour = tuple[int, int, int]


@dataclass(frozen=True, kw_only=True)
class Look:
    """Settings of the overlay's source; the defaults change nothing."""

    opacity: float = 1.0
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """Gain by colour: red, green, blue."""
    blur: float = 0.0
    """Standard deviation in frame pixels."""
    shadow: float = 0.0
    """Strength of a soft black shadow below and to the right."""
    shadow_px: int = 4
    """How far the shadow reaches."""
    box: Colour | None = None
    """A filled box behind the pad; chroma green is (0, 177, 64)."""
    box_margin: int = 4
    """By how many pixels the box is larger than the pad."""

    @property
    def reach(self) -> int:
        """Pixels by which the dressed picture is larger than the skin's, on every side."""
        return max(round(3 * self.blur), 2 * self.shadow_px if self.shadow else 0,
                   self.box_margin if self.box else 0)  # fmt: skip


class Overlay:
    """Draws one skin at one placement in one look."""

    def __init__(self, skin: Skin, placement: Placement, look: Look) -> None:
        """placement.opacity multiplies with the look's."""
        x, y, width, height = placement.box(skin.canvas)
        far = look.reach
        self.look = look
        self.renderer = Renderer(
            skin, placement, (x - far, y - far, width + 2 * far, height + 2 * far)
        )
        self._inner = (slice(far, far + height), slice(far, far + width))
        self._key: bytes | None = None
        self._over: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None

    @property
    def box(self) -> tuple[int, int, int, int]:
        """x, y, width and height of the skin's canvas in the frame; may reach beyond it."""
        return self.renderer.placement.box(self.renderer.skin.canvas)

    def blend(self, frame: Frame, actions: Actions, *, presence: float = 1.0) -> None:
        """Draw one frame's state onto `frame`, (H, W, 3), in place; what lies outside is cut.

        presence: 0 for an overlay that is hidden, between 0 and 1 while it fades.
        """
        if presence <= 0:
            return
        key = actions.buttons[0].tobytes() + actions.sticks[0].tobytes()
        if key != self._key or self._over is None:
            picture = dressed(self.renderer.draw(actions), self.look, self._inner)
            opacity = self.look.opacity * self.renderer.placement.opacity
            self._over = picture[..., :3] * opacity, 1 - picture[..., 3:] * opacity
            self._key = key
        x, y, width, height = self.renderer.box
        left, top = max(x, 0), max(y, 0)
        right, bottom = min(x + width, frame.shape[1]), min(y + height, frame.shape[0])
        if right <= left or bottom <= top:
            return
        rows, columns = slice(top - y, bottom - y), slice(left - x, right - x)
        area = frame[top:bottom, left:right]
        colour, keep = self._over[0][rows, columns], self._over[1][rows, columns]
        if presence < 1:
            colour, keep = presence * colour, 1 - presence * (1 - keep)
        area[...] = (colour + area * keep + 0.5).astype(np.uint8)


def dressed(
    picture: Premultiplied, look: Look, inner: tuple[slice, slice] | None = None
) -> Premultiplied:
    """A copy of a picture in a look, without its opacity.

    inner: rows and columns of the skin's canvas, round which the box lies; all when None.
    """
    result = picture.copy()
    if look.tint != (1.0, 1.0, 1.0):
        result[..., :3] *= np.array(look.tint, np.float32)
        np.minimum(result[..., :3], 255 * result[..., 3:], out=result[..., :3])
    if look.blur:
        result = np.asarray(cv2.GaussianBlur(result, (0, 0), look.blur), np.float32)
    if look.shadow:
        result = _above(result, _shadow(result, look))
    if look.box is not None:
        result = _above(result, _box(result, look, inner))
    return result


def _above(picture: Premultiplied, below: Premultiplied) -> Premultiplied:
    return np.asarray(picture + below * (1 - picture[..., 3:]), np.float32)


def _shadow(picture: Premultiplied, look: Look) -> Premultiplied:
    cover = cv2.GaussianBlur(picture[..., 3], (0, 0), max(0.5, look.shadow_px / 2))
    shift = np.array([[1, 0, look.shadow_px / 2], [0, 1, look.shadow_px / 2]], np.float32)
    moved = cv2.warpAffine(cover, shift, (cover.shape[1], cover.shape[0]))
    shadow = np.zeros_like(picture)
    shadow[..., 3] = np.clip(look.shadow * moved, 0, 1)
    return shadow


def _box(picture: Premultiplied, look: Look, inner: tuple[slice, slice] | None) -> Premultiplied:
    box = np.zeros_like(picture)
    rows, columns = inner or (slice(0, picture.shape[0]), slice(0, picture.shape[1]))
    m = look.box_margin
    area = box[max(rows.start - m, 0) : rows.stop + m, max(columns.start - m, 0) : columns.stop + m]
    area[..., :3], area[..., 3] = look.box, 1.0
    return box
