"""Each row that explains a difference: where it speaks, and close by, where it stays silent."""

import pytest

from plinth.drift.rules import RULES
from support.drifted import LATER, US, config_map, deployment, entry, fields_v1, judged, owned, paths, thing

CA = "Q0E="
HOOKS = "admissionregistration.k8s.io/v1"
CAINJECTOR = "cert-manager-cainjector"


def annotated(body, name, value="1"):
    return {**body, "metadata": {**body["metadata"], "annotations": {name: value}}}


def labelled(body, labels):
    return {**body, "metadata": {**body["metadata"], "labels": labels}}


def service(**spec):
    return thing("v1", "Service", spec={"ports": [{"port": 80, "protocol": "TCP"}], **spec})


def claim(**spec):
    return thing("v1", "PersistentVolumeClaim", spec=spec)


def hook(**fields):
    config = {"service": {"name": "s"}, **fields.pop("config", {})}
    return thing(
        HOOKS,
        "ValidatingWebhookConfiguration",
        webhooks=[{"name": "a.b.c", "clientConfig": config, **fields}],
    )


def role(**fields):
    return thing("rbac.authorization.k8s.io/v1", "ClusterRole", **fields)


def crd(**spec):
    names = {"plural": "gadgets", "kind": "Gadget", **spec.pop("names", {})}
    return thing("apiextensions.k8s.io/v1", "CustomResourceDefinition", spec={"names": names, **spec})


def job(**labels):
    return thing("batch/v1", "Job", spec={"template": {"metadata": {"labels": {"app": "x", **labels}}}})


def pod(volume="kube-api-access-abcde", **source):
    mount = {"name": volume, "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount", "readOnly": True}
    return thing(
        "v1",
        "Pod",
        spec={
            "containers": [{"name": "c", "image": "app:1", "volumeMounts": [mount]}],
            "volumes": [{"name": volume, **(source or {"projected": {"defaultMode": 420}})}],
        },
    )


SELECTOR = {"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]}
RULE = [{"verbs": ["get"], "resources": ["pods"]}]
ACCOUNT = thing("v1", "ServiceAccount")
NAMESPACE = thing("v1", "Namespace")
TOKEN = thing("v1", "Secret", type="kubernetes.io/service-account-token")
VOLUME = thing("v1", "PersistentVolume", spec={"capacity": {"storage": "1Gi"}})
APP = thing("argoproj.io/v1alpha1", "Application", spec={})
INGRESS = thing("networking.k8s.io/v1", "Ingress", spec={})
SCALE = fields_v1("f:spec", "f:replicas")
KEPT_BY = fields_v1("f:metadata", "f:labels", "f:a")

# What only live has, with nothing said of it: an object, and what it is live.
SILENT = [
    pytest.param(
        config_map(), thing("v1", "ConfigMap", {"finalizers": ["example.com/hold"]}, data={}), id="finalizer"
    ),
    pytest.param(
        config_map(),
        thing("v1", "ConfigMap", {"ownerReferences": [{"uid": "u", "kind": "Set"}]}, data={}),
        id="owner",
    ),
    pytest.param(service(), service(clusterIP="10.0.0.5", clusterIPs=["10.0.0.5"]), id="cluster addresses"),
    pytest.param(service(clusterIP=""), service(clusterIP="10.0.0.5"), id="cluster address, declared empty"),
    pytest.param(service(), service(healthCheckNodePort=30100), id="health check port"),
    pytest.param(
        service(), service(ports=[{"port": 80, "protocol": "TCP", "nodePort": 30999}]), id="node port"
    ),
    pytest.param(claim(), claim(volumeName="pv-1"), id="bound claim"),
    pytest.param(claim(), annotated(claim(), "pv.kubernetes.io/bind-completed"), id="note of binding"),
    pytest.param(
        VOLUME,
        {**VOLUME, "spec": {**VOLUME["spec"], "claimRef": {"name": "c", "uid": "u"}}},
        id="bound volume",
    ),
    pytest.param(
        NAMESPACE, labelled(NAMESPACE, {"kubernetes.io/metadata.name": "x"}), id="name of a namespace"
    ),
    pytest.param(deployment(), annotated(deployment(), "deployment.kubernetes.io/revision"), id="revision"),
    pytest.param(deployment(), annotated(deployment(), "argocd.argoproj.io/tracking-id"), id="tracking id"),
    pytest.param(deployment(), deployment(replicas=5), id="replicas that nothing declares"),
    pytest.param(ACCOUNT, {**ACCOUNT, "secrets": [{"name": "x-token-abc"}]}, id="token of an account"),
    pytest.param(
        ACCOUNT, {**ACCOUNT, "imagePullSecrets": [{"name": "x-dockercfg-1"}]}, id="pull secret of an account"
    ),
    pytest.param(
        TOKEN, {**TOKEN, "data": {"token": "dA==", "ca.crt": "dA==", "namespace": "dA=="}}, id="token secret"
    ),
    pytest.param(hook(), hook(config={"caBundle": CA}), id="CA of a webhook"),
    pytest.param(
        role(aggregationRule=SELECTOR), role(aggregationRule=SELECTOR, rules=RULE), id="aggregated role"
    ),
    pytest.param(
        job(), job(**{"controller-uid": "u", "batch.kubernetes.io/job-name": "x"}), id="pods of a Job"
    ),
    pytest.param(APP, {**APP, "operation": {"sync": {"revision": "1"}}}, id="running sync"),
    pytest.param(INGRESS, annotated(INGRESS, "ingress.kubernetes.io/backends"), id="load balancer"),
]

REPORTED = [
    pytest.param(service(), service(externalIPs=["1.2.3.4"]), id="external address"),
    pytest.param(
        ACCOUNT, {**ACCOUNT, "secrets": [{"name": "other-token-abc"}]}, id="token of another account"
    ),
    pytest.param(
        ACCOUNT, {**ACCOUNT, "imagePullSecrets": [{"name": "registry"}]}, id="pull secret of a person"
    ),
    pytest.param(
        config_map(),
        annotated(config_map(), "deployment.kubernetes.io/revision"),
        id="revision of what has none",
    ),
    pytest.param(
        NAMESPACE,
        labelled(NAMESPACE, {"pod-security.kubernetes.io/enforce": "privileged"}),
        id="label of a namespace",
    ),
    pytest.param(role(), role(rules=RULE), id="rules of a role that aggregates nothing"),
    pytest.param(
        thing("v1", "Secret"), thing("v1", "Secret", data={"token": "dA=="}), id="key of another Secret"
    ),
    pytest.param(hook(), hook(config={"url": "https://x"}), id="another webhook"),
    pytest.param(deployment(), deployment(paused=True), id="paused"),
    pytest.param(
        thing("v1", "Endpoints"),
        thing("v1", "Endpoints", subsets=[{"ports": [{"port": 1}]}]),
        id="any other kind",
    ),
]


@pytest.mark.parametrize(("desired", "live"), SILENT)
def test_what_a_server_or_a_controller_adds_is_not_even_listed(desired, live):
    verdict = judged(desired, live)
    assert (verdict.name, verdict.fields) == ("clean", ())


NOTES = [
    ("v1", "Service", "annotations", "cloud.google.com/neg-status"),
    ("v1", "PersistentVolumeClaim", "annotations", "pv.kubernetes.io/bind-completed"),
    ("v1", "PersistentVolumeClaim", "annotations", "pv.kubernetes.io/bound-by-controller"),
    ("v1", "PersistentVolumeClaim", "annotations", "volume.beta.kubernetes.io/storage-provisioner"),
    ("v1", "PersistentVolumeClaim", "annotations", "volume.kubernetes.io/selected-node"),
    ("v1", "PersistentVolumeClaim", "annotations", "volume.kubernetes.io/storage-provisioner"),
    ("v1", "PersistentVolumeClaim", "annotations", "volume.kubernetes.io/storage-resizer"),
    ("v1", "PersistentVolume", "annotations", "pv.kubernetes.io/bound-by-controller"),
    ("v1", "PersistentVolume", "annotations", "pv.kubernetes.io/provisioned-by"),
    ("apps/v1", "Deployment", "annotations", "deployment.kubernetes.io/revision"),
    ("apps/v1", "DaemonSet", "annotations", "deprecated.daemonset.template.generation"),
    ("batch/v1", "Job", "annotations", "batch.kubernetes.io/job-tracking"),
    ("batch/v1", "Job", "labels", "batch.kubernetes.io/controller-uid"),
    ("batch/v1", "Job", "labels", "batch.kubernetes.io/job-name"),
    ("batch/v1", "Job", "labels", "controller-uid"),
    ("batch/v1", "Job", "labels", "job-name"),
    ("autoscaling/v1", "HorizontalPodAutoscaler", "annotations", "autoscaling.alpha.kubernetes.io/behavior"),
    (
        "autoscaling/v1",
        "HorizontalPodAutoscaler",
        "annotations",
        "autoscaling.alpha.kubernetes.io/conditions",
    ),
    (
        "autoscaling/v1",
        "HorizontalPodAutoscaler",
        "annotations",
        "autoscaling.alpha.kubernetes.io/current-metrics",
    ),
    ("autoscaling/v1", "HorizontalPodAutoscaler", "annotations", "autoscaling.alpha.kubernetes.io/metrics"),
    ("apiregistration.k8s.io/v1", "APIService", "labels", "kube-aggregator.kubernetes.io/automanaged"),
    ("argoproj.io/v1alpha1", "Application", "annotations", "argocd.argoproj.io/hydrate"),
    ("argoproj.io/v1alpha1", "Application", "annotations", "argocd.argoproj.io/refresh"),
    ("v1", "Anything", "annotations", "argocd.argoproj.io/installation-id"),
    ("v1", "Anything", "annotations", "argocd.argoproj.io/tracking-id"),
    ("karpenter.k8s.aws/v1", "EC2NodeClass", "annotations", "karpenter.k8s.aws/ec2nodeclass-hash"),
    ("karpenter.k8s.aws/v1", "EC2NodeClass", "annotations", "karpenter.k8s.aws/ec2nodeclass-hash-version"),
    ("karpenter.sh/v1", "NodePool", "annotations", "karpenter.sh/nodepool-hash"),
    ("karpenter.sh/v1", "NodePool", "annotations", "karpenter.sh/nodepool-hash-version"),
    ("serving.knative.dev/v1", "Service", "annotations", "serving.knative.dev/creator"),
    ("serving.knative.dev/v1", "Route", "annotations", "serving.knative.dev/lastModifier"),
    *(
        ("networking.k8s.io/v1", "Ingress", "annotations", f"ingress.kubernetes.io/{name}")
        for name in (
            "backends",
            "forwarding-rule",
            "https-forwarding-rule",
            "https-target-proxy",
            "ssl-cert",
            "target-proxy",
            "url-map",
        )
    ),
]


@pytest.mark.parametrize(("version", "kind", "place", "name"), NOTES)
def test_a_note_of_a_controller_is_one_on_its_own_kind_and_where_nothing_is_declared(
    version, kind, place, name
):
    desired = thing(version, kind)
    live = thing(version, kind, {place: {name: "2"}})
    assert judged(desired, live).name == "clean"
    # A controller may write another value for the next object.
    assert judged(desired, live, create=thing(version, kind, {place: {name: "1"}})).name == "clean"
    assert judged(desired, thing(version, kind, {place: {f"{name}-x": "2"}})).name == "drift-unmanaged"
    if kind != "Anything":
        assert (
            judged(thing("v1", "Other"), thing("v1", "Other", {place: {name: "2"}})).name == "drift-unmanaged"
        )


def test_the_parts_of_a_job_that_tie_pods_to_it_are_the_controllers():
    labels = (
        "batch.kubernetes.io/controller-uid",
        "batch.kubernetes.io/job-name",
        "controller-uid",
        "job-name",
    )
    desired = job()
    live = job(**dict.fromkeys(labels, "u"))
    live["spec"]["selector"] = {"matchLabels": dict.fromkeys(labels, "u")}
    created = job(**dict.fromkeys(labels, "v"))
    created["spec"]["selector"] = {"matchLabels": dict.fromkeys(labels, "v")}
    assert judged(desired, live, create=created).name == "clean"
    live["spec"]["selector"]["matchLabels"]["app"] = "y"
    assert judged(desired, live, create=created).name == "drift-unmanaged"


@pytest.mark.parametrize("key", ["ca.crt", "namespace", "token"])
def test_the_token_controller_fills_three_keys(key):
    assert judged(TOKEN, {**TOKEN, "data": {key: "dA=="}}).name == "clean"
    assert judged(TOKEN, {**TOKEN, "data": {f"{key}x": "dA=="}}).name == "drift-unmanaged"


@pytest.mark.parametrize("name", ["kubernetes.io/service-account.uid"])
def test_the_token_controller_marks_its_secrets(name):
    assert judged(TOKEN, annotated(TOKEN, name)).name == "clean"
    assert judged(thing("v1", "Secret"), annotated(thing("v1", "Secret"), name)).name == "drift-unmanaged"
    used = labelled(TOKEN, {"kubernetes.io/legacy-token-last-used": "2026-01-01"})
    assert judged(TOKEN, used).name == "clean"


def test_a_served_api_has_the_usual_port():
    api = thing("apiregistration.k8s.io/v1", "APIService", spec={"service": {"name": "s"}})
    for port, name in ((443, "clean"), (8443, "drift-unmanaged")):
        live = thing("apiregistration.k8s.io/v1", "APIService", spec={"service": {"name": "s", "port": port}})
        assert judged(api, live, create=None).name == name


def test_a_pod_is_bound_to_a_node():
    desired = thing("v1", "Pod", spec={"containers": [{"name": "c"}]})
    live = thing("v1", "Pod", spec={"containers": [{"name": "c"}], "nodeName": "n1"})
    assert judged(desired, live).name == "clean"


def test_a_map_that_is_set_as_a_whole_takes_no_additions():
    desired = thing("v1", "Secret", metadata={}, selector={"a": "b"})
    live = thing("v1", "Secret", metadata={}, selector={"a": "b", "c": "d"})
    assert judged(desired, live, apply=desired).name == "drift"


@pytest.mark.parametrize(("desired", "live"), REPORTED)
def test_what_is_close_to_it_is_an_addition(desired, live):
    assert judged(desired, live).name == "drift-unmanaged"


@pytest.mark.parametrize(
    ("desired", "live"),
    [
        pytest.param(service(clusterIP="10.0.0.5"), service(clusterIP="10.0.0.6"), id="address"),
        pytest.param(service(clusterIP="None"), service(clusterIP="10.0.0.6"), id="headless"),
        pytest.param(
            service(ports=[{"port": 80, "protocol": "TCP", "nodePort": 30999}]),
            service(ports=[{"port": 80, "protocol": "TCP", "nodePort": 30998}]),
            id="node port",
        ),
    ],
)
def test_an_allocation_that_is_declared_is_compared_with_what_is_declared(desired, live):
    created = service(clusterIP="10.9.9.9")
    assert judged(desired, live, apply=desired, create=created).name == "drift"
    assert judged(desired, desired, create=created).name == "clean"


def test_an_allocation_that_somebody_chose_is_an_addition():
    port = 'k:{"port":80,"protocol":"TCP"}'
    live = owned(
        service(ports=[{"port": 80, "protocol": "TCP", "nodePort": 30999}]),
        entry("kubectl-edit", fields_v1("f:spec", "f:ports", port, "f:nodePort")),
    )
    verdict = judged(service(), live)
    assert verdict.name == "drift-unmanaged"
    assert [(field.desired, field.live) for field in verdict.fields] == [(None, 30999)]
    handed_out = service(ports=[{"port": 80, "protocol": "TCP", "nodePort": 31111}])
    assert judged(service(), live, create=handed_out) == verdict
    # The probe for another object may by chance have been handed out the same.
    assert judged(service(), live, create=live).name == "drift-unmanaged"


def test_a_server_that_no_longer_knows_the_writer_has_not_seen_a_choice():
    live = owned(
        service(clusterIP="10.0.0.5"), entry("before-first-apply", fields_v1("f:spec", "f:clusterIP"))
    )
    assert judged(service(), live).name == "clean"


@pytest.mark.parametrize(
    ("manager", "subresource", "name"),
    [
        ("kube-controller-manager", "scale", "explained"),
        ("keda-operator", "scale", "explained"),
        ("kubectl", "scale", "drift"),
        ("k9s", "scale", "drift"),
        ("kube-controller-manager", "", "drift"),
        ("kubectl-edit", "", "drift"),
    ],
)
def test_declared_replicas_are_an_autoscalers_only_through_scale(manager, subresource, name):
    live = owned(deployment(replicas=5), entry(manager, SCALE, subresource=subresource))
    assert judged(deployment(replicas=2), live, apply=deployment(replicas=2)).name == name


def test_replicas_that_nothing_declares_are_reported_where_a_person_wrote_them():
    live = owned(deployment(replicas=5), entry("kubectl-edit", SCALE))
    assert judged(deployment(), live, create=deployment(replicas=1)).name == "drift-unmanaged"


def test_replicas_that_were_declared_once_wait_to_be_taken_away():
    live = owned(deployment(replicas=5), entry(US, SCALE, "Apply"))
    assert (
        judged(deployment(), live, apply=deployment(replicas=1), create=deployment(replicas=1)).name
        == "drift"
    )


def test_a_finalizer_that_was_declared_once_waits_to_be_taken_away():
    held = thing("v1", "ConfigMap", {"finalizers": ["example.com/a"]}, data={"k": "v"})
    live = owned(held, entry(US, {"f:metadata": {"f:finalizers": {'v:"example.com/a"': {}}}}, "Apply"))
    assert judged(config_map(k="v"), live, apply=config_map(k="v")).name == "drift"


def test_a_declared_finalizer_that_is_gone_is_drift():
    desired = thing("v1", "ConfigMap", {"finalizers": ["example.com/a"]}, data={})
    assert paths(judged(desired, config_map(), apply=desired)) == ["/metadata/finalizers"]


def test_the_mark_of_argo_cd_stays_though_its_own_apply_would_take_it_away():
    key = "argocd.argoproj.io/tracking-id"
    live = owned(
        thing("v1", "ConfigMap", {"annotations": {key: "a:/ConfigMap:n/x"}}, data={}),
        entry(US, fields_v1("f:metadata", "f:annotations", f"f:{key}"), "Apply"),
    )
    assert judged(config_map(), live, apply=config_map()).name == "clean"


def test_a_restart_is_listed_and_nobody_has_to_act():
    stamp = {"kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z"}
    desired = deployment()
    live = deployment()
    live["spec"]["template"]["metadata"] = {"annotations": stamp}
    verdict = judged(desired, live)
    assert (verdict.name, verdict.severity, len(verdict.fields)) == ("explained", "info", 1)
    live["spec"]["template"]["metadata"] = {"annotations": {**stamp, "sidecar.istio.io/inject": "false"}}
    assert paths(judged(desired, live)) == ["/spec/template/metadata/annotations/sidecar.istio.io~1inject"]


@pytest.mark.parametrize(
    ("live", "name"),
    [
        ([{"key": "a"}, {"key": "b"}], "explained"),
        ([{"key": "b"}, {"key": "a"}, {"key": "c"}], "drift"),
        ([{"key": "b"}], "drift"),
        ([], "drift"),
    ],
)
def test_tolerations_may_stand_behind_the_declared_ones(live, name):
    desired = deployment(pod={"tolerations": [{"key": "a"}]})
    assert judged(desired, deployment(pod={"tolerations": live}), apply=desired).name == name


def test_tolerations_where_none_are_declared_are_an_addition():
    assert judged(deployment(), deployment(pod={"tolerations": [{"key": "a"}]})).name == "drift-unmanaged"


@pytest.mark.parametrize("placeholder", ["", "Cg==", None])
def test_a_ca_that_is_declared_empty_is_listed_once_filled_in(placeholder):
    desired, live = hook(config={"caBundle": placeholder}), hook(config={"caBundle": CA})
    assert judged(desired, live, apply=desired).name == ("clean" if placeholder is None else "explained")


@pytest.mark.parametrize(
    ("desired", "manager"),
    [
        pytest.param(hook(config={"caBundle": "T1VS"}), CAINJECTOR, id="a declared CA"),
        pytest.param(hook(config={"caBundle": ""}), "kubectl-edit", id="written by a person"),
    ],
)
def test_any_other_ca_is_drift(desired, manager):
    path = fields_v1("f:webhooks", 'k:{"name":"a.b.c"}', "f:clientConfig", "f:caBundle")
    live = owned(hook(config={"caBundle": CA}), entry(manager, path))
    assert judged(desired, live, apply=desired).name == "drift"


def test_the_ca_of_a_conversion_and_of_an_api_is_filled_in_too():
    converted = {"strategy": "Webhook", "webhook": {"clientConfig": {"service": {"name": "s"}}}}
    filled = {
        "strategy": "Webhook",
        "webhook": {"clientConfig": {"service": {"name": "s", "port": 443}, "caBundle": CA}},
    }
    assert judged(crd(conversion=converted), crd(conversion=filled), create=None).name == "clean"
    api = thing("apiregistration.k8s.io/v1", "APIService", spec={"group": "g"})
    assert judged(api, {**api, "spec": {"group": "g", "caBundle": CA}}, create=None).name == "clean"


def test_the_rules_of_an_aggregated_role_that_are_declared_empty_are_explained():
    desired, live = role(aggregationRule=SELECTOR, rules=[]), role(aggregationRule=SELECTOR, rules=RULE)
    assert judged(desired, live, apply=desired).name == "explained"
    by_hand = owned(live, entry("kubectl-edit", fields_v1("f:rules")))
    assert judged(desired, by_hand, apply=desired).name == "drift"


def test_the_rules_of_webhooks_are_nobodys_to_expand():
    desired, live = hook(rules=[{"resources": ["a"]}]), hook(rules=[{"resources": ["a", "b"]}])
    assert judged(desired, owned(live, entry("knative", {})), apply=desired).name == "drift"


def test_istiod_alone_closes_its_webhook():
    path = fields_v1("f:webhooks", 'k:{"name":"a.b.c"}', "f:failurePolicy")
    desired, live = hook(failurePolicy="Ignore"), hook(failurePolicy="Fail")
    assert judged(desired, owned(live, entry("pilot-discovery", path)), apply=desired).name == "explained"
    assert judged(desired, owned(live, entry("knative", path)), apply=desired).name == "drift"
    assert judged(live, owned(desired, entry("pilot-discovery", path)), apply=live).name == "drift"


@pytest.mark.parametrize(
    ("manager", "operation", "name"),
    [
        ("trust-manager", "Apply", "clean"),
        ("trust-manager", "Update", "drift-unmanaged"),
        ("kubectl", "Apply", "drift-unmanaged"),
        ("kubectl-client-side-apply", "Update", "drift-unmanaged"),
    ],
)
def test_another_tool_may_declare_data_labels_and_annotations(manager, operation, name):
    data = owned(config_map(a="1", z="2"), entry(manager, fields_v1("f:data", "f:z"), operation))
    assert judged(config_map(a="1"), data).name == name
    labels = owned(labelled(config_map(), {"a": "b"}), entry(manager, KEPT_BY, operation))
    assert judged(config_map(), labels).name == name


def test_no_tool_may_declare_what_runs():
    container = 'k:{"name":"miner"}'
    path = fields_v1("f:spec", "f:template", "f:spec", "f:containers", container)
    live = deployment(
        pod={"containers": [{"name": "c", "image": "app:1"}, {"name": "miner", "image": "e:1"}]}
    )
    assert judged(deployment(), owned(live, entry("trust-manager", path, "Apply"))).name == "drift-unmanaged"


def test_a_claimed_volume_has_the_claim_that_is_declared():
    def volume(**claim_ref):
        return thing("v1", "PersistentVolume", spec={"claimRef": claim_ref})

    desired = volume(name="c", namespace="n")
    assert judged(desired, volume(name="c", namespace="n", uid="u"), apply=desired).name == "clean"
    assert judged(desired, volume(name="d", namespace="n", uid="u"), apply=desired).name == "drift"


def test_a_definition_is_compared_though_it_cannot_be_probed():
    filled = crd(names={"singular": "gadget", "listKind": "GadgetList"}, conversion={"strategy": "None"})
    assert judged(crd(), filled, create=None).name == "clean"
    assert paths(judged(crd(), crd(names={"shortNames": ["g"]}), create=None)) == ["/spec/names/shortNames"]
    assert judged(crd(), crd(names={"singular": "thing"}), create=None).name == "drift-unmanaged"


def test_the_token_of_a_pods_account_is_mounted_under_a_random_name():
    desired = thing("v1", "Pod", spec={"containers": [{"name": "c", "image": "app:1"}]})
    assert judged(desired, pod("kube-api-access-zzzzz"), create=pod("kube-api-access-abcde")).name == "clean"
    host = judged(
        desired, pod("kube-api-access-zzzzz", hostPath={"path": "/"}), create=pod("kube-api-access-abcde")
    )
    assert (host.name, host.severity) == ("drift-unmanaged", "critical")
    assert judged(desired, pod("mine"), create=pod("kube-api-access-abcde")).name == "drift-unmanaged"


def test_every_row_has_a_reason_and_a_narrow_place():
    for rule in RULES:
        assert rule.reason, rule
        assert len(rule.path) > 1 or rule.kinds is not None, rule
        assert not rule.reason.endswith("."), rule


def test_actors_are_named_newest_first():
    live = owned(
        config_map(a="1", y="1", z="1"),
        entry("first", fields_v1("f:data", "f:y"), time="2026-01-01T00:00:00Z"),
        entry("second", fields_v1("f:data", "f:z"), time=LATER),
    )
    assert [actor.manager for actor in judged(config_map(a="1"), live).actors] == ["second", "first"]
