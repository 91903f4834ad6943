"""What a person has to decide before there is a first platform, and where each decision goes.

A cloud's own questions are the required fields of its section, so a new cloud asks for what it
needs without a line here. The first environment's answers are the platform's; a later environment
says what it has of its own.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final, get_args, get_origin

from msgspec import Struct
from msgspec.structs import replace

from plinth import registry
from plinth.spec.environments import RESERVED
from plinth.spec.fields import name_fault
from plinth.spec.platform import SignIn

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from plinth.spec.platform import CloudSection
    from plinth.text.spans import SpecPath

NO_GPU: Final = "none"
YES: Final = "yes"
NO: Final = "no"
CI_KINDS: Final = ("github", "gitlab", "none")
FIRST_ENVIRONMENT: Final = "dev"
ARTIFACTS: Final = "artifacts"
"""The bucket of a new platform: MLflow keeps models in it."""
GPU_POOL: Final = "gpu"


class Question(Struct, frozen=True, kw_only=True):
    """One decision."""

    flag: str
    """How it is answered on the command line: `--project-number`."""
    text: str
    """What is to be decided, for a person."""
    path: SpecPath
    """The part of the spec that holds the answer; empty for what the spec does not hold."""
    is_own: bool = False
    """Every environment has its own answer."""
    is_as_the_first: bool = False
    """An environment that says nothing has what the first one has."""
    is_number: bool = False
    is_list: bool = False
    """Several answers, with commas between them."""
    choices: tuple[str, ...] = ()
    default: str | None = None
    """Taken where nothing is said; None where only a person can know."""


class Slot(Struct, frozen=True):
    """A question as one environment has to answer it.

    `""` is the first environment: its answer is the platform's.
    """

    question: Question
    environment: str

    @property
    def label(self) -> str:
        """What to type before the answer: `--project `, `--project prod=`."""
        return f"{self.question.flag} " + (f"{self.environment}=" if self.environment else "")


class Answers(Struct, frozen=True, kw_only=True):
    """What was decided so far."""

    provider: str
    environments: tuple[str, ...]
    """At least one; the first is the one that the platform's own values are for."""
    given: Mapping[tuple[str, str], str]
    """(flag, environment) -> the answer; the environment as in `Slot`."""

    def get(self, flag: str, environment: str = "") -> str | None:
        """The answer to a question, or its default, or None."""
        said = self.given.get((flag, environment))
        if said is not None:
            return said
        question = next((each for each in questions(self.provider) if each.flag == flag), None)
        if question is None:
            return None
        if environment and question.is_own:
            return _of_a_later(question, environment, self.get(flag))
        return question.default

    @property
    def others(self) -> tuple[str, ...]:
        """The environments after the first."""
        return self.environments[1:]

    def missing(self) -> tuple[Slot, ...]:
        """What has neither an answer nor a default, in the order of the questions."""
        every = slots(self.provider, self.environments)
        return tuple(each for each in every if self.get(each.question.flag, each.environment) is None)


def section(provider: str) -> type[CloudSection]:
    """A cloud's section of the spec."""
    found: type[CloudSection] = registry.load("clouds", provider).Section
    return found


def is_provisioned(provider: str) -> bool:
    """Whether the cloud makes network, cluster, buckets and databases; else they are there already."""
    return section(provider).makes_network


def questions(provider: str) -> tuple[Question, ...]:
    """Everything to decide on a cloud, in the order in which it is asked."""
    return _questions(section(provider))


@cache
def _questions(cloud: type[CloudSection]) -> tuple[Question, ...]:
    found = (*_cloud(cloud), *_platform(cloud))
    return tuple({each.flag: each for each in found}.values())


def slots(provider: str, environments: Sequence[str]) -> tuple[Slot, ...]:
    """Every question of the platform, then those of the later environments."""
    every = questions(provider)
    return (
        *(Slot(each, "") for each in every),
        *(Slot(each, name) for name in environments[1:] for each in every if each.is_own),
    )


def every_question() -> tuple[Question, ...]:
    """The questions of all clouds, each flag once, with the words of every cloud that asks it."""
    asked: dict[str, list[Question]] = {}
    for name in registry.names("clouds"):
        for each in questions(name):
            asked.setdefault(each.flag, []).append(each)
    return tuple(
        replace(some[-1], text="; ".join(dict.fromkeys(each.text for each in some)))
        for some in asked.values()
    )


def slot_at(path: SpecPath, answers: Answers) -> Slot | None:
    """The question whose answer a path of the spec leads to or into; None where no answer stands there."""
    environment = ""
    if path[:2] == ("spec", "environments") and len(path) > 2:  # noqa: PLR2004 - the name comes third
        environment, path = path[2], ("spec", *path[3:])
    for each in slots(answers.provider, answers.environments):
        held = each.question.path
        if held and each.environment == environment and path[: len(held)] == held:
            return each
    return None


def environment_fault(name: str) -> tuple[str, str] | None:
    """What is wrong with an environment's name and what to do about it."""
    if name in RESERVED:
        return f"`{name}` is a folder of Plinth's own", "call the environment otherwise: `dev`, `prod`"
    return name_fault(name)


def _cloud(cloud: type[CloudSection]) -> Iterator[Question]:
    for field, info in cloud.model_fields.items():
        if field == "provider" or not info.is_required():
            continue
        yield Question(
            flag="--" + field.replace("_", "-"),
            text=info.description or f"`cloud.{cloud.key_of(field)}`",
            path=("spec", "cloud", cloud.key_of(field)),
            is_own=True,
            # What the cluster's own field begins to name belongs to the cluster: `projectNumber`.
            is_as_the_first=not field.startswith(cloud.cluster_field),
            is_number=info.annotation is int,
            is_list=get_origin(info.annotation) is tuple,
        )


def _platform(cloud: type[CloudSection]) -> Iterator[Question]:
    yield Question(
        flag="--name",
        text="The platform's name; network and cluster are called so.",
        path=("metadata", "name"),
    )
    yield Question(
        flag="--repository",
        text="The URL of the git repository that holds the platform, as Argo CD reaches it.",
        path=("spec", "repository", "url"),
    )
    yield Question(
        flag="--branch",
        text="The branch that Argo CD follows.",
        path=("spec", "repository", "branch"),
        default="main",
    )
    yield Question(
        flag="--public",
        text="May anyone read the repository? If not, Argo CD gets credentials.",
        path=("spec", "repository", "credentials"),
        choices=(YES, NO),
        default=NO,
    )
    yield from _provisioned() if cloud.makes_network else _found()
    yield Question(
        flag="--domain",
        text="The domain below which applications are: `hub.<domain>`.",
        path=("spec", "identity", "domain"),
        is_own=True,
    )
    yield Question(
        flag="--admin",
        text="E-mail addresses of who runs the platform.",
        path=("spec", "identity", "admins"),
        is_list=True,
    )
    ways = tuple(str(each) for each in get_args(SignIn.model_fields["provider"].annotation))
    yield Question(
        flag="--sign-in",
        text="Who proves that people are who they say.",
        path=("spec", "identity", "signIn", "provider"),
        choices=ways,
        default=ways[0],
    )
    yield Question(
        flag="--hosted-domain",
        text="Only accounts of this domain get in.",
        path=("spec", "identity", "signIn", "hostedDomain"),
    )
    yield Question(
        flag="--gpu",
        text=f"The GPU of the first GPU pool: `t4`, `l4`, ..., or `{NO_GPU}`.",
        path=("spec", "nodePools", GPU_POOL),
        default="t4",
    )
    yield Question(flag="--ci", text="Whose workflows to write.", path=(), choices=CI_KINDS)


def _provisioned() -> Iterator[Question]:
    yield Question(
        flag="--state-bucket",
        text="An existing bucket with versioning, where Terraform keeps its state.",
        path=("spec", "state", "bucket"),
    )


def _found() -> Iterator[Question]:
    yield Question(
        flag="--bucket-url",
        text="An existing bucket for models: `s3://name`.",
        path=("spec", "storage", "buckets", ARTIFACTS, "url"),
        is_own=True,
    )
    yield Question(
        flag="--database-host",
        text="The host of an existing Postgres server, for MLflow.",
        path=("spec", "storage", "database", "existing", "host"),
        is_own=True,
    )


def _of_a_later(question: Question, environment: str, first: str | None) -> str | None:
    """What a later environment has without being told; None for what two may not share."""
    if first is not None and question.path[-1:] == ("domain",):
        return f"{environment}.{first}"
    return first if question.is_as_the_first else None
