#!/bin/sh
# A client for the suite: does with `mcptask` what the scenario wants of the server at $1.
set -eu
url=$1
command -v python3 >/dev/null || { echo 'python3 is missing; install it with: apt-get install python3' >&2; exit 2; }
answers='{"ok":true,"confirm":true,"confirmed":true,"name":"Ada"}'
call() {
    tool=$1
    shift
    printf '%s' "$answers" | "$MCPTASK" submit "$tool" --server "$url" --wait --no-input --answers - "$@"
}
# A part of the n-th call that the scenario gives.
given() {
    python3 -c '
import json, os, sys
part = json.loads(os.environ["MCP_CONFORMANCE_CONTEXT"])["toolCalls"][int(sys.argv[1])][sys.argv[2]]
print(part if isinstance(part, str) else json.dumps(part))' "$1" "$2"
}
case $MCP_CONFORMANCE_SCENARIO in
initialize) "$MCPTASK" tools --server "$url" --era legacy ;;
tools_call) call add_numbers --arg a=5 --arg b=3 ;;
elicitation-sep1034-client-defaults) answers='[{}]'; call test_client_elicitation_defaults ;;
sse-retry) call test_reconnection --era legacy ;;
request-metadata)
    "$MCPTASK" tools --server "$url"
    # The server has no tools; but who brings answers declares that it can be asked, which the suite looks at.
    call any || [ $? = 9 ] ;;
sep-2322-client-request-state)
    for tool in test_mrtr_echo_state test_mrtr_no_state test_mrtr_unrelated test_mrtr_no_result_type; do
        call "$tool"
    done ;;
http-standard-headers) call test_headers; call my-hyphenated-tool ;;
http-invalid-tool-headers) call valid_tool --arg region=us-west1 ;;
http-custom-headers)
    for number in 0 1; do
        call "$(given "$number" name)" --args-json "$(given "$number" arguments)"
    done ;;
json-schema-2020-12-preservation)
    schema=$("$MCPTASK" tools json_schema_2020_12_tool --server "$url" --json | python3 -c '
import json, sys
print(json.dumps({"schema": json.load(sys.stdin)["input_schema"]}))')
    call json_schema_echo --args-json "$schema" ;;
json-schema-ref-no-deref) "$MCPTASK" tools --server "$url" ;;
*) echo "no such scenario: $MCP_CONFORMANCE_SCENARIO" >&2; exit 2 ;;
esac
