"""cert-manager: certificates inside the cluster, those of admission webhooks first."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from plinth.catalog.objects import ObjectKey
from plinth.components import Component, Given, Variant
from plinth.ir.kubernetes import namespace
from plinth.spec.platform import ComponentSection

if TYPE_CHECKING:
    from collections.abc import Iterable

    from plinth.ir.targets import Target

_RBAC: Final = "rbac.authorization.k8s.io"


class CertManagerSection(ComponentSection):
    """cert-manager."""


class CertManager(Component[CertManagerSection]):
    """cert-manager as its makers publish it."""

    name: ClassVar[str] = "cert-manager"
    namespace: ClassVar[str] = "cert-manager"
    Section = CertManagerSection

    def variant(self, version: str) -> Variant:
        del version
        # The check after installation is a Helm hook: Argo CD's own health covers it.
        check = "cert-manager-startupapicheck"
        return Variant(
            values={"crds": {"enabled": True}, "startupapicheck": {"enabled": False}},
            without=frozenset(
                {
                    ObjectKey("", "ServiceAccount", self.namespace, check),
                    ObjectKey("batch", "Job", self.namespace, check),
                    ObjectKey(_RBAC, "Role", self.namespace, f"{check}:create-cert"),
                    ObjectKey(_RBAC, "RoleBinding", self.namespace, f"{check}:create-cert"),
                }
            ),
        )

    def emit(self, section: CertManagerSection, given: Given) -> Iterable[Target]:
        del section
        yield namespace(self.name, self.namespace, level="restricted", base=given.base, origins=given.origins)


COMPONENT = CertManager()
