from engine.runs.events import Finished
from tests.tui.conftest import WriteRun
from tui.sources.run_log import log_lines


def test_the_log_is_what_was_printed_and_the_events(write_run: WriteRun) -> None:
    run = write_run("first")
    run.log.write_text("a warning\x1b[0m\n")
    lines = log_lines(run, 1000)
    assert lines[-1].endswith("step 1000: saved step-001000, best so far")
    assert lines[-2].endswith("step 1000: wrote a sample")
    assert lines[-2][2] == lines[-2][5] == ":"
    assert any("step 995/1000  loss" in line for line in lines)
    assert len(lines) == 200  # the warning is older than the last 200
    assert log_lines(write_run("other", started=False), 10) == []


def test_a_line_that_is_still_being_written_is_left_out(write_run: WriteRun) -> None:
    run = write_run("first", events=[Finished(7, "stopped")])
    run.log.write_text("a warning\x1b[0m\n")
    with run.events.open("a") as file:
        file.write('{"event": "step", "st')
    lines = log_lines(run, 1000)
    assert lines[0] == "a warning␛[0m"
    assert lines[-1].endswith("stopped at step 7")
