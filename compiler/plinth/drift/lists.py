"""What the lists and scalars of a kind are: which lists have items with a name, which are sets.

A list of which nothing is known is atomic: one value, in its order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, Literal

from msgspec import Struct, field

from plinth.drift.paths import is_too_deep

if TYPE_CHECKING:
    from plinth.drift.spellings import Meaning

ListType = Literal["atomic", "map", "set"]

_NOTHING: Final[Mapping[str, Any]] = {}
_QUANTITY_START: Final = "^(\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))"
"""How the pattern begins by which controller-gen marks a quantity in a schema."""
_NETWORK_FORMATS: Final = frozenset({"cidr", "ipv4", "ipv6", "ip"})


class Shape(Struct, frozen=True, kw_only=True):
    """What is known of a value and of everything within it."""

    list_type: ListType = "atomic"
    keys: tuple[str, ...] = ()
    """Of an associative list: the fields that together tell its items apart."""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """Of an associative list: what a key is where an item leaves it out."""
    meaning: Meaning | None = None
    fields: Mapping[str, Shape] = field(default_factory=dict)
    rest: Shape | None = None
    """Of every key that `fields` does not have."""
    item: Shape | None = None

    def at(self, key: str) -> Shape:
        """The shape of a map's value."""
        return self.fields.get(key) or self.rest or UNKNOWN

    @property
    def of_item(self) -> Shape:
        """The shape of a list's items."""
        return self.item or UNKNOWN


UNKNOWN: Final = Shape()


BUILT_IN_GROUPS: Final = frozenset(
    {
        "",
        "apps",
        "autoscaling",
        "batch",
        "extensions",
        "policy",
        *(
            f"{name}.k8s.io"
            for name in (
                "admissionregistration",
                "apiextensions",
                "apiregistration",
                "authentication",
                "authorization",
                "certificates",
                "coordination",
                "discovery",
                "events",
                "flowcontrol.apiserver",
                "internal.apiserver",
                "networking",
                "node",
                "rbac.authorization",
                "resource",
                "scheduling",
                "storage",
                "storagemigration",
            )
        ),
    }
)
"""The groups of Kubernetes itself, whose types are Go's; all others are of CRDs or aggregated servers."""


class ListTypes:
    """The shapes of built-in kinds, and of those that CRDs define."""

    def __init__(self, schemas: Mapping[tuple[str, str, str], Mapping[str, Any]] | None = None) -> None:
        """`schemas` are by group, kind and version."""
        self._schemas = schemas or {}
        # A cluster has hundreds of schemas, and a report needs few of them.
        self._shapes: dict[tuple[str, str, str], Shape] = {}

    @classmethod
    def of_crds(cls, crds: Iterable[Mapping[str, Any]]) -> ListTypes:
        """What the schemas of CustomResourceDefinitions say; what cannot be read is left out."""
        schemas: dict[tuple[str, str, str], Mapping[str, Any]] = {}
        for crd in crds:
            spec = _map(_map(crd).get("spec"))
            group, kind = spec.get("group"), _map(spec.get("names")).get("kind")
            versions = spec.get("versions")
            for version in versions if isinstance(versions, list) else ():
                schema = _map(_map(version).get("schema")).get("openAPIV3Schema")
                name = _map(version).get("name")
                if isinstance(group, str) and isinstance(kind, str) and isinstance(name, str):
                    schemas[group, kind, name] = _map(schema)
        return cls(schemas)

    def shape(self, body: Mapping[str, Any]) -> Shape:
        """The shape of an object, by its `apiVersion` and `kind`."""
        group, _, version = str(body.get("apiVersion", "")).rpartition("/")
        kind = str(body.get("kind", ""))
        key = (group, kind, version)
        if key not in self._schemas or is_too_deep(self._schemas[key]):
            return _BUILT_IN.get((group, kind), _ANY)
        if key not in self._shapes:
            self._shapes[key] = _with_metadata(_of_schema(self._schemas[key]))
        return self._shapes[key]


def _of_schema(schema: Mapping[str, Any]) -> Shape:
    items = _map(schema.get("items"))
    list_type = schema.get("x-kubernetes-list-type")
    keys = schema.get("x-kubernetes-list-map-keys")
    names = tuple(key for key in keys if isinstance(key, str)) if isinstance(keys, list) else ()
    properties = _map(items.get("properties"))
    rest = schema.get("additionalProperties")
    return Shape(
        list_type="map" if list_type == "map" and names else "set" if list_type == "set" else "atomic",
        keys=names,
        defaults={
            name: properties[name]["default"] for name in names if "default" in _map(properties.get(name))
        },
        meaning=_meaning(schema),
        fields={str(key): _of_schema(_map(child)) for key, child in _map(schema.get("properties")).items()},
        rest=_of_schema(rest) if isinstance(rest, Mapping) else None,
        item=_of_schema(items) if items else None,
    )


def _meaning(schema: Mapping[str, Any]) -> Meaning | None:
    if str(schema.get("pattern", "")).startswith(_QUANTITY_START):
        return "quantity"
    if schema.get("x-kubernetes-int-or-string") is True:
        return "int-or-string"
    written = schema.get("format")
    if written in _NETWORK_FORMATS:
        return "network"
    if written == "byte":
        return "base64"
    # Schemas made from Go types say no more of a duration than that it is text.
    plain = written in {None, "duration"} and "enum" not in schema
    return "duration" if schema.get("type") == "string" and plain else None


def _map(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else _NOTHING


def _with_metadata(shape: Shape) -> Shape:
    return Shape(fields={**shape.fields, "metadata": _METADATA}, rest=shape.rest)


def _named(*keys: str, item: Shape = UNKNOWN, **defaults: str) -> Shape:
    return Shape(list_type="map", keys=keys, item=item, defaults=defaults)


def _fields(**fields: Shape) -> Shape:
    return Shape(fields=fields)


def _through(path: str, shape: Shape) -> Shape:
    """`shape` behind the fields of a path."""
    for name in reversed(path.split(".")):
        shape = Shape(fields={name: shape})
    return shape


# Source: `x-kubernetes-list-type` and `-list-map-keys` of the OpenAPI of Kubernetes 1.35; the defaults of
# keys from the API reference. Tolerations, `args`, `command`, RBAC's rules and subjects, metrics: all atomic.
_SET: Final = Shape(list_type="set")
_METADATA: Final = _fields(finalizers=_SET, ownerReferences=_named("uid"))
_AMOUNTS: Final = Shape(rest=Shape(meaning="quantity"))
_RESOURCES: Final = _fields(limits=_AMOUNTS, requests=_AMOUNTS, claims=_named("name"))
_CLAIM: Final = _fields(metadata=_METADATA, spec=_fields(resources=_RESOURCES))
_CONTAINERS: Final = _named(
    "name",
    item=_fields(
        env=_named("name"),
        ports=_named("containerPort", "protocol", protocol="TCP"),
        resources=_RESOURCES,
        volumeDevices=_named("devicePath"),
        volumeMounts=_named("mountPath"),
    ),
)
_POD: Final = _fields(
    containers=_CONTAINERS,
    initContainers=_CONTAINERS,
    ephemeralContainers=_CONTAINERS,
    hostAliases=_named("ip"),
    imagePullSecrets=_named("name"),
    resourceClaims=_named("name"),
    resources=_RESOURCES,
    schedulingGates=_named("name"),
    topologySpreadConstraints=_named("topologyKey", "whenUnsatisfiable"),
    volumes=_named("name", item=_fields(ephemeral=_fields(volumeClaimTemplate=_CLAIM))),
)
_TEMPLATE: Final = _fields(metadata=_METADATA, spec=_POD)
_WEBHOOKS: Final = _fields(
    webhooks=_named(
        "name",
        item=_fields(clientConfig=_fields(caBundle=Shape(meaning="base64")), matchConditions=_named("name")),
    )
)
_KINDS: Final[dict[tuple[str, str], Shape]] = {
    ("", "ConfigMap"): UNKNOWN,
    ("", "LimitRange"): UNKNOWN,
    ("", "PersistentVolume"): _fields(spec=_fields(capacity=_AMOUNTS)),
    ("", "PersistentVolumeClaim"): _fields(spec=_fields(resources=_RESOURCES)),
    ("", "Pod"): _fields(spec=_POD),
    ("", "PodTemplate"): _fields(template=_TEMPLATE),
    ("", "ResourceQuota"): _fields(spec=_fields(hard=_AMOUNTS)),
    ("", "Secret"): _fields(data=Shape(rest=Shape(meaning="base64"))),
    ("", "Service"): _fields(spec=_fields(ports=_named("port", "protocol", protocol="TCP"))),
    # The list of pull secrets is atomic to the server. They are compared by name, to tell one that a
    # controller puts in from those of others.
    ("", "ServiceAccount"): _fields(secrets=_named("name"), imagePullSecrets=_named("name")),
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"): _WEBHOOKS,
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"): _WEBHOOKS,
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"): _fields(
        spec=_fields(matchConditions=_named("name"), variables=_named("name"))
    ),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"): _fields(
        spec=_fields(validationActions=_SET)
    ),
    ("batch", "CronJob"): _through("spec.jobTemplate.spec.template", _TEMPLATE),
    ("batch", "Job"): _through("spec.template", _TEMPLATE),
    ("storage.k8s.io", "CSIDriver"): _fields(spec=_fields(volumeLifecycleModes=_SET)),
    **{
        ("apps", kind): _fields(spec=_fields(template=_TEMPLATE))
        for kind in ("DaemonSet", "Deployment", "ReplicaSet", "StatefulSet")
    },
}
_ANY: Final = _fields(metadata=_METADATA)
_BUILT_IN: Final = {key: _with_metadata(shape) for key, shape in _KINDS.items()}
