//! What a message says of its client, read before rmcp's types, which lose what they do not know.

use rmcp::ErrorData;
use rmcp::model::InitializeRequestParams;
use serde_json::Value;

use super::dialect::{self, Era};
use super::errors::invalid;

/// Where a modern request declares what its client can (2026-07-28, basic).
const CAPABILITIES: &str = "/params/_meta/io.modelcontextprotocol~1clientCapabilities";

/// Where `initialize` does.
const LEGACY_CAPABILITIES: &str = "/params/capabilities";

/// The modes of elicitation that there are.
const MODES: [&str; 2] = ["form", "url"];

/// Refuses an `initialize` that cannot be read: to rmcp it would be an unknown request.
pub(super) fn check_initialize(message: &Value) -> Result<(), ErrorData> {
    let begins = message.get("method").is_some_and(|method| method == "initialize");
    // The modern era has no such method, whatever its params are.
    if message.get("id").is_none() || !begins || dialect::era(message) == Era::Modern {
        return Ok(());
    }
    let params = message.get("params").unwrap_or(&Value::Null);
    match params.get("protocolVersion") {
        Some(Value::String(_)) => {}
        Some(other) => {
            return Err(invalid(format!("params.protocolVersion must be a string, not {other}")));
        }
        None => return Err(invalid("params.protocolVersion is missing")),
    }
    let read: Result<InitializeRequestParams, _> = serde_json::from_value(params.clone());
    read.map(drop).map_err(|error| invalid(format!("the params of initialize cannot be read: {error}")))
}

/// Takes an elicitation capability away that names only modes which there are not; whether there was one. `{}` alone
/// means forms (client/elicitation), and without the unknown names it would be just that.
pub(super) fn drop_unknown_elicitation(message: &mut Value) -> bool {
    [CAPABILITIES, LEGACY_CAPABILITIES].into_iter().fold(false, |any, pointer| {
        let capabilities = message.pointer_mut(pointer).and_then(Value::as_object_mut);
        any | capabilities.is_some_and(|capabilities| {
            let is_unknown = capabilities.get("elicitation").is_some_and(names_unknown_only);
            is_unknown && capabilities.shift_remove("elicitation").is_some()
        })
    })
}

/// Whether it names something, and no mode that there is. What is null is not named.
fn names_unknown_only(elicitation: &Value) -> bool {
    let named = elicitation.as_object().into_iter().flatten().filter(|(_, declared)| !declared.is_null());
    let mut named = named.map(|(mode, _)| mode.as_str()).peekable();
    named.peek().is_some() && !named.any(|mode| MODES.contains(&mode))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_elicitation_of_unknown_modes_is_none_in_both_eras() {
        for (declared, stays) in [
            (json!({}), true),
            (json!({ "form": {} }), true),
            (json!({ "form": null }), true),
            (json!({ "url": {}, "holo": {} }), true),
            (json!({ "holo": {} }), false),
            (json!({ "form": null, "holo": {} }), false),
        ] {
            let capabilities = json!({ "elicitation": declared, "roots": {} });
            for mut message in [
                json!({ "id": 1, "method": "initialize", "params": { "capabilities": capabilities } }),
                json!({ "id": 1, "method": "tools/call", "params": { "_meta": {
                    "io.modelcontextprotocol/clientCapabilities": capabilities } } }),
            ] {
                let before = message.clone();
                assert_eq!(drop_unknown_elicitation(&mut message), !stays, "{before}");
                assert_eq!(message == before, stays, "{message}");
                assert_eq!(message.to_string().contains("elicitation"), stays, "{message}");
            }
        }
    }

    #[test]
    fn an_initialize_that_cannot_be_read_is_named() {
        let client = json!({ "name": "test", "version": "1" });
        let good = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client });
        let initialize = |params: &Value| json!({ "id": 1, "method": "initialize", "params": params });
        assert_eq!(check_initialize(&initialize(&good)), Ok(()));
        assert_eq!(check_initialize(&json!({ "id": 1, "method": "ping" })), Ok(()));
        for (key, value, named) in [
            ("protocolVersion", json!(null), "protocolVersion must be a string, not null"),
            ("protocolVersion", json!(5), "protocolVersion must be a string, not 5"),
            ("capabilities", json!(5), "cannot be read"),
            ("clientInfo", json!("test"), "cannot be read"),
        ] {
            let mut params = good.clone();
            params[key] = value;
            let error = check_initialize(&initialize(&params)).expect_err(key);
            assert!(error.message.contains(named), "{error:?}");
        }
        let modern = json!({ "_meta": { "io.modelcontextprotocol/protocolVersion": "2026-07-28" } });
        assert_eq!(check_initialize(&initialize(&modern)), Ok(()), "an unknown method there");
        for params in [json!(null), json!([]), json!({})] {
            assert!(check_initialize(&initialize(&params)).is_err(), "{params}");
        }
    }
}
