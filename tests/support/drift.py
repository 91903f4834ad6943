"""A small platform on a cluster that is there already, and what its cluster holds when all is in order.

What is live is read from the files that were compiled, and marked as Argo CD marks it, by hand.
"""

from __future__ import annotations

import copy
import gzip
import json
import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
import yaml

from plinth.cli import main
from plinth.text.manifests import read_manifests
from support.platforms import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable

JsonObject = dict[str, Any]

PLATFORM: Final = """\
apiVersion: plinth.dev/v1alpha1
kind: Platform
metadata: {name: acme-ml}
spec:
  cloud: {provider: existing, cluster: acme-lab}
  repository: {url: https://github.com/acme/ml-platform.git}
  identity: {domain: ml.acme.com, admins: [platform@acme.com]}
  storage:
    buckets: [{name: artifacts, url: s3://acme-artifacts}]
    database: {existing: {host: postgres.lab.acme.com, secret: mlflow-postgres}}
  upstreams: remote
  components:
    mlflow: {artifacts: artifacts}
"""
MLFLOW_LINE: Final = 13
"""Where `mlflow` stands in it."""

APPLICATIONS: Final = ("argo-cd", "mlflow")

CASES_VARIABLE: Final = "PLINTH_DRIFT_CASES"


def platform(folder: Path, text: str = PLATFORM) -> Path:
    """A folder with the platform, compiled."""
    folder.mkdir(exist_ok=True)
    (folder / "platform.yaml").write_text(text)
    assert main(["compile", "-C", str(folder)]) == 0
    return folder


def live_objects(folder: Path, environment: str = "default") -> list[JsonObject]:
    """Everything of ours that Argo CD would have brought into the cluster, as it is when nobody touched it."""
    found = [
        marked(body, application, application if application != "argo-cd" else "argocd")
        for application in APPLICATIONS
        for body in _bodies((folder / "overlays" / environment / application).glob("*.yaml"))
    ]
    argo = folder / "generated" / environment / "argocd"
    return [*found, *(marked(body, "root", "argocd") for body in _bodies(argo.rglob("*.yaml")))]


def marked(body: JsonObject, application: str, home: str) -> JsonObject:
    """An object with the annotation by which Argo CD knows its own."""
    body = copy.deepcopy(body)
    group = body["apiVersion"].rpartition("/")[0]
    metadata = body["metadata"]
    mark = f"{application}:{group}/{body['kind']}:{metadata.get('namespace', home)}/{metadata['name']}"
    metadata.setdefault("annotations", {})["argocd.argoproj.io/tracking-id"] = mark
    metadata["resourceVersion"] = "7"
    metadata["uid"] = f"uid-{body['kind']}-{metadata['name']}"
    return body


def one(objects: Iterable[JsonObject], kind: str, name: str) -> JsonObject:
    """The one object of a kind and name."""
    (found,) = (each for each in objects if (each["kind"], each["metadata"]["name"]) == (kind, name))
    return found


def owned(body: JsonObject, manager: str, fields: JsonObject, time: str = "2026-11-23T20:14:00Z") -> None:
    """Record that a manager has updated fields of an object."""
    body["metadata"].setdefault("managedFields", []).append(
        {
            "manager": manager,
            "operation": "Update",
            "apiVersion": body["apiVersion"],
            "fieldsType": "FieldsV1",
            "fieldsV1": fields,
            "time": time,
        }
    )


def fixtures_file() -> Path | None:
    """The recorded answers of a real API server, or None where they are not at hand."""
    named = os.environ.get(CASES_VARIABLE)
    path = (Path(named) if named else ROOT.parent / "shared" / "drift") / "fixtures.jsonl.gz"
    return path if path.is_file() else None


@cache
def fixtures() -> tuple[JsonObject, ...]:
    """Rows of `desired`, `live`, `apply_probe`, `create_probe`, `expected`; none where they are not at hand."""
    path = fixtures_file()
    if path is None:
        return ()
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return tuple(json.loads(line) for line in lines)


@cache
def fixtures_crd() -> JsonObject:
    """The CRD of the recorded custom objects, which says how their lists are compared."""
    path = fixtures_file()
    assert path is not None
    crd: JsonObject = yaml.load(
        (path.parent / "cases.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader
    )["crd_fixture"]
    return crd


needs_fixtures = pytest.mark.skipif(
    fixtures_file() is None,
    reason=f"no recorded answers: {CASES_VARIABLE} names no folder, and ../shared/drift is none",
)


def _bodies(paths: Iterable[Path]) -> list[JsonObject]:
    return [
        body
        for path in sorted(paths)
        if path.name != "kustomization.yaml" and not path.name.startswith("patch-")
        for body in _read(path.read_bytes())
    ]


@cache
def _read(text: bytes) -> tuple[JsonObject, ...]:
    """The objects of a file, read once for all tests that begin with it; `marked` copies what it is given."""
    return read_manifests(text)
