"""Playing together in the app, with a fake sampler and a keyboard that plays by itself."""

import pytest
from textual.widgets import Static

from engine.protocol import Listen, PlayerFailed
from tests.tui.music_page import page
from tui.pages.music.jam_dialog import LOWER, PITCHES, UPPER, JamDialog
from tui.sources.player import Answers


def test_the_keys_are_two_octaves() -> None:
    assert [PITCHES[key] for key in LOWER + UPPER] == list(range(60, 85))


@pytest.mark.slow
async def test_keys_of_the_computer_are_played_and_answered() -> None:
    async with page() as music:
        music.stage.prepare()  # a port that opens later would be silenced
        await music.until(lambda: music.tape and music.stage.port)
        await music.press("J")
        dialog = await music.in_front(JamDialog)
        message = dialog.query_one("#message", Static)
        await music.until(lambda: "keyboard and the computer's keys" in str(message.content))
        assert "folk answers your phrases, 120 beats a minute" in str(message.content)
        # The keyboard, a MIDI port, holds E5: nothing is answered before it is released.
        await music.until(lambda: music.down == {76} and "you: C5 E5" in str(message.content))
        await music.press("x")
        await music.until(lambda: "903E5A" in music.tape)
        await music.until(lambda: "803E40" in music.tape)  # released by itself
        await music.until(lambda: "you: C5 E5 D4" in str(message.content))
        # In the other mode, what is held is accompanied by the fake sampler.
        await music.press("tab")
        await music.until(lambda: "folk accompanies you" in str(message.content))
        await music.press("q")
        await music.until(lambda: "folk: –" not in str(message.content))
        await music.until(lambda: any(words.endswith("48") for words in music.tape))
        await music.press("escape")
        await music.until(lambda: not music.down)
        assert music.stage.listener is None


@pytest.mark.slow
async def test_without_a_keyboard_the_keys_of_the_computer_are_no_problem() -> None:
    async with page(ports=["keyless"]) as music:
        music.stage.prepare()
        await music.until(lambda: music.tape and music.stage.port)
        failed: list[str] = []
        await music.press("J")
        dialog = await music.in_front(JamDialog)
        receive = music.stage.listener
        assert receive is not None

        def listen(answers: Answers) -> None:
            receive(answers)
            failed.extend(answer.error for answer in answers if isinstance(answer, PlayerFailed))

        music.stage.listener = listen
        music.stage.player.request(Listen())
        await music.until(lambda: failed)
        await music.press("x")
        message = dialog.query_one("#message", Static)
        await music.until(lambda: "you: D4" in str(message.content))
        assert "There is no MIDI input" in failed[0]
        assert "on the computer's keys" in str(message.content)
        assert "There is no MIDI input" not in str(message.content)
        await music.press("escape")
        await music.until(lambda: music.stage.listener is None)
        assert "silent" not in music.text_of("#status")
