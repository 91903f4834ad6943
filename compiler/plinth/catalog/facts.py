"""The facts that the catalogue keeps of an upstream's objects, as plain JSON.

Enough to prove that a patch finds its target (keys of pod specs, names of containers, keys of a
ConfigMap), to list images, to order CRDs before their objects and to tell one release from
another (digests). No text of an upstream is kept: manifests are never part of this package.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Final

from plinth.catalog import CatalogError
from plinth.catalog.objects import ObjectKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

FORMAT: Final = 1

_TEMPLATE: Final = ("spec", "template", "spec")
_POD_PATHS: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("", "Pod"): ("spec",),
    ("apps", "DaemonSet"): _TEMPLATE,
    ("apps", "Deployment"): _TEMPLATE,
    ("apps", "ReplicaSet"): _TEMPLATE,
    ("apps", "StatefulSet"): _TEMPLATE,
    ("batch", "CronJob"): ("spec", "jobTemplate", "spec", "template", "spec"),
    ("batch", "Job"): _TEMPLATE,
}
_WEBHOOKS: Final = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
_CA_INJECTION: Final = (
    "cert-manager.io/inject-apiserver-ca",
    "cert-manager.io/inject-ca-from",
    "cert-manager.io/inject-ca-from-secret",
)


def entry(
    component: str,
    version: str,
    source: Mapping[str, str],
    objects: Iterable[Mapping[str, Any]],
    *,
    made_with: str = "",
    incomplete: Sequence[str] = (),
    published_bytes: Mapping[str, int] | None = None,
    is_stripped: bool = False,
) -> dict[str, Any]:
    """One file of the catalogue, ready for `entry_text`.

    Args:
        component: its name, as in a spec.
        version: the catalogue's version, without a leading `v`.
        source: `kind` (`git`, `file` or `chart`) and the fields of that kind of source.
        objects: every object of the upstream, CRDs among them, in any order.
        made_with: how the objects were rendered, where that decides what is among them.
        incomplete: objects known to be missing or blanked, as `Kind/name`.
        published_bytes: sizes of CRDs as their makers publish them, by name, where known.
        is_stripped: descriptions were taken out of the CRDs, so other sizes are lower bounds.

    Raises:
        CatalogError: two objects share a key, or one lacks `apiVersion`, `kind` or a name.
    """
    by_key: dict[ObjectKey, Mapping[str, Any]] = {}
    for body in objects:
        key = key_of(body)
        if key in by_key:
            raise CatalogError(f"{component} {version} holds `{key}` twice")
        by_key[key] = body
    ordered = [by_key[key] for key in sorted(by_key)]
    crds = [body for body in ordered if body["kind"] == "CustomResourceDefinition"]
    return {
        "format": FORMAT,
        "component": component,
        "version": version,
        "source": dict(source),
        "madeWith": made_with,
        "incomplete": sorted(incomplete),
        "digest": digest(ordered),
        "objects": [object_facts(body) for body in ordered],
        "crds": [crd_facts(body, published_bytes or {}, is_stripped=is_stripped) for body in crds],
    }


def entry_text(item: Mapping[str, Any]) -> str:
    """An entry as a file: one object a line, so that a new version's diff reads as a list."""
    fields = []
    for name, value in item.items():
        if name in ("objects", "crds"):
            rows = ",\n".join(f"  {json.dumps(row, ensure_ascii=False)}" for row in value)
            fields.append(f' "{name}": [\n{rows}\n ]' if rows else f' "{name}": []')
        else:
            fields.append(f' "{name}": {json.dumps(value, ensure_ascii=False)}')
    return "{\n" + ",\n".join(fields) + "\n}\n"


def objects_of(documents: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Every object of some documents, those inside a List among them."""
    for document in documents:
        if document.get("kind") == "List":
            yield from document.get("items") or ()
        else:
            yield document


def key_of(body: Mapping[str, Any]) -> ObjectKey:
    """The key of an object.

    Raises:
        CatalogError: it lacks `apiVersion`, `kind` or `metadata.name`.
    """
    meta = body.get("metadata")
    meta = meta if isinstance(meta, dict) else {}
    api, kind, name = body.get("apiVersion"), body.get("kind"), meta.get("name")
    if not (isinstance(api, str) and isinstance(kind, str) and isinstance(name, str)):
        raise CatalogError(f"an object lacks apiVersion, kind or a name: {api} {kind} {name}")
    return ObjectKey(api.rpartition("/")[0], kind, meta.get("namespace") or "", name)


def object_facts(body: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of one object; a fact that does not apply is absent."""
    key = key_of(body)
    meta: Mapping[str, Any] = body["metadata"]
    annotations: Mapping[str, str] = meta.get("annotations") or {}
    facts: dict[str, Any] = {
        "group": key.group,
        "version": body["apiVersion"].rpartition("/")[2],
        "kind": key.kind,
        "namespace": key.namespace,
        "name": key.name,
        "digest": digest(body),
        # A JSON patch can add an annotation only where there is a map of them.
        "meta": [part for part in ("annotations", "labels") if isinstance(meta.get(part), dict)],
    }
    if key.group == "" and key.kind in ("ConfigMap", "Secret"):
        facts["data"] = sorted(
            {name for part in ("data", "stringData", "binaryData") for name in body.get(part) or {}}
        )
    if path := _POD_PATHS.get((key.group, key.kind)):
        facts["pod"] = _pod_facts(body, path)
    if key.kind in _WEBHOOKS:
        hooks = body.get("webhooks") or []
        facts["webhooks"] = len(hooks)
        facts["webhookNames"] = [hook["name"] for hook in hooks]
        facts["failurePolicy"] = [hook.get("failurePolicy", "Fail") for hook in hooks]
    if body.get("aggregationRule"):
        facts["aggregated"] = True
    if key.group == "" and key.kind == "PersistentVolumeClaim":
        facts["storage"] = str(body["spec"]["resources"]["requests"]["storage"])
    if injection := sorted(set(_CA_INJECTION) & set(annotations)):
        facts["caInjection"] = injection[0]
    if hook := annotations.get("helm.sh/hook"):
        facts["hook"] = hook
    return facts


def crd_facts(
    body: Mapping[str, Any], published_bytes: Mapping[str, int], *, is_stripped: bool = False
) -> dict[str, Any]:
    """The facts of one CustomResourceDefinition.

    Its size decides how it can be applied: a client-side apply keeps a copy in an annotation,
    which holds 262144 bytes. The published size counts where ours is smaller.
    """
    spec: Mapping[str, Any] = body["spec"]
    name: str = body["metadata"]["name"]
    versions: Sequence[Mapping[str, Any]] = spec["versions"]
    facts = {
        "name": name,
        "group": spec["group"],
        "kind": spec["names"]["kind"],
        "plural": spec["names"]["plural"],
        "scope": spec["scope"],
        "versions": [item["name"] for item in versions if item["served"]],
        "storage": next(item["name"] for item in versions if item["storage"]),
        "bytes": max(len(_canonical(body)), published_bytes.get(name, 0)),
        "conversion": (spec.get("conversion") or {}).get("strategy", "None") != "None",
    }
    if is_stripped and name not in published_bytes:
        facts["stripped"] = True
    return facts


def digest(value: Mapping[str, Any] | Sequence[Any]) -> str:
    """`sha256:` and the hash of the canonical JSON: sorted keys, no space, UTF-8."""
    return "sha256:" + hashlib.sha256(_canonical(value)).hexdigest()


def _canonical(value: Mapping[str, Any] | Sequence[Any]) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _pod_facts(body: Mapping[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    holder: Mapping[str, Any] = body
    for step in path[:-1]:
        holder = holder[step]
    pod: Mapping[str, Any] = holder[path[-1]]
    facts: dict[str, Any] = {
        "path": "/" + "/".join(path),
        "keys": sorted(pod),
        "annotations": isinstance((holder.get("metadata") or {}).get("annotations"), dict),
    }
    if account := pod.get("serviceAccountName"):
        facts["serviceAccount"] = account
    for part in ("containers", "initContainers"):
        if pod.get(part):
            facts[part] = [_container_facts(item) for item in pod[part]]
    return facts


def _container_facts(container: Mapping[str, Any]) -> dict[str, Any]:
    facts = {"name": container["name"], "image": container.get("image", ""), "keys": sorted(container)}
    # A patch of one variable names it by its place.
    variables = [variable["name"] for variable in container.get("env") or ()]
    return facts | ({"env": variables} if variables else {})
