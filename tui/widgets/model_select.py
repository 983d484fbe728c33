"""The field for the choice of a model."""

from collections.abc import Sequence

from textual import on
from textual.widgets import Select

from tui.formatting import clean
from tui.sources.models import ModelChoice

_NONE = [("none yet", "")]  # the only entry while there are no models


class ModelSelect(Select[str]):
    """A list of models. Select.Changed is sent only when the user chooses another model."""

    def __init__(self) -> None:
        super().__init__(_NONE, id="model", allow_blank=False, compact=True)
        self._models: list[ModelChoice] = []
        self.chosen = ""  # the key of the model that the user has chosen, perhaps not offered yet

    @property
    def model(self) -> ModelChoice | None:
        """The chosen model; None while there are no models."""
        return next((model for model in self._models if model.key == self.selection), None)

    @property
    def model_name(self) -> str:
        """The chosen model's name for the sampler: its path where two models have one name."""
        model = self.model
        if model is None:
            return ""
        names = [other.name for other in self._models]
        return model.path if names.count(model.name) > 1 else model.name

    @property
    def description(self) -> str:
        """The chosen model's architecture and score."""
        facts = (self.model.summary, self.model.score) if self.model else ()
        return clean(" · ".join(filter(None, facts)))

    @on(Select.Changed)
    def _choose(self) -> None:
        self.chosen = self.selection or ""

    def set_models(self, models: Sequence[ModelChoice]) -> None:
        """Offer these models; the chosen one stays chosen if it is among them."""
        before = self.chosen or self.selection
        self._models = list(models)
        with self.prevent(Select.Changed):
            options = [(clean(model.name), model.key) for model in models] or _NONE
            self.set_options(options)
            keys = [key for _, key in options]
            self.value = before if before in keys else keys[0]
