"""The documents are true: links lead somewhere, codes and commands exist, examples compile, transcripts are real."""

from __future__ import annotations

import argparse
import importlib
import re
import runpy
import shlex
import shutil
from pathlib import Path

import pytest

from plinth import registry
from plinth.cli import COMMANDS, main
from plinth.cli.run import Parser
from plinth.diagnostics.diagnostic import PlinthError
from plinth.diagnostics.pages import codes
from plinth.ir.people import PatchFault
from plinth.pipeline import Inputs, compile_spec
from plinth.text.manifests import read_manifests

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.joinpath("docs").glob("*.md")])
EXAMPLES = sorted(ROOT.joinpath("examples", "platforms").glob("*.yaml"))

_FENCE = re.compile(r"^```(?P<mark>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`[^`\n]+`")
_LINK = re.compile(r"\]\((?P<target>[^)#\s]*)(?:#(?P<anchor>[^)\s]*))?\)")
_CODE = re.compile(r"PLN[0-9]{3}")
_SCHEMA = re.compile(r"plinth\.dev/[a-z]+/v[0-9]+")
_NOT_COMMANDS = ("help", "--help", "-h", "--version")

on_every_page = pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)


def fences(page, kind=""):
    """The fenced blocks of a page as (mark, text)."""
    text = page.read_text(encoding="utf-8")
    return [(each["mark"], each["text"]) for each in _FENCE.finditer(text) if each["mark"].startswith(kind)]


def named(page):
    """The blocks whose mark names a file, by that name."""
    return {mark.partition(" ")[2]: text for mark, text in fences(page) if " " in mark}


def command_lines(page):
    """Every line of a console block or of code in the text that calls `plinth`."""
    text = page.read_text(encoding="utf-8")
    typed = [
        line.removeprefix("$ ")
        for _, block in fences(page, "console")
        for line in block.replace("\\\n", "").splitlines()
        if line.startswith("$ ")
    ]
    typed += re.findall(r"`([^`\n]+)`", _FENCE.sub("", text))
    return sorted({line.partition(" > ")[0] for line in typed if re.match(r"(\S*bin/)?plinth ", line)})


def anchors(page):
    """The anchors of a page's headings, as GitHub makes them."""
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def compiled(folder, text):
    """What a platform compiles to in memory, its patches read from a folder."""

    def patch(path):
        file = folder / path
        if not file.is_file():
            raise PatchFault(f"there is no {path}")
        (document,) = read_manifests(file.read_bytes())
        return document

    return compile_spec(
        text, "platform.yaml", Inputs(patch=patch, vendored=lambda _component, _version: None)
    )


@on_every_page
def test_every_link_leads_to_a_file_and_a_heading(page):
    text = _INLINE.sub("code", _FENCE.sub("", page.read_text(encoding="utf-8")))
    wrong = []
    for each in _LINK.finditer(text):
        target, anchor = each["target"], each["anchor"]
        if target.startswith("https://"):
            continue
        file = page.parent / target if target else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            wrong.append(each[0])
    assert wrong == []


@on_every_page
def test_every_code_that_is_named_exists(page):
    known = {*codes(), *(check.code for check in registry.load_all("checks"))}
    assert set(_CODE.findall(page.read_text(encoding="utf-8"))) - known == set()


@on_every_page
def test_every_command_line_is_one_that_the_program_takes(page):
    wrong = []
    for line in command_lines(page):
        words = shlex.split(line)[1:]
        if words[0] in _NOT_COMMANDS:
            continue
        if words[0] not in COMMANDS:
            wrong.append(f"{line}: no such command")
            continue
        parser = Parser(formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)
        importlib.import_module(f"plinth.cli.{words[0]}").add_arguments(parser)
        try:
            parser.parse_args(words[1:])
        except PlinthError as error:
            if "arguments are required" not in str(error):  # `plinth why` alone, in the text
                wrong.append(f"{line}: {error}")
    assert wrong == []


def test_the_readme_lists_every_command():
    table = ROOT.joinpath("README.md").read_text(encoding="utf-8").partition("## Commands")[2]
    assert [name for name in COMMANDS if f"| `plinth {name}" not in table] == []


def test_every_schema_of_the_json_contract_is_documented_and_in_the_changelog():
    written = set()
    for file in ROOT.joinpath("compiler", "plinth").rglob("*.py"):
        written |= set(_SCHEMA.findall(file.read_text(encoding="utf-8")))
    for name in ("docs/json.md", "CHANGELOG.md"):
        assert written - set(_SCHEMA.findall(ROOT.joinpath(name).read_text(encoding="utf-8"))) == set(), name


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_compiles_without_a_warning(example):
    data = example.read_bytes()
    assert data.startswith(b"# yaml-language-server: $schema=../../platform.schema.json\n")
    assert (example.parent / "../../platform.schema.json").is_file()
    assert compiled(example.parent, data).diagnostics == ()


def test_the_excerpt_of_the_readme_is_a_whole_platform():
    (excerpt,) = [text for _, text in fences(ROOT / "README.md", "yaml")]
    result = compiled(ROOT, excerpt.encode())
    assert [each.environment.name for each in result.compilations] == ["dev", "prod"]


def transcripts(page):
    """A console block's command lines, each with what is printed below it."""
    for _, block in fences(ROOT / page, "console"):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            line, _, printed = part.partition("\n")
            yield line, printed


@pytest.mark.parametrize(
    ("page", "before", "after"),
    [
        pytest.param("README.md", "model: t4, count: 1", "model: t4, count: 3", id="three T4s"),
        pytest.param(
            "docs/diagnostics.md", "artifacts: artifacts", "artifacts: artefacts", id="a misspelt bucket"
        ),
    ],
)
def test_the_error_in_a_transcript_is_what_the_program_prints(page, before, after, tmp_path, capsys):
    example = (ROOT / "platform.yaml").read_text(encoding="utf-8")
    assert before in example
    (tmp_path / "platform.yaml").write_text(example.replace(before, after), encoding="utf-8")
    assert main(["compile", "-C", str(tmp_path)]) == 1
    shown = [printed for line, printed in transcripts(page) if printed.startswith("error")]
    assert shown == [capsys.readouterr().err]


def test_the_answer_of_why_in_the_readme_is_what_the_program_prints(remote_example, capsys):
    ((line, shown),) = [each for each in transcripts("README.md") if each[0].startswith("plinth why")]
    assert main([*line.split()[1:], "-C", str(remote_example)]) == 0
    assert shown == capsys.readouterr().out


def test_the_transcript_of_the_first_compile_is_what_the_program_prints(tmp_path, capsys):
    shutil.copy(ROOT / "platform.yaml", tmp_path)
    demo = next(block for _, block in fences(ROOT / "README.md", "console") if "make demo" in block)
    for line in ("compile", "compile --check"):
        assert main([*line.split(), "-C", str(tmp_path)]) == 0
        assert f"$ plinth {line}\n{capsys.readouterr().err}" in demo


def test_the_pages_that_are_made_from_code_are_not_stale(capsys):
    reference = runpy.run_path(str(ROOT / "tools" / "reference.py"))
    assert reference["main"](["--check"]) == 0, capsys.readouterr().out


def test_a_patch_that_is_shown_compiles_to_what_it_says():
    shown = named(ROOT / "docs" / "patches.md")
    assert shown
    for name, text in shown.items():
        (documents,) = read_manifests(text.encode())
        assert (documents,) == read_manifests((ROOT / "examples" / "platforms" / name).read_bytes())


@pytest.fixture
def plug_ins(tmp_path, monkeypatch):
    """The plug-ins of `docs/plugins.md` as files, found by the registry; forgotten again afterwards."""
    for name, text in named(ROOT / "docs" / "plugins.md").items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.setenv("PLINTH_PLUGINS", str(tmp_path))
    return tmp_path


def test_the_plug_ins_that_are_shown_work(plug_ins, capsys):
    assert main(["compile", "-C", str(plug_ins)]) == 0
    said = capsys.readouterr().err
    greeting = (plug_ins / "overlays/default/greeting/configmap-greeting.yaml").read_text(encoding="utf-8")
    deployment = (plug_ins / "overlays/default/mlflow/deployment-mlflow.yaml").read_text(encoding="utf-8")
    inventory = (plug_ins / "generated/default/inventory/components.json").read_text(encoding="utf-8")
    assert "text: Good morning" in greeting
    assert "postgres.lab.example.com" in deployment
    assert '"greeting": "1.0.0"' in inventory
    assert "warning[ACME001]: namespace `greeting` has no label `acme.com/owner`" in said
    assert main(["explain", "ACME001"]) == 0
