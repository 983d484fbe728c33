"""What the pages that write have in common: their models, and the sampler's process."""

import asyncio
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from textual import work
from textual.message import Message
from textual.screen import Screen

from engine.errors import WorkError
from engine.protocol import Failed, Loaded, LoadModel
from tui.sources import commands
from tui.sources.models import ModelChoice, models_of_kind
from tui.sources.programs import Programs
from tui.sources.sampler import Answers, Sampler


@dataclass
class SamplerAnswered(Message):
    """Answers of the sampler, in order; those to an older request are ignored."""

    answers: Answers


class Chooser(Protocol):
    """The controls, as far as they choose the model."""

    @property
    def model(self) -> ModelChoice | None:
        """The model chosen."""

    @property
    def model_name(self) -> str:
        """What the sampler calls it."""

    def set_models(self, models: Sequence[ModelChoice]) -> None:
        """Offer these; what was chosen stays so where it is still there."""


class ModelPage(Screen[None]):
    """A page that has models of a kind write, by a sampler of its own.

    Where there are none but those that come with the program, it begins by itself when it first
    comes up: whoever opens the program for the first time is to hear something.
    """

    def __init__(self, programs: Programs, *kinds: str) -> None:
        super().__init__()
        self.programs = programs
        self.sampler = Sampler(
            programs.sampler, lambda answers: self.post_message(SamplerAnswered(answers))
        )
        self._kinds = kinds  # of models: "lyrics", "music"
        self._away = True  # another page is in front
        self._looking = False  # for models
        self._loading = 0  # the id of the request to load the model, 0 when there is none
        self._problem = ""  # a sentence about something else than the song in view
        self._begins = True  # by itself, once

    @property
    @abstractmethod
    def chooser(self) -> Chooser:
        """The controls that choose the model."""

    @abstractmethod
    def refresh_words(self) -> None:
        """Say anew what there is to say about the models."""

    @abstractmethod
    def begin(self) -> None:
        """Write something to begin with."""

    def on_screen_suspend(self) -> None:
        """Note whether it was for another page, not for a dialog above this one."""
        self._away = self not in self.app.screen_stack

    def on_screen_resume(self) -> None:
        """Look for models each time the page comes up: one may have been trained since."""
        if self._away:
            self._away = False
            self.action_reload()

    @work(exclusive=True, group="models")
    async def action_reload(self) -> None:
        """Look again for models."""
        self._looking, self._problem = True, ""
        self.refresh_words()
        try:
            rows = await commands.run(self.programs.cli, "models", "--json")
            models = [model for kind in self._kinds for model in models_of_kind(rows, kind)]
            self.chooser.set_models(models)
            self._begins &= all(model.source == "bundled" for model in models)
            if not models:  # then say what is wrong with those there are
                self._problem = next((row["error"] for row in rows if "error" in row), "")
        except WorkError as error:
            self._problem = str(error)
        self._looking = False
        self.load()

    def load(self) -> None:
        """Make the chosen model warm, and learn what it knows."""
        self._loading = 0
        if self.chooser.model is not None:
            self._loading = self.sampler.request(LoadModel(self.chooser.model_name))
        self.refresh_words()

    def loaded(self, answer: Loaded | Failed) -> bool:
        """Return whether this answers the request to load the model."""
        if answer.id != self._loading:
            return False
        self._loading = 0
        if isinstance(answer, Failed):
            self._problem = answer.error
        return True

    def begin_once(self) -> None:
        """Write something if nobody has asked for anything yet and nothing is wrong."""
        if self._begins and not self._problem:
            self.begin()
        self._begins = False

    async def on_unmount(self) -> None:
        """End the sampler's process."""
        await asyncio.to_thread(self.sampler.close)
