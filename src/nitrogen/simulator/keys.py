"""Names of keys, for games that read no pad. The numbers are SDL's scancodes (the USB ones)."""

SCANCODES: dict[str, int] = {
    **{chr(ord("a") + index): 4 + index for index in range(26)},
    **{str((index + 1) % 10): 30 + index for index in range(10)},
    **{f"f{index + 1}": 58 + index for index in range(12)},
    "return": 40,
    "escape": 41,
    "backspace": 42,
    "tab": 43,
    "space": 44,
    "insert": 73,
    "home": 74,
    "page_up": 75,
    "delete": 76,
    "end": 77,
    "page_down": 78,
    "right": 79,
    "left": 80,
    "down": 81,
    "up": 82,
    "left_ctrl": 224,
    "left_shift": 225,
    "left_alt": 226,
    "right_ctrl": 228,
    "right_shift": 229,
    "right_alt": 230,
}
"""Key name -> scancode."""
