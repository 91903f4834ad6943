"""Named ways of spoiling the example, each of which knows what must be said about it, and where.

    mutation = draw(example(), MUTATORS["octal number"], random.Random(7))
    mutation.data, mutation.expected

Mutators that are `alone` hide other faults of their stage, or are hidden by one.
"""

from __future__ import annotations

import base64
import string
from typing import TYPE_CHECKING, Final

from support.spoiling import Draft, Edit, Kind, Mutator, Spoiling

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from random import Random

    Spoil = Callable[[Draft, Random], Spoiling]


def _any_leaf(*texts: str) -> Spoil:
    return lambda draft, random: draft.put(random.choice(list(draft.leaves)), random.choice(texts))


def _any_braces(*texts: str) -> Spoil:
    return lambda draft, random: draft.beside(random.choice(draft.in_braces()), random.choice(texts))


def _one_of(values: Mapping[str, Sequence[str]]) -> Spoil:
    """Leaf -> texts that it may not have."""

    def spoil(draft: Draft, random: Random) -> Spoiling:
        leaf = random.choice(list(values))
        return draft.put(leaf, random.choice(values[leaf]))

    return spoil


def _twice(draft: Draft, random: Random) -> Spoiling:
    leaf = random.choice(draft.in_braces())
    return draft.beside(leaf, f", {leaf.rpartition('.')[2]}: {draft.leaves[leaf].text}")


def _typo(draft: Draft, random: Random) -> Spoiling:
    leaf = random.choice([name for name in draft.in_braces() if not name.startswith(_NOT_A_SECTION)])
    key = leaf.rpartition(".")[2]
    place = random.randrange(len(key))
    return draft.beside(leaf, f", {key[:place]}{random.choice('xqzXQZ')}{key[place:]}: 1")


_NOT_A_SECTION: Final = ("spec.environments.prod.nodePools.burst",)
"""An item that is removed may say nothing else, known or not."""


def _cut(*drops: tuple[str, str]) -> Spoil:
    """Path that is taken away, and the path whose key is at fault then."""

    def spoil(draft: Draft, random: Random) -> Spoiling:
        path, blame = random.choice(drops)
        return draft.drop(path, blame=blame)

    return spoil


def _secret(draft: Draft, random: Random) -> Spoiling:
    texts = [name for name, node in draft.leaves.items() if isinstance(node.value, str)]
    secret = random.choice(_SECRETS)(random)
    spoiling = draft.put(random.choice(texts), f'"{secret}"')
    return Spoiling(spoiling.line, spoiling.edits, secret)


def _secret_in_url(draft: Draft, random: Random) -> Spoiling:
    password = _characters(random, string.ascii_lowercase, 12)
    spoiling = draft.put("spec.repository.url", f"https://robot:{password}@github.com/acme/ml.git")
    return Spoiling(spoiling.line, spoiling.edits, password)


def _secret_beside(draft: Draft, random: Random) -> Spoiling:
    """A line that is shown for another reason, and has a secret in its comment."""
    secret = random.choice(_SECRETS)(random)
    leaf = random.choice(["spec.identity.domain", "spec.upstreams"])
    line = draft.leaves[leaf].span.line
    start = draft.leaves[leaf].span.column - 1
    edit = Edit(line, start, len(draft.lines[line - 1]), f"yes # {secret}")
    return Spoiling(line, (edit,), secret)


def _characters(random: Random, alphabet: str, count: int) -> str:
    return "".join(random.choice(alphabet) for _ in range(count))


_WORD: Final = string.ascii_letters + string.digits

# Built here, so that nothing that scans this repository for secrets finds one.
_SECRETS: Final[tuple[Callable[[Random], str], ...]] = (
    lambda random: "AKIA" + _characters(random, string.ascii_uppercase + string.digits, 16),
    lambda random: "AIza" + _characters(random, _WORD, 35),
    lambda random: "ghp_" + _characters(random, _WORD, 36),
    lambda random: "github_pat_" + _characters(random, _WORD, 40),
    lambda random: "glpat-" + _characters(random, _WORD, 20),
    lambda random: "xoxb-" + _characters(random, string.digits, 24),
    lambda random: "hf_" + _characters(random, _WORD, 34),
    lambda random: "GOCSPX-" + _characters(random, _WORD, 28),
    lambda random: ".".join("eyJ" + _characters(random, _WORD, count) for count in (30, 60, 40)),
    lambda random: "-----BEGIN " + "PRIVATE KEY-----" + base64.b64encode(random.randbytes(48)).decode(),
    lambda random: base64.b64encode(random.randbytes(48)).decode(),
    lambda random: random.randbytes(32).hex(),
)


def _text(name: str, code: str, spoil: Spoil, *, alone: bool = False) -> Mutator:
    return Mutator(name=name, stage="text", code=code, spoil=spoil, alone=alone)


_TEXT: Final = (
    _text("duplicate key", "PLN102", _twice),
    _text("alias", "PLN103", _any_leaf("*nowhere")),
    _text("anchor", "PLN103", _any_leaf("&here x")),
    _text("tag", "PLN104", _any_leaf("!!str x", "!secret x", "! x")),
    _text("merge key", "PLN111", _any_braces(", <<: {}")),
    _text("yes or no", "PLN105", _any_leaf("yes", "no", "on", "OFF", "y", "N")),
    _text("octal number", "PLN106", _any_leaf("0755", "-017", "0o17")),
    _text("number of base 60", "PLN106", _any_leaf("12:30:00", "1:30")),
    _text(
        "number of another form", "PLN106", _any_leaf("0x1F", "0b11", ".inf", "1_000", "1234567890123456789")
    ),
    _text("date", "PLN107", _any_leaf("2024-01-31", "2024-01-31T10:00:00Z")),
    _text("key that is no text", "PLN112", _any_braces(", 1: x", ", true: x", ", ~: x", ", [a]: x")),
    _text(
        "two documents",
        "PLN110",
        lambda draft, _: draft.append("\n---\nkind: Other", line=len(draft.lines) + 1),
    ),
    _text("no YAML", "PLN101", _any_leaf("@x", "`x`", "%x"), alone=True),
    _text("nested beyond reason", "PLN108", _any_leaf("[" * 40 + "]" * 40), alone=True),
    _text(
        "control character",
        "PLN109",
        _any_leaf("a\x07", "a\x1b[2J", "a\u2028", "\ufeffa", "a\x85"),
        alone=True,
    ),
    _text("byte that is no UTF-8", "PLN109", _any_leaf("a\udcff", "\udcc3"), alone=True),
    _text("5 MB", "PLN108", lambda draft, _: draft.append("\n# " + "x" * 5_000_000, line=1), alone=True),
    _text("secret in a comment", "PLN105", _secret_beside),
)

_SECRET: Final = (
    Mutator(name="secret", stage="secret", code="PLN205", spoil=_secret),
    Mutator(name="password in a URL", stage="secret", code="PLN205", spoil=_secret_in_url),
)


def _environment(name: str, code: str, spoil: Spoil) -> Mutator:
    return Mutator(name=name, stage="environments", code=code, spoil=spoil)


_ENVIRONMENTS: Final = (
    _environment(
        "pool removed that is not there",
        "PLN208",
        lambda draft, _: draft.put("spec.environments.prod.nodePools.burst.name", "brust"),
    ),
    _environment(
        "pool removed and changed",
        "PLN208",
        lambda draft, _: draft.beside("spec.environments.prod.nodePools.burst.remove", ", cpu: 8"),
    ),
    _environment(
        "environment named as a folder of ours",
        "PLN206",
        lambda draft, random: draft.rename("spec.environments.dev", random.choice(["base", "vendor"])),
    ),
    _environment(
        "environment that is no DNS label",
        "PLN206",
        lambda draft, random: draft.rename("spec.environments.dev", random.choice(["Dev", "dev_1", "дев"])),
    ),
    _environment(
        "environment that is no map",
        "PLN203",
        lambda draft, random: draft.value("spec.environments.dev", random.choice(["7", "[a]", "dev"])),
    ),
)


def _type(
    name: str,
    code: str,
    spoil: Spoil,
    *,
    kind: Kind = "",
    alone: bool = False,
) -> Mutator:
    return Mutator(name=name, stage="types", code=code, spoil=spoil, kind=kind, alone=alone)


_TEXT_LEAVES: Final = (
    "spec.cloud.region",
    "spec.repository.url",
    "spec.network.pods",
    "spec.identity.domain",
    "spec.state.bucket",
)

_TYPES: Final = (
    _type("unknown key", "PLN201", _typo, kind="unknown key"),
    _type("number for text", "PLN203", _one_of(dict.fromkeys(_TEXT_LEAVES, ("7", "1.5"))), kind="wrong type"),
    _type(
        "truth for text", "PLN203", _one_of(dict.fromkeys(_TEXT_LEAVES, ("true", "false"))), kind="wrong type"
    ),
    _type(
        "nothing for text", "PLN203", _one_of(dict.fromkeys(_TEXT_LEAVES, ("null", "~"))), kind="wrong type"
    ),
    _type(
        "text for a number",
        "PLN203",
        _one_of(
            {
                "spec.nodePools.system.cpu": ("four", '"4"', "4.5"),
                "spec.nodePools.t4.nodes.max": ("many", '"3"'),
                "spec.tiers.cpu.cpu": ("two", '"2"'),
                "spec.environments.prod.nodePools.system.nodes.max": ("many", '"5"'),
            }
        ),
        kind="wrong type",
    ),
    _type(
        "list for a map",
        "PLN203",
        lambda draft, random: draft.value(
            random.choice(["spec.network", "spec.cluster", "spec.state", "spec.repository", "metadata"]),
            "[a, b]",
        ),
        kind="wrong type",
    ),
    _type(
        "text for a list",
        "PLN203",
        lambda draft, random: draft.value(
            random.choice(["spec.identity.admins", "spec.tiers.1xgpu.pools"]), "t4"
        ),
        kind="wrong type",
    ),
    _type(
        "version that is a number",
        "PLN203",
        _one_of({"spec.components.training-operator.version": ("1.7", "2")}),
        kind="wrong type",
    ),
    _type(
        "required key missing",
        "PLN202",
        _cut(
            ("spec.cloud.region", "spec.cloud"),
            ("spec.repository.url", "spec.repository"),
            ("spec.state.bucket", "spec.state"),
            ("spec.tiers.cpu.memory", "spec.tiers.cpu"),
            ("spec.identity.domain", "spec.identity"),
            ("spec.components.mlflow.artifacts", "spec.components.mlflow"),
            ("spec.repository", "spec"),
        ),
        kind="missing",
    ),
    _type(
        "no administrators",
        "PLN308",
        _cut(("spec.identity.admins", "spec.identity"), ("spec.identity", "spec")),
        kind="missing",
    ),
    _type(
        "empty list of administrators", "PLN308", lambda draft, _: draft.value("spec.identity.admins", "[]")
    ),
    _type(
        "name that is no DNS label",
        "PLN206",
        _one_of(
            {
                "metadata.name": ("Acme", "acme_ml", '"-acme"', "acme-", '"acme\\n"', "a" * 41),
                "spec.nodePools.t4.name": ("T4", "t_4", "t4-", "тесла", "7t"),
                "spec.storage.buckets.artifacts.name": ("Artifacts", "art.facts"),
            }
        ),
    ),
    _type(
        "choice that is none",
        "PLN204",
        _one_of(
            {
                "apiVersion": ("plinth.dev/v2",),
                "kind": ("Plattform",),
                "spec.cluster.channel": ("fastest",),
                "spec.network.access": ("open",),
                "spec.nodePools.burst.capacity": ("cheap",),
                "spec.storage.database.engine": ("mysql",),
                "spec.upstreams": ("local",),
                "spec.components.jupyterhub.images[1]": ("julia",),
                "spec.environments.prod.storage.database.size": ("huge",),
            }
        ),
    ),
    _type(
        "cloud that nobody knows", "PLN204", _one_of({"spec.cloud.provider": ("gpc", "heroku")}), alone=True
    ),
    # It is one with the section `repository`, and is not judged where that has faults of its own.
    _type(
        "branch that is none",
        "PLN204",
        _one_of({"spec.environments.prod.branch": ("../main", "HEAD", "a..b")}),
        alone=True,
    ),
    _type(
        "text of another form",
        "PLN204",
        _one_of(
            {
                "spec.nodePools.system.memory": ("16GB", "0Gi", '"16 Gi"'),
                "spec.identity.admins[0]": ("nobody", "a@b"),
                "spec.identity.domain": ("ML.acme.com", "acme"),
                "spec.repository.url": ("github.com/acme", "ftp://host/x"),
                "spec.components.jupyterhub.idle": ("2 hours", "0h"),
                "spec.cluster.maintenance.weekly[0]": ("saturday", "sat 08:00-02:00", "sat 25:00-26:00"),
            }
        ),
    ),
    _type(
        "range with host bits, or none",
        "PLN301",
        _one_of(
            {
                "spec.network.nodes": ("10.0.0.1/16", "10.0.0.0", "10.0.0.0/33"),
                "spec.network.pods": ("10.1.5.0/16", "pods", "fd00::/64"),
            }
        ),
    ),
    _type(
        "component that nobody knows",
        "PLN306",
        lambda draft, random: draft.rename(
            "spec.components.training-operator", random.choice(["traning-operator", "horovod"])
        ),
    ),
)


def _rule(name: str, code: str, spoil: Spoil, help_: str = "") -> Mutator:
    return Mutator(name=name, stage="rules", code=code, spoil=spoil, help=help_)


_RULES: Final = (
    _rule("two tiers of one name", "PLN207", lambda draft, _: draft.put("spec.tiers.1xgpu.name", "cpu")),
    _rule(
        "two buckets of one name",
        "PLN207",
        lambda draft, _: draft.value("spec.storage.buckets", "[{name: artifacts}, {name: artifacts}]"),
    ),
    _rule(
        "ranges that overlap",
        "PLN302",
        _one_of(
            {"spec.network.pods": ("10.0.0.0/16", "10.0.128.0/17"), "spec.network.services": ("10.1.0.0/20",)}
        ),
    ),
    _rule(
        "range that is too small",
        "PLN303",
        _one_of(
            {
                "spec.network.nodes": ("10.0.0.0/30",),
                "spec.network.pods": ("10.1.0.0/22", "10.1.0.0/23"),
                "spec.network.services": ("10.2.0.0/28",),
            }
        ),
    ),
    _rule(
        "public range",
        "PLN301",
        _one_of({"spec.network.nodes": ("8.8.0.0/16",), "spec.network.services": ("172.32.0.0/16",)}),
    ),
    _rule(
        "minimum above maximum",
        "PLN304",
        _one_of(
            {
                "spec.nodePools.t4.nodes.min": ("4",),
                "spec.nodePools.burst.nodes.min": ("5", "100"),
                "spec.environments.prod.nodePools.system.nodes.min": ("6",),
            }
        ),
    ),
    _rule("pool that is not there", "PLN306", _one_of({"spec.tiers.1xgpu.pools[0]": ("t5", "v100")})),
    _rule(
        "two environments on one project",
        "PLN307",
        _one_of({"spec.environments.prod.cloud.project": ("acme-ml-dev",)}),
    ),
    _rule("GPU tier without a pool", "PLN202", _cut(("spec.tiers.1xgpu.pools", "spec.tiers.1xgpu"))),
    _rule(
        "tier with more GPUs than a node has", "PLN309", _one_of({"spec.tiers.1xgpu.gpu.count": ("2", "16")})
    ),
    _rule("pool without a shape", "PLN202", _cut(("spec.nodePools.t4.gpu", "spec.nodePools.t4"))),
    _rule(
        "patch that lies elsewhere",
        "PLN204",
        lambda draft, _: draft.beside("spec.components.mlflow.artifacts", ", patches: [overlays/x.yaml]"),
    ),
)


def _later(stage: str, name: str, code: str, spoil: Spoil, help_: str = "") -> Mutator:
    return Mutator(name=name, stage=stage, code=code, spoil=spoil, help=help_)


_LATER: Final = (
    _later(
        "components",
        "version that the catalogue lacks",
        "PLN316",
        _one_of(
            {
                "spec.components.training-operator.version": ("9.9.9", "1.7.1"),
                "spec.environments.prod.components.cert-manager.version": ("1.0.0",),
            }
        ),
    ),
    _later(
        "components",
        "bucket that is not there",
        "PLN306",
        _one_of({"spec.components.mlflow.artifacts": ("artefacts", "other")}),
    ),
    _later(
        "components", "no sign-in", "PLN311", _cut(("spec.identity.signIn", "spec.components.jupyterhub"))
    ),
    _later("components", "no database", "PLN311", _cut(("spec.storage.database", "spec.components.mlflow"))),
    _later(
        "cloud", "three T4s", "PLN305", _one_of({"spec.nodePools.t4.gpu.count": ("3",)}), help_="nearest: "
    ),
    _later(
        "cloud",
        "GPU that nobody sells",
        "PLN305",
        _one_of({"spec.nodePools.t4.gpu.model": ("t5", "tpu")}),
        help_="nearest: ",
    ),
    _later(
        "cloud",
        "more memory than is sold",
        "PLN305",
        _one_of({"spec.nodePools.system.memory": ("900Ti",)}),
        help_="nearest: ",
    ),
    _later(
        "cloud",
        "windows too short",
        "PLN314",
        lambda draft, random: draft.value(
            "spec.cluster.maintenance.weekly",
            random.choice(
                [
                    "[sat 02:00-03:00, sun 02:00-03:00]",
                    "[sat 02:00-08:00]",
                    "[sat 02:00-08:00, sun 03:00-09:00]",
                ]
            ),
        ),
    ),
    _later(
        "cloud",
        "no pool for the platform's own pods",
        "PLN310",
        lambda draft, _: Spoiling(
            draft.key("spec.nodePools").line, draft.put("spec.nodePools.system.nodes.min", "0").edits
        ),
    ),
    _later(
        "cloud", "name too long for the cloud", "PLN313", _one_of({"metadata.name": ("a" * 30, "a" * 40)})
    ),
    _later(
        "files",
        "patch that is not there",
        "PLN317",
        lambda draft, _: draft.beside("spec.components.mlflow.artifacts", ", patches: [patches/x.yaml]"),
    ),
    _later("files", "upstream that is not vendored", "PLN320", _one_of({"spec.upstreams": ("vendored",)})),
)

MUTATORS: Final[Mapping[str, Mutator]] = {
    each.name: each for each in (*_TEXT, *_SECRET, *_ENVIRONMENTS, *_TYPES, *_RULES, *_LATER)
}
