"""External Secrets: brings entries of the cloud's secret store into Secrets of the cluster.

One ClusterSecretStore serves every component. It is open to namespaces of ours alone, and reads
with the operator's own identity, which the cloud lets at each entry by name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from plinth.components import Component, Given
from plinth.ir.kubernetes import MANAGED_BY, STORE, namespace
from plinth.ir.targets import Manifest, ObjectKey, Target
from plinth.spec.platform import ComponentSection

if TYPE_CHECKING:
    from collections.abc import Iterable


class ExternalSecretsSection(ComponentSection):
    """External Secrets."""


class ExternalSecrets(Component[ExternalSecretsSection]):
    """The operator and the platform's store."""

    name: ClassVar[str] = "external-secrets"
    namespace: ClassVar[str] = "external-secrets"
    Section = ExternalSecretsSection
    # The operator makes the certificate of its own webhook.
    ignore = ({"group": "", "kind": "Secret", "name": "external-secrets-webhook", "jsonPointers": ["/data"]},)

    def emit(self, section: ExternalSecretsSection, given: Given) -> Iterable[Target]:
        del section
        yield namespace(self.name, self.namespace, level="restricted", base=given.base, origins=given.origins)
        if given.store.provider is not None:
            yield Manifest(
                application=self.name,
                key=ObjectKey("external-secrets.io", "ClusterSecretStore", "", STORE),
                body={
                    "apiVersion": "external-secrets.io/v1",
                    "kind": "ClusterSecretStore",
                    "metadata": {
                        "name": STORE,
                        # The operator's webhook judges stores, so it has to be there first.
                        "annotations": {
                            "argocd.argoproj.io/sync-options": "SkipDryRunOnMissingResource=true",
                            "argocd.argoproj.io/sync-wave": "1",
                        },
                    },
                    "spec": {
                        "provider": given.store.provider,
                        "conditions": [{"namespaceSelector": {"matchLabels": {MANAGED_BY: "plinth"}}}],
                    },
                },
                origins=given.origins,
            )


COMPONENT = ExternalSecrets()
