"""Line charts in braille: the data, the viewport, the drawing and the widget that shows it."""
