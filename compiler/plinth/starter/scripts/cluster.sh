# Which cluster $ENVIRONMENT is, as it was compiled.
set -eu
jq -r '.resource.google_container_cluster[] | "name=\(.name)", "project=\(.project)", "location=\(.location)"' \
  "generated/$ENVIRONMENT/terraform/cluster/google_container_cluster.tf.json" >> "$GITHUB_OUTPUT"
