"""External Secrets: brings entries of the cloud's secret store into Secrets of the cluster.

One ClusterSecretStore serves every component. It is open to namespaces of ours alone, and reads
with the operator's own identity, which the cloud lets at each entry by name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from plinth.components import Component, Given, secret_reader
from plinth.ir import needs
from plinth.ir.kubernetes import MANAGED_BY, STORE, namespace, put
from plinth.ir.targets import Manifest, ObjectKey, Patch, Target
from plinth.spec.platform import ComponentSection

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from plinth.ir.said import Origin


class ExternalSecretsSection(ComponentSection):
    """External Secrets."""


class ExternalSecrets(Component[ExternalSecretsSection]):
    """The operator and the platform's store."""

    name: ClassVar[str] = "external-secrets"
    namespace: ClassVar[str] = "external-secrets"
    Section = ExternalSecretsSection
    # The operator makes the certificate of its own webhook.
    ignore = ({"group": "", "kind": "Secret", "name": "external-secrets-webhook", "jsonPointers": ["/data"]},)

    def needs(
        self, section: ExternalSecretsSection, context: needs.Context, origins: tuple[Origin, ...]
    ) -> Mapping[str, needs.Need]:
        del section
        if not context.has_secret_store:
            return {}
        return {"identity": needs.Identity(account=secret_reader(), writes=(), origins=origins)}

    def emit(self, section: ExternalSecretsSection, given: Given) -> Iterable[Target]:
        del section
        yield namespace(self.name, self.namespace, level="restricted", base=given.base, origins=given.origins)
        if given.store.provider is not None:
            yield from self._known_to_the_cloud(given)
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

    def _known_to_the_cloud(self, given: Given) -> Iterable[Patch]:
        """What the operator's service account must carry where the cloud does not know it by its name."""
        annotations = given.identity("identity").annotations
        if annotations:
            key = ObjectKey("", "ServiceAccount", self.namespace, secret_reader().name)
            facts = given.base.upstream.objects.get(key) if given.base else None
            yield Patch(
                application=self.name,
                target=key,
                operations=put(
                    annotations, "/metadata/annotations", exists=facts is not None and facts.has_annotations
                ),
                origins=given.origins,
            )


COMPONENT = ExternalSecrets()
