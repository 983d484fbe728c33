from tui.pages.lyrics import shading
from tui.sources.answers import Letter


def test_surprise_is_shaded_by_steps() -> None:
    letters = [Letter("a", bits) for bits in (0.0, 0.99, 1.0, 3.0, 4.5, 40.0)]
    assert shading.levels("surprise", letters) == [0, 0, 1, 2, 3, 4]
    assert shading.levels("plain", letters) == []


def test_a_copied_stretch_is_marked_from_its_first_character() -> None:
    letters = [Letter(character) for character in "abcdef"]
    letters[3] = Letter("d", copied=3, source="x")
    letters[4] = Letter("e", copied=9, source="x")  # longer than the text, as the prime was copied
    assert shading.levels("copies", letters[:4]) == [0, 5, 5, 5]
    assert shading.levels("copies", letters) == [5, 5, 5, 5, 5, 0]
    assert shading.closely("copies", letters[3]) == "3 characters as in x"


def test_levels_are_of_what_is_shown() -> None:
    assert shading.levels("surprise", [Letter("\x1b[", 9.0), Letter("b", 0.0)]) == [4, 4, 0]


def test_characters_are_named_so_that_they_can_be_seen() -> None:
    letter = Letter("\n", 2.0, ((" ", 0.5), ("", 0.25), ("e", 0.125)))
    words = "⏎ 2.0 bits; likeliest ␣ 50 % · the end 25 % · e 12 %"
    assert shading.closely("surprise", letter) == words
    assert shading.closely("surprise", Letter("a")) == ""  # nothing was told of it
    assert shading.closely("plain", letter) == ""
