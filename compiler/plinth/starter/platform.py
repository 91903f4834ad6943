"""The first `platform.yaml`: what a group of data scientists needs on its first day, and little more.

Comments stand where somebody will want to decide otherwise.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from plinth.starter.credentials import github_repository
from plinth.starter.questions import ARTIFACTS, GPU_POOL, NO, NO_GPU, is_provisioned, slots
from plinth.text.annotated import Line, Noted, annotated_yaml

if TYPE_CHECKING:
    from plinth.starter.questions import Answers, Question

FILE: Final = "platform.yaml"
SCHEMA_FILE: Final = "platform.schema.json"

HEAD: Final = f"""\
yaml-language-server: $schema=./{SCHEMA_FILE}

The whole platform. `plinth compile` writes overlays/, generated/ and plinth.lock.yaml from it; edit this
file, compile, and open a pull request."""

_ON_SPOT: Final = """\
Spot nodes are cheap and may be taken away at any time; `on-demand` ones stay.
None runs while nobody asks; `max` is the ceiling of the bill, and needs quota for GPUs."""
_LABELLED: Final = f"Your nodes with a GPU, labelled `plinth.dev/pool: {GPU_POOL}`."

_INTEGER: Final = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)


def platform_text(answers: Answers, folder: str) -> str:
    """The platform file; `folder` is where it stands in the repository, `.` for the root.

    What has no answer is left out, so that reading the text tells what is missing.

    Raises:
        TypeError: an answer is no text that YAML can hold.
    """
    document = {
        "apiVersion": "plinth.dev/v1alpha1",
        "kind": "Platform",
        "metadata": Line({"name": answers.get("--name")}),
        "spec": _spec(answers, folder),
    }
    return annotated_yaml(_present(document), head=HEAD)


def branch_of(answers: Answers, environment: str) -> str:
    """The branch that an environment's Argo CD follows; a later environment has one of its own."""
    main = answers.get("--branch") or ""
    if environment == answers.environments[0]:
        return main
    # In git a branch cannot stand beside others that begin with its name and a slash.
    folder = "env" if main != "env" else "environment"
    return f"{folder}/{environment}"


def _spec(answers: Answers, folder: str) -> dict[str, Any]:
    makes = is_provisioned(answers.provider)
    return {
        "cloud": Line({"provider": answers.provider, **_cloud(answers, "")}),
        **({"state": _state(answers)} if makes else {}),
        "repository": _repository(answers, folder),
        **({"network": _network()} if makes else {}),
        "nodePools": _pools(answers, makes=makes),
        "identity": _identity(answers, makes=makes),
        "tiers": _tiers(answers),
        "ci": _ci(answers),
        "storage": _storage(answers, makes=makes),
        "upstreams": Noted(
            value="vendored", above="Upstream manifests are in the repository: `plinth vendor --mirror DIR`."
        ),
        "components": {"jupyterhub": Line({"idle": "2h"}), "mlflow": Line({"artifacts": ARTIFACTS})},
        "environments": _environments(answers),
    }


def _cloud(answers: Answers, environment: str) -> dict[str, Any]:
    """The fields of a cloud's section; in a later environment those that differ."""
    found: dict[str, Any] = {}
    for slot in slots(answers.provider, answers.environments):
        question = slot.question
        if slot.environment == environment and question.path[:2] == ("spec", "cloud"):
            value = answers.get(question.flag, environment)
            if not (environment and question.is_as_the_first and value == answers.get(question.flag)):
                found[question.path[2]] = _typed(value, question)
    return found


def _typed(value: str | None, question: Question) -> Any:
    """An answer as the spec wants it: a number, a list, or text."""
    if question.is_list and value is not None:
        return [each.strip() for each in value.split(",")]
    return _number(value) if question.is_number else value


def _number(text: str | None) -> str | int | None:
    return int(text) if text and _INTEGER.fullmatch(text) else text


def _state(answers: Answers) -> Noted:
    return Noted(
        value=Line({"bucket": answers.get("--state-bucket")}),
        above="Terraform's state. The bucket has to be there before the first apply, with versioning on.",
    )


def _repository(answers: Answers, folder: str) -> object:
    is_private = answers.get("--public") == NO
    value = {
        "url": answers.get("--repository"),
        "branch": answers.get("--branch"),
        "path": folder if folder != "." else None,
        "credentials": {"secret": "argocd-repository"} if is_private else None,
    }
    return (
        Noted(
            value=Line(value),
            above="`credentials` is a Secret that you make once; a public repository needs none.",
        )
        if is_private
        else Line(value)
    )


def _network() -> Noted:
    return Noted(
        value=Line({"nodes": "10.0.0.0/16", "pods": "10.1.0.0/16", "services": "10.2.0.0/20"}),
        above="Choose ranges that none of your other networks has: changing them later makes a new cluster.",
    )


def _pools(answers: Answers, *, makes: bool) -> object:
    """The pools of a cluster that is made; of one that is there only what a tier asks for."""
    model = answers.get("--gpu")
    gpu = Noted(
        value=Line(
            {
                "name": GPU_POOL,
                "gpu": {"model": model, "count": 1},
                "capacity": "spot" if makes else None,
                "nodes": {"min": 0, "max": 2},
            }
        ),
        above=_ON_SPOT if makes else _LABELLED,
    )
    system = Line({"name": "system", "cpu": 4, "memory": "16Gi", "nodes": {"min": 1, "max": 3}})
    pools = [*([system] if makes else []), *([gpu] if model != NO_GPU else [])]
    return pools or None


def _identity(answers: Answers, *, makes: bool) -> dict[str, Any]:
    sign_in = {
        "provider": answers.get("--sign-in"),
        "hostedDomain": answers.get("--hosted-domain"),
        "credentials": {"secret": "google-sign-in"},
    }
    admins = answers.get("--admin")
    return {
        "domain": answers.get("--domain"),
        "admins": Line([each.strip() for each in admins.split(",")]) if admins is not None else None,
        "signIn": Noted(
            value=Line(sign_in),
            above=f"`credentials` names {'an entry of the secret store' if makes else 'a Secret of yours'} "
            "that holds the OAuth client.",
        ),
    }


def _ci(answers: Answers) -> Noted | None:
    repository = github_repository(answers)
    if repository is None:
        return None
    return Noted(
        value=Line({"github": repository}),
        above="Whose workflows may plan and apply, without a key: .github/workflows/plinth-apply.yml.",
    )


def _tiers(answers: Answers) -> Noted:
    gpu = {"name": "1xgpu", "gpu": {"count": 1}, "cpu": 3, "memory": "10Gi", "pools": [GPU_POOL]}
    return Noted(
        value=[
            Line({"name": "cpu", "cpu": 2, "memory": "6Gi"}),
            *([Line(gpu)] if answers.get("--gpu") != NO_GPU else []),
        ],
        above="What a data scientist picks: the shape of a notebook.",
    )


def _storage(answers: Answers, *, makes: bool) -> dict[str, Any]:
    if makes:
        return {
            "buckets": [Line({"name": ARTIFACTS})],
            "database": Line({"engine": "postgres", "size": "small"}),
        }
    return {
        "buckets": [Line({"name": ARTIFACTS, "url": answers.get("--bucket-url")})],
        "database": Noted(
            value=Line({"existing": {"host": answers.get("--database-host"), "secret": "mlflow-database"}}),
            above="A Postgres server with an empty database `mlflow`, and a Secret of yours to reach it.",
        ),
    }


def _environments(answers: Answers) -> object:
    found: dict[str, Any] = {answers.environments[0]: {}}
    for name in answers.others:
        found[name] = {
            "branch": Noted(
                value=branch_of(answers, name),
                above="Moved forward once Terraform is applied: a merge does not reach it at once.",
            ),
            **_own(answers, name),
        }
    return found


def _own(answers: Answers, environment: str) -> dict[str, Any]:
    """What a later environment has of its own."""
    own: dict[str, Any] = {
        "cloud": Line(_cloud(answers, environment)),
        "identity": Line({"domain": answers.get("--domain", environment)}),
    }
    if not is_provisioned(answers.provider):
        own["storage"] = {
            "buckets": [Line({"name": ARTIFACTS, "url": answers.get("--bucket-url", environment)})],
            "database": Line({"existing": {"host": answers.get("--database-host", environment)}}),
        }
    return own


def _present(value: Any) -> Any:
    """The value without what has no answer."""
    match value:
        case Noted():
            return Noted(value=_present(value.value), above=value.above, beside=value.beside, gap=value.gap)
        case Line():
            return Line(_present(value.value))
        case dict():
            return {key: _present(child) for key, child in value.items() if child is not None}
        case list():
            return [_present(child) for child in value]
        case _:
            return value
