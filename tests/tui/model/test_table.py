from engine import events as kinds
from engine.history import History
from tui.model.table import HEADER, csv_text


def test_a_line_a_step_with_what_is_known_there() -> None:
    history = History()
    history.add(kinds.Step(5, 1.5, 2.25, 0.004, None, 1000.0, 50.0, 1.0, None, time=10.0))
    history.add(kinds.Step(10, 1.25, 2.0, 0.003, 0.5, 1000.0, 50.0, 2.0, 3.0, time=11.0))
    history.add(kinds.Evaluated(10, 1.375, 2.125, 99, True, time=12.0))
    history.add(kinds.Evaluated(12, 1.5, 2.5, 99, False, time=13.0))
    assert csv_text(history).splitlines() == [
        ",".join(HEADER),
        "5,10.0,1.0,1.5,2.25,,,,0.004,,1000.0,50.0",
        "10,11.0,2.0,1.25,2.0,1.375,2.125,1,0.003,0.5,1000.0,50.0",
        "12,13.0,,,,1.5,2.5,0,,,,",
    ]


def test_nothing_but_the_header_before_the_first_step() -> None:
    assert csv_text(History()) == ",".join(HEADER) + "\n"
