"""The settings that the app keeps over restarts, in one TOML file that people can read and edit."""

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

from engine import files

Value = str | bool | int | float
State = Mapping[str, Value]

_HEAD = "# Settings of rnn-tui, written by the app; defaults are left out.\n"
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


class Settings:
    """Tables of values in a file; a table's name may have dots, such as lyrics.fields.

    problem: a sentence about a file that cannot be read, "" without one. Such a file is replaced by
    the next change, not before.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problem = ""
        self._tables: dict[str, dict[str, Value]] = {}
        try:
            self._tables = _read(path)
        except FileNotFoundError:
            pass
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            self.problem = (
                f"The settings in {path} cannot be read ({reason}): mend the file, or keep the "
                "defaults, and the next change replaces it."
            )

    def table(self, name: str) -> State:
        """Return the values of a table; empty if it has none."""
        return self._tables.get(name, {})

    def put(self, name: str, changes: State) -> None:
        """Change values of a table, and write the file; other tables are those of the file now.

        Raises InputError where the file cannot be written.
        """
        try:
            self._tables = _read(self.path)  # perhaps changed by another app meanwhile
        except FileNotFoundError:
            pass
        except (OSError, ValueError):  # the damaged file is replaced
            pass
        self._tables.setdefault(name, {}).update(changes)
        files.write_atomic(self.path, to_toml(self._tables))


def _read(path: Path) -> dict[str, dict[str, Value]]:
    return parse(path.read_text(encoding="utf-8"))


def parse(text: str) -> dict[str, dict[str, Value]]:
    """Return the tables of a TOML text, nested ones by their dotted names; raises ValueError."""
    tables: dict[str, dict[str, Value]] = {}

    def add(name: str, table: Mapping[str, object]) -> None:
        values = {key: value for key, value in table.items() if isinstance(value, Value)}
        if values:
            tables[name] = values
        for key, value in table.items():
            if isinstance(value, dict):
                add(f"{name}.{key}" if name else key, value)

    add("", tomllib.loads(text))
    return tables


def to_toml(tables: Mapping[str, State]) -> str:
    """Return tables as a TOML text."""
    parts = [_HEAD]
    for name, table in sorted(tables.items()):
        header = f"[{'.'.join(map(_key, name.split('.')))}]\n" if name else ""
        parts.append(header + "".join(f"{_key(key)} = {_value(table[key])}\n" for key in table))
    return "\n".join(parts)


def _key(name: str) -> str:
    return name if _BARE_KEY.fullmatch(name) else _value(name)


def _value(value: Value) -> str:
    """Return a value in TOML, whose texts have JSON's escapes."""
    if isinstance(value, str):
        text = value.encode(errors="replace").decode()
        return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
    return str(value).lower() if isinstance(value, bool) else repr(value)
