"""The rig's stand-in for webhooks: it allows everything, and converts by changing the version alone."""

from __future__ import annotations

from rig.reviewer import review


def test_a_review_of_admission_is_allowed():
    asked = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {"uid": "u"}}
    assert review(asked) == {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "response": {"uid": "u", "allowed": True},
    }


def test_what_is_converted_changes_its_version_and_nothing_else():
    thing = {"apiVersion": "example.com/v1", "kind": "Thing", "spec": {"size": 1}}
    asked = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "ConversionReview",
        "request": {"uid": "u", "desiredAPIVersion": "example.com/v2", "objects": [thing]},
    }
    assert review(asked)["response"] == {
        "uid": "u",
        "result": {"status": "Success"},
        "convertedObjects": [{**thing, "apiVersion": "example.com/v2"}],
    }
