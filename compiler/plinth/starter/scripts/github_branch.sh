# Moves $BRANCH forward to this commit; git's own rule, no force: where it cannot go forward, it stays.
set -eu
if gh api "repos/$GITHUB_REPOSITORY/git/ref/heads/$BRANCH" --silent; then
  gh api --method PATCH "repos/$GITHUB_REPOSITORY/git/refs/heads/$BRANCH" \
    --raw-field sha="$GITHUB_SHA" --field force=false --silent
else
  gh api --method POST "repos/$GITHUB_REPOSITORY/git/refs" \
    --raw-field ref="refs/heads/$BRANCH" --raw-field sha="$GITHUB_SHA" --silent
fi
