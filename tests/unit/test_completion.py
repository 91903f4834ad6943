"""The shell completes the real commands and their real options."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from plinth.cli import COMMANDS, main


def script(shell, capsys):
    assert main(["completion", shell]) == 0
    return capsys.readouterr().out


@pytest.fixture
def completed(tmp_path, capsys):
    """What bash proposes for a line, by its own rules for `COMP_WORDS`."""
    (tmp_path / "plinth.bash").write_text(script("bash", capsys), encoding="utf-8")

    def propose(*words):
        line = (
            'source "$0"; words=("$@"); COMP_WORDS=("${words[@]}"); COMP_CWORD=$((${#words[@]} - 1));'
            ' COMP_LINE="${words[*]}"; COMP_POINT=${#COMP_LINE};'
            ' entry=$(complete -p plinth); entry=${entry##*-F }; "${entry%% *}" plinth "${words[-1]}" "${words[-2]}";'
            " printf '%s\\n' \"${COMPREPLY[@]}\""
        )
        done = subprocess.run(
            ["bash", "--norc", "-c", line, tmp_path / "plinth.bash", *words],
            capture_output=True,
            text=True,
            check=True,
            cwd=tmp_path,
        )
        assert done.stderr == ""
        return [each.strip() for each in done.stdout.split("\n") if each.strip()]

    return propose


def test_bash_takes_the_script(tmp_path, capsys):
    (tmp_path / "plinth.bash").write_text(script("bash", capsys), encoding="utf-8")
    subprocess.run(["bash", "-n", tmp_path / "plinth.bash"], check=True)


@pytest.mark.parametrize(
    ("words", "proposals"),
    [
        pytest.param(("plinth", "comp"), ["compile", "completion"], id="commands"),
        pytest.param(("plinth", "ini"), ["init"], id="a command"),
        pytest.param(("plinth", "compile", "--ch"), ["--check"], id="an option"),
        pytest.param(("plinth", "init", "--provider", ""), ["aws", "azure", "existing", "gcp"], id="values"),
        pytest.param(("plinth", "completion", ""), ["bash", "zsh"], id="arguments"),
    ],
)
def test_bash_proposes_what_the_program_takes(completed, words, proposals):
    assert completed(*words) == proposals


def test_every_command_is_proposed(completed):
    assert {*COMMANDS} <= set(completed("plinth", ""))


def test_zsh_takes_the_script(tmp_path, capsys):
    if shutil.which("zsh") is None:
        pytest.skip("there is no zsh: run `make rig`, or install it by hand")
    (tmp_path / "_plinth").write_text(script("zsh", capsys), encoding="utf-8")
    subprocess.run(["zsh", "-n", tmp_path / "_plinth"], check=True)


def test_a_shell_that_is_not_known_is_a_mistyped_line(capsys):
    assert main(["completion", "ksh"]) == 1
    assert "error[PLN909]" in capsys.readouterr().err
