"""Latencies of echoes and answers, from the moments of keys."""

import pytest

from engine.errors import WorkError
from engine.music.jam import VELOCITY
from tui.bench import jam


def test_echoes_are_matched_with_their_keys() -> None:
    sent = [[1.0, 60, 92], [1.1, 60, 0], [1.2, 62, 92], [1.3, 62, 0]]
    played = [[moment + 0.002, *rest] for moment, *rest in sent]
    assert jam.echoes({"sent": sent, "played": played}) == pytest.approx([2, 2])
    with pytest.raises(WorkError, match="did not echo all keys"):
        jam.echoes({"sent": sent, "played": played[:-1]})


def test_answers_are_counted_from_the_end_of_the_rest() -> None:
    sent = [
        [10 * number + 0.5 * index + 0.4 * off, pitch, 0 if off else 92]
        for number in range(2)
        for index, pitch in enumerate(jam.PHRASE)
        for off in (0, 1)
    ]
    # The phrases end at 1.9 and 11.9, their rests half a second later.
    played = [*sent, [2.5, 60, VELOCITY], [2.75, 64, VELOCITY], [12.9, 60, VELOCITY]]
    assert jam.answers({"sent": sent, "played": played}) == pytest.approx([0.2, 1.0])
    with pytest.raises(WorkError, match="A phrase was not answered"):
        jam.answers({"sent": sent, "played": played[:-1]})
