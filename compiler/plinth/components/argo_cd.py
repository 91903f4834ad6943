"""Argo CD: brings what is in git into the cluster, itself included.

Its own settings are patches of its ConfigMaps. A value that is YAML or Lua itself is built from a
structure, for one malformed rule makes every Application Unknown. Nobody signs in with a password:
`argocd admin dashboard` opens the page with the rights of one's kubeconfig.

Source: Argo CD 3.5, operator manual: `argocd-cm`, `argocd-cmd-params-cm`, `argocd-rbac-cm`, health.
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any, ClassVar, Final

from plinth.components import Component, Given, Variant
from plinth.ir.kubernetes import namespace, put
from plinth.ir.said import Said, said
from plinth.ir.targets import ObjectKey, Patch, Target
from plinth.spec.platform import ComponentSection
from plinth.text.emit import yaml_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from plinth.catalog.components import Upstream

NAMESPACE: Final = "argocd"

APPLICATION_HEALTH: Final = """\
if obj.metadata.name == "root" and obj.spec.project == "root" then
  return {status = "Healthy", message = "What brings itself cannot wait for itself"}
end
local hs = {status = "Progressing", message = "Argo CD has not looked at it yet"}
if obj.status == nil or obj.status.sync == nil then
  return hs
end
if obj.operation ~= nil then
  hs.message = "A sync is asked for"
  return hs
end
local operation = obj.status.operationState
if operation ~= nil and (operation.phase == "Running" or operation.phase == "Terminating") then
  hs.message = operation.message or "A sync is under way"
  return hs
end
local wanted, compared = obj.spec.source, obj.status.sync.comparedTo
if wanted ~= nil and compared ~= nil and compared.source ~= nil then
  for _, field in ipairs({"repoURL", "path", "targetRevision"}) do
    if compared.source[field] ~= wanted[field] then
      hs.message = "The wanted source has not been compared yet"
      return hs
    end
  end
end
if obj.status.sync.status ~= "Synced" then
  hs.message = "Not synced: " .. (obj.status.sync.status or "unknown")
  return hs
end
if obj.status.health ~= nil and obj.status.health.status ~= nil then
  hs.status = obj.status.health.status
  hs.message = obj.status.health.message or ""
end
if hs.status == "Missing" or hs.status == "Unknown" then
  hs.status = "Progressing"
end
return hs
"""
"""A wave waits for an Application until this says Healthy. Its health alone opens the next one too early.

The root is one of the objects that it brings: its sync would wait for its own end, and a health that was bad
once would be the reason for its being bad.
"""

DEFINITION_HEALTH: Final = """\
if obj.status ~= nil and obj.status.conditions ~= nil then
  for _, condition in ipairs(obj.status.conditions) do
    if condition.type == "NamesAccepted" and condition.status == "False" then
      return {status = "Degraded", message = condition.message or "Its names are taken"}
    end
    if condition.type == "NonStructuralSchema" and condition.status == "True" then
      return {status = "Degraded", message = condition.message or "Its schema is not structural"}
    end
  end
end
return {status = "Healthy", message = "Nothing is wrong with it"}
"""
"""A definition is well unless something is wrong with it, also before its objects are served.

Argo CD's own script says Degraded until then. But Argo CD marks no definition as part of an Application, so
no event of one makes it look again: an Application of definitions would stay Degraded until the next
comparison, minutes later, and fail the sync of the root. A sync itself waits until what it defines is served.
"""

WEBHOOKS: Final = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")


class ArgoCdSection(ComponentSection):
    """What brings everything else into the cluster; every environment has one."""


class ArgoCd(Component[ArgoCdSection]):
    """Argo CD as its release file publishes it, with our settings."""

    name: ClassVar[str] = "argo-cd"
    namespace: ClassVar[str] = NAMESPACE
    Section = ArgoCdSection
    # Argo CD makes its own keys and certificates.
    ignore = (
        {"group": "", "kind": "Secret", "name": "argocd-notifications-secret", "jsonPointers": ["/data"]},
        {"group": "", "kind": "Secret", "name": "argocd-secret", "jsonPointers": ["/data"]},
    )
    health = {  # noqa: RUF012 - declared a ClassVar by the contract
        "apiextensions.k8s.io_CustomResourceDefinition": DEFINITION_HEALTH,
        "argoproj.io_Application": APPLICATION_HEALTH,
    }

    def variant(self, version: str) -> Variant:
        del version
        return Variant(namespace=NAMESPACE)

    def base_operations(
        self, upstream: Upstream, *, vendored: bool
    ) -> Mapping[ObjectKey, tuple[Mapping[str, Any], ...]]:
        key = ObjectKey("", "ConfigMap", NAMESPACE, "argocd-cm")
        # A chart in a kustomization is rendered only where Argo CD is told so; vendored there is none.
        options = {} if vendored else {"kustomize.buildOptions": "--enable-helm"}
        operations = put(options, "/data", exists=bool(upstream.objects[key].data_keys))
        return {key: operations} if operations else {}

    def emit(self, section: ArgoCdSection, given: Given) -> Iterable[Target]:
        del section
        yield namespace(self.name, NAMESPACE, level="baseline", base=given.base, origins=given.origins)
        yield self._settings(given, "argocd-cm", _argocd_cm(given.health))
        yield self._settings(given, "argocd-cmd-params-cm", {"controller.diff.server.side": "true"})
        yield self._settings(given, "argocd-rbac-cm", _rbac(given))

    def _settings(self, given: Given, name: str, data: Mapping[str, Any]) -> Patch:
        exists = bool(given.data_keys("ConfigMap", name)) or name == "argocd-cm"  # its base sees to that
        return Patch(
            application=self.name,
            target=ObjectKey("", "ConfigMap", NAMESPACE, name),
            operations=put(data, "/data", exists=exists),
            origins=given.origins,
        )


def _argocd_cm(health: Mapping[str, str]) -> dict[str, str]:
    webhooks = yaml_text({"jqPathExpressions": [".webhooks[]?.clientConfig.caBundle"]})
    return {
        "admin.enabled": "false",
        "application.resourceTrackingMethod": "annotation",
        "exec.enabled": "false",
        # A controller fills these roles in from others.
        "resource.compareoptions": yaml_text({"ignoreAggregatedRoles": True}),
        "users.anonymous.enabled": "false",
        **{f"resource.customizations.health.{kind}": script for kind, script in health.items()},
        **{
            f"resource.customizations.ignoreDifferences.admissionregistration.k8s.io_{kind}": webhooks
            for kind in WEBHOOKS
        },
    }


def _rbac(given: Given) -> dict[str, Any]:
    admins = said(given.context.platform.identity, "admins")
    policy = io.StringIO()
    csv.writer(policy, lineterminator="\n").writerows(
        ("g", email, "role:admin") for email in sorted(admins.value)
    )
    return {
        # Every user has at least this, and no rule can take it away: nothing.
        "policy.default": "",
        "policy.csv": Said(policy.getvalue(), admins.origins),
        "scopes": "[email, groups]",
    }


COMPONENT = ArgoCd()
