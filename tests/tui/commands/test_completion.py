"""The scripts of rnn-tui completion, in a real bash; their syntax, in the shells that exist."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.tui.commands.conftest import Call

# Completes the last word of a line as bash does when tab is pressed.
_BASH = """
source ./script
function=$(complete -p rnn-tui | sed 's/.*-F \\([^ ]*\\).*/\\1/')
complete_line() {
    COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
    "$function" rnn-tui "${COMP_WORDS[COMP_CWORD]}" ""
    echo "${COMPREPLY[@]}"
}
complete_line rnn-tui sam
complete_line rnn-tui sample ly
complete_line rnn-tui sample lyrics --temp
complete_line rnn-tui sample lyrics --precision f
complete_line rnn-tui models import theirs
complete_line rnn-tui train lyrics --data theirs
complete_line rnn-tui play tu
complete_line rnn-tui completion z
"""


def test_bash_completes_commands_options_choices_and_files(call: Call, tmp_path: Path) -> None:
    for name in ("theirs.pt", "tune.mid"):
        (tmp_path / name).touch()
    (tmp_path / "script").write_text(call("completion", "bash").out)
    bash = shutil.which("bash")
    assert bash
    done = subprocess.run(
        [bash, "--norc", "-c", _BASH], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    lines = [line.split() for line in done.stdout.splitlines()]
    assert lines == [
        ["sample"],
        ["lyrics"],
        ["--temperature"],
        ["fast", "full"],
        ["theirs.pt"],
        ["theirs.pt"],
        ["tune.mid"],
        ["zsh"],
    ]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_has_the_commands_and_is_valid(call: Call, shell: str, tmp_path: Path) -> None:
    done = call("completion", shell)
    assert done.status == 0
    for word in ("completion", "sample", "temperature", "rnn-tui"):
        assert word in done.out
    if program := shutil.which(shell):
        (tmp_path / "script").write_text(done.out)
        subprocess.run([program, "-n", str(tmp_path / "script")], check=True)


def test_another_shell_is_refused(call: Call) -> None:
    assert call("completion", "cmd").status == 2
