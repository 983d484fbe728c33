"""The field that chooses a model."""

from collections.abc import Sequence

from textual.widgets import Select

from tui.model.models import Model
from tui.model.text import clean

_NONE = [("none yet", "")]  # all there is to choose until there are models


class ModelSelect(Select[str]):
    """The models there are; Select.Changed says when a person has chosen another."""

    def __init__(self) -> None:
        super().__init__(_NONE, id="model", allow_blank=False, compact=True)
        self._models: list[Model] = []

    @property
    def model(self) -> Model | None:
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

    def set_models(self, models: Sequence[Model]) -> None:
        """Offer these; what was chosen stays so where it is still there."""
        before = self.selection
        self._models = list(models)
        with self.prevent(Select.Changed):
            options = [(clean(model.name), model.key) for model in models] or _NONE
            self.set_options(options)
            keys = [key for _, key in options]
            self.value = before if before in keys else keys[0]
