"""Plinth compiles one `platform.yaml` into Terraform JSON and kustomize overlays."""

__version__ = "0.1.0"
