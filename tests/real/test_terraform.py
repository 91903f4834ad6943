"""Every Terraform root that we compile, judged by the real core and read back from its plans.

What is expected here is written by hand from Google's documents; nothing is asked of our own code
but to compile. Providers are stand-ins that serve recorded schemas, see `support.stub_provider`.
"""

from __future__ import annotations

import json
import re
import unicodedata
from operator import itemgetter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plinth.backends.terraform import BACKEND
from plinth.ir.graph import build
from plinth.ir.said import Because
from plinth.ir.targets import TerraformResource
from support import recordings, stub_provider, terraform, tf_schema
from support.distinct_roots import closures, distinct
from support.modules import Modules
from support.roots import addresses, of_edition, roots, whole, written

LAYERS = ("network", "cluster", "platform")
PROJECTS = {"dev": ("acme-ml-dev", 123456789012), "prod": ("acme-ml-prod", 210987654321)}


@pytest.fixture(
    scope="session",
    # What was planned once serves every test, so one worker runs all those of a program.
    params=[pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in sorted(terraform.OVERRIDES)],
)
def tool(request):
    found = terraform.find(request.param)
    if found is None:
        pytest.skip(terraform.missing(request.param))
    return found


@pytest.fixture(scope="session")
def plan_of(tool, every_root):
    """The plan of a root of the example by its environment and layer."""
    return lambda environment, layer: every_root(tool, "oldest").plans[f"example/{environment}/{layer}"]


def of_type(plan, kind):
    return {
        address.partition(".")[2]: after
        for address, after in terraform.planned(plan).items()
        if address.startswith(f"{kind}.")
    }


def test_every_root_is_tried():
    assert {name for edition in recordings.EDITIONS for name in of_edition(edition)} == set(roots())
    assert len(roots()) >= 100


def test_every_block_is_tried_with_all_that_it_refers_to():
    def decisive(some):
        return {part.text for files in some.values() for part in closures(files).values()}

    assert decisive(distinct(roots())) == decisive(roots())
    assert set(distinct(roots())) < set(roots())


@pytest.mark.parametrize("edition", recordings.EDITIONS)
def test_every_root_fits_the_schemas_of_its_providers(edition):
    schemas = tf_schema.load(recordings.EDITIONS[edition]())
    faults = {name: tf_schema.check(whole(files), schemas) for name, files in of_edition(edition).items()}
    assert {name: found for name, found in faults.items() if found} == {}


@pytest.mark.parametrize("edition", recordings.EDITIONS)
def test_every_root_is_valid_and_is_planned_to_be_created(edition, tool, every_root):
    plans = every_root(tool, edition).plans
    assert {name: terraform.actions(plan) for name, plan in plans.items()} == {
        name: dict.fromkeys(addresses(whole(files)), ("create",))
        for name, files in of_edition(edition).items()
    }
    assert "google_service_account_key" not in json.dumps(plans)


@pytest.mark.parametrize(
    "name",
    ["cloud-aws-budget/default/platform", "cloud-azure-cluster/default/cluster", "example/dev/cluster"],
)
def test_a_root_among_others_is_planned_as_by_itself(name, tool, every_root, stub_providers, tmp_path):
    part = every_root(tool, "oldest").plans[name]
    alone = terraform.plan(
        tool, written(roots()[name], tmp_path / "files"), work=tmp_path, reattach=stub_providers
    )
    alone["planned_values"].pop("outputs", None)  # of a module no plan tells them

    assert without_times({key: alone[key] for key in part}) == without_times(part)
    assert len(alone["configuration"]["root_module"]["resources"]) > 1


def without_times(plan):
    """A plan without when it was made, and without what the configuration of a provider is called inside of it."""
    told = [plan["planned_values"]["root_module"], plan["configuration"]["root_module"]]
    for each in told:
        each["resources"].sort(key=itemgetter("address"))
    text = re.sub(r'"provider_config_key": "[^"]+"', "", json.dumps(plan, sort_keys=True))
    return re.sub(r"20\d\d-\d\d-\d\dT[\d:]{8}Z", "", text)


def test_pods_and_services_have_ranges_of_their_own(plan_of):
    (subnetwork,) = of_type(plan_of("dev", "network"), "google_compute_subnetwork").values()
    ranges = {each["range_name"]: each["ip_cidr_range"] for each in subnetwork["secondary_ip_range"]}
    (cluster,) = of_type(plan_of("dev", "cluster"), "google_container_cluster").values()
    (used,) = cluster["ip_allocation_policy"]

    assert ranges == {"pods": "10.1.0.0/16", "services": "10.2.0.0/16"}
    assert subnetwork["ip_cidr_range"] == "10.0.0.0/16"
    assert ranges[used["cluster_secondary_range_name"]] == "10.1.0.0/16"
    assert ranges[used["services_secondary_range_name"]] == "10.2.0.0/16"


def test_private_nodes_have_one_way_out(plan_of):
    plan = plan_of("dev", "network")
    (nat,) = of_type(plan, "google_compute_router_nat").values()
    (address,) = of_type(plan, "google_compute_address").values()
    (cluster,) = of_type(plan_of("dev", "cluster"), "google_container_cluster").values()
    (private,) = cluster["private_cluster_config"]

    assert address["address_type"] == "EXTERNAL"
    assert nat["nat_ip_allocate_option"] == "MANUAL_ONLY"
    assert nat["source_subnetwork_ip_ranges_to_nat"] == "LIST_OF_SUBNETWORKS"
    assert [each["source_ip_ranges_to_nat"] for each in nat["subnetwork"]] == [["ALL_IP_RANGES"]]
    assert private["enable_private_nodes"] is True
    assert private["enable_private_endpoint"] is True


def test_nothing_lets_in_the_whole_world(plan_of):
    rules = of_type(plan_of("dev", "network"), "google_compute_firewall").values()
    assert {source for rule in rules for source in rule["source_ranges"]} == {
        "35.235.240.0/20",
        "172.16.0.0/28",
    }


@pytest.fixture(scope="session")
def applied(tool, stub_providers, tmp_path_factory):
    """Every root of the example, applied and planned again."""
    example = {name: files for name, files in roots().items() if name.startswith("example/")}
    work = tmp_path_factory.mktemp("applied")
    return Modules(tool, example, work=work, reattach=stub_providers, apply=True)


def test_no_password_is_kept(applied):
    assert '"serial": ' in applied.written
    assert '"google_sql_user"' in applied.written
    assert stub_provider.NEVER_STORED not in applied.written


@pytest.mark.parametrize("environment", PROJECTS)
def test_what_was_applied_needs_no_change_and_gives_nodes_two_roles(environment, applied):
    """Who a member is, is known after apply only, so the roles are read from the plan after one.

    Source: GKE, "Use least privilege service accounts"; Artifact Registry, "Access control".
    """
    email = f"acme-ml-nodes@{PROJECTS[environment][0]}.iam.gserviceaccount.com"
    granted, accounts = set(), set()
    for layer in LAYERS:
        plan = applied.plans[f"example/{environment}/{layer}"]
        assert terraform.planned(plan)
        assert terraform.actions(plan) == {}
        for address, after in terraform.planned(plan).items():
            kind = address.partition(".")[0]
            if "_iam_" in kind and email in after["member"]:
                granted.add((kind, after["role"]))
        accounts |= {
            after["node_config"][0]["service_account"]
            for after in of_type(plan, "google_container_node_pool").values()
        }

    assert granted == {
        ("google_project_iam_member", "roles/container.defaultNodeServiceAccount"),
        ("google_artifact_registry_repository_iam_member", "roles/artifactregistry.reader"),
    }
    assert accounts == {email}


@pytest.mark.parametrize("environment", PROJECTS)
def test_pool_t4_is_an_n1_with_one_t4_spot_from_none_to_three(environment, plan_of):
    pool = of_type(plan_of(environment, "cluster"), "google_container_node_pool")["t4"]
    (limits,), (config,) = pool["autoscaling"], pool["node_config"]
    (gpu,) = config["guest_accelerator"]

    assert (limits["total_min_node_count"], limits["total_max_node_count"]) == (0, 3)
    assert (limits["min_node_count"], limits["max_node_count"]) == (None, None)
    assert config["machine_type"] == "n1-standard-4"
    assert (gpu["type"], gpu["count"]) == ("nvidia-tesla-t4", 1)
    assert config["spot"] is True


@pytest.mark.parametrize("environment", PROJECTS)
def test_workloads_are_known_by_their_service_account(environment, plan_of):
    """Source: Workload Identity Federation for GKE, "principal identifiers"."""
    project, number = PROJECTS[environment]
    plan = plan_of(environment, "platform")
    pool = f"principal://iam.googleapis.com/projects/{number}/locations/global/workloadIdentityPools/{project}.svc.id.goog/subject"
    (cluster,) = of_type(plan_of(environment, "cluster"), "google_container_cluster").values()
    members = {
        address: after["member"]
        for address, after in terraform.planned(plan).items()
        if "_iam_" in address.partition(".")[0]
    }

    assert [each["workload_pool"] for each in cluster["workload_identity_config"]] == [
        f"{project}.svc.id.goog"
    ]
    reader, entry = (
        f"{pool}/ns/external-secrets/sa/external-secrets",
        "google_secret_manager_secret_iam_member",
    )
    assert members == {
        f"{entry}.acme-ml-jupyterhub": reader,
        f"{entry}.acme-ml-postgres-mlflow": reader,
        f"{entry}.google-sign-in": reader,
        "google_storage_bucket_iam_member.mlflow-mlflow-artifacts": f"{pool}/ns/mlflow/sa/mlflow",
    }


@pytest.mark.parametrize("environment", PROJECTS)
def test_the_database_has_no_public_address(environment, plan_of):
    (server,) = of_type(plan_of(environment, "platform"), "google_sql_database_instance").values()
    (ip,) = server["settings"][0]["ip_configuration"]
    assert ip["ipv4_enabled"] is False
    assert ip["private_network"] == f"projects/{PROJECTS[environment][0]}/global/networks/acme-ml"
    assert ip["ssl_mode"] == "ENCRYPTED_ONLY"


def test_nobody_reads_a_bucket_without_a_name(plan_of):
    (bucket,) = of_type(plan_of("dev", "platform"), "google_storage_bucket").values()
    assert bucket["public_access_prevention"] == "enforced"
    assert bucket["uniform_bucket_level_access"] is True


@pytest.mark.parametrize("environment", PROJECTS)
@pytest.mark.parametrize("layer", LAYERS)
def test_each_root_has_a_state_of_its_own(environment, layer):
    # A plan does not tell its backend, and the tests swap it: this one is read from the file.
    backend = whole(roots()[f"example/{environment}/{layer}"])["terraform"]["backend"]
    assert backend == {"gcs": {"bucket": "acme-ml-terraform", "prefix": f"acme-ml/{environment}/{layer}"}}


PIECES = [
    "${",
    "%{",
    "$${",
    "%%{",
    "$",
    "%",
    "{",
    "}",
    "~}",
    '"',
    "\\",
    "\n",
    "\t",
    "file(",
    "é",
    "\u2028",
    " ",
    "if true",
]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=12).map("".join) | st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=12
)


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(TEXTS, min_size=40, max_size=80, unique=True))
def test_text_of_a_user_is_never_a_template(texts, tool, stub_providers, tmp_path):
    # Core itself brings every text into Unicode's composed form.
    labels = {unicodedata.normalize("NFC", text): unicodedata.normalize("NFC", text) for text in texts}
    bucket = TerraformResource(
        layer="platform",
        type="google_storage_bucket",
        name="texts",
        arguments={"name": "texts", "location": "EU", "labels": labels},
        origins=(Because("a person wrote it"),),
    )
    files = BACKEND.emit(build([bucket]), "dev")
    root = written(
        {path.rpartition("/")[2]: made.content for path, made in files.items()}, tmp_path / "files"
    )
    plan = terraform.plan(tool, root, work=tmp_path, reattach=stub_providers)
    assert terraform.planned(plan)["google_storage_bucket.texts"]["labels"] == labels
