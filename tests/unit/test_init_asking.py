"""`plinth init` on a real terminal, 40 columns wide: what it asks, what it says to a wrong answer, how it ends."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios

import pytest
import yaml

from support.repository import repository
from support.starting import files

PATIENCE_S = 60.0

ANSWERS = {
    "provider": ["gcp"],
    "project": ["Acme", "acme-ml-dev"],
    "project-number": ["many", "123456789012"],
    "region": ["us-central1"],
    "name": [""],
    "repository": ["https://gitlab.com/acme/ml-platform.git"],
    "branch": [""],
    "public": ["perhaps", ""],
    "state-bucket": [""],
    "domain": ["", "ml.acme.com"],
    "admin": ["one@acme.com, two@acme.com"],
    "hosted-domain": [""],
    "gpu": ["t5", "t4"],
    "ci": [""],
}


class Terminal:
    """`plinth init` with a terminal of its own; a test types what a person would."""

    def __init__(self, folder, *words):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            # Whoever started the tests may have told them to ignore it, as a shell does in the background.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.environ.update(COLUMNS="40", NO_COLOR="1")
            os.execv(sys.executable, [sys.executable, "-m", "plinth", "init", *words])  # noqa: S606 - the child of a fork
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 40, 0, 0))
        self.seen = ""

    def until_asked(self):
        """What the next question is called; None at the end."""
        while True:
            ready, _, _ = select.select([self.fd], [], [], PATIENCE_S)
            if not ready:
                os.kill(self.pid, signal.SIGKILL)
                raise AssertionError(f"nothing more was said: {self.seen}")
            try:
                data = os.read(self.fd, 4096)
            except OSError:  # Linux says so when the other side has gone
                return None
            if not data:
                return None
            self.seen += data.decode().replace("\r\n", "\n")
            last = self.seen.rpartition("\n")[2]
            if last.endswith(": "):
                return last

    def type(self, text):
        os.write(self.fd, text.encode())

    def code(self):
        _, status = os.waitpid(self.pid, 0)
        os.close(self.fd)
        return os.waitstatus_to_exitcode(status)


@pytest.fixture
def folder(tmp_path):
    return repository(tmp_path / "My Platform")


def test_a_person_answers_what_only_a_person_knows(folder):
    terminal, left = Terminal(folder), {name: list(texts) for name, texts in ANSWERS.items()}
    asked = []
    while (prompt := terminal.until_asked()) is not None:
        name = prompt.split(" ")[0].rstrip(":")
        asked.append(name)
        terminal.type(left[name].pop(0) + "\n")
    assert terminal.code() == 0
    assert left == {name: [] for name in ANSWERS}
    assert list(dict.fromkeys(asked)) == [
        "provider",
        *(name for name in ANSWERS if name not in {"provider", "gpu", "ci"}),
        "gpu",
        "ci",
    ]
    said = terminal.seen
    assert "the text `many` stands where a whole\nnumber is wanted" in said
    assert "name [my-platform]: " in said
    assert "public (yes, no) [no]: " in said
    assert "state-bucket [my-platform-terraform]: " in said
    assert "hosted-domain [acme.com]: " in said
    assert "ci (github, gitlab, none) [gitlab]: " in said
    assert "error[PLN305]: `--gpu`: Google Cloud sells no machine" in said
    read = yaml.safe_load((folder / "platform.yaml").read_bytes())
    assert read["metadata"]["name"] == "my-platform"
    assert read["spec"]["identity"]["admins"] == ["one@acme.com", "two@acme.com"]
    assert read["spec"]["state"] == {"bucket": "my-platform-terraform"}


def test_no_question_is_wider_than_the_terminal(folder):
    terminal = Terminal(folder, "--provider", "gcp")
    assert terminal.until_asked() == "project: "
    terminal.type("acme-ml-dev\n")
    assert terminal.until_asked() == "project-number: "
    assert max(map(len, terminal.seen.split("\n"))) < 40
    terminal.type("\x03")
    while terminal.until_asked() is not None:
        pass
    terminal.code()


@pytest.mark.parametrize("key", ["\x03", "\x04"], ids=["Ctrl-C", "Ctrl-D"])
def test_who_stops_has_written_nothing(key, folder):
    terminal = Terminal(folder)
    terminal.until_asked()
    terminal.type("gcp\n")
    assert terminal.until_asked() == "project: "
    terminal.type(key)
    while terminal.until_asked() is not None:
        pass
    assert terminal.code() == 130
    assert terminal.seen.endswith("interrupted: nothing was written\n")
    assert files(folder) == {}


def test_who_has_said_everything_is_asked_nothing(folder):
    terminal = Terminal(
        folder, "--provider", "existing", "--cluster", "lab", "--repository", "https://github.com/acme/x.git",
        "--bucket-url", "s3://acme", "--database-host", "db.acme.com", "--domain", "ml.acme.com",
        "--admin", "one@acme.com", "--hosted-domain", "acme.com",
    )  # fmt: skip
    assert terminal.until_asked() is None
    assert terminal.code() == 0
    assert "platform.yaml" in files(folder)
