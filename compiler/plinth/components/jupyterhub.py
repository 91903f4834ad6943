"""JupyterHub: a notebook server for each data scientist, of the tier that she picks.

The chart is rendered with fixed values. What the spec decides reaches the hub as a file that it
reads last, `jupyterhub_config.d/plinth.py`, whose settings are JSON beside it; nothing is patched
into the chart's own configuration. What the chart would make up at random at every render (the
cookie's secret, the proxy's token) comes from the secret store instead.

Source: zero-to-jupyterhub 4, `jupyterhub_config.py` and `z2jh.py`; oauthenticator 17; kubespawner 7.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

from plinth.components import Component, Given, Variant, secret_reader
from plinth.diagnostics.diagnostic import Diagnostic
from plinth.ir import needs
from plinth.ir.kubernetes import KEEP, Operation, expect, namespace, put, secret_for
from plinth.ir.said import Origin, Said, origins_of, said, settle, text
from plinth.ir.targets import Image, Manifest, ObjectKey, Patch, Target
from plinth.spec.fields import Duration, Field, Memory, to_bytes, to_seconds
from plinth.spec.platform import ComponentSection, Tier
from plinth.text.emit import json_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from plinth.ir.answers import PoolFacts

NOTEBOOKS: Final = {
    "minimal": ("Python", "quay.io/jupyter/minimal-notebook:2026-06-08"),
    "spark": ("Python and Spark", "quay.io/jupyter/all-spark-notebook:2026-06-08"),
}

FOLDER: Final = "/usr/local/etc/jupyterhub"

HUB_CONFIG: Final = '''\
"""What the platform declares for the hub. The settings are in plinth.json, beside this file."""

import json
from pathlib import Path

folder = Path("/usr/local/etc/jupyterhub/jupyterhub_config.d")
declared = json.loads((folder / "plinth.json").read_text(encoding="utf-8"))

for section, traits in declared["traits"].items():
    c[section].update(traits)

for service in c.JupyterHub.services:
    if service["name"] == "jupyterhub-idle-culler":
        kept = [word for word in service["command"] if not word.startswith("--timeout=")]
        service["command"] = [*kept, f"--timeout={declared['idle_seconds']}"]
'''
"""Run by the hub after its own configuration; `c` is the configuration."""

TOKENS: Final = {
    "hub.config.JupyterHub.cookie_secret": "cookieSecret",
    "hub.config.CryptKeeper.keys": "cryptKey",
    "hub.config.ConfigurableHTTPProxy.auth_token": "proxyToken",
}
"""Keys that the hub reads, by the property of the secret's JSON that fills each."""

_HUB_IMAGE: Final = "quay.io/jupyterhub/k8s-hub"


class JupyterHubSection(ComponentSection):
    """Notebooks, one server for each person."""

    images: tuple[Literal["minimal", "spark"], ...] = Field(
        default=("minimal",), min_length=1, description="What a person may choose from, the first by default."
    )
    idle: Duration = Field(
        default="1h", description="A server that nobody uses for so long is stopped; its volume stays."
    )
    storage: Memory = Field(default="10Gi", description="The volume that every person has.")


class JupyterHub(Component[JupyterHubSection]):
    """The hub, its proxy, and what they know of the platform."""

    name: ClassVar[str] = "jupyterhub"
    namespace: ClassVar[str] = "jupyterhub"
    Section = JupyterHubSection

    def variant(self, version: str) -> Variant:
        del version
        return Variant(namespace=self.namespace, values=_VALUES, without=_WITHOUT)

    def requires(self, section: JupyterHubSection, context: needs.Context) -> Iterable[str]:
        del section
        return ("external-secrets",) if context.has_secret_store else ()

    def faults(self, section: JupyterHubSection, context: needs.Context) -> Iterable[Diagnostic]:
        twice = sorted({name for name in section.images if section.images.count(name) > 1})
        if twice:
            yield Diagnostic(
                code="PLN207",
                message=f"the image `{twice[0]}` is offered twice",
                help="name each image once",
                path=section.said_path("images"),
            )
        if context.platform.identity.sign_in is None:
            yield Diagnostic(
                code="PLN311",
                message="`jupyterhub` lets nobody in without a sign-in",
                help="add one to `identity`: "
                "`signIn: {provider: google, hostedDomain: example.com, credentials: {secret: NAME}}`",
                path=section.spec_path,
                at_key=True,
            )

    def needs(
        self, section: JupyterHubSection, context: needs.Context, origins: tuple[Origin, ...]
    ) -> Mapping[str, needs.Need]:
        del section
        sign_in = context.platform.identity.sign_in
        asked: dict[str, needs.Need] = {
            "tokens": needs.Secret(
                name=text(context.platform_name, "-jupyterhub"),
                reader=secret_reader(),
                made_by="generated",
                keys=tuple(needs.SecretKey(name=name, form="hex") for name in TOKENS.values()),
                origins=origins,
            )
        }
        if sign_in:
            asked["sign-in"] = needs.Secret(
                name=said(sign_in.credentials, "secret"),
                reader=secret_reader(),
                made_by="person",
                keys=(needs.SecretKey(name="clientID"), needs.SecretKey(name="clientSecret")),
                origins=(*origins, sign_in.spec_path),
            )
        return asked

    def emit(self, section: JupyterHubSection, given: Given) -> Iterable[Target]:
        origins = given.origins
        tokens, bring_tokens = secret_for(
            self.name, self.namespace, "hub-plinth", given.secret("tokens"), TOKENS, origins
        )
        keys = {"clientID": "clientID", "clientSecret": "clientSecret"}
        sign_in, bring_sign_in = secret_for(
            self.name, self.namespace, "hub-sign-in", given.secret("sign-in"), keys, origins
        )
        settings = _settings(section, given)
        yield namespace(self.name, self.namespace, level="restricted", base=given.base, origins=origins)
        yield from (*bring_tokens, *bring_sign_in)
        yield Manifest(
            application=self.name,
            key=ObjectKey("", "ConfigMap", self.namespace, "hub-plinth"),
            body={
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": "hub-plinth", "namespace": self.namespace},
                "data": {"plinth.json": settings, "plinth.py": HUB_CONFIG},
            },
            origins=origins,
        )
        yield from self._patches(given, tokens, sign_in, settings)
        yield Image(application=self.name, name=_HUB_IMAGE, tag=given.version, origins=origins)

    def _patches(
        self, given: Given, tokens: Said | str, sign_in: Said | str, settings: Said
    ) -> Iterable[Patch]:
        def patch(group: str, kind: str, name: str, operations: Iterable[Operation]) -> Patch:
            key = ObjectKey(group, kind, self.namespace, name)
            return Patch(
                application=self.name, target=key, operations=tuple(operations), origins=given.origins
            )

        yield patch("apps", "Deployment", "hub", _hub(given, tokens, sign_in, settings))
        yield patch("apps", "Deployment", "proxy", _proxy(given, tokens))
        yield patch("", "PersistentVolumeClaim", "hub-db-dir", _volume(given))
        # The chart makes these up anew at every render; the hub finds ours first.
        seeds = ({"op": "remove", "path": f"/data/{key}"} for key in sorted(TOKENS))
        yield patch("", "Secret", "hub", seeds)


def _volume(given: Given) -> Iterable[Operation]:
    yield from put(KEEP, "/metadata/annotations", exists=False)
    if given.storage_class:
        yield {"op": "add", "path": "/spec/storageClassName", "value": given.storage_class}


def _hub(given: Given, tokens: Said | str, sign_in: Said | str, settings: Said) -> Iterable[Operation]:
    pod = given.pod("Deployment", "hub")
    container = pod.pointer("hub")
    yield expect(f"{container}/name", "hub")
    for name, path in (
        ("plinth-config", f"{FOLDER}/jupyterhub_config.d"),
        ("plinth-secret", f"{FOLDER}/existing-secret"),
    ):
        yield {
            "op": "add",
            "path": f"{container}/volumeMounts/-",
            "value": {"name": name, "mountPath": path, "readOnly": True},
        }
    yield {
        "op": "add",
        "path": f"{pod.path}/volumes/-",
        "value": {"name": "plinth-config", "configMap": {"name": "hub-plinth"}},
    }
    yield {
        "op": "add",
        "path": f"{pod.path}/volumes/-",
        "value": {"name": "plinth-secret", "secret": {"secretName": tokens}},
    }
    for variable, key in (("OAUTH_CLIENT_ID", "clientID"), ("OAUTH_CLIENT_SECRET", "clientSecret")):
        value = {"name": variable, "valueFrom": {"secretKeyRef": {"name": sign_in, "key": key}}}
        yield {"op": "add", "path": f"{container}/env/-", "value": value}
    yield from _token(container, tokens, pod.env_index("hub", _TOKEN))
    digest = settings.map(lambda content: hashlib.sha256((HUB_CONFIG + content).encode()).hexdigest())
    # The chart's own checksum follows what it makes up; ours restarts the hub when its settings change.
    checksums = {"checksum/secret": "in-the-store", "checksum/plinth": digest}
    yield from put(checksums, "/spec/template/metadata/annotations", exists=pod.has_annotations)


def _proxy(given: Given, tokens: Said | str) -> Iterable[Operation]:
    pod = given.pod("Deployment", "proxy")
    container = pod.pointer("chp")
    yield expect(f"{container}/name", "chp")
    yield from _token(container, tokens, pod.env_index("chp", _TOKEN))
    checksums = {"checksum/auth-token": "in-the-store", "checksum/proxy-secret": "in-the-store"}
    yield from put(checksums, "/spec/template/metadata/annotations", exists=pod.has_annotations)


_TOKEN: Final = "CONFIGPROXY_AUTH_TOKEN"  # noqa: S105 - the name of a variable


def _token(container: str, tokens: Said | str, index: int) -> Iterable[Operation]:
    yield expect(f"{container}/env/{index}/name", _TOKEN)
    yield {"op": "replace", "path": f"{container}/env/{index}/valueFrom/secretKeyRef/name", "value": tokens}


def _settings(section: JupyterHubSection, given: Given) -> Said:
    """The JSON text of `plinth.json`, from the origins of everything in it."""
    platform = given.context.platform
    identity, sign_in = platform.identity, platform.identity.sign_in
    assert sign_in is not None, "`faults` has refused a hub without sign-in"  # noqa: S101 - tells the type checker
    domain = said(sign_in, "hosted_domain")
    admins = said(identity, "admins")
    names = sorted(_user(email, domain.value) for email in admins.value)
    tiers = sorted(platform.tiers, key=_size)
    images = said(section, "images")
    traits: dict[str, Any] = {
        "JupyterHub": {"authenticator_class": said(sign_in, "provider")},
        "GoogleOAuthenticator": {
            # Both together let in exactly the accounts of the domain.
            "allow_all": True,
            "hosted_domain": [domain],
            "admin_users": Said(names, (*admins.origins, *domain.origins)),
            "oauth_callback_url": text("https://hub.", said(identity, "domain"), "/hub/oauth_callback"),
        },
        "KubeSpawner": {
            # The namespace is `restricted`, and without these no notebook would start there.
            "container_security_context": {
                "capabilities": {"drop": ["ALL"]},
                "runAsNonRoot": True,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "image": images.map(lambda chosen: NOTEBOOKS[chosen[0]][1]),
            "storage_capacity": said(section, "storage"),
            **({"storage_class": given.storage_class} if given.storage_class else {}),
            "profile_list": [_profile(tier, section, given, first=tier is tiers[0]) for tier in tiers],
        },
    }
    declared = {"idle_seconds": said(section, "idle").map(to_seconds), "traits": traits}
    plain, origins = settle(declared)
    everything = tuple(dict.fromkeys(origin for some in origins.values() for origin in some))
    return Said(json_text(plain), everything)


def _size(tier: Tier) -> tuple[float, float, float, str]:
    """Small tiers first: who picks nothing gets the smallest, in whatever order they are listed."""
    return (tier.gpu.count if tier.gpu else 0, tier.cpu, to_bytes(tier.memory), tier.name)


def _user(email: str, domain: str) -> str:
    """A user's name as the authenticator makes it: without the hosted domain."""
    return email.removesuffix(f"@{domain}")


def _profile(tier: Tier, section: JupyterHubSection, given: Given, *, first: bool) -> dict[str, Any]:
    cpu, memory = said(tier, "cpu"), said(tier, "memory")
    override: dict[str, Any] = {
        "cpu_guarantee": cpu,
        "cpu_limit": cpu,
        "mem_guarantee": memory.map(to_bytes),
        "mem_limit": memory.map(to_bytes),
    }
    pools = said(tier, "pools")
    chosen = [given.pools[name] for name in tier.pools]
    # Nothing starts a notebook again, so it is not moved to empty a node.
    stays = [facts.stay_annotations for facts in chosen or given.pools.values()]
    if any(stays):
        override["extra_annotations"] = {key: value for each in stays for key, value in each.items()}
    if chosen:
        label = next(iter(chosen[0].labels))
        override["node_affinity_required"] = [
            {"matchExpressions": [{"key": label, "operator": "In", "values": pools.map(sorted)}]}
        ]
        override["tolerations"] = _unique(toleration for pool in chosen for toleration in pool.tolerations)
    if tier.gpu:
        resource = next((pool.gpu_resource for pool in chosen if pool.gpu_resource), "nvidia.com/gpu")
        count = said(tier.gpu, "count").map(str)
        override |= {
            "extra_resource_limits": {resource: count},
            "extra_resource_guarantees": {resource: count},
        }
    images = said(section, "images")
    return {
        "slug": said(tier, "name"),
        "display_name": said(tier, "name"),
        "description": _description(tier, chosen),
        "default": first,
        "kubespawner_override": override,
        "profile_options": {
            "image": {"display_name": "Image", "choices": Said(_choices(section), images.origins)}
        },
    }


def _choices(section: JupyterHubSection) -> dict[str, Any]:
    return {
        name: {
            "display_name": NOTEBOOKS[name][0],
            "default": name == section.images[0],
            "kubespawner_override": {"image": NOTEBOOKS[name][1]},
        }
        for name in section.images
    }


def _description(tier: Tier, pools: Iterable[PoolFacts]) -> Said:
    parts: list[Said | str] = [said(tier, "cpu"), " CPU, ", said(tier, "memory"), " memory"]
    if tier.gpu:
        models = [pool.gpu_model for pool in pools if pool.gpu_model]
        names = Said(" or ".join(sorted({model.value for model in models})), origins_of(models))
        parts += [", ", said(tier.gpu, "count"), " GPU", *((" (", names, ")") if models else ())]
    return text(*parts)


def _unique(tolerations: Iterable[Mapping[str, Any]]) -> Said:
    """Each toleration once, from the origins of every pool that asks for it."""
    seen: dict[str, Any] = {}
    origins: dict[Origin, None] = {}
    for toleration in tolerations:
        plain, found = settle(toleration)
        seen[json_text(plain)] = plain
        origins |= dict.fromkeys(origin for some in found.values() for origin in some)
    return Said([seen[key] for key in sorted(seen)], tuple(origins))


_VALUES: Final[Mapping[str, Any]] = {
    "cull": {"enabled": True},
    "ingress": {"enabled": False},
    "prePuller": {"continuous": {"enabled": False}, "hook": {"enabled": False}},
    "proxy": {"service": {"type": "ClusterIP"}},
    "scheduling": {"userPlaceholder": {"enabled": False}, "userScheduler": {"enabled": False}},
    # A privileged container in every notebook; a NetworkPolicy of the chart keeps the metadata server away.
    "singleuser": {"cloudMetadata": {"blockWithIptables": False}},
}

_RBAC: Final = "rbac.authorization.k8s.io"
_NS: Final = "jupyterhub"

_WITHOUT: Final = frozenset(
    {
        ObjectKey("", "ConfigMap", _NS, "user-scheduler"),
        ObjectKey("", "ServiceAccount", _NS, "continuous-image-puller"),
        ObjectKey("", "ServiceAccount", _NS, "hook-image-awaiter"),
        ObjectKey("", "ServiceAccount", _NS, "hook-image-puller"),
        ObjectKey("", "ServiceAccount", _NS, "user-scheduler"),
        ObjectKey("apps", "DaemonSet", _NS, "continuous-image-puller"),
        ObjectKey("apps", "DaemonSet", _NS, "hook-image-puller"),
        ObjectKey("apps", "Deployment", _NS, "user-scheduler"),
        ObjectKey("apps", "StatefulSet", _NS, "user-placeholder"),
        ObjectKey("batch", "Job", _NS, "hook-image-awaiter"),
        ObjectKey("networking.k8s.io", "Ingress", _NS, "jupyterhub"),
        ObjectKey("policy", "PodDisruptionBudget", _NS, "user-placeholder"),
        ObjectKey("policy", "PodDisruptionBudget", _NS, "user-scheduler"),
        ObjectKey(_RBAC, "ClusterRole", "", "jupyterhub-user-scheduler"),
        ObjectKey(_RBAC, "ClusterRoleBinding", "", "jupyterhub-user-scheduler"),
        ObjectKey(_RBAC, "Role", _NS, "hook-image-awaiter"),
        ObjectKey(_RBAC, "RoleBinding", _NS, "hook-image-awaiter"),
    }
)


COMPONENT = JupyterHub()
