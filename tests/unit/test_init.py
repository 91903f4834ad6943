"""`plinth init` with options: what it writes, what it takes from the repository, and what it refuses."""

from __future__ import annotations

import io
import json
import string

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plinth import registry
from plinth.cli import main
from plinth.pipeline import Inputs, compile_spec
from plinth.starter.gitfiles import attribute_lines, ignore_lines, with_lines
from plinth.starter.questions import every_question, questions
from support.repository import git, repository
from support.starting import AWS, AZURE, EXISTING, GCP, PROD_EXISTING, PROD_GCP, SHARED, files


@pytest.fixture(autouse=True)
def _nobody_to_ask(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO())


def begun(folder, *words):
    return main(["init", "-C", str(folder), *words])


def without(words, flag):
    """The words without an option and its value."""
    if flag not in words:
        return words
    place = words.index(flag)
    return (*words[:place], *words[place + 2 :])


def read(data):
    return yaml.load(data, Loader=yaml.CSafeLoader)


def compiled(data):
    return compile_spec(
        data, "platform.yaml", Inputs(patch=lambda _path: None, vendored=lambda _name, _version: ())
    )


def spec(folder):
    return read((folder / "platform.yaml").read_bytes())["spec"]


@pytest.mark.parametrize(
    ("words", "environments"),
    [
        pytest.param(GCP, ["dev"], id="gcp"),
        pytest.param((*GCP, *PROD_GCP), ["dev", "prod"], id="gcp, two environments"),
        pytest.param(
            (*GCP, "--gpu", "none", "--public", "--branch", "trunk"), ["dev"], id="gcp, no GPU, public"
        ),
        pytest.param((*GCP, "--gpu", "l4", "--environment", "lab"), ["lab"], id="gcp, another environment"),
        pytest.param(AWS, ["dev"], id="aws"),
        pytest.param(AZURE, ["dev"], id="azure"),
        pytest.param(EXISTING, ["dev"], id="existing"),
        pytest.param((*EXISTING, *PROD_EXISTING), ["dev", "prod"], id="existing, two environments"),
        pytest.param(
            (*without(EXISTING, "--ci"), "--gpu", "none", "--ci", "none"), ["dev"], id="existing, no GPU"
        ),
    ],
)
def test_what_is_written_compiles(words, environments, tmp_path):
    assert begun(tmp_path, *words) == 0
    data = (tmp_path / "platform.yaml").read_bytes()
    assert data.startswith(b"# yaml-language-server: $schema=./platform.schema.json\n")
    result = compiled(data)
    assert [each.environment.name for each in result.compilations] == environments
    assert result.diagnostics == ()


def test_the_schema_beside_it_is_what_plinth_schema_prints(tmp_path, capsys):
    assert begun(tmp_path, *GCP) == 0
    capsys.readouterr()
    assert main(["schema"]) == 0
    assert (tmp_path / "platform.schema.json").read_text(encoding="utf-8") == capsys.readouterr().out


def test_a_later_environment_has_its_own_cluster_domain_and_branch(tmp_path):
    assert begun(tmp_path, *GCP, *PROD_GCP) == 0
    assert spec(tmp_path)["environments"] == {
        "dev": {},
        "prod": {
            "branch": "env/prod",
            "cloud": {"project": "acme-ml-prod", "projectNumber": 210987654321},
            "identity": {"domain": "prod.ml.acme.com"},
        },
    }


def test_what_two_environments_may_not_share_has_to_be_said(tmp_path, capsys):
    assert begun(tmp_path, *EXISTING, "--environment", "dev", "--environment", "prod") == 1
    said = capsys.readouterr().err
    assert "`--cluster prod=`, `--bucket-url prod=`, `--database-host prod=`" in said
    assert files(tmp_path) == {}


def test_everything_that_is_missing_is_named_at_once(tmp_path, capsys):
    assert begun(tmp_path, "--provider", "gcp", "--name", "acme-ml") == 1
    assert (
        "not said, and nobody is there to ask: `--project`, `--project-number`, `--region`, `--repository`, "
        "`--state-bucket`, `--domain`, `--admin`, `--hosted-domain`, `--ci`" in capsys.readouterr().err
    )
    assert files(tmp_path) == {}


def test_without_a_provider_what_every_cloud_needs_is_named(tmp_path, capsys):
    assert begun(tmp_path, *SHARED) == 1
    assert "`--provider`\n" in capsys.readouterr().err


def test_every_wrong_answer_is_refused_by_the_name_of_its_option(tmp_path, capsys):
    words = [word.replace("us-central1", "Iowa").replace("ml.acme.com", "ml acme") for word in GCP]
    assert begun(tmp_path, *words, *PROD_GCP[:-1], "prod=many") == 1
    said = capsys.readouterr().err
    assert "`--region`: " in said
    assert "`--domain`: `ml acme` is not a domain name" in said
    assert "`--project-number prod=`: " in said
    assert files(tmp_path) == {}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(
            ("--cluster", "lab"), "`--cluster` has no use with `--provider gcp`", id="of another cloud"
        ),
        pytest.param(("--name", "other"), "`--name` is given twice", id="twice"),
        pytest.param(("--environment", "base"), "`base` is a folder of Plinth's own", id="reserved"),
        pytest.param(
            ("--environment", "a", "--environment", "a"), "two environments have one name", id="one name"
        ),
        pytest.param(("--gpu", "t5"), "`--gpu`: Google Cloud sells no machine", id="no such GPU"),
        pytest.param(
            ("--requirement=--index-url=https://example.com",), "no option of pip", id="pip's options"
        ),
        pytest.param(("--requirement", "a\nb"), "a requirement is one line", id="two lines"),
        pytest.param(
            (*PROD_GCP, "--project", "prod=acme-ml-dev"), "`--project` is given twice", id="prod twice"
        ),
    ],
)
def test_options_that_make_no_sense_are_refused(words, said, tmp_path, capsys):
    assert begun(tmp_path, *GCP, *words) == 1
    assert said in capsys.readouterr().err
    assert files(tmp_path) == {}


def test_two_environments_in_one_project_are_refused(tmp_path, capsys):
    words = [word.replace("acme-ml-prod", "acme-ml-dev") for word in PROD_GCP]
    assert begun(tmp_path, *GCP, *words) == 1
    assert "`--project prod=`: environments `dev` and `prod` are one cluster" in capsys.readouterr().err


def test_name_repository_and_workflows_are_guessed_from_the_folder_and_its_remote(tmp_path, capsys):
    folder = repository(tmp_path / "Acme ML", origin="https://m0nika:s3cr3t@gitlab.acme.com/ml/platform.git")
    words = [word for word in GCP if word not in SHARED[:6]]
    assert begun(folder, *words) == 0
    said = capsys.readouterr().err
    assert "--name acme-ml --repository https://gitlab.acme.com/ml/platform.git --ci gitlab" in said
    assert not any(secret in data for data in files(folder).values() for secret in (b"m0nika", b"s3cr3t"))
    assert spec(folder)["repository"]["url"] == "https://gitlab.acme.com/ml/platform.git"


def test_the_main_branch_is_what_the_remote_calls_so(tmp_path):
    upstream = repository(tmp_path / "upstream")
    git(upstream, "checkout", "--quiet", "-b", "trunk")
    git(upstream, "commit", "--quiet", "--allow-empty", "--message", "Begin")
    git(tmp_path, "clone", "--quiet", str(upstream), "clone")
    git(tmp_path / "clone", "checkout", "--quiet", "-b", "topic")
    assert begun(tmp_path / "clone", *GCP) == 0
    assert spec(tmp_path / "clone")["repository"]["branch"] == "trunk"


def test_a_platform_in_a_folder_of_a_repository_knows_its_path(tmp_path):
    root = repository(tmp_path)
    (root / "infra" / "ml").mkdir(parents=True)
    assert begun(root / "infra" / "ml", *GCP) == 0
    assert spec(root / "infra" / "ml")["repository"]["path"] == "infra/ml"
    assert sorted(files(root)) == [
        ".gitattributes", ".github/plinth-roots.sh", ".github/workflows/plinth-apply.yml", ".github/workflows/plinth-drift.yml",
        ".github/workflows/plinth-environment.yml", ".github/workflows/plinth-pull-request.yml", ".gitignore",
        "infra/ml/platform.schema.json", "infra/ml/platform.yaml", "infra/ml/plinth-requirements.txt",
    ]  # fmt: skip
    attributes = git(
        root, "check-attr", "text", "merge", "--", "infra/ml/generated/dev/index.jsonl", "generated/dev/x"
    )
    assert "infra/ml/generated/dev/index.jsonl: text: unset" in attributes
    assert "infra/ml/generated/dev/index.jsonl: merge: union" in attributes
    assert "generated/dev/x: text: unspecified" in attributes.replace("infra/ml/generated", "")
    assert git(root, "status", "--short", "--ignored").count(".plinth/") == 1


def test_a_folder_with_a_strange_name_is_refused_at_its_path(tmp_path, capsys):
    root = repository(tmp_path)
    (root / "my infra").mkdir()
    assert begun(root / "my infra", *GCP) == 1
    assert "`my infra` is not a path inside the repository" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("inside", "why"),
    [
        pytest.param("build/ml", "git ignores it", id="ignored"),
        pytest.param(".git/hooks", "it is git's own", id="git's own"),
        pytest.param("generated/dev", "it is in the compiled files of", id="compiled"),
    ],
)
def test_a_folder_where_no_platform_could_live_is_refused(inside, why, tmp_path, capsys):
    root = repository(tmp_path)
    (root / ".gitignore").write_text("build/\n", encoding="utf-8")
    (root / "platform.yaml").write_text("", encoding="utf-8")
    (root / inside).mkdir(parents=True, exist_ok=True)
    before = files(root)
    assert begun(root / inside, *GCP) == 1
    said = capsys.readouterr().err
    assert "error[PLN921]" in said
    assert why in said
    assert files(root) == before


def test_files_that_are_there_are_named_together_and_nothing_is_written(tmp_path, capsys):
    (tmp_path / "platform.yaml").write_text("mine", encoding="utf-8")
    (tmp_path / ".github/workflows").mkdir(parents=True)
    (tmp_path / ".github/workflows/plinth-drift.yml").write_text("mine", encoding="utf-8")
    before = files(tmp_path)
    assert begun(tmp_path, *GCP) == 1
    said = capsys.readouterr().err
    assert "error[PLN920]" in said
    assert "`.github/workflows/plinth-drift.yml`, `platform.yaml`" in said
    assert files(tmp_path) == before


def test_the_same_answers_again_change_nothing(tmp_path, capsys):
    assert begun(tmp_path, *GCP) == 0
    before = files(tmp_path)
    capsys.readouterr()
    assert begun(tmp_path, *GCP, "--format", "json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {"schema": "plinth.dev/init/v1", "written": [], "kept": sorted(before)}
    assert files(tmp_path) == before


def test_json_names_what_was_written(tmp_path, capsys):
    assert begun(tmp_path, *EXISTING, "--format", "json") == 0
    out = capsys.readouterr()
    assert out.err == ""
    assert json.loads(out.out) == {
        "schema": "plinth.dev/init/v1",
        "written": [
            ".gitattributes", ".github/workflows/plinth-drift.yml", ".github/workflows/plinth-pull-request.yml",
            ".gitignore", "platform.schema.json", "platform.yaml", "plinth-requirements.txt",
        ],
        "kept": [],
    }  # fmt: skip


def test_no_link_is_followed(tmp_path, capsys):
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    outside.mkdir()
    inside.mkdir()
    (inside / ".github").symlink_to(outside)
    assert begun(inside, *GCP) == 1
    assert "error[PLN902]" in capsys.readouterr().err
    assert list(outside.iterdir()) == []
    assert not (inside / "platform.yaml").exists()


def test_a_gitignore_that_is_there_only_gets_lines(tmp_path, capsys):
    (tmp_path / ".gitignore").write_bytes(b"*.pyc\n.terraform/\n# mine")
    assert begun(tmp_path, *GCP) == 0
    assert (tmp_path / ".gitignore").read_bytes() == (
        b"*.pyc\n.terraform/\n# mine\n\n"
        b"# Caches, and what Terraform keeps beside its roots; `.terraform.lock.hcl` is committed.\n"
        b".plinth/\n*.tfstate\n*.tfstate.*\n*.tfplan\n"
    )
    assert "added lines to .gitignore" in capsys.readouterr().err


def test_lines_that_are_there_in_other_spacing_are_not_added_again():
    lines = attribute_lines(".")
    squeezed = "\r\n".join(" ".join(line.split()) for line in lines).encode()
    assert with_lines(squeezed, lines) == squeezed
    assert with_lines(b"\xff\r\n", ignore_lines()).startswith(b"\xff\r\n\r\n# Caches")


def test_a_gitlab_pipeline_that_is_there_is_kept(tmp_path, capsys):
    (tmp_path / ".gitlab-ci.yml").write_text("test: {script: [make]}\n", encoding="utf-8")
    words = ["gitlab" if word == "github" else word for word in GCP]
    assert begun(tmp_path, *words) == 0
    said = capsys.readouterr().err
    assert "kept .gitlab-ci.yml" in said
    assert "add to .gitlab-ci.yml: `include: [{local: .gitlab/plinth.yml}]`" in said
    assert (tmp_path / ".gitlab-ci.yml").read_text(encoding="utf-8") == "test: {script: [make]}\n"


def test_it_ends_with_the_next_commands(tmp_path, capsys, monkeypatch):
    folder = repository(tmp_path)
    monkeypatch.chdir(folder)
    assert main(["init", *GCP]) == 0
    assert capsys.readouterr().err.endswith(
        "next: plinth vendor --mirror DIR\n      plinth compile\n      git add --all\n"
    )


def test_until_somebody_says_where_plinth_comes_from_nothing_of_that_name_is_installed(tmp_path):
    assert begun(tmp_path, *GCP) == 0
    lines = (tmp_path / "plinth-requirements.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not line.startswith("#")] == ["--no-index", "plinth==0.1.0"]


def test_a_requirement_is_written_as_it_was_said(tmp_path):
    wheel = "plinth @ https://example.com/plinth-0.1.0-py3-none-any.whl#sha256=00"
    assert begun(tmp_path, *GCP, "--requirement", wheel) == 0
    assert (tmp_path / "plinth-requirements.txt").read_text(encoding="utf-8").splitlines()[1:] == [wheel]


def test_a_folder_that_is_not_there_is_refused(tmp_path, capsys):
    assert begun(tmp_path / "nowhere", *GCP) == 1
    assert "there is no folder" in capsys.readouterr().err


HOSTILE = ["", " ", "'", '"', "a'b", 'a"b', "a: b", "- a", "-", "a # b", "a\nb", "a\r\nb: c", "${{ secrets.X }}", "$(id)",
           "`id`", "{a: b}", "[a]", "é", "\u0430cme", "\u2028", "\x00", "\ud800", "null", "yes", "0x10", "1e3", "*a", "&a", "!!str a",
           "a" * 300, "a,b", "a=b", "prod=a", "<!-- -->", "a\\", "%a", "@a", "a\tb"]  # fmt: skip
FLAGS = [word for word in GCP if word.startswith("--") and word not in {"--provider", "--ci"}]


@pytest.mark.parametrize("flag", [*FLAGS, "--branch", "--gpu", "--environment"])
def test_a_hostile_answer_is_refused_or_comes_back_as_it_was(flag, tmp_path, capsys):
    for number, text in enumerate(HOSTILE):
        folder = tmp_path / str(number)
        folder.mkdir()
        assert_harmless(folder, flag, text, begun(folder, *without(GCP, flag), f"{flag}={text}"))
        assert "Traceback" not in capsys.readouterr().err, text


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    flag=st.sampled_from([*FLAGS, "--branch", "--environment"]),
    text=st.text(alphabet=string.ascii_lowercase + "-./:@_0123456789" + "'\"#{}$ \n&*é", max_size=20),
)
def test_any_answer_is_refused_or_comes_back_as_it_was(flag, text, tmp_path_factory):
    folder = tmp_path_factory.mktemp("any")
    assert_harmless(folder, flag, text, begun(folder, *without(GCP, flag), f"{flag}={text}"))


def assert_harmless(folder, flag, text, code):
    """Refused, with nothing written; or every file can be read and the answer is in its place."""
    if code:
        assert code == 1
        assert files(folder) == {}
        return
    data = (folder / "platform.yaml").read_bytes()
    assert compiled(data).diagnostics is not None
    held = read(data)
    places = {
        "--project": ("spec", "cloud", "project"),
        "--region": ("spec", "cloud", "region"),
        "--name": ("metadata", "name"),
        "--repository": ("spec", "repository", "url"),
        "--branch": ("spec", "repository", "branch"),
        "--domain": ("spec", "identity", "domain"),
        "--hosted-domain": ("spec", "identity", "signIn", "hostedDomain"),
        "--state-bucket": ("spec", "state", "bucket"),
    }
    for key in places.get(flag, ()):
        held = held[key]
    if flag in places:
        assert held == text
    for path, data in files(folder).items():
        if path.endswith(".yml"):
            said = read(data)
            assert (
                {"name", "on", "permissions", "jobs"}
                <= set(said)
                <= {"name", "on", "permissions", "jobs", "concurrency"}
            )


def test_an_option_of_several_clouds_is_told_in_the_words_of_each():
    (region,) = (each for each in every_question() if each.flag == "--region")
    own = {
        each.text for name in registry.names("clouds") for each in questions(name) if each.flag == region.flag
    }
    assert len(own) == 3
    assert all(text in region.text for text in own)
