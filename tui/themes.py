"""Themes of our own, beside Textual's (dark, light, 16 colors: ansi-dark and ansi-light).

All have, beside Textual's colors, those of the piano roll: $voice-1 to $voice-4, and $loop.
"""

from textual.theme import Theme

HIGH_CONTRAST = Theme(
    name="high-contrast",
    primary="#ffff00",
    secondary="#00ffff",
    warning="#ffaf00",
    error="#ff5f5f",
    success="#00ff00",
    accent="#ff87ff",
    foreground="#ffffff",
    background="#000000",
    surface="#262626",
    panel="#3a3a3a",
    text_alpha=1.0,
    variables={
        "text-muted": "#e4e4e4",
        "text-disabled": "#bcbcbc",
        "voice-2": "#00ffff",
        "voice-3": "#00ff00",
    },
)
# The colors of Okabe and Ito (2008), which differ for people with any kind of color blindness.
COLOR_BLIND = Theme(
    name="color-blind-safe",
    primary="#56b4e9",
    secondary="#009e73",
    warning="#e69f00",
    error="#d55e00",
    success="#009e73",
    accent="#f0e442",
    foreground="#e6e6e6",
    background="#101010",
    surface="#1e1e1e",
    panel="#262f36",
    variables={"voice-2": "#f0e442", "voice-3": "#0072b2", "voice-4": "#d55e00"},
)
THEMES = (HIGH_CONTRAST, COLOR_BLIND)


def roll_colors(theme: Theme) -> dict[str, str]:
    """Return the colors of the piano roll for a theme that does not set them."""
    colors = (theme.primary, theme.warning, theme.success, theme.error)
    loop = theme.accent
    if theme.ansi:
        colors = ("ansi_blue", "ansi_magenta", "ansi_green", "ansi_red")
        loop = "ansi_bright_black" if theme.dark else "ansi_bright_white"
    voices = {f"voice-{number}": color or theme.primary for number, color in enumerate(colors, 1)}
    ansi = {"ansi-background": "ansi_black", "ansi-foreground": "ansi_white"}  # else not used
    return voices | ansi | {"loop": loop or theme.primary}
