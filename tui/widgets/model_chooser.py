"""A field to choose a model, with a line of what it is."""

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Label, Select, Static

from tui.model.models import Model
from tui.model.text import clean


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
        self._models: list[Model] = []
        self._select: Select[str] = Select((), id="model", prompt="none yet", compact=True)

    def compose(self) -> ComposeResult:
        """A row for the name, a row for the words."""
        with Horizontal():
            yield Label("Model")
            yield self._select
        yield Static(id="words", markup=False)

    @property
    def model(self) -> Model | None:
        """The model chosen."""
        key = self._select.selection
        return next((model for model in self._models if model.key == key), None)

    @property
    def model_name(self) -> str:
        """What the sampler calls the chosen model: its path where another has the same name."""
        model = self.model
        if model is None:
            return ""
        names = [other.name for other in self._models]
        return model.path if names.count(model.name) > 1 else model.name

    def set_models(self, models: Sequence[Model]) -> None:
        """Offer these; what was chosen stays so where it is still there."""
        before = self._select.selection
        self._models = list(models)
        with self.prevent(Select.Changed):
            self._select.set_options((clean(model.name), model.key) for model in models)
            keys = [model.key for model in models]
            if keys:
                self._select.value = before if before in keys else keys[0]
        self._describe()

    @on(Select.Changed)
    def _changed(self, event: Select.Changed) -> None:
        event.stop()
        self._describe()
        self.post_message(self.Chosen())

    def _describe(self) -> None:
        words = (self.model.words, self.model.score) if self.model else ()
        line = self.query_one("#words", Static)
        line.update(clean(" · ".join(filter(None, words))))
        line.display = any(words)
