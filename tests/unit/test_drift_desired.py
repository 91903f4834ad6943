"""What is sent to a server, and its answer under the name that is meant."""

import copy

import pytest

from plinth.drift.desired import applied_form, probe_form, renamed_back
from support.drifted import config_map, deployment, thing


def test_what_only_a_server_writes_is_not_sent():
    server = {
        "uid": "u",
        "resourceVersion": "1",
        "creationTimestamp": None,
        "managedFields": [],
        "labels": {"a": "b"},
    }
    body = thing(
        "v1",
        "ConfigMap",
        {**server, "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}", "k": "v"}},
        data={"a": "1"},
        status={},
    )
    assert applied_form(body) == thing(
        "v1", "ConfigMap", {"labels": {"a": "b"}, "annotations": {"k": "v"}}, data={"a": "1"}
    )


def test_nulls_of_kubernetes_own_kinds_are_not_sent():
    body = deployment(
        strategy=None, pod={"volumes": None, "containers": [{"name": "c", "env": None, "args": [None]}]}
    )
    assert applied_form(body) == deployment(pod={"containers": [{"name": "c", "args": [None]}]})


def test_nulls_of_other_kinds_are_sent_since_a_default_may_stand_behind_them():
    body = thing("lab.example.com/v1", "Gadget", spec={"size": None})
    assert applied_form(body) == body


@pytest.mark.parametrize("kind", ["ConfigMap", "Secret"])
def test_a_null_among_contents_is_an_empty_value(kind):
    assert applied_form(thing("v1", kind, data={"a": None}, binaryData=None)) == thing(
        "v1", kind, data={"a": ""}
    )


def test_the_texts_of_a_secret_become_data_and_win():
    body = thing("v1", "Secret", data={"a": "QQ==", "b": "Qg=="}, stringData={"b": "é", "c": None})
    assert applied_form(body) == thing("v1", "Secret", data={"a": "QQ==", "b": "w6k=", "c": ""})


def test_the_form_that_is_applied_is_applied_unchanged():
    body = thing("v1", "Secret", {"uid": "u"}, stringData={"b": "x"}, status={})
    assert applied_form(applied_form(body)) == applied_form(body)


def test_what_is_given_is_not_changed():
    body = thing("v1", "Secret", {"uid": "u"}, stringData={"b": "x"})
    before = copy.deepcopy(body)
    applied_form(body)
    probe_form(body, "probe")
    assert body == before


@pytest.mark.parametrize(
    ("version", "kind"),
    [("apiextensions.k8s.io/v1", "CustomResourceDefinition"), ("apiregistration.k8s.io/v1", "APIService")],
)
def test_what_has_its_name_from_what_it_defines_cannot_be_probed(version, kind):
    assert probe_form(thing(version, kind, spec={}), "probe") is None


def test_a_probe_is_the_object_under_another_name():
    assert probe_form(config_map(a="x"), "probe") == thing(
        "v1", "ConfigMap", {"name": "probe"}, data={"a": "x"}
    )
    assert probe_form(thing("v1", "Namespace"), "probe") == thing("v1", "Namespace", {"name": "probe"})


def test_labels_that_hold_the_name_hold_the_probes():
    label = {"batch.kubernetes.io/job-name": "x", "app": "x"}
    body = thing("batch/v1", "Job", spec={"template": {"metadata": {"labels": label}}})
    made = probe_form(body, "probe")
    assert made is not None
    assert made["spec"]["template"]["metadata"]["labels"] == {
        "batch.kubernetes.io/job-name": "probe",
        "app": "x",
    }


def test_a_probe_asks_for_nothing_that_a_cluster_has_once():
    spec = {
        "clusterIP": "10.0.0.5",
        "clusterIPs": ["10.0.0.5"],
        "healthCheckNodePort": 30100,
        "ports": [{"port": 80, "nodePort": 30999}],
        "type": "LoadBalancer",
    }
    made = probe_form(thing("v1", "Service", spec=spec), "probe")
    assert made == thing(
        "v1", "Service", {"name": "probe"}, spec={"ports": [{"port": 80}], "type": "LoadBalancer"}
    )


def test_a_headless_service_is_probed_headless():
    spec = {"clusterIP": "None", "clusterIPs": ["None"], "ports": []}
    made = probe_form(thing("v1", "Service", spec=spec), "probe")
    assert made is not None
    assert made["spec"] == spec


def test_an_answer_has_the_name_and_uid_that_are_meant():
    labels = {"controller-uid": "u2", "job-name": "probe", "app": "probe"}
    answer = thing(
        "batch/v1", "Job", {"name": "probe", "uid": "u2"}, spec={"selector": {"matchLabels": labels}}
    )
    assert renamed_back(answer, "x", "u1") == thing(
        "batch/v1",
        "Job",
        {"uid": "u1"},
        spec={"selector": {"matchLabels": {"controller-uid": "u1", "job-name": "x", "app": "probe"}}},
    )


@pytest.mark.parametrize("metadata", [None, [], "x"])
def test_an_object_without_a_name_is_not_probed(metadata):
    assert probe_form({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}, "probe") is None
