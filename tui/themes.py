"""Themes of our own, beside Textual's (dark, light, 16 colors: ansi-dark and ansi-light)."""

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
    variables={"text-muted": "#e4e4e4", "text-disabled": "#bcbcbc"},
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
)
THEMES = (HIGH_CONTRAST, COLOR_BLIND)
