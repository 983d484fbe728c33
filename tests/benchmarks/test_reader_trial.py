"""Tables of readers' marks."""

import json
from pathlib import Path

from tests.benchmarks import reader_trial


def test_marks_are_averaged_by_setting_and_reader(tmp_path: Path) -> None:
    (tmp_path / "key.json").write_text('[[1, "--raw", "A"], [2, "", "A"], [3, "", "B"]]')
    for reader, overall in (("P", [1, 4, 5]), ("Q", [2, 8, 8])):
        marks = [
            {"n": n, **dict.fromkeys(reader_trial.MARKS, 3), "overall": value}
            for n, value in enumerate(overall, 1)
        ]
        (tmp_path / f"{reader}.json").write_text(json.dumps(marks))
    assert reader_trial.table(tmp_path).split("\n")[2:] == [
        "| defaults | 3.0 | 3.0 | 3.0 | 3.0 | 6.2 | 4.5, 8.0 |",
        "| --raw | 3.0 | 3.0 | 3.0 | 3.0 | 1.5 | 1.0, 2.0 |",
    ]
