"""MLflow: experiments and models, tracked in Postgres, with artifacts in a bucket.

The manifests are ours: one server that serves artifacts itself, so that its users need no right on
the bucket. The database's password reaches it through libpq's own variables and stands in no
argument. Everything a pod may go without, it goes without.

Source: MLflow 3, command line and `mlflow.server`; libpq, "Environment Variables".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from plinth.catalog.images import image
from plinth.components import Component, Given, secret_reader
from plinth.diagnostics.diagnostic import Diagnostic
from plinth.ir import needs
from plinth.ir.kubernetes import MANAGED_BY, namespace, secret_for, service_account
from plinth.ir.said import Origin, Said, said, text
from plinth.ir.targets import Manifest, ObjectKey, Target
from plinth.spec.fields import Field, Name
from plinth.spec.platform import ComponentSection
from plinth.spec.rules import missing_reference

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from plinth.ir.answers import BucketFacts, DatabaseFacts

PORT: Final = 5000
UID: Final = 1001
LABELS: Final = {"app.kubernetes.io/name": "mlflow"}


class MlflowSection(ComponentSection):
    """Experiment tracking and a model registry."""

    artifacts: Name = Field(description="The bucket that artifacts go to, one of `storage.buckets`.")


class Mlflow(Component[MlflowSection]):
    """One tracking server."""

    name: ClassVar[str] = "mlflow"
    namespace: ClassVar[str] = "mlflow"
    Section = MlflowSection

    def versions(self, folders: tuple[Any, ...]) -> tuple[str, ...]:
        del folders  # not an upstream: the version is that of our image
        return (image("mlflow").tag.removeprefix("v").removesuffix("-full"),)

    def requires(self, section: MlflowSection, context: needs.Context) -> Iterable[str]:
        del section
        return ("external-secrets",) if context.has_secret_store else ()

    def faults(self, section: MlflowSection, context: needs.Context) -> Iterable[Diagnostic]:
        storage = context.platform.storage
        buckets = [bucket.name for bucket in storage.buckets]
        if section.artifacts not in buckets:
            yield missing_reference("bucket", section.artifacts, buckets, section.said_path("artifacts"))
        if storage.database is None:
            yield Diagnostic(
                code="PLN311",
                message="`mlflow` keeps its runs in Postgres, and the platform has no database",
                help="add one: `storage: {database: {engine: postgres, size: small}}`",
                path=section.spec_path,
                at_key=True,
            )

    def needs(
        self, section: MlflowSection, context: needs.Context, origins: tuple[Origin, ...]
    ) -> Mapping[str, needs.Need]:
        storage = context.platform.storage
        bucket = next((each for each in storage.buckets if each.name == section.artifacts), None)
        if bucket is None or storage.database is None:
            return {}  # said by `faults`
        rights = (*origins, *said(section, "artifacts").origins)
        return {
            "artifacts": needs.Bucket(bucket=bucket),
            "database": needs.Database(
                name=self.name, server=storage.database, reader=secret_reader(), origins=origins
            ),
            "identity": needs.Identity(
                account=needs.ServiceAccount(namespace=self.namespace, name=self.name),
                writes=(bucket,),
                origins=rights,
            ),
        }

    def emit(self, section: MlflowSection, given: Given) -> Iterable[Target]:
        origins = given.origins
        database = given.database("database")
        identity = given.identity("identity")
        secret, bring = secret_for(
            self.name,
            self.namespace,
            "mlflow-database",
            database.secret,
            {"username": "username", "password": "password"},
            origins,
        )
        yield namespace(self.name, self.namespace, level="restricted", base=None, origins=origins)
        yield service_account(self.name, self.namespace, self.name, identity.annotations, origins)
        yield from bring
        yield self._deployment(section, given, secret)
        yield self._service(origins)
        yield self._network_policy(origins)

    def _deployment(self, section: MlflowSection, given: Given, secret: Said | str) -> Manifest:
        pod = {
            "serviceAccountName": self.name,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": UID,
                "runAsGroup": UID,
                "fsGroup": UID,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            **self._containers(section, given, secret),
            "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": "2Gi"}}],
        }
        return Manifest(
            application=self.name,
            key=ObjectKey("apps", "Deployment", self.namespace, self.name),
            body={
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "metadata": {"name": self.name, "namespace": self.namespace, "labels": LABELS},
                "spec": {
                    "replicas": 1,
                    # Two servers of two versions must not meet on one database.
                    "strategy": {"type": "Recreate"},
                    "revisionHistoryLimit": 3,
                    "selector": {"matchLabels": LABELS},
                    "template": {
                        "metadata": {"labels": {**LABELS, **given.identity("identity").pod_labels}},
                        "spec": pod,
                    },
                },
            },
            origins=given.origins,
        )

    def _containers(self, section: MlflowSection, given: Given, secret: Said | str) -> dict[str, Any]:
        url = given.bucket("artifacts").url
        artifacts = Said(url.value, (*url.origins, *said(section, "artifacts").origins))
        environment = _environment(given.database("database"), secret, self.namespace)
        environment += _object_store(given.bucket("artifacts"))
        uri = text("postgresql+psycopg2:///", given.database("database").database)
        upgrade = {
            "name": "upgrade-database",
            "image": image("mlflow").reference,
            # The server refuses a database of an older version; this brings it up, and makes an empty one.
            "command": ["mlflow", "db", "upgrade"],
            "args": [uri],
            "env": environment,
            "resources": {"requests": {"cpu": "100m", "memory": "512Mi"}, "limits": {"memory": "1Gi"}},
            **_confined(),
        }
        serve = {
            "name": "mlflow",
            "image": image("mlflow").reference,
            "command": ["mlflow", "server"],
            "args": [
                "--host=0.0.0.0",
                f"--port={PORT}",
                text("--backend-store-uri=", uri),
                text("--artifacts-destination=", artifacts),
                "--serve-artifacts",
                "--workers=2",
            ],
            "env": environment,
            "ports": [{"name": "http", "containerPort": PORT}],
            "readinessProbe": _health(every_s=10, failures=3),
            "livenessProbe": _health(every_s=30, failures=5),
            "startupProbe": _health(every_s=5, failures=60),
            "resources": {"requests": {"cpu": "250m", "memory": "1Gi"}, "limits": {"memory": "2Gi"}},
            **_confined(),
        }
        return {"initContainers": [upgrade], "containers": [serve]}

    def _service(self, origins: tuple[Origin, ...]) -> Manifest:
        return Manifest(
            application=self.name,
            key=ObjectKey("", "Service", self.namespace, self.name),
            body={
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": {"name": self.name, "namespace": self.namespace, "labels": LABELS},
                "spec": {
                    "type": "ClusterIP",
                    "selector": LABELS,
                    "ports": [{"name": "http", "port": PORT, "targetPort": "http", "protocol": "TCP"}],
                },
            },
            origins=origins,
        )

    def _network_policy(self, origins: tuple[Origin, ...]) -> Manifest:
        # MLflow itself asks nobody who they are, so only the platform's own namespaces reach it.
        return Manifest(
            application=self.name,
            key=ObjectKey("networking.k8s.io", "NetworkPolicy", self.namespace, self.name),
            body={
                "apiVersion": "networking.k8s.io/v1",
                "kind": "NetworkPolicy",
                "metadata": {"name": self.name, "namespace": self.namespace, "labels": LABELS},
                "spec": {
                    "podSelector": {"matchLabels": LABELS},
                    "policyTypes": ["Ingress"],
                    "ingress": [
                        {
                            "from": [{"namespaceSelector": {"matchLabels": {MANAGED_BY: "plinth"}}}],
                            "ports": [{"port": "http", "protocol": "TCP"}],
                        }
                    ],
                },
            },
            origins=origins,
        )


def _environment(database: DatabaseFacts, secret: Said | str, home: str) -> list[dict[str, Any]]:
    def from_secret(key: str) -> dict[str, Any]:
        return {"secretKeyRef": {"name": secret, "key": key}}

    hosts = [
        f"mlflow.{home}.svc.cluster.local",
        f"mlflow.{home}.svc",
        f"mlflow.{home}",
        "mlflow",
        "localhost",
    ]
    return [
        {"name": "HOME", "value": "/tmp"},  # noqa: S108 - a volume of the pod's own
        {"name": "MLFLOW_DISABLE_TELEMETRY", "value": "true"},
        # The whole Host header is compared, with its port and without.
        {
            "name": "MLFLOW_SERVER_ALLOWED_HOSTS",
            "value": ",".join(name for host in hosts for name in (host, f"{host}:*")),
        },
        {"name": "MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "value": "false"},
        {"name": "PGHOST", "value": database.host},
        {"name": "PGPASSWORD", "valueFrom": from_secret("password")},
        {"name": "PGPORT", "value": database.port.map(str)},
        {"name": "PGSSLMODE", "value": database.tls},
        {"name": "PGUSER", "valueFrom": from_secret("username")},
    ]


def _object_store(bucket: BucketFacts) -> list[dict[str, Any]]:
    """What MLflow's client of S3 takes where the store is not AWS, or opens for a key alone."""
    found: list[dict[str, Any]] = []
    if bucket.secret:
        keys = {"AWS_ACCESS_KEY_ID": "accessKey", "AWS_SECRET_ACCESS_KEY": "secretKey"}
        found += [
            {"name": name, "valueFrom": {"secretKeyRef": {"name": bucket.secret.name, "key": key}}}
            for name, key in keys.items()
        ]
    if bucket.endpoint:
        found.append({"name": "MLFLOW_S3_ENDPOINT_URL", "value": bucket.endpoint})
    return found


def _health(*, every_s: int, failures: int) -> dict[str, Any]:
    return {
        "httpGet": {"path": "/health", "port": "http"},
        "periodSeconds": every_s,
        "failureThreshold": failures,
    }


def _confined() -> dict[str, Any]:
    return {
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108 - as above
        "workingDir": "/tmp",  # noqa: S108 - as above
    }


COMPONENT = Mlflow()
