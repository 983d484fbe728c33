import io

from engine.runs.events import Evaluated, Heartbeat, Step
from tui.sources.metrics_csv import CSV_COLUMNS, write_rows


def test_the_csv_has_a_line_for_each_step_with_metrics() -> None:
    text = io.StringIO()
    found = (
        Step(5, 1.5, 2.25, 0.004, None, 1000.0, 50.0, 1.0, None, time=10.0),
        Step(10, 1.25, 2.0, 0.003, 0.5, 1000.0, 50.0, 2.0, 3.0, time=11.0),
        Heartbeat(10, "evaluating"),
        Evaluated(10, 1.375, 2.125, 99, True, time=12.0),
        Evaluated(12, 1.5, 2.5, 99, False, time=13.0),
    )
    write_rows(found, text)
    assert text.getvalue().splitlines() == [
        ",".join(CSV_COLUMNS),
        "5,10.0,1.0,1.5,2.25,,,,0.004,,1000.0,50.0",
        "10,11.0,2.0,1.25,2.0,1.375,2.125,1,0.003,0.5,1000.0,50.0",
        "12,13.0,,,,1.5,2.5,0,,,,",
    ]


def test_before_the_first_step_the_csv_has_only_its_header() -> None:
    text = io.StringIO()
    write_rows((), text)
    assert text.getvalue() == ",".join(CSV_COLUMNS) + "\n"
