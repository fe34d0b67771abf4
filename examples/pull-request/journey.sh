#!/usr/bin/env bash
# The way of a pull request, from a branch to the audit record, in a repository of its own.
#
#   AWS_ENDPOINT_URL=http://127.0.0.1:5000 ./journey.sh [FOLDER]
#
# FOLDER is made; it must not be there yet. `baseline` and git must be in the PATH. The password policy of the account
# that the credentials are of is changed: on an emulator, or with REALLY=yes on that account itself.
set -euo pipefail

say() { printf '\n== %s\n' "$*"; }

# Runs a command that must exit with this code, and shows what it says.
exits() {
    local wanted=$1 code=0
    shift
    printf '$ %s\n' "$*" >&2
    "$@" || code=$?
    if ((code != wanted)); then
        printf 'expected exit code %d, and it was %d\n' "$wanted" "$code" >&2
        exit 1
    fi
}

git_() { git -c user.name=jo -c user.email=jo@acme.example -c commit.gpgsign=false "$@"; }

if [[ -z ${AWS_ENDPOINT_URL:-} && ${REALLY:-} != yes ]]; then
    echo 'AWS_ENDPOINT_URL names no emulator. With REALLY=yes the account of the credentials is changed.' >&2
    exit 64
fi
folder=${1:-$(mktemp -d)/journey}
if [[ -e $folder ]]; then
    echo "$folder is there already" >&2
    exit 64
fi

say 'A repository with the desired state of one account, as it is applied today'
mkdir -p "$folder"
cd "$folder"
git init --quiet --initial-branch main .
baseline init --region eu-west-1 desired-state
# Two settings are enough for a story.
cat > desired-state/baselines/recommended.yaml <<'YAML'
apiVersion: baseline/v1
kind: Baseline
metadata:
  name: recommended
spec:
  controls:
    iam.password-policy:
      minimumLength: 14
      reusePrevention: 24
      require: {lowercase: true, uppercase: true, numbers: true, symbols: true}
    s3.account-public-access:
      block: all
YAML
rm desired-state/baselines/log-archive.yaml
# Emulators do not list an account's regions.
sed -i.bak -e '/use: log-archive/d' -e 's/all-enabled/[eu-west-1]/' desired-state/organization.yaml
rm desired-state/organization.yaml.bak
exits 0 baseline validate
git add . && git_ commit --quiet --message 'desired state'
exits 0 baseline apply --auto-approve

say 'A branch asks for longer passwords: its plan is a file and a comment'
git checkout --quiet -b longer-passwords
sed -i.bak 's/minimumLength: 14/minimumLength: 16/' desired-state/baselines/recommended.yaml
rm desired-state/baselines/recommended.yaml.bak
git_ commit --quiet --all --message 'longer passwords'
exits 0 baseline plan --changed-since main --out plan.json --format markdown > comment.md
cat comment.md
digest=$(grep -o 'sha256:[0-9a-f]\{64\}' comment.md | tail -n 1)

say 'Reviewed and merged'
git checkout --quiet main
git_ merge --quiet --no-ff --message 'merge longer-passwords' longer-passwords

say 'A plan that somebody has altered is refused'
sed 's/"minimumLength": 16/"minimumLength": 6/' plan.json > altered.json
exits 3 baseline apply altered.json --expect "$digest" --auto-approve

say 'Exactly the plan that was reviewed is applied'
exits 0 baseline apply plan.json --expect "$digest" --auto-approve

say 'Once'
exits 3 baseline apply plan.json --expect "$digest" --auto-approve

say 'It holds, and the record says what was done'
exits 0 baseline plan --detailed-exitcode
find desired-state/.audit -type f -name '*.json' | sort
