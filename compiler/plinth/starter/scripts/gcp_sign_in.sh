# GitLab says who this job is; Google believes it (workload identity federation). No key is kept anywhere.
set -eu
umask 077
printf '%s' "$PLINTH_ID_TOKEN" > /tmp/id-token
jq -n --arg provider "$PROVIDER" --arg account "$ACCOUNT" '{
    type: "external_account",
    audience: "//iam.googleapis.com/\($provider)",
    subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
    token_url: "https://sts.googleapis.com/v1/token",
    credential_source: {file: "/tmp/id-token"},
    service_account_impersonation_url:
      "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/\($account):generateAccessToken"
  }' > /tmp/credentials.json
export GOOGLE_APPLICATION_CREDENTIALS=/tmp/credentials.json
