"""`plinth compile --diff` on AWS and Azure: what is made anew, for which argument, and what becomes of the data.

Google Cloud's are in `test_diff_command.py`, single arguments in `support/single_changes_*.py`.
"""

from __future__ import annotations

import json
import shutil

import pytest

from plinth.cli import main
from support import golden
from support.repository import commit, repository

STOPS = "`prevent_destroy` refuses it: Terraform stops there"


@pytest.fixture(scope="module")
def committed(tmp_path_factory):
    """The platform of three clouds on each, compiled and committed."""

    def at(cloud):
        folder = repository(tmp_path_factory.mktemp(cloud) / "tree")
        shutil.copy(golden.FOLDER / f"clouds-{cloud}" / "platform.yaml", folder)
        assert main(["compile", "-C", str(folder)]) == 0
        commit(folder)
        return folder

    return {cloud: at(cloud) for cloud in ("aws", "azure")}


@pytest.fixture
def told(committed, tmp_path, capsys):
    """What a diff says of one edit: address -> action, reasons, the fields that differ."""

    def run(cloud, old, new):
        tree = shutil.copytree(committed[cloud], tmp_path / "tree", symlinks=True)
        text = (tree / "platform.yaml").read_text(encoding="utf-8")
        assert text.count(old) == 1
        (tree / "platform.yaml").write_text(text.replace(old, new), encoding="utf-8")
        capsys.readouterr()
        assert main(["compile", "--diff", "-C", str(tree), "--format", "json"]) == 2
        changes = json.loads(capsys.readouterr().out)["changes"]
        return {
            each["address"]: (each["action"], each["reasons"], [field["path"] for field in each["fields"]])
            for each in changes
            if each["layer"] == "terraform"
        }

    return run


SERVICES = ("services: 10.2.0.0/16", "services: 10.4.0.0/16")


def test_on_aws_another_range_of_services_is_another_cluster_which_nothing_destroys(told):
    assert told("aws", *SERVICES) == {
        "aws_eks_cluster.platform": (
            "replace",
            ["no `aws_eks_cluster` changes `kubernetes_network_config.service_ipv4_cidr` in place", STOPS],
            ["/kubernetes_network_config/0/service_ipv4_cidr"],
        )
    }


def test_on_azure_another_range_of_services_is_another_cluster_which_nothing_destroys(told):
    assert told("azure", *SERVICES) == {
        "azurerm_kubernetes_cluster.platform": (
            "replace",
            [
                "no `azurerm_kubernetes_cluster` changes `network_profile.dns_service_ip` in place",
                "no `azurerm_kubernetes_cluster` changes `network_profile.service_cidr` in place",
                STOPS,
            ],
            ["/network_profile/0/dns_service_ip", "/network_profile/0/service_cidr"],
        )
    }


def test_on_aws_machines_of_another_kind_are_a_group_that_comes_before_the_old_one_goes(told):
    found = told("aws", "name: system, cpu: 4,", "name: system, cpu: 16,")
    action, reasons, _ = found["aws_eks_node_group.system"]
    assert action == "replace"
    assert "the new one is made before the old one goes" in reasons
    assert STOPS not in reasons


def moved(found, *names):
    """The reasons of what is made anew, for some that have to be among it."""
    return {name: found[name][1] for name in names if found[name][0] == "replace"}


def test_on_aws_another_region_moves_everything_and_terraform_stops_at_the_keys(told):
    found = told("aws", "region: us-east-1", "region: eu-west-1")
    stops = "it rests on `aws_kms_key.{}`, at which Terraform stops first".format
    anew = "no `{}` changes `region` in place".format
    assert moved(found, "aws_kms_key.data", "aws_s3_bucket.artifacts", "aws_vpc.platform") == {
        "aws_kms_key.data": [anew("aws_kms_key"), STOPS],
        "aws_s3_bucket.artifacts": [anew("aws_s3_bucket"), STOPS],
        "aws_vpc.platform": [anew("aws_vpc")],
    }
    behind = moved(found, "aws_eks_cluster.platform", "aws_db_instance.mlflow")
    assert {address: reasons[-2:] for address, reasons in behind.items()} == {
        "aws_eks_cluster.platform": [STOPS, stops("cluster")],
        "aws_db_instance.mlflow": [STOPS, stops("data")],
    }
    stay = {address.partition(".")[0] for address, each in found.items() if each[0] != "replace"}
    # Roles and the public zone are the account's, in whichever region; the rest is no resource.
    assert {kind for kind in stay if kind.startswith("aws_")} <= {"aws_iam_policy", "aws_iam_role_policy"}


def test_on_azure_another_region_moves_everything_and_terraform_stops_at_what_holds_data(told):
    found = told("azure", "region: eastus2", "region: westeurope")
    anew = "no `{}` changes `location` in place".format
    assert moved(
        found,
        "azurerm_key_vault.platform",
        "azurerm_kubernetes_cluster.platform",
        "azurerm_storage_account.platform",
    ) == {
        "azurerm_key_vault.platform": [anew("azurerm_key_vault"), STOPS],
        "azurerm_kubernetes_cluster.platform": [
            anew("azurerm_kubernetes_cluster"),
            STOPS,
            "it rests on `azurerm_key_vault.platform`, at which Terraform stops first",
        ],
        "azurerm_storage_account.platform": [anew("azurerm_storage_account"), STOPS],
    }
    located = {address for address, (_, _, fields) in found.items() if "/location" in fields}
    assert {found[address][0] for address in located} == {"replace"}
