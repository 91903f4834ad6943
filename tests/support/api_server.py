"""A stand-in for an API server on 127.0.0.1: what the network says, and nothing of ours.

    with api_server.serve(objects) as server:
        monkeypatch.setenv("KUBECONFIG", str(server.kubeconfig(tmp_path)))

It serves discovery, lists and objects, and answers dry runs: with what was recorded of a real server where a
row is given (`record`), else by laying the sent object over the live one. Everything that it is asked is in
`requests`. Switches make it misbehave as real ones do.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

JsonObject = dict[str, Any]

TOKEN: Final = "token-of-the-test"  # noqa: S105 - of a server that lives for one test

KINDS: Final = (
    # group, version, kind, plural, namespaced
    ("", "v1", "ConfigMap", "configmaps", True),
    ("", "v1", "Namespace", "namespaces", False),
    ("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", True),
    ("", "v1", "Secret", "secrets", True),
    ("", "v1", "Service", "services", True),
    ("", "v1", "ServiceAccount", "serviceaccounts", True),
    ("apps", "v1", "Deployment", "deployments", True),
    ("apps", "v1", "StatefulSet", "statefulsets", True),
    ("argoproj.io", "v1alpha1", "AppProject", "appprojects", True),
    ("argoproj.io", "v1alpha1", "Application", "applications", True),
    ("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", True),
    ("autoscaling", "v1", "HorizontalPodAutoscaler", "horizontalpodautoscalers", True),
    ("batch", "v1", "CronJob", "cronjobs", True),
    ("batch", "v1", "Job", "jobs", True),
    ("external-secrets.io", "v1", "ExternalSecret", "externalsecrets", True),
    ("lab.example.com", "v1", "Widget", "widgets", True),
    ("networking.k8s.io", "v1", "Ingress", "ingresses", True),
    ("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies", True),
    ("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets", True),
    ("rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles", False),
    ("rbac.authorization.k8s.io", "v1", "Role", "roles", True),
    ("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings", True),
    ("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", False),
    (
        "admissionregistration.k8s.io",
        "v1",
        "ValidatingWebhookConfiguration",
        "validatingwebhookconfigurations",
        False,
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request as it came in."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any


@dataclass(slots=True)
class Server:
    """What it holds, how it misbehaves, and what it was asked."""

    port: int = 0
    objects: list[JsonObject] = field(default_factory=list)
    recorded: dict[tuple[str, str], JsonObject] = field(default_factory=dict)
    kinds: tuple[tuple[str, str, str, str, bool], ...] = KINDS
    requests: list[Asked] = field(default_factory=list)
    page: int = 500

    is_aggregated: bool = True
    unauthorised: bool = False
    garbage: bool = False
    redirects: bool = False
    unlisted: set[str] = field(default_factory=set)
    """Plurals that may not be listed."""
    unprobed: dict[str, set[str]] = field(default_factory=dict)
    """Plural to the verbs, `patch` and `create`, that are not allowed."""
    failing_webhook: set[str] = field(default_factory=set)
    """Plurals whose dry runs fail since a webhook is down."""
    refused: dict[str, JsonObject] = field(default_factory=dict)
    """Plural to the Status by which its dry runs are answered."""
    stale_groups: set[str] = field(default_factory=set)
    expires: int = 0
    """How many continued lists are answered by 410."""
    busy: int = 0
    """How many requests are answered by 429, `Retry-After: 7`."""
    broken: int = 0
    """How many connections are closed without a word."""
    before_second_look: list[JsonObject] | None = None
    """What the objects are from the first GET of a single object on."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def record(self, row: JsonObject) -> None:
        """Answer for the object of a recorded case as the real server did."""
        live = row["live"]
        self.objects.append(live)
        metadata = live["metadata"]
        self.recorded[live["kind"], metadata.get("namespace") or metadata["name"]] = row

    def kubeconfig(self, folder: Path, *, token: str = TOKEN, server: str | None = None) -> Path:
        """A kubeconfig of one context, `lab`."""
        path = folder / "kubeconfig"
        path.write_text(
            yaml.safe_dump(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "current-context": "lab",
                    "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "me"}}],
                    "clusters": [{"name": "lab", "cluster": {"server": server or self.address}}],
                    "users": [{"name": "me", "user": {"token": token}}],
                }
            )
        )
        return path

    def count(self, method: str, ending: str) -> int:
        """How many requests of a method had a path that ends so."""
        return sum(each.method == method and each.path.endswith(ending) for each in self.requests)

    def probes(self) -> list[Asked]:
        """Everything that was no read."""
        return [each for each in self.requests if each.method != "GET"]

    def answer(self, asked: Asked) -> tuple[int, Any, dict[str, str]]:
        if self.garbage:
            return 200, "<html>Sign in</html>", {}
        if self.redirects:
            return 302, "", {"Location": "https://sign-in.invalid/"}
        if self.unauthorised or asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return 401, status(401, "Unauthorized", "Unauthorized"), {}
        with self.lock:
            if self.busy:
                self.busy -= 1
                return 429, status(429, "TooManyRequests", "slow down"), {"Retry-After": "7"}
        if asked.path == "/version":
            return 200, {"major": "1", "minor": "36", "gitVersion": "v1.36.3"}, {}
        parts = asked.path.strip("/").split("/")
        if len(parts) <= (2 if parts[0] == "api" else 3) and asked.method == "GET":
            return self._discovery(asked, parts)
        return self._resource(asked, parts)

    def _discovery(self, asked: Asked, parts: list[str]) -> tuple[int, Any, dict[str, str]]:
        groups: dict[str, dict[str, list[Any]]] = {}
        for group, version, *rest in self.kinds:
            if (group == "") == (parts[0] == "api"):
                groups.setdefault(group, {}).setdefault(version, []).append(rest)
        if len(parts) > 1:
            group, version = ("", parts[1]) if parts[0] == "api" else (parts[1], parts[2])
            if group in self.stale_groups:
                return 503, status(503, "ServiceUnavailable", "the server is currently unable"), {}
            resources = [_legacy(*each) for each in groups[group][version]]
            return 200, {"kind": "APIResourceList", "groupVersion": version, "resources": resources}, {}
        if self.is_aggregated and "APIGroupDiscoveryList" in asked.headers["accept"]:
            items = [
                {
                    "metadata": {"name": group},
                    "versions": [
                        {
                            "version": version,
                            "freshness": "Stale" if group in self.stale_groups else "Current",
                            "resources": []
                            if group in self.stale_groups
                            else [_aggregated(group, version, *each) for each in kinds],
                        }
                        for version, kinds in versions.items()
                    ],
                }
                for group, versions in groups.items()
            ]
            return 200, {"kind": "APIGroupDiscoveryList", "items": items}, {}
        if parts[0] == "api":
            return 200, {"kind": "APIVersions", "versions": list(groups.get("", {}))}, {}
        listed = [
            {
                "name": group,
                "versions": [{"groupVersion": f"{group}/{each}", "version": each} for each in versions],
                "preferredVersion": {"version": next(iter(versions))},
            }
            for group, versions in groups.items()
        ]
        return 200, {"kind": "APIGroupList", "groups": listed}, {}

    def _resource(self, asked: Asked, parts: list[str]) -> tuple[int, Any, dict[str, str]]:
        group, version, rest = (
            ("", parts[1], parts[2:]) if parts[0] == "api" else (parts[1], parts[2], parts[3:])
        )
        namespace = ""
        if rest[0] == "namespaces" and len(rest) > 2:
            namespace, rest = rest[1], rest[2:]
        plural = rest[0]
        kind = next(
            (each[2] for each in self.kinds if (each[0], each[1], each[3]) == (group, version, plural)), None
        )
        if kind is None:
            return 404, status(404, "NotFound", "the server could not find the requested resource"), {}
        name = rest[1] if len(rest) > 1 else ""
        if asked.method == "GET" and not name:
            return self._list(asked, group, kind, plural)
        if asked.method == "GET":
            if self.before_second_look is not None and kind != "CustomResourceDefinition":
                self.objects = self.before_second_look
            found = self._find(group, kind, namespace, name)
            return (
                (200, found, {})
                if found
                else (404, status(404, "NotFound", f'{plural} "{name}" not found'), {})
            )
        return self._probe(asked, group, kind, plural, namespace, name)

    def _list(self, asked: Asked, group: str, kind: str, plural: str) -> tuple[int, Any, dict[str, str]]:
        if plural in self.unlisted:
            return 403, _forbidden("list", plural, group), {}
        start = int(asked.query.get("continue", "0"))
        if start and self.expires:
            self.expires -= 1
            return 410, status(410, "Expired", "The provided continue parameter is too old"), {}
        items = [each for each in self.objects if _is_of(each, group, kind)]
        size = min(int(asked.query.get("limit", "500")), self.page)
        more = {"continue": str(start + size)} if start + size < len(items) else {}
        bare = [
            {key: value for key, value in each.items() if key not in {"apiVersion", "kind"}}
            for each in items[start : start + size]
        ]
        return 200, {"kind": f"{kind}List", "metadata": more, "items": bare}, {}

    def _probe(
        self, asked: Asked, group: str, kind: str, plural: str, namespace: str, name: str
    ) -> tuple[int, Any, dict[str, str]]:
        if asked.query.get("dryRun") != "All":
            raise AssertionError(f"{asked.method} {asked.path} changes the cluster")
        live = self._find(group, kind, namespace, name) if name else None
        denied = self.unprobed.get(plural, set())
        needed = {"POST": ["create"], "PATCH": ["patch"] if live else ["patch", "create"]}[asked.method]
        for verb in needed:
            if verb in denied:
                return 403, _forbidden(verb, plural, group), {}
        if plural in self.failing_webhook:
            text = 'Internal error occurred: failed calling webhook "guard.example.com": connection refused'
            return 500, status(500, "InternalError", text), {}
        if plural in self.refused:
            return int(self.refused[plural]["code"]), self.refused[plural], {}
        row = self.recorded.get((kind, namespace or name))
        if row is None and not namespace and not live:
            row = next((each for (of, _), each in self.recorded.items() if of == kind), None)
        if row is not None:
            # What no server takes was not tried under another name.
            recorded = row["apply_probe" if live else "create_probe"] or row["apply_probe"]
            return int(recorded.get("code", 200)) if recorded["kind"] == "Status" else 200, recorded, {}
        return 200, merged(live or {}, asked.body), {}

    def _find(self, group: str, kind: str, namespace: str, name: str) -> JsonObject | None:
        for each in self.objects:
            metadata = each["metadata"]
            if _is_of(each, group, kind) and (metadata.get("namespace", ""), metadata["name"]) == (
                namespace,
                name,
            ):
                return each
        return None


@contextmanager
def serve(objects: Iterable[JsonObject] = ()) -> Iterator[Server]:
    """A server until the block ends."""
    server = Server(objects=list(objects))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Head and body leave together: a body that is sent after its head waits for the head's acknowledgement.
        wbufsize = -1

        def do_GET(self) -> None:
            self._answer()

        do_PATCH = do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815 - as `http.server` wants them called

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def _answer(self) -> None:
            parts = urlsplit(self.path)
            data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            asked = Asked(
                method=self.command,
                path=unquote(parts.path),
                query=dict(parse_qsl(parts.query)),
                headers={name.lower(): value for name, value in self.headers.items()},
                body=json.loads(data) if data else None,
            )
            with server.lock:
                server.requests.append(asked)
                is_broken = server.broken > 0
                server.broken -= is_broken
            if is_broken:
                self.close_connection = True
                return
            code, answer, headers = server.answer(asked)
            body = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
            self.send_response(code)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    class Listener(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

    with Listener(("127.0.0.1", 0), Handler) as listener:
        server.port = listener.server_address[1]
        thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            listener.shutdown()
            thread.join()


def status(code: int, reason: str, message: str) -> JsonObject:
    """A Status object, as an API server says no."""
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "code": code,
        "reason": reason,
        "message": message,
    }


def merged(live: Any, sent: Any) -> Any:
    """What a server that knows no schema makes of an apply."""
    if isinstance(live, dict) and isinstance(sent, dict):
        return {**live, **{key: merged(live.get(key), value) for key, value in sent.items()}}
    return sent


def lists_of(server: Server) -> Counter[str]:
    """How often each list was asked for, pages counted once."""
    return Counter(
        each.path
        for each in server.requests
        if each.method == "GET" and "limit" in each.query and "continue" not in each.query
    )


def _forbidden(verb: str, plural: str, group: str) -> JsonObject:
    text = (
        f'{plural}.{group} is forbidden: User "me" cannot {verb} resource "{plural}" in API group "{group}"'
    )
    return status(403, "Forbidden", text)


def _is_of(body: JsonObject, group: str, kind: str) -> bool:
    return (body["apiVersion"].rpartition("/")[0], body["kind"]) == (group, kind)


def _aggregated(group: str, version: str, kind: str, plural: str, namespaced: bool) -> JsonObject:  # noqa: FBT001 - a row of KINDS
    return {
        "resource": plural,
        "responseKind": {"group": group, "version": version, "kind": kind},
        "scope": "Namespaced" if namespaced else "Cluster",
        "verbs": ["create", "get", "list", "patch"],
    }


def _legacy(kind: str, plural: str, namespaced: bool) -> JsonObject:  # noqa: FBT001 - as above
    return {
        "name": plural,
        "kind": kind,
        "namespaced": namespaced,
        "verbs": ["create", "get", "list", "patch"],
    }
