# Credentials of kubectl for the cluster of $ENVIRONMENT, over its DNS name: reachable from anywhere.
set -eu
file="generated/$ENVIRONMENT/terraform/cluster/google_container_cluster.tf.json"
value() { jq -r ".resource.google_container_cluster[] | .$1" "$file"; }
gcloud auth login --quiet --cred-file=/tmp/credentials.json
gcloud container clusters get-credentials "$(value name)" --project="$(value project)" \
  --location="$(value location)" --dns-endpoint
