# The job fails where something has drifted (2) or could not be read (3); the artifact says what.
set -eu
code=0
plinth drift --env "$ENVIRONMENT" --format json > plinth-drift.json || code=$?
jq -r '.findings[]? | "\(.severity) \(.class): \(.id)"' plinth-drift.json
exit "$code"
