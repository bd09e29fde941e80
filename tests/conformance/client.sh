#!/bin/sh
# A client for the suite: does with `mcptask` what the scenario wants of the server at $1.
set -eu
url=$1
answers='{"ok":true,"confirm":true,"confirmed":true,"name":"Ada"}'
call() {
    tool=$1
    shift
    printf '%s' "$answers" | "$MCPTASK" submit "$tool" --server "$url" --wait --no-input --answers - "$@"
}
case $MCP_CONFORMANCE_SCENARIO in
initialize) "$MCPTASK" tools --server "$url" --era legacy ;;
tools_call) call add_numbers --arg a=5 --arg b=3 ;;
elicitation-sep1034-client-defaults) answers='[{}]'; call test_client_elicitation_defaults ;;
sse-retry) call test_reconnection --era legacy ;;
request-metadata) "$MCPTASK" tools --server "$url" ;;
sep-2322-client-request-state)
    for tool in test_mrtr_echo_state test_mrtr_no_state test_mrtr_unrelated test_mrtr_no_result_type; do
        call "$tool"
    done ;;
http-standard-headers) call test_headers; call my-hyphenated-tool ;;
*) echo "no such scenario: $MCP_CONFORMANCE_SCENARIO" >&2; exit 2 ;;
esac
