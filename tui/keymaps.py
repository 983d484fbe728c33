"""Sets of keys: the default, vim and emacs; the settings can change any key.

In a set, some keys stand for others wherever no text is typed, so lists, dialogs and pages need no
bindings of their own for it. Actions whose keys a set takes get others.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class KeySet:
    """keys: each key that stands for another one. actions: the keys of actions by their ids."""

    keys: Mapping[str, str] = field(default_factory=dict)
    actions: Mapping[str, str] = field(default_factory=dict)


KEY_SETS = {
    "default": KeySet(),
    "vim": KeySet(
        keys={
            "h": "left", "j": "down", "k": "up", "l": "right",
            "ctrl+d": "pagedown", "ctrl+u": "pageup", "ctrl+f": "pagedown", "ctrl+b": "pageup",
        },
        actions={
            "lyrics.shade": "H", "lyrics.lock_seed": "K", "music.lock_seed": "K",
            "music.loop": "O", "chart.log_y": "Y", "ladder.seed": "K",
        },
    ),
    "emacs": KeySet(
        keys={
            "ctrl+b": "left", "ctrl+n": "down", "ctrl+p": "up", "ctrl+f": "right",
            "ctrl+v": "pagedown", "alt+v": "pageup", "ctrl+g": "escape",
        },
        actions={"app.palette": "alt+x", "app.help": "question_mark,f1,ctrl+h"},
    ),
}  # fmt: skip
