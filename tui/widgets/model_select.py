"""The field that chooses a model."""

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Label, Select, Static

from tui.formatting import clean
from tui.sources.models import ModelChoice

_NONE = [("none yet", "")]  # all there is to choose until there are models


class ModelSelect(Select[str]):
    """The models there are; Select.Changed says when a person has chosen another."""

    def __init__(self) -> None:
        super().__init__(_NONE, id="model", allow_blank=False, compact=True)
        self._models: list[ModelChoice] = []

    @property
    def model(self) -> ModelChoice | None:
        """The model chosen."""
        return next((model for model in self._models if model.key == self.selection), None)

    @property
    def model_name(self) -> str:
        """What the sampler calls the chosen model: its path where another has the same name."""
        model = self.model
        if model is None:
            return ""
        names = [other.name for other in self._models]
        return model.path if names.count(model.name) > 1 else model.name

    def set_models(self, models: Sequence[ModelChoice]) -> None:
        """Offer these; what was chosen stays so where it is still there."""
        before = self.selection
        self._models = list(models)
        with self.prevent(Select.Changed):
            options = [(clean(model.name), model.key) for model in models] or _NONE
            self.set_options(options)
            keys = [key for _, key in options]
            self.value = before if before in keys else keys[0]


class ModelChooser(Vertical):
    """One of the models there are."""

    DEFAULT_CSS = """
    ModelChooser {
        height: auto;
        & Horizontal { height: 1; }
        & Label { width: 7; color: $text-muted; }
        & Select { width: 1fr; }
        & Select.-textual-compact > SelectCurrent { padding: 0 1; }
        & Select:focus > SelectCurrent { background: $panel; text-style: bold; }
        & #words { height: auto; margin: 0 0 0 8; color: $text-muted; }
    }
    """

    class Chosen(Message):
        """Another model was chosen."""

    def __init__(self) -> None:
        super().__init__()
        self._select = ModelSelect()

    def compose(self) -> ComposeResult:
        """A row for the name, a row for the words."""
        with Horizontal():
            yield Label("Model")
            yield self._select
        yield Static(id="words", markup=False)

    @property
    def model(self) -> ModelChoice | None:
        """The model chosen."""
        return self._select.model

    @property
    def model_name(self) -> str:
        """What the sampler calls the chosen model: its path where another has the same name."""
        return self._select.model_name

    def set_models(self, models: Sequence[ModelChoice]) -> None:
        """Offer these; what was chosen stays so where it is still there."""
        self._select.set_models(models)
        self._describe()

    @on(Select.Changed)
    def _changed(self, event: Select.Changed) -> None:
        event.stop()
        self._describe()
        self.post_message(self.Chosen())

    def _describe(self) -> None:
        words = (self.model.summary, self.model.score) if self.model else ()
        line = self.query_one("#words", Static)
        line.update(clean(" · ".join(filter(None, words))))
        line.display = any(words)
