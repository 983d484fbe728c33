"""Charts in braille: data, drawing, zooming and the widget."""
