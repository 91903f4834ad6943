# One issue for each environment: opened where something has drifted, closed where nothing has any more.
# It names what differs and shows no values: an issue is read by more people than a cluster.
set -eu
code=0
plinth drift --env "$ENVIRONMENT" --format json > drift.json || code=$?
case $code in
  0) said="Nothing has drifted." ;;
  2) said="What runs is not what was compiled." ;;
  3) said="Something could not be read, so this is not known to be clean." ;;
  *) cat drift.json; exit "$code" ;;
esac
marker="<!-- plinth drift: $ENVIRONMENT -->"
{
  echo "$marker"
  echo "$said See [the run]($RUN) and \`plinth drift --env $ENVIRONMENT\`."
  echo
  jq -r '.findings[:100][]? | "- \(.severity) \(.class): `\(.id)`"' drift.json
} > issue.md
cat issue.md >> "$GITHUB_STEP_SUMMARY"
gh api --paginate "repos/$GITHUB_REPOSITORY/issues?state=open&per_page=100" > issues.json
number=$(jq -rs --arg marker "$marker" \
  '[.[][] | select(.user.type == "Bot" and (.pull_request | not) and (.body // "" | startswith($marker))) | .number]
    | first // empty' issues.json)
if [ "$code" = 0 ]; then
  if [ -n "$number" ]; then
    gh api --method PATCH "repos/$GITHUB_REPOSITORY/issues/$number" --raw-field state=closed --silent
  fi
elif [ -n "$number" ]; then
  gh api --method PATCH "repos/$GITHUB_REPOSITORY/issues/$number" --field body=@issue.md --silent
else
  gh api --method POST "repos/$GITHUB_REPOSITORY/issues" \
    --raw-field title="Drift in $ENVIRONMENT" --field body=@issue.md --silent
fi
exit "$code"
