# Moves $BRANCH forward to this commit, without force: where it cannot go forward, it stays.
set -eu
move() {
  if gh api "repos/$GITHUB_REPOSITORY/git/ref/heads/$BRANCH" --silent; then
    gh api --method PATCH "repos/$GITHUB_REPOSITORY/git/refs/heads/$BRANCH" \
      --raw-field sha="$GITHUB_SHA" --field force=false --silent
  else
    gh api --method POST "repos/$GITHUB_REPOSITORY/git/refs" \
      --raw-field ref="refs/heads/$BRANCH" --raw-field sha="$GITHUB_SHA" --silent
  fi
}
# GitHub may refuse a workflow's own token where workflows have changed on the way; a person may always.
move || { echo "::error::not moved; if it may go forward, do it: git push origin $GITHUB_SHA:refs/heads/$BRANCH"; exit 1; }
