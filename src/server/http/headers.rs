//! SEP-2243 headers of renamed modern requests: `Mcp-Method`, `Mcp-Name` and `Mcp-Param-*` repeat parts of
//! the body for intermediaries, so they must agree with it.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue};
use rmcp::ErrorData;
use serde_json::{Number, Value};

const VERSION: &str = "mcp-protocol-version";
const METHOD: &str = "mcp-method";
const NAME: &str = "mcp-name";
const PARAM: &str = "mcp-param-";

/// Refuses two versions: whoever stands in between may read the other one.
pub(super) fn check_version(headers: &HeaderMap) -> Result<(), ErrorData> {
    single(headers, VERSION).map(drop)
}

/// Makes the method header follow the renaming, where it agreed with the body.
pub(super) fn follow_method(headers: &mut HeaderMap, method: &str, private: &str) -> Result<(), ErrorData> {
    let Some(given) = single(headers, METHOD)? else { return Ok(()) };
    if given != method {
        return Err(mismatch(format!("Mcp-Method header {given:?} does not match body method {method:?}")));
    }
    if let Ok(private) = HeaderValue::from_str(private) {
        headers.insert(HeaderName::from_static(METHOD), private);
    }
    Ok(())
}

/// Checks the name header. Real clients leave it out on `tasks/*`, so only a tool's name is demanded.
pub(super) fn check_name(headers: &HeaderMap, method: &str, params: &Value) -> Result<(), ErrorData> {
    let (key, demanded) = match method {
        "tools/call" => ("name", true),
        "tasks/get" | "tasks/update" | "tasks/cancel" | "tasks/result" => ("taskId", false),
        _ => return Ok(()),
    };
    let Some(expected) = params.get(key).and_then(Value::as_str) else { return Ok(()) };
    match single(headers, NAME)?.map(decoded) {
        None if demanded => Err(mismatch(format!("the Mcp-Name header is missing for {method:?}"))),
        None => Ok(()),
        Some(Some(given)) if given == expected => Ok(()),
        Some(Some(given)) => {
            Err(mismatch(format!("Mcp-Name header {given:?} does not match body value {expected:?}")))
        }
        Some(None) => Err(mismatch("the Mcp-Name header is not valid Base64".to_owned())),
    }
}

/// Checks the headers that a tool's input schema asks for by `x-mcp-header`.
pub(super) fn check_params(headers: &HeaderMap, schema: &Value, params: &Value) -> Result<(), ErrorData> {
    let mut annotated = Vec::new();
    annotations(schema, &mut Vec::new(), &mut annotated);
    for (path, header) in annotated {
        let full = format!("{PARAM}{}", header.to_ascii_lowercase());
        let argument = params
            .get("arguments")
            .and_then(|arguments| path.iter().try_fold(arguments, |value, key| value.get(key)));
        let expected = argument.filter(|value| value.is_string() || value.is_number() || value.is_boolean());
        let given = single(headers, &full)?;
        let agrees = match (given, expected) {
            (None, None) => true,
            (Some(given), Some(expected)) => decoded(given).is_some_and(|given| is_same(&given, expected)),
            _ => false,
        };
        if !agrees {
            let argument = path.join(".");
            return Err(mismatch(format!(
                "the header Mcp-Param-{header} does not match the argument {argument:?}"
            )));
        }
    }
    Ok(())
}

fn annotations<'a>(schema: &'a Value, path: &mut Vec<&'a str>, found: &mut Vec<(Vec<&'a str>, &'a str)>) {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return };
    for (name, property) in properties {
        path.push(name);
        if let Some(header) =
            property.get("x-mcp-header").and_then(Value::as_str).filter(|one| !one.is_empty())
        {
            found.push((path.clone(), header));
        }
        annotations(property, path, found);
        path.pop();
    }
}

/// Whether a header says that value: a number may be written in another way than in the body.
fn is_same(given: &str, value: &Value) -> bool {
    match value {
        Value::String(text) => given == text,
        Value::Bool(truth) => given == if *truth { "true" } else { "false" },
        Value::Number(number) => match serde_json::from_str(given) {
            Ok(Value::Number(given)) => is_same_number(&given, number),
            _ => false,
        },
        _ => false,
    }
}

/// Whole numbers are compared as such, since a fraction cannot hold the large ones.
fn is_same_number(one: &Number, other: &Number) -> bool {
    let whole = |number: &Number| number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
    match (whole(one), whole(other)) {
        (Some(one), Some(other)) => one == other,
        _ => one.as_f64().zip(other.as_f64()).is_some_and(|(one, other)| one.total_cmp(&other).is_eq()),
    }
}

/// The only value of a header.
fn single<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, ErrorData> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(mismatch(format!("the header {name} is there more than once")));
    }
    let text = value.to_str();
    text.map(Some).map_err(|_| mismatch(format!("the header {name} has characters that are not allowed")))
}

/// What a header says: as it is, or in Base64 between `=?base64?` and `?=`.
fn decoded(value: &str) -> Option<String> {
    let wrapped = value.strip_prefix("=?base64?").and_then(|rest| rest.strip_suffix("?="));
    let Some(wrapped) = wrapped else { return Some(value.to_owned()) };
    String::from_utf8(BASE64_STANDARD.decode(wrapped).ok()?).ok()
}

fn mismatch(message: String) -> ErrorData {
    ErrorData::header_mismatch(message, None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn given(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &str)| {
            (HeaderName::from_static(name), value.parse().expect("a header value"))
        };
        let mut headers = HeaderMap::new();
        for (name, value) in pairs.iter().map(pair) {
            headers.append(name, value);
        }
        headers
    }

    #[test]
    fn a_name_may_be_wrapped_and_must_agree() {
        let params = json!({ "name": "café" });
        let wrapped = given(&[("mcp-name", "=?base64?Y2Fmw6k=?=")]);
        assert!(check_name(&wrapped, "tools/call", &params).is_ok());
        for wrong in ["cafe", "=?base64?***?=", "=?base64?Y2Fm?="] {
            assert!(check_name(&given(&[("mcp-name", wrong)]), "tools/call", &params).is_err(), "{wrong}");
        }
        let twice = given(&[("mcp-name", "x"), ("mcp-name", "x")]);
        assert!(check_name(&twice, "tasks/get", &json!({ "taskId": "x" })).is_err());
    }

    #[test]
    fn annotated_arguments_have_their_headers() {
        let schema = json!({ "properties": {
            "region": { "type": "string", "x-mcp-header": "Region" },
            "deep": { "properties": { "count": { "type": "integer", "x-mcp-header": "Count" } } } } });
        let check = |pairs: &[(&'static str, &str)], arguments: Value| {
            check_params(&given(pairs), &schema, &json!({ "arguments": arguments })).is_ok()
        };
        let arguments = json!({ "region": "eu", "deep": { "count": 3 } });
        assert!(check(&[("mcp-param-region", "eu"), ("mcp-param-count", "3")], arguments.clone()));
        assert!(!check(&[("mcp-param-region", "us"), ("mcp-param-count", "3")], arguments.clone()));
        assert!(!check(&[("mcp-param-region", "eu")], arguments));
        for (written, count) in
            [("3.0", json!(3)), ("3", json!(3.0)), ("3e0", json!(3)), ("0.5", json!(0.50))]
        {
            let arguments = json!({ "deep": { "count": count } });
            assert!(check(&[("mcp-param-count", written)], arguments), "{written} is {count}");
        }
        for (written, count) in [("4", json!(3)), ("3", json!("3.0")), ("+3", json!(3)), ("true", json!(1))] {
            let arguments = json!({ "deep": { "count": count } });
            assert!(!check(&[("mcp-param-count", written)], arguments), "{written} is not {count}");
        }
        let large = json!({ "deep": { "count": 9_007_199_254_740_993_u64 } });
        assert!(
            !check(&[("mcp-param-count", "9007199254740992")], large),
            "what a fraction cannot tell apart"
        );
        assert!(check(&[], json!({ "region": null })));
        assert!(!check(&[("mcp-param-region", "eu")], json!({})), "a header without its argument");
    }
}
