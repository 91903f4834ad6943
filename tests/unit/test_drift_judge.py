"""The decision matrix, and what is made of a server's refusals."""

import json

import pytest

from plinth.drift import Actor, Field, Refusal, Verdict
from support.drifted import (
    BORN,
    IMMUTABLE,
    INVALID,
    LATER,
    US,
    config_map,
    deployment,
    entry,
    fields_v1,
    judged,
    owned,
    paths,
    thing,
)

WANTED = config_map(a="1")


def test_an_object_that_is_not_there_is_missing():
    assert judged(WANTED, None).name == "missing"
    assert judged(WANTED, None).severity == "high"


def test_an_object_that_is_deleted_and_held_is_terminating_whatever_else_it_is():
    live = thing("v1", "ConfigMap", {"deletionTimestamp": LATER}, data={"a": "2"})
    assert judged(WANTED, live, apply=WANTED).name == "terminating"


def test_where_no_probe_differs_it_is_clean():
    assert judged(WANTED, WANTED) == Verdict(name="clean")


def test_where_both_probes_differ_it_is_drift_and_says_what_who_and_when():
    live = owned(config_map(a="2"), entry("kubectl-edit", fields_v1("f:data", "f:a")))
    assert judged(WANTED, live, apply=WANTED) == Verdict(
        name="drift",
        severity="medium",
        fields=(Field(path="/data/a", desired="1", live="2"),),
        actors=(Actor(manager="kubectl-edit", operation="Update", time=LATER),),
    )


def test_where_only_the_create_probe_differs_somebody_added_it():
    verdict = judged(WANTED, config_map(a="1", z="9"))
    assert verdict.name == "drift-unmanaged"
    assert verdict.fields == (Field(path="/data/z", desired=None, live="9", has_desired=False),)


def test_another_default_is_an_addition():
    desired = thing("batch/v1", "CronJob", spec={"schedule": "@daily"})
    live = thing("batch/v1", "CronJob", spec={"schedule": "@daily", "suspend": True})
    created = thing("batch/v1", "CronJob", spec={"schedule": "@daily", "suspend": False})
    assert judged(desired, live, create=created).name == "drift-unmanaged"


def test_where_only_the_apply_probe_differs_admission_is_explained():
    live = config_map(a="1", stamp="x")
    verdict = judged(WANTED, live, apply=config_map(a="1", stamp="xx"), create=live)
    assert verdict.name == "explained"
    assert verdict.severity == "info"
    assert "admission" in verdict.reason


def test_what_admission_rewrites_only_at_creation_is_explained_for_ever():
    mirrored_then = deployment(pod={"containers": [{"name": "c", "image": "mirror.local/app:1"}]})
    verdict = judged(deployment(), mirrored_then, apply=deployment(), create=mirrored_then)
    assert (verdict.name, len(verdict.fields)) == ("explained", 1)


def test_what_is_declared_and_gone_is_drift():
    assert paths(judged(WANTED, config_map(), apply=WANTED)) == ["/data/a"]
    assert judged(WANTED, config_map(), apply=WANTED).name == "drift"


def test_what_we_own_and_no_longer_declare_waits_to_be_taken_away():
    live = owned(config_map(a="1", old="1"), entry(US, fields_v1("f:data", "f:old"), "Apply"))
    assert judged(WANTED, live, apply=WANTED).name == "drift"


def test_what_somebody_took_over_before_we_let_it_go_is_left_over():
    live = owned(config_map(a="1", old="2"), entry("kubectl-edit", fields_v1("f:data", "f:old")))
    assert judged(WANTED, live).name == "drift-unmanaged"


def test_what_admission_would_add_is_pending_and_nobodys_doing():
    proxied = deployment(
        pod={"containers": [{"name": "c", "image": "app:1"}, {"name": "proxy", "image": "p:1"}]}
    )
    verdict = judged(deployment(), deployment(), apply=proxied, create=proxied)
    assert verdict.name == "explained"
    assert paths(verdict) == ["/spec/template/spec/containers/[name=proxy]"]


def test_a_whole_container_is_one_field():
    added = {"name": "miner", "image": "evil:1", "args": ["x"]}
    live = deployment(pod={"containers": [{"name": "c", "image": "app:1"}, added]})
    verdict = judged(deployment(), live)
    assert verdict.fields == (
        Field(
            path="/spec/template/spec/containers/[name=miner]", desired=None, live=added, has_desired=False
        ),
    )
    assert verdict.severity == "critical"


def test_a_declared_container_that_is_gone_is_drift_with_everything_that_was_filled_in():
    with_default = deployment(
        pod={"containers": [{"name": "c", "image": "app:1", "imagePullPolicy": "Always"}]}
    )
    live = deployment(pod={"containers": []})
    verdict = judged(deployment(), live, apply=with_default, create=with_default)
    assert verdict.name == "drift"
    assert paths(verdict) == ["/spec/template/spec/containers/[name=c]"]


def test_drift_and_an_addition_together_are_drift():
    verdict = judged(WANTED, config_map(a="2", z="9"), apply=config_map(a="1", z="9"))
    assert verdict.name == "drift"
    assert paths(verdict) == ["/data/a", "/data/z"]


def test_a_wiped_record_hides_nothing():
    live = owned(config_map(a="2", z="9"), {})
    verdict = judged(WANTED, live, apply=config_map(a="1", z="9"))
    assert verdict.name == "drift"
    assert verdict.actors == ()


def test_a_record_that_names_us_hides_nothing():
    live = owned(config_map(a="2"), entry(US, fields_v1("f:data", "f:a"), "Apply"))
    answered = owned(WANTED, entry(US, fields_v1("f:data", "f:a"), "Apply"))
    verdict = judged(WANTED, live, apply=answered)
    assert verdict.name == "drift"
    assert verdict.actors == ()


def test_a_controllers_name_explains_nothing_by_itself():
    live = owned(config_map(a="1", z="9"), entry("kube-controller-manager", fields_v1("f:data", "f:z")))
    assert judged(WANTED, live).name == "drift-unmanaged"


@pytest.mark.parametrize(
    "message",
    [
        "data: Forbidden: field is immutable when `immutable` is set",
        "spec: Forbidden: updates to statefulset spec for fields other than 'replicas' are forbidden",
        "spec.clusterIPs[0]: Invalid value: []string{}: may not change once set",
        'roleRef: Invalid value: {"name":"r"}: cannot change roleRef',
        "spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`",
        "value: Forbidden: may not be changed in an update.",
    ],
)
def test_what_cannot_be_updated_in_place_is_drift_of_its_own_sort(message):
    refusal = Refusal(status=INVALID, reason="Invalid", message=message)
    verdict = judged(WANTED, config_map(a="2"), apply=refusal)
    assert verdict.name == "drift-immutable"
    assert verdict.severity == "high"
    assert paths(verdict) == ["/data/a"]
    assert "422" in verdict.reason


def test_an_immutable_field_is_reported_without_a_create_probe_too():
    assert judged(WANTED, config_map(a="2"), apply=IMMUTABLE, create=None).name == "drift-immutable"
    assert paths(judged(WANTED, config_map(a="2"), apply=IMMUTABLE, create=None)) == ["/data/a"]


def test_a_refusal_that_somebodys_change_has_caused_is_drift():
    refusal = Refusal(
        status=INVALID,
        reason="Invalid",
        message="storage: Forbidden: field can not be less than status.capacity",
    )
    desired = thing("v1", "PersistentVolumeClaim", spec={"resources": {"requests": {"storage": "1Gi"}}})
    live = owned(
        thing("v1", "PersistentVolumeClaim", spec={"resources": {"requests": {"storage": "2Gi"}}}),
        entry("kubectl-edit", fields_v1("f:spec", "f:resources", "f:requests", "f:storage")),
    )
    assert judged(desired, live, apply=refusal).name == "drift"


def test_a_refusal_that_nobody_has_caused_is_an_error():
    refusal = Refusal(
        status=INVALID,
        reason="Invalid",
        message="spec.strategy.rollingUpdate: Forbidden: may not be specified",
    )
    live = deployment(strategy={"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}})
    verdict = judged(deployment(strategy={"type": "Recreate"}), live, apply=refusal)
    assert verdict.name == "error"
    assert "rollingUpdate" in verdict.reason


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (500, 'failed to create typed patch object: .env: duplicate entries for key [name="A"]'),
        (422, "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no"),
        (404, "the server could not find the requested resource"),
        (429, "too many requests"),
        (401, "Unauthorized"),
    ],
)
def test_what_no_probe_answers_is_an_error_and_never_clean(status, message):
    refusal = Refusal(status=status, reason="", message=message)
    verdict = judged(WANTED, WANTED, apply=refusal, create=refusal)
    assert verdict.name == "error"
    assert str(status) in verdict.reason


def test_an_object_that_does_not_fit_its_schema_is_an_error_whoever_changed_it():
    refusal = Refusal(status=500, reason="", message="failed to create typed patch object")
    live = owned(config_map(a="2"), entry("kubectl-create", fields_v1("f:data", "f:a")))
    assert judged(WANTED, live, apply=refusal, create=None).name == "error"


def test_a_version_that_is_not_served_is_an_error_whoever_changed_the_object():
    refusal = Refusal(
        status=404, reason="NotFound", message="the server could not find the requested resource"
    )
    live = owned(config_map(a="2"), entry("kubectl-edit", fields_v1("f:data", "f:a")))
    assert judged(WANTED, live, apply=refusal).name == "error"


def test_a_refused_right_to_give_more_rights_shows_that_a_role_differs():
    refusal = Refusal(
        status=403, reason="Forbidden", message="attempting to grant RBAC permissions not currently held"
    )
    desired = thing("rbac.authorization.k8s.io/v1", "Role", rules=[{"verbs": ["get"]}])
    live = thing("rbac.authorization.k8s.io/v1", "Role", rules=[{"verbs": ["get", "list"]}])
    assert judged(desired, live, apply=refusal, create=refusal).name == "drift"
    assert judged(desired, desired, apply=refusal, create=refusal).name == "error"


def test_a_conflict_of_owners_is_drift_where_the_values_differ():
    refusal = Refusal(
        status=409, reason="Conflict", message="Apply failed with 1 conflict", causes=(".data.a",)
    )
    assert judged(WANTED, config_map(a="2"), apply=refusal, create=None).name == "drift"


def test_without_a_right_to_apply_the_create_probe_alone_is_enough():
    refusal = Refusal(status=403, reason="Forbidden", message="cannot patch")
    assert judged(WANTED, WANTED, apply=refusal).name == "clean"
    assert judged(WANTED, config_map(a="2"), apply=refusal).name == "drift"
    assert judged(WANTED, config_map(a="1", z="9"), apply=refusal).name == "drift-unmanaged"


def test_without_a_create_probe_the_record_shows_additions():
    live = owned(config_map(a="1", z="9"), entry("kubectl-edit", fields_v1("f:data", "f:z")))
    quota = Refusal(status=403, reason="Forbidden", message="exceeded quota")
    assert judged(WANTED, live, create=quota).name == "drift-unmanaged"
    assert judged(WANTED, live, create=None).actors[0].manager == "kubectl-edit"


def test_without_any_answer_live_is_held_against_what_is_declared():
    desired = deployment(replicas=1)
    live = deployment(replicas=2, paused=False, pod={"dnsPolicy": "ClusterFirst"})
    assert paths(judged(desired, live, apply=None, create=None)) == ["/spec/replicas"]
    assert judged(desired, deployment(replicas=1, paused=False), apply=None, create=None).name == "clean"


def test_defaults_within_the_items_of_a_list_are_no_difference_to_what_is_declared():
    desired = thing("networking.k8s.io/v1", "NetworkPolicy", spec={"ingress": [{"ports": [{"port": 80}]}]})
    live = thing(
        "networking.k8s.io/v1",
        "NetworkPolicy",
        spec={"ingress": [{"ports": [{"port": 80, "protocol": "TCP"}]}]},
    )
    assert judged(desired, live, apply=None, create=None).name == "clean"


def test_versions_are_never_compared_with_each_other():
    live = thing("autoscaling/v2", "HorizontalPodAutoscaler", spec={"maxReplicas": 3})
    desired = thing("autoscaling/v1", "HorizontalPodAutoscaler", spec={"maxReplicas": 3})
    for answered in (desired, live, None):
        assert judged(desired, live, apply=answered, create=answered).name == "error"
    unserved = Refusal(
        status=404, reason="NotFound", message="the server could not find the requested resource"
    )
    assert "could not find" in judged(desired, live, apply=unserved, create=None).reason


def test_a_record_in_an_older_version_of_the_kind_is_explained():
    desired = thing("autoscaling/v2", "HorizontalPodAutoscaler", spec={"maxReplicas": 3})
    fields = fields_v1("f:spec", "f:maxReplicas")
    live = owned(desired, entry(US, fields, "Apply", version="autoscaling/v1"))
    answered = owned(desired, entry(US, fields, "Apply", version="autoscaling/v2"))
    assert judged(desired, live, apply=answered).name == "explained"
    assert judged(desired, answered).name == "clean"


def test_the_status_and_what_a_server_keeps_are_not_compared():
    server = {"uid": "u", "resourceVersion": "5", "generation": 7, "creationTimestamp": BORN}
    live = thing("v1", "ConfigMap", server, data={"a": "1"}, status={"phase": "Bound"})
    assert judged(WANTED, live).name == "clean"


def test_what_the_probe_was_called_is_no_difference():
    live = thing("v1", "Namespace", {"uid": "u1", "labels": {"team": "a"}})
    created = {**live, "metadata": {"name": "plinth-probe-1", "uid": "u2", "labels": {"team": "a"}}}
    assert judged(thing("v1", "Namespace", {"labels": {"team": "a"}}), live, create=created).name == "clean"


def test_a_label_that_a_server_makes_of_the_name_is_no_difference():
    desired = thing("lab.example.com/v1", "Gadget", spec={})
    live = thing("lab.example.com/v1", "Gadget", {"uid": "u1"}, spec={"labels": {"job-name": "x"}})
    created = thing("lab.example.com/v1", "Gadget", {"name": "probe"}, spec={"labels": {"job-name": "probe"}})
    assert judged(desired, live, create=created).name == "clean"


SINCE_BIRTH = {"generation": 1, "creationTimestamp": BORN}
OUR_IMAGE = fields_v1("f:spec", "f:template", "f:spec", "f:containers", 'k:{"name":"c"}', "f:image")
OURS = entry(US, OUR_IMAGE, "Apply", version="apps/v1", time=BORN)


def mirrored(image, generation=1, *entries):
    body = deployment(
        metadata={"generation": generation, "creationTimestamp": BORN},
        pod={"containers": [{"name": "c", "image": image}]},
    )
    return owned(body, *(entries or (OURS,)))


def test_an_image_that_admission_took_from_a_mirror_when_the_object_was_made_is_explained():
    verdict = judged(deployment(), mirrored("mirror.local/app:1"), apply=owned(deployment(), OURS))
    assert verdict.name == "explained"


@pytest.mark.parametrize(
    "live",
    [
        pytest.param(mirrored("mirror.local/app:2"), id="another image"),
        pytest.param(mirrored("mirror.local/my-app:1"), id="a name that ends alike"),
        pytest.param(mirrored("mirror.local/app:1", 2), id="changed since"),
        pytest.param(
            mirrored("mirror.local/app:1", 1, OURS, entry("kubectl-set", OUR_IMAGE, time=BORN)),
            id="written by another",
        ),
        pytest.param(mirrored("mirror.local/app:1", 1, {**OURS, "time": LATER}), id="applied anew"),
    ],
)
def test_any_other_image_is_drift(live):
    assert judged(deployment(), live, apply=owned(deployment(), OURS)).name == "drift"


def test_what_nobody_wrote_and_was_there_from_the_start_is_explained():
    pods = {"containers": [{"name": "c", "image": "app:1"}, {"name": "proxy", "image": "p:1"}]}
    live = owned(deployment(metadata=SINCE_BIRTH, pod=pods), OURS)
    assert judged(deployment(), live, apply=live).name == "explained"
    changed = owned(deployment(metadata={**SINCE_BIRTH, "generation": 2}, pod=pods), OURS)
    assert judged(deployment(), changed, apply=changed).name == "drift-unmanaged"


@pytest.mark.parametrize(
    "record",
    [
        "x",
        [None, 1, "x", []],
        [{}],
        [{"manager": 5, "fieldsV1": {"f:data": {}}}],
        [{"manager": "m", "fieldsV1": "x"}],
        [
            {
                "manager": "m",
                "fieldsV1": {"": {}, "q:x": {}, "f:data": [], "k:{": {}, "v:": {}, "i:x": {}, "k:[]": {}},
            }
        ],
        [{"manager": "m", "fieldsV1": {"f:spec": {"f:volumes": {'k:{"name":"v"}': {}}}}}],
        {"a": 1},
    ],
)
def test_a_record_that_makes_no_sense_changes_no_verdict(record):
    live = config_map(a="2", z="9")
    live["metadata"]["managedFields"] = record
    verdict = judged(WANTED, live, apply=config_map(a="1", z="9"))
    assert verdict.name == "drift"
    assert paths(verdict) == ["/data/a", "/data/z"]


def test_keys_may_hold_what_paths_and_records_are_made_of():
    keys = {
        "a/b": "1",
        "c.d": "1",
        "e:f": "1",
        "~": "1",
        "": "1",
        "f:x": "1",
        "ключ": "1",
        "*": "1",
        "**": "1",
    }
    live = owned(
        config_map(a="1", **keys), entry("kubectl-edit", {"f:data": {f"f:{key}": {} for key in keys}})
    )
    verdict = judged(WANTED, live)
    assert sorted(paths(verdict)) == sorted(
        [
            "/data/a~1b",
            "/data/c.d",
            "/data/e:f",
            "/data/~0",
            "/data/",
            "/data/f:x",
            "/data/ключ",
            "/data/*",
            "/data/**",
        ]
    )
    assert [actor.manager for actor in verdict.actors] == ["kubectl-edit"]


def test_what_is_nested_beyond_measure_is_an_error():
    nested = json.loads('{"a":' * 400 + "1" + "}" * 400)
    assert judged(WANTED, {**WANTED, "data": nested}).name == "error"


@pytest.mark.parametrize("body", [[], "x", 3])
def test_what_is_no_object_is_an_error(body):
    assert judged(WANTED, body, apply=WANTED).name == "error"


def test_parts_of_unexpected_types_are_differences_and_no_crash():
    for part in (None, [], "x", 3, True, {"name": []}):
        live = {**deployment(), "spec": part}
        assert judged(deployment(), live, apply=deployment()).name == "drift", part
        assert judged(deployment(), {**deployment(), "metadata": part}, apply=deployment()).name in {
            "clean",
            "drift",
        }


def test_long_lists_are_compared():
    ports = [{"port": n, "protocol": "TCP"} for n in range(5000)]
    desired = thing("v1", "Service", spec={"ports": ports})
    live = thing("v1", "Service", spec={"ports": [*ports[:-1], {"port": 9999, "protocol": "TCP"}]})
    assert paths(judged(desired, live, apply=desired)) == [
        "/spec/ports/[port=4999,protocol=TCP]",
        "/spec/ports/[port=9999,protocol=TCP]",
    ]
