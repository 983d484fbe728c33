"""The ladder as it is climbed."""

from engine.protocol import LadderCharacter, LadderStep, Progress
from tui.pages.ladder.ladder import NAMES, Ladder, Step, in_line


def test_what_comes_is_put_on_its_rung() -> None:
    ladder = Ladder()
    assert [step.name for step in ladder.steps] == list(NAMES)
    assert ladder.most == 0
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
    assert (ladder.doing, ladder.most) == ("counting", 6.0)
    assert (ladder.steps[10].name, ladder.steps[10].text) == ("mine", "ab")
    ladder.again()
    assert {step.text for step in ladder.steps} == {""}
    assert (ladder.doing, ladder.steps[0].bits) == ("", 6.0)


def test_labels_stand_in_columns() -> None:
    assert Step("markov 5", 2.1707).label(6.19, with_bar=True) == "markov 5    2.17 ━━━─────"
    assert Step("a name that is long", 10.5).label(10.5, with_bar=False) == "a name that 10.50"
    assert Step("network").label(6.0, with_bar=True) == "network        –"
    assert (Step("x", 2.1707).figure, Step("x").figure) == ("2.171 bits", "")


def test_verses_are_quoted_in_a_line() -> None:
    assert in_line("Why\nme\n\n\nand\x07") == "Why / me // and␇"
