"""Serve recorded provider schemas to Terraform core and OpenTofu, where no provider can be installed.

Core speaks plug-in protocol 5 over a unix socket with whatever `TF_REATTACH_PROVIDERS` names. Such
a provider needs no `init`, no lock file and no download, so references, types, cycles and lifecycle
paths are judged by the real core while the network stays untouched.

The stub knows schemas, no cloud. It plans an unset computed attribute as unknown on create, keeps
it on update unless a setting of the provider says it, asks for replacement where a `force_new` value changed, and never stores a write-only
value. On apply it makes values up, the same for the same input. What a real provider checks on its
own (`conflicts`, computed attributes that are set) is left to `support.tf_schema`.

Source: Terraform, "Plugin protocol", `tfplugin5.proto` 5.10 and "Wire format mapping".
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import cache, cached_property
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import msgpack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Block = dict[str, Any]
"""`{"attributes": {name: flags}, "blocks": {name: Block + nesting, min, max}}`, as recorded."""
Values = Any
"""A decoded value: `None`, `UNKNOWN`, or plain Python data in the shape of its block."""
Step = str | int

NEVER_STORED = "never-stored"
"""Every string that an ephemeral resource makes up begins with this; no state or plan may hold it."""

LIVE = "PLINTH_STUB_LIVE"
"""The variable by which the server learns the file of what was done outside."""

UNKNOWN = msgpack.ExtType(0, b"\x00")

SECRET_TEXTS = {
    "aws_secretsmanager_secret_version": ("secret_string",),
    "google_secret_manager_secret_version": ("secret_data",),
}
"""Attributes that hold the text of an entry of a secret store, by type."""

NESTING = {"single": 1, "list": 2, "set": 3, "map": 4}


@contextmanager
def serve(schemas: Iterable[Path], *, live: Path | None = None) -> Iterator[str]:
    """Serve each recorded provider until the block ends; yields the value of `TF_REATTACH_PROVIDERS`.

    `live` is a JSON file that says what somebody did outside, read at every refresh, by the type of a resource
    and its `name`: `{"google_compute_network.vpc": {"mtu": 1460}}`; `null` is a resource that was deleted.

    Providers are named `hashicorp/google`, without a host: each tool adds its own default host,
    so one value serves Terraform and OpenTofu alike.

    The server is a process of its own, because gRPC threads do not survive a fork of the test
    process. It lives as long as its standard input, so it also ends when the tests are killed.
    """
    # A folder of our own: the path of a unix socket has at most 107 bytes, a pytest folder has more.
    with tempfile.TemporaryDirectory(prefix="plinth-stub-") as name:
        log = Path(name, "log")
        command = [sys.executable, "-P", __file__, name, *map(str, schemas)]
        environment = {**os.environ, "GRPC_ENABLE_FORK_SUPPORT": "0", "GRPC_VERBOSITY": "ERROR"}
        environment[LIVE] = str(live or "")
        with (
            log.open("w", encoding="utf-8") as errors,
            subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=environment,
                text=True,
            ) as server,
        ):
            reattach = server.stdout.readline().strip() if server.stdout else ""
            if not reattach:
                raise RuntimeError(f"the stub provider did not start: {log.read_text(encoding='utf-8')}")
            yield reattach


@contextmanager
def serving() -> Iterator[Callable[[tuple[Path, ...]], str]]:
    """Serves recordings as they are asked for, each set of them once, until the block ends."""
    with ExitStack() as running:
        yield cache(lambda some: running.enter_context(serve(some)))


def main(folder: str, *schemas: str) -> None:
    """The server process: print the reattach configuration, then serve until standard input ends."""
    servers = []
    reattach = {}
    for number, (provider, schema) in enumerate(_by_provider(schemas).items()):
        socket = str(Path(folder, f"{number}.sock"))
        servers.append(_listen(StubProvider(schema), socket))
        reattach[provider] = {
            "Protocol": "grpc",
            "ProtocolVersion": 5,
            "Pid": os.getpid(),
            "Test": True,  # core leaves the process alive when it is done
            "Addr": {"Network": "unix", "String": socket},
        }
    sys.stdout.write(json.dumps(reattach) + "\n")
    sys.stdout.flush()
    sys.stdin.read()
    for server in servers:
        server.stop(None)


def _by_provider(paths: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The recordings by provider; what several files hold of one provider is put together."""
    found: dict[str, dict[str, Any]] = {}
    for path in paths:
        recorded = json.loads(Path(path).read_text(encoding="utf-8"))
        schema = found.setdefault(recorded["provider"], {"resources": {}, "data_sources": {}})
        for key, value in recorded.items():
            schema[key] = {**schema.get(key, {}), **value} if isinstance(value, dict) else value
    return found


def _listen(provider: StubProvider, socket: str) -> grpc.Server:
    def handler(method: Callable[[Message], bytes]) -> grpc.RpcMethodHandler:
        return grpc.unary_unary_rpc_method_handler(lambda request, _: method(Message(request)))

    methods = {name: handler(method) for name, method in provider.methods().items()}
    server = grpc.server(ThreadPoolExecutor(max_workers=4))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("tfplugin5.Provider", methods),))
    server.add_insecure_port(f"unix:{socket}")
    server.start()
    return server


class StubProvider:
    """One recorded provider. A method takes the decoded request and returns the encoded response."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self._name = schema["provider"]
        self._provider = _servable(schema.get("provider_schema", {}))
        self._resources = {name: _servable(block) for name, block in schema["resources"].items()}
        self._data_sources = {name: _servable(block) for name, block in schema["data_sources"].items()}
        self._ephemeral = {
            name: _servable(block) for name, block in schema.get("ephemeral_resources", {}).items()
        }
        self._configured: dict[str, Values] = {}

    def methods(self) -> dict[str, Callable[[Message], bytes]]:
        """Methods by their name in the service `tfplugin5.Provider`; core treats others as absent."""
        accepted = dict.fromkeys(
            (
                "ValidateResourceTypeConfig",
                "ValidateDataSourceConfig",
                "ValidateEphemeralResourceConfig",
                "RenewEphemeralResource",
                "CloseEphemeralResource",
                "GetResourceIdentitySchemas",
                "GetFunctions",
                "Stop",
            ),
            lambda _: b"",
        )
        return accepted | {
            "GetSchema": lambda _: self._every_schema,
            "PrepareProviderConfig": lambda request: encode((1, request.raw(1))),
            "Configure": self._configure,
            "UpgradeResourceState": self._upgrade_resource_state,
            "ReadResource": self._read_resource,
            "PlanResourceChange": self._plan_resource_change,
            "ApplyResourceChange": self._apply_resource_change,
            "ImportResourceState": self._import_resource_state,
            "ReadDataSource": self._read_data_source,
            "OpenEphemeralResource": self._open_ephemeral_resource,
        }

    @cached_property
    def _every_schema(self) -> bytes:
        """Asked for by every process of core, and the same each time."""
        sections = ((2, self._resources), (3, self._data_sources), (8, self._ephemeral))
        return encode(
            (1, _schema(self._provider)),
            (6, encode((2, 1))),  # a core that has the schema need not ask again for each configuration
            *(
                (field, encode((1, name), (2, _schema(block))))
                for field, blocks in sections
                for name, block in blocks.items()
            ),
        )

    def _configure(self, request: Message) -> bytes:
        self._configured = request.value(2) or {}
        return b""

    def _upgrade_resource_state(self, request: Message) -> bytes:
        # Every recorded schema has version 0, so the stored JSON is already in its shape.
        stored = Message(request.raw(3)).raw(1)
        return encode((1, encode((2, stored))))

    def _read_resource(self, request: Message) -> bytes:
        live = os.environ.get(LIVE)
        changes = json.loads(Path(live).read_text(encoding="utf-8")) if live and Path(live).exists() else {}
        current = request.value(2)
        address = f"{request.text(1)}.{(current or {}).get('name')}"
        if address not in changes:
            return encode((1, request.raw(2)), (3, request.raw(3)))
        change = changes[address]
        now = None if change is None else {**current, **change}
        return encode((1, _dynamic(now)), (3, request.raw(3)))

    def _plan_resource_change(self, request: Message) -> bytes:
        block = self._resources[request.text(1)]
        prior, proposed = request.value(2), request.value(3)
        planned = planned_values(block, proposed, creating=prior is None)
        if planned is not None:
            planned |= self._settled(block, request.value(4))
        paths = [] if prior is None or planned is None else list(replaced_paths(block, prior, planned))
        return encode((1, _dynamic(planned)), *((2, _attribute_path(path)) for path in paths))

    def _settled(self, block: Block, config: Values) -> dict[str, Values]:
        """What the settings of the provider say of a resource.

        Source: terraform-provider-aws, "Enhanced Region Support", "Resource Tagging".
        """
        found: dict[str, Values] = {}
        if self._name == "hashicorp/aws":
            if "region" in block["attributes"] and config.get("region") is None:
                found["region"] = self._configured.get("region") or UNKNOWN
            if "tags_all" in block["attributes"] and not _is_unknown(config.get("tags")):
                default = [each["tags"] or {} for each in self._configured.get("default_tags") or ()]
                found["tags_all"] = {**(default[0] if default else {}), **(config.get("tags") or {})}
        return found

    def _apply_resource_change(self, request: Message) -> bytes:
        type_name = request.text(1)
        planned = request.value(3)
        known = self._known_values(type_name, self._resources[type_name], planned, prefix=type_name)
        return encode((1, _dynamic(known)))

    def _import_resource_state(self, request: Message) -> bytes:
        type_name = request.text(1)
        state = {**_empty(self._resources[type_name]), "id": request.text(2)}
        return encode((1, encode((1, type_name), (2, _dynamic(state)))))

    def _read_data_source(self, request: Message) -> bytes:
        type_name = request.text(1)
        block = self._data_sources[type_name]
        planned = planned_values(block, request.value(2), creating=True)
        return encode(
            (1, _dynamic(self._known_values(type_name, block, planned, prefix=f"data.{type_name}")))
        )

    def _open_ephemeral_resource(self, request: Message) -> bytes:
        type_name = request.text(1)
        block = self._ephemeral[type_name]
        planned = planned_values(block, request.value(2), creating=True)
        known = self._known_values(type_name, block, planned, prefix=f"{NEVER_STORED}.{type_name}")
        return encode((3, _dynamic(known)))

    def _known_values(self, type_name: str, block: Block, planned: Values, *, prefix: str) -> Values:
        """`planned` with a made-up value in place of each unknown one."""
        if planned is None:
            return None
        inputs = {name: value for name, value in planned.items() if not _is_unknown(value)}
        digest = hashlib.sha256(repr(inputs).encode()).hexdigest()[:8]
        likely = {name: self._configured.get(name) for name in ("project", "region", "zone")}
        likely = {name: value for name, value in likely.items() if isinstance(value, str)}
        if type_name == "google_service_account":
            project = inputs.get("project") or likely.get("project", "made-up-project")
            email = f"{inputs['account_id']}@{project}.iam.gserviceaccount.com"
            name = f"projects/{project}/serviceAccounts/{email}"
            likely |= {"email": email, "member": f"serviceAccount:{email}", "name": name}
        # An entry's text is whatever was put there; ours is an object with a password.
        entry = json.dumps({"password": f"{prefix}.{digest}"})
        likely |= dict.fromkeys(SECRET_TEXTS.get(type_name, ()), entry)
        if type_name == "aws_acm_certificate":
            likely |= {"domain_validation_options": _proofs(inputs)}

        def known(name: str, attribute: dict[str, Any], value: Values) -> Values:
            if not _is_unknown(value):
                return value
            if name in likely and (attribute["type"] == "string") == isinstance(likely[name], str):
                return likely[name]
            text = f"{prefix}.{digest}.{name}"
            if name == "dns_resource_record":  # Google always asks for exactly one
                record = _made_up(attribute["type"][1], text)
                return [{**record, "name": f"{record['name']}.", "type": "CNAME"}]
            if name == "name_servers":  # a zone always has some
                return [text]
            is_there = prefix.startswith("data.") or (type_name, name) == ("aws_eks_node_group", "resources")
            return _made_up(attribute["type"], text, found=is_there)

        return _map_attributes(block, planned, known)


def _proofs(certificate: dict[str, Values]) -> list[Values]:
    """How each name of a certificate is proven."""
    names = {certificate["domain_name"], *(certificate.get("subject_alternative_names") or ())}
    return [
        {
            "domain_name": name,
            "resource_record_name": f"_proof.{name}",
            "resource_record_type": "CNAME",
            "resource_record_value": f"_proof.{name}.acm-validations.aws",
        }
        for name in sorted(names)
    ]


def planned_values(block: Block, proposed: Values, *, creating: bool) -> Values:
    """What the stub promises for core's proposal; `None` where the resource is to be destroyed."""

    def planned(_: str, attribute: dict[str, Any], value: Values) -> Values:
        if attribute.get("write_only"):
            return None
        return UNKNOWN if creating and value is None and "computed" in attribute["mode"] else value

    return _map_attributes(block, proposed, planned)


def replaced_paths(
    block: Block, prior: Values, planned: Values, path: tuple[Step, ...] = ()
) -> Iterator[tuple[Step, ...]]:
    """Paths of changed values that only a new resource can have.

    `force_new` of a block speaks of how many there are; inside, each attribute speaks for itself.
    Where an element of a set or a map is at fault, the whole of it is named.

    Source: Plugin SDK, `schemaMap.diffList` of `helper/schema`.
    """
    before, after = prior or {}, planned or {}
    for name, flags in block["attributes"].items():
        if flags.get("force_new") and before.get(name) != after.get(name):
            yield (*path, name)
    for name, nested in block["blocks"].items():
        old, new = before.get(name), after.get(name)
        if _is_unknown(new):  # the blocks of a `dynamic` whose `for_each` waits for apply
            yield from [(*path, name)] if nested.get("force_new") else []
        elif nested.get("force_new") and len(old or ()) != len(new or ()):
            yield (*path, name)
        elif nested["nesting"] == "list":
            for at, (one, other) in enumerate(zip_longest(old or (), new or ())):
                yield from replaced_paths(nested, one, other, (*path, name, at))
        elif any(True for one, other in _pairs(nested, old, new) for _ in replaced_paths(nested, one, other)):
            yield (*path, name)


def _pairs(nested: Block, old: Values, new: Values) -> Iterable[tuple[Values, Values]]:
    if nested["nesting"] == "single":
        return [(old, new)]
    if nested["nesting"] == "set":
        return zip_longest(old or (), new or ())
    return [((old or {}).get(key), (new or {}).get(key)) for key in {*(old or {}), *(new or {})}]


def _map_attributes(
    block: Block, values: Values, change: Callable[[str, dict[str, Any], Values], Values]
) -> Values:
    if values is None or _is_unknown(values):
        return values
    result = {name: change(name, flags, values.get(name)) for name, flags in block["attributes"].items()}
    for name, nested in block["blocks"].items():
        value = values.get(name)
        if isinstance(value, list):
            result[name] = [_map_attributes(nested, item, change) for item in value]
        elif isinstance(value, dict) and nested["nesting"] == "map":
            result[name] = {key: _map_attributes(nested, item, change) for key, item in value.items()}
        else:
            result[name] = _map_attributes(nested, value, change)
    return result


def _made_up(kind: Any, text: str, *, found: bool = False) -> Values:
    """A value of the type; a list is empty, or has one item where it is what a data source found."""
    if isinstance(kind, list):
        if kind[0] == "object":
            return {name: _made_up(member, f"{text}.{name}", found=found) for name, member in kind[1].items()}
        if kind[0] == "map":
            return {}
        return [_made_up(kind[1], f"{text}.0", found=True)] if found else []
    return {"string": text, "number": 1, "bool": False}[kind]


def _empty(block: Block) -> dict[str, Values]:
    by_nesting: dict[str, Values] = {"single": None, "map": {}, "list": [], "set": []}
    return dict.fromkeys(block["attributes"]) | {
        name: by_nesting[nested["nesting"]] for name, nested in block["blocks"].items()
    }


def _is_unknown(value: Values) -> bool:
    return isinstance(value, msgpack.ExtType)  # also the refined unknowns, which have code 12


# The recorded schema as protocol messages ------------------------------------------------------


def _servable(block: Block) -> Block:
    """A block that protocol 5 can say: a nested attribute of protocol 6 becomes a nested block.

    JSON syntax writes the two alike, so roots do not notice.
    """
    attributes: dict[str, Any] = {}
    blocks = {name: nested | _servable(nested) for name, nested in block.get("blocks", {}).items()}
    for name, flags in block.get("attributes", {}).items():
        kind = flags["type"]
        if isinstance(kind, list) and kind[0] == "nested":
            nested = _servable({"attributes": kind[2]})
            least = 1 if flags["mode"] == "required" else 0
            most = least if kind[1] == "single" else 0
            blocks[name] = {**flags, **nested, "nesting": kind[1], "min": least, "max": most}
        else:
            attributes[name] = flags
    return {"attributes": attributes, "blocks": blocks}


def _schema(block: Block) -> bytes:
    return encode((1, 0), (2, _block(block)))


def _block(block: Block) -> bytes:
    return encode(
        *((2, _attribute(name, flags)) for name, flags in block["attributes"].items()),
        *((3, _nested_block(name, nested)) for name, nested in block["blocks"].items()),
    )


def _attribute(name: str, flags: dict[str, Any]) -> bytes:
    mode = flags["mode"]
    return encode(
        (1, name),
        (2, json.dumps(flags["type"])),
        (4, mode == "required"),
        (5, mode.startswith("optional")),
        (6, mode.endswith("computed")),
        (7, flags.get("sensitive", False)),
        (10, flags.get("write_only", False)),
    )


def _nested_block(name: str, nested: Block) -> bytes:
    return encode(
        (1, name),
        (2, _block(nested)),
        (3, NESTING[nested["nesting"]]),
        (4, nested["min"]),
        (5, nested["max"]),
    )


def _attribute_path(path: tuple[Step, ...]) -> bytes:
    # Field 1 is an attribute's name, field 3 the index in a list.
    return encode(*((1, encode((3 if isinstance(step, int) else 1, step))) for step in path))


def _dynamic(value: Values) -> bytes:
    return encode((1, msgpack.packb(value)))


# Protocol buffers, as far as this protocol needs them ------------------------------------------


class Message:
    """A received message; of a repeated field the last value, which no request here has."""

    def __init__(self, data: bytes) -> None:
        self._fields = dict(_decode(data))

    def raw(self, number: int) -> bytes:
        """The bytes of a field; empty where it is absent."""
        value = self._fields.get(number, b"")
        return value if isinstance(value, bytes) else b""

    def text(self, number: int) -> str:
        """The text of a field."""
        return self.raw(number).decode()

    def value(self, number: int) -> Values:
        """The value of a `DynamicValue` field."""
        dynamic = Message(self.raw(number))
        if packed := dynamic.raw(1):
            return msgpack.unpackb(packed, strict_map_key=False)
        return json.loads(dynamic.raw(2) or b"null")


def encode(*fields: tuple[int, str | bytes | int]) -> bytes:
    """A message of (field number, value) pairs, in their order."""
    result = bytearray()
    for number, value in fields:
        if isinstance(value, int):
            result += _varint(number << 3) + _varint(value)
        else:
            data = value.encode() if isinstance(value, str) else value
            result += _varint(number << 3 | 2) + _varint(len(data)) + data
    return bytes(result)


def _varint(value: int) -> bytes:
    result = bytearray()
    while value > 0x7F:
        result.append(value & 0x7F | 0x80)
        value >>= 7
    result.append(value)
    return bytes(result)


def _decode(data: bytes) -> Iterator[tuple[int, bytes | int]]:
    at = 0

    def varint() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(data):
        key = varint()
        if key & 7 == 0:
            yield key >> 3, varint()
            continue
        # 2 is length-delimited, 1 and 5 are fixed-size numbers.
        size = {1: 8, 5: 4}.get(key & 7) or varint()
        yield key >> 3, data[at : at + size]
        at += size


if __name__ == "__main__":
    main(*sys.argv[1:])
