"""The Kubeflow training operator, version 1: PyTorchJob, TFJob, MPIJob, XGBoostJob and their kin."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from plinth.components import Component, Given
from plinth.ir.kubernetes import namespace
from plinth.spec.platform import ComponentSection

if TYPE_CHECKING:
    from collections.abc import Iterable

    from plinth.ir.targets import Target

JOB_HEALTH: Final = """\
local hs = {status = "Progressing", message = "The job has not started"}
if obj.status ~= nil and obj.status.conditions ~= nil then
  for _, condition in ipairs(obj.status.conditions) do
    if condition.status == "True" then
      if condition.type == "Failed" then
        return {status = "Degraded", message = condition.message or "The job failed"}
      end
      if condition.type == "Succeeded" then
        return {status = "Healthy", message = condition.message or "The job is done"}
      end
      if condition.type == "Suspended" then
        hs = {status = "Suspended", message = condition.message or "The job is suspended"}
      elseif condition.type == "Running" then
        hs = {status = "Healthy", message = condition.message or "The job runs"}
      end
    end
  end
end
return hs
"""
"""Source: the training operator's JobStatus, whose conditions are the same for every kind."""

KINDS: Final = ("JAXJob", "MPIJob", "MXJob", "PaddleJob", "PyTorchJob", "TFJob", "XGBoostJob")


class TrainingOperatorSection(ComponentSection):
    """Training jobs over several nodes."""


class TrainingOperator(Component[TrainingOperatorSection]):
    """The operator as its `standalone` overlay publishes it."""

    name: ClassVar[str] = "training-operator"
    namespace: ClassVar[str] = "kubeflow"
    Section = TrainingOperatorSection
    health = {f"kubeflow.org_{kind}": JOB_HEALTH for kind in KINDS}  # noqa: RUF012 - declared a ClassVar by the contract
    # From 1.9 on the operator makes the certificate of its own webhook.
    ignore = (
        {"group": "", "kind": "Secret", "name": "training-operator-webhook-cert", "jsonPointers": ["/data"]},
    )

    def emit(self, section: TrainingOperatorSection, given: Given) -> Iterable[Target]:
        del section
        # 1.7 says nothing of how its pod is confined, so the stricter level would not start it.
        yield namespace(self.name, self.namespace, level="baseline", base=given.base, origins=given.origins)


COMPONENT = TrainingOperator()
