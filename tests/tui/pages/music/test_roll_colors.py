"""Colors of the roll: voices and velocities differ in each theme, and for the color-blind."""

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray
from textual.color import Color
from textual.theme import BUILTIN_THEMES, Theme

from tui.pages.music.roll_colors import COLORINGS, RollColors, RollTheme
from tui.pages.music.roll_raster import ONSET, PROMPT, VOICE
from tui.themes import COLOR_BLIND, THEMES, roll_colors

ALL = {**BUILTIN_THEMES, **{theme.name: theme for theme in THEMES}}
# Simulation of color blindness in linear RGB (Machado, Oliveira and Fernandes 2009, severity 1).
BLINDNESS = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                   [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                     [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
                   [0.004733, 0.691367, 0.303900]],
}  # fmt: skip
_TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def colors(theme: Theme, coloring: str = "voice") -> RollColors:
    """Return the colors of a theme, of which only those of voices matter."""
    variables = {**roll_colors(theme), **theme.variables}
    background, text = theme.background or "#121212", theme.foreground or "#e0e0e0"
    if theme.ansi:
        background, text = variables["ansi-background"], variables["ansi-foreground"]
    voice = [Color.parse(variables[f"voice-{number}"]) for number in range(1, 5)]
    loop = Color.parse(variables["loop"])
    ground, ink = Color.parse(background), Color.parse(text)
    made = RollTheme._make([ink, ground, ground, *voice, ink, voice[2], loop])
    return RollColors(made, coloring)


def by_voice(theme: Theme, onset: bool = False) -> list[Color]:
    """Return the color of a note of each voice, at the velocity at which models write."""
    drawn = colors(theme)
    codes = (1 + 2 + VOICE * voice + ONSET * onset for voice in range(4))
    return [drawn._color(code, "", black=True) for code in codes]


def lab(color: Color, blindness: list[list[float]] | None = None) -> NDArray[np.float64]:
    """Return a color in CIE L*a*b*, where distances are about as large as they look."""
    share = np.array(color.rgb) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    if blindness is not None:
        linear = np.clip(np.array(blindness) @ linear, 0, 1)
    x, y, z = np.cbrt(_TO_XYZ @ linear / [0.95047, 1, 1.08883])
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("name", sorted(ALL))
@pytest.mark.parametrize("onset", [False, True])
def test_voices_differ_in_each_theme(name: str, onset: bool) -> None:
    found = by_voice(ALL[name], onset)
    assert len({color.rich_color for color in found}) == 4
    if not ALL[name].ansi:
        distances = [
            np.linalg.norm(lab(one) - lab(other)) for one, other in itertools.combinations(found, 2)
        ]
        assert min(distances) > 12


@pytest.mark.parametrize("blindness", BLINDNESS)
def test_voices_differ_for_the_color_blind(blindness: str) -> None:
    found = [lab(color, BLINDNESS[blindness]) for color in by_voice(COLOR_BLIND)]
    distances = [np.linalg.norm(one - other) for one, other in itertools.combinations(found, 2)]
    assert min(distances) > 18


@pytest.mark.parametrize("name", ["textual-dark", "ansi-light", "color-blind-safe"])
def test_velocities_differ_only_in_their_coloring(name: str) -> None:
    drawn = {coloring: colors(ALL[name], coloring) for coloring in COLORINGS}
    levels = [drawn["velocity"]._color(1 + level, "", black=True) for level in range(4)]
    assert len({color.rich_color for color in levels}) == 4
    voices = [drawn["velocity"]._color(1 + 2 + VOICE * voice, "", black=True) for voice in range(4)]
    assert len({color.rich_color for color in voices}) == 1


@pytest.mark.parametrize("name", ["textual-dark", "ansi-dark", "ansi-light"])
def test_the_loop_its_edges_and_notes_differ(name: str) -> None:
    drawn = colors(ALL[name])
    found = [drawn._color(0, line, black=True) for line in ("", "loop")]
    found += [drawn._color(1 + 2, "", black=True), drawn._color(1 + 2 + ONSET, "", black=True)]
    found.append(drawn._color(1 + 2 + PROMPT, "", black=True))
    assert len({color.rich_color for color in found}) == 5
    assert drawn._color(0, "edge", black=True) != drawn._color(0, "", black=True)
    assert drawn.looped.bgcolor != drawn.text.bgcolor
