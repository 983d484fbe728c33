"""The ladder while answers are received."""

from engine.protocol import LadderCharacter, LadderStep, Progress
from tui.pages.ladder.rungs import NAMES, Ladder, Rung, in_line


def test_answers_are_shown_on_their_rung() -> None:
    ladder = Ladder()
    assert [rung.name for rung in ladder.rungs] == list(NAMES)
    assert ladder.max_bits == 0
    for answer in (
        Progress("counting"),
        LadderStep(0, "uniform", 6.0),
        LadderStep(10, "mine", None),
        LadderCharacter(10, "a"),
        LadderCharacter(0, "x"),
        LadderCharacter(10, "b"),
        LadderStep(11, "?", 1.0),
    ):
        ladder.receive(answer)
    assert (ladder.progress, ladder.max_bits) == ("counting", 6.0)
    assert (ladder.rungs[10].name, ladder.rungs[10].text) == ("mine", "ab")
    ladder.clear_texts()
    assert {rung.text for rung in ladder.rungs} == {""}
    assert (ladder.progress, ladder.rungs[0].bits) == ("", 6.0)


def test_labels_are_columns() -> None:
    assert Rung("markov 5", 2.1707).label(6.19, with_bar=True) == "markov 5    2.17 ━━━─────"
    assert Rung("a name that is long", 10.5).label(10.5, with_bar=False) == "a name that 10.50"
    assert Rung("network").label(6.0, with_bar=True) == "network        –"
    assert (Rung("x", 2.1707).figure, Rung("x").figure) == ("2.171 bits", "")


def test_verses_in_one_line() -> None:
    assert in_line("Why\nme\n\n\nand\x07") == "Why / me // and␇"
