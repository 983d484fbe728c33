from engine.protocol import Character
from tui.pages.lyrics import shading


def levels(view: str, characters: list[Character]) -> list[int]:
    result: list[int] = []
    shading.extend_levels(result, view, characters)
    return result


def test_surprise_is_shaded_by_steps() -> None:
    characters = [Character("a", bits=bits) for bits in (0.0, 0.99, 1.0, 3.0, 4.5, 40.0)]
    assert levels("surprise", characters) == [0, 0, 1, 2, 3, 4]
    assert levels("plain", characters) == []


def test_a_copied_stretch_is_highlighted_from_its_first_character() -> None:
    characters = [Character(character) for character in "abcdef"]
    characters[3] = Character("d", copied=3, source="x")
    characters[4] = Character(
        "e", copied=9, source="x"
    )  # longer than the text, as the prime was copied
    assert levels("copies", characters[:4]) == [0, 5, 5, 5]
    assert levels("copies", characters) == [5, 5, 5, 5, 5, 0]
    assert shading.describe("copies", characters[3]) == "3 characters copied from x"


def test_there_is_a_level_for_each_character_shown() -> None:
    assert levels("surprise", [Character("\x1b[", bits=9.0), Character("b", bits=0.0)]) == [
        4,
        4,
        0,
    ]


def test_characters_have_visible_names() -> None:
    character = Character("\n", bits=2.0, alternatives=((" ", 0.5), ("", 0.25), ("e", 0.125)))
    words = "⏎ 2.0 bits; most probable: ␣ 50 % · the end 25 % · e 12 %"
    assert shading.describe("surprise", character) == words
    assert shading.describe("surprise", Character("a")) == ""  # without alternatives
    assert shading.describe("plain", character) == ""
