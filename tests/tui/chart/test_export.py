import csv
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.errors import InputError
from tui.chart import export
from tui.chart.series import Axis, Series
from tui.chart.viewport import Viewport

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def series() -> list[Series]:
    x = np.arange(0.0, 100.0, 5.0)
    y = 4 - x / 50
    y[7] = np.nan
    valid = Series("<valid>", np.array([0.0, 50.0]), np.array([4.5, 3.5]), 1, "points")
    return [Series("train", x, y), valid]


def test_an_svg_has_the_visible_lines_marks_axes_and_legend(
    series: list[Series], tmp_path: Path
) -> None:
    path = tmp_path / "chart.svg"
    export.export(path, series, Viewport(smoothing=0.9), None, "bits/char")
    root = ET.parse(path).getroot()
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert {"train", "<valid>", "smoothed 0.9", "step", "bits/char", "50", "3.0"} <= set(texts)
    blue = [one for one in root.iter(f"{SVG}polyline") if one.get("stroke") == "#0072B2"]
    assert len(blue) == 3  # the legend's, and the line on both sides of the gap
    marks = list(root.iter(f"{SVG}polygon"))
    assert len(marks) == 3  # the legend's, and two points
    xs = [float(pair.split(",")[0]) for pair in str(blue[1].get("points")).split()]
    assert xs[0] == 80  # the left edge
    zoomed = tmp_path / "zoomed.svg"
    export.export(zoomed, series, Viewport(span=(40.0, 60.0), smoothing=0), None, "")
    marks = list(ET.parse(zoomed).getroot().iter(f"{SVG}polygon"))
    assert len(marks) == 2  # one point is visible


def test_a_png_has_the_colors_of_the_lines(series: list[Series], tmp_path: Path) -> None:
    path = tmp_path / "chart.PNG"
    hours = Axis("hours", whole=False)
    export.export(path, series, Viewport(log_y=True), hours, "bits/char")
    image = Image.open(path).convert("RGB")
    assert image.size == (2400, 1440)
    colors = {color for _, color in image.getcolors(1 << 24) or []}
    assert {(0, 0x72, 0xB2), (0xE6, 0x9F, 0), (255, 255, 255)} <= colors


def test_a_csv_has_a_row_for_each_visible_x(series: list[Series], tmp_path: Path) -> None:
    path = tmp_path / "chart.csv"
    export.export(path, series, Viewport(span=(30.0, 50.0)), Axis("characters"), "")
    rows = list(csv.reader(path.open()))
    assert rows == [
        ["characters", "train", "<valid>"],
        ["30", "3.4", ""], ["40", "3.2", ""], ["45", "3.1", ""], ["50", "3", "3.5"],
    ]  # fmt: skip


def test_what_cannot_be_exported_is_refused(series: list[Series], tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"chart\.jpg must end in \.png, \.svg or \.csv"):
        export.export(tmp_path / "chart.jpg", series, Viewport(), None, "")
    with pytest.raises(InputError, match="no values yet"):
        export.export(tmp_path / "chart.svg", [], Viewport(), None, "")
    with pytest.raises(InputError, match="press 0 to zoom out"):
        export.export(tmp_path / "chart.svg", series, Viewport(span=(96.0, 99.0)), None, "")
    assert not list(tmp_path.iterdir())
