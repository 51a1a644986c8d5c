#!/usr/bin/env bash
# Call the API with a signed request, by curl and OpenSSL 3.
#   CALLER=demo SECRET_HEX=... KEY=case-0001 examples/call.sh POST http://127.0.0.1:8765/v1/licences body.json
# What is signed, and why, is in docs/api.md. For trials: a secret in the environment or in a command
# line can be read by others on the same machine.
set -euo pipefail
method=$1 url=$2 body=${3:-/dev/null}
created=${CREATED:-$(date +%s)} nonce=${NONCE:-$(openssl rand -hex 16)}

target=/${url#*://*/} # from the path on
path=${target%%\?*} query=
case $target in *\?*) query=${target#*\?} ;; esac

digest="sm3=:$(openssl dgst -sm3 -binary "$body" | base64):"
names='"@method" "@path" "@query" "content-digest"'
base=$(printf '"@method": %s\n"@path": %s\n"@query": ?%s\n"content-digest": %s' \
  "$method" "$path" "$query" "$digest")
sent=(-H "Content-Digest: $digest")
cover() { # cover NAME VALUE: send a header and sign it
  names+=" \"$1\"" base+=$'\n'"\"$1\": $2"
  sent+=(-H "$1: $2")
}
if [ -s "$body" ]; then
  cover content-type "${TYPE:-application/json}"
  sent+=(--data-binary "@$body")
fi
if [ -n "${KEY:-}" ]; then cover idempotency-key "$KEY"; fi

signed="($names);created=$created;nonce=\"$nonce\";keyid=\"$CALLER\";alg=\"hmac-sm3\""
base+=$'\n'"\"@signature-params\": $signed"
value=$(printf '%s' "$base" | openssl mac -digest SM3 -macopt "hexkey:$SECRET_HEX" -binary HMAC | base64)

exec "${CURL:-curl}" -sS --fail-with-body -X "$method" "${sent[@]}" \
  -H "Signature-Input: sig1=$signed" -H "Signature: sig1=:$value:" "$url"
