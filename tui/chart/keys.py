"""The keys of a chart for the whole page, wherever its focus is."""

import dataclasses
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.screen import Screen

from tui.chart.widget import LineChart


class ChartScreen(Screen[None]):
    """A page with one chart, which takes the chart's keys that no focused widget uses."""

    BINDINGS: ClassVar[list[BindingType]] = [
        dataclasses.replace(binding, action=f"chart({binding.action!r})")
        for binding in LineChart.BINDINGS
        if isinstance(binding, Binding)
    ]

    async def action_chart(self, action: str) -> None:
        """Run an action of the chart, if the chart is shown."""
        for chart in self.query(LineChart):
            if chart.is_on_screen:
                await self.app.run_action(action, chart)
