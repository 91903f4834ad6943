"""What each cloud's own program is asked for, as a person would type it."""

from __future__ import annotations

import pytest

from plinth.bootstrap.first_hour import first_hour
from plinth.bootstrap.show import as_script
from plinth.clouds.aws import commands as aws
from plinth.clouds.azure import commands as azure
from plinth.clouds.gcp import commands as gcp
from plinth.ir.commands import WantedSecret, repository_secret

SECRETS = (
    WantedSecret(
        name="sign-in", namespace="jupyterhub", keys=("clientID", "clientSecret"), is_generated=False
    ),
    WantedSecret(name="tokens", namespace="jupyterhub", keys=("cookie",), is_generated=True),
)

GCP = gcp.commands(
    project="acme-ml-dev",
    region="us-central1",
    cluster="acme-ml",
    state_bucket="acme-state",
    has_dns_endpoint=True,
    secrets=SECRETS,
)
AWS = aws.commands(
    account="123456789012",
    region="eu-west-1",
    cluster="acme-ml",
    cluster_arn="arn:aws:eks:eu-west-1:123456789012:cluster/acme-ml",
    state_bucket="acme-state",
    is_private=True,
    secrets=SECRETS,
)
AZURE = azure.commands(
    subscription="00000000-0000-0000-0000-000000000001",
    region="westeurope",
    resource_group="acme-ml",
    cluster="acme-ml",
    state_account="acmestate",
    state_container="state",
    admin_groups=("00000000-0000-0000-0000-000000000002",),
    vault="acme-ml",
    node_resource_group="acme-ml-nodes",
    is_private=True,
    secrets=SECRETS,
)


def typed(commands):
    """The lines that a shell would run before Argo CD, without comments."""
    steps = first_hour(
        "dev", (), commands, terraform="terraform", repository=("https://example.com/a.git", None)
    )
    lines = as_script(steps).splitlines()
    return [line for line in lines if line and not line.startswith(("#", "kubectl"))]


def asked(commands):
    """The questions whether something is there, apart from those to the cluster."""
    steps = first_hour(
        "dev", (), commands, terraform="terraform", repository=("https://example.com/a.git", None)
    )
    return [
        (step.check.text(), step.check.prints)
        for step in steps
        if step.check and step.check.argv[0] != "kubectl"
    ]


def test_google_cloud():
    assert typed(GCP) == [
        (
            "gcloud storage buckets create gs://acme-state --project=acme-ml-dev --location=us-central1 "
            "--uniform-bucket-level-access --public-access-prevention --quiet"
        ),
        "gcloud storage buckets update gs://acme-state --project=acme-ml-dev --versioning --quiet",
        (
            "gcloud container clusters get-credentials acme-ml --location=us-central1 --project=acme-ml-dev "
            "--dns-endpoint --quiet"
        ),
        "gcloud secrets versions add sign-in --project=acme-ml-dev --data-file=sign-in.json",
    ]
    assert asked(GCP) == [
        (
            "gcloud storage buckets describe gs://acme-state --project=acme-ml-dev '--format=value(name)' --quiet",
            None,
        ),
        (
            (
                "gcloud storage buckets describe gs://acme-state --project=acme-ml-dev "
                "'--format=value(versioning_enabled)' --quiet"
            ),
            "True",
        ),
        (
            "gcloud secrets versions describe latest --secret=sign-in --project=acme-ml-dev '--format=value(state)' --quiet",
            None,
        ),
    ]
    assert GCP.context == "gke_acme-ml-dev_us-central1_acme-ml"


def test_a_control_plane_with_an_address_is_not_asked_for_its_dns_name():
    public = gcp.commands(
        project="p", region="r", cluster="c", state_bucket=None, has_dns_endpoint=False, secrets=()
    )
    assert typed(public) == ["gcloud container clusters get-credentials c --location=r --project=p --quiet"]
    assert "network.allow" in public.way_in


def test_aws():
    assert typed(AWS) == [
        (
            "aws s3api create-bucket --bucket=acme-state --region=eu-west-1 "
            "--create-bucket-configuration=LocationConstraint=eu-west-1"
        ),
        (
            "aws s3api put-public-access-block --bucket=acme-state --region=eu-west-1 --expected-bucket-owner=123456789012 "
            "--public-access-block-configuration=BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,"
            "RestrictPublicBuckets=true"
        ),
        (
            "aws s3api put-bucket-versioning --bucket=acme-state --region=eu-west-1 --expected-bucket-owner=123456789012 "
            "--versioning-configuration=Status=Enabled"
        ),
        "aws eks update-kubeconfig --name=acme-ml --region=eu-west-1",
        "aws secretsmanager put-secret-value --secret-id=sign-in --region=eu-west-1 --secret-string=file://sign-in.json",
    ]
    assert AWS.context == "arn:aws:eks:eu-west-1:123456789012:cluster/acme-ml"
    assert [prints for _, prints in asked(AWS)] == [None, "True\tTrue\tTrue\tTrue", "Enabled", "1"]


def test_the_first_region_of_aws_takes_no_constraint():
    first = aws.commands(
        account="1",
        region="us-east-1",
        cluster="c",
        cluster_arn="a",
        state_bucket="b",
        is_private=False,
        secrets=(),
    )
    assert typed(first)[0] == "aws s3api create-bucket --bucket=b --region=us-east-1"


def test_azure():
    scope = (
        "--scope=/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/acmestate"
        "/providers/Microsoft.Storage/storageAccounts/acmestate"
    )
    of = "--subscription=00000000-0000-0000-0000-000000000001"
    assert typed(AZURE) == [
        f"az group create --name=acmestate --location=westeurope {of} --output=none",
        (
            f"az storage account create --name=acmestate --resource-group=acmestate {of} --location=westeurope "
            "--sku=Standard_ZRS --kind=StorageV2 --min-tls-version=TLS1_2 --allow-blob-public-access=false "
            "--allow-shared-key-access=false --output=none"
        ),
        (
            f"az storage account blob-service-properties update --account-name=acmestate --resource-group=acmestate {of} "
            "--enable-versioning=true --output=none"
        ),
        (
            f"az storage container-rm create --storage-account=acmestate --resource-group=acmestate --name=state {of} "
            "--output=none"
        ),
        (
            "az role assignment create --assignee-object-id=00000000-0000-0000-0000-000000000002 "
            f"--assignee-principal-type=Group '--role=Storage Blob Data Contributor' {scope} --output=none"
        ),
        f"az aks get-credentials --resource-group=acme-ml --name=acme-ml --context=acme-ml {of} --overwrite-existing",
        "kubelogin convert-kubeconfig --context=acme-ml --login=azurecli",
        f"az keyvault secret set --vault-name=acme-ml --name=sign-in {of} --file=sign-in.json --output=none",
    ]
    assert not AZURE.disks_outlive_cluster


@pytest.mark.parametrize("commands", [GCP, AWS, AZURE], ids=["gcp", "aws", "azure"])
def test_only_what_a_person_has_is_asked_of_a_person_and_by_a_file(commands):
    (making,) = commands.secrets
    assert "sign-in" in making.what
    (command,) = making.commands
    assert 'sign-in.json holds {"clientID": "...", "clientSecret": "..."}' in command.purpose


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("https://github.com/acme/ml.git", "--from-literal=username=USER --from-file=password=FILE"),
        ("git@github.com:acme/ml.git", "--from-file=sshPrivateKey=FILE"),
    ],
)
def test_the_credentials_of_a_repository(url, key):
    made, labelled = repository_secret("lab", "argocd-repository", url).commands
    assert made.text() == (
        "kubectl --context=lab -n argocd create secret generic argocd-repository --from-literal=type=git "
        f"--from-literal=url={url} {key}"
    )
    assert labelled.text() == (
        "kubectl --context=lab -n argocd label secret argocd-repository argocd.argoproj.io/secret-type=repository"
    )
