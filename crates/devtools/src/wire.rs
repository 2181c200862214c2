//! The JSON messages of the DevTools protocol, as pure functions: text in, meaning out, no panic on anything.
//!
//! A message is read in two passes. [`head`] checks the whole text but keeps only what routes it; the payload is built
//! by [`outcome`] or [`params`] only for those that somebody waits for. So a flood of unwanted messages costs no memory.
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Longest text of the peer that is passed on in an error, in characters.
const QUOTE: usize = 500;

/// Why a text is no DevTools message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(String);

/// Where a message belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Head {
    /// The answer to the command with this id.
    Answer {
        /// The id that the command was sent with.
        id: u64,
    },
    /// Something happened in the target.
    Event {
        /// `Domain.name`.
        method: String,
        /// The flattened session it happened in; none for the connection's own target.
        session: Option<String>,
    },
    /// The peer could not read one of our messages and so cannot say which (a JSON-RPC error without an id).
    Complaint(Refusal),
}

/// The peer's `error` object.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Refusal {
    /// JSON-RPC error code.
    pub code: i64,
    /// The peer's words.
    pub message: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawHead {
    id: Option<u64>,
    method: Option<String>,
    session_id: Option<String>,
    error: Option<Refusal>,
}

#[derive(Deserialize)]
struct RawOutcome {
    result: Option<Value>,
    error: Option<Refusal>,
}

#[derive(Deserialize)]
struct RawParams {
    #[serde(default)]
    params: Value,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RawCommand<'a> {
    id: u64,
    method: &'a str,
    #[serde(skip_serializing_if = "Value::is_null")]
    params: &'a Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_id: Option<&'a str>,
}

/// The text of a command. `params` is an object, or null for none.
///
/// # Errors
/// The reason why `params` cannot be written as JSON.
pub fn command(id: u64, method: &str, params: &Value, session: Option<&str>) -> Result<String, String> {
    serde_json::to_string(&RawCommand { id, method, params, session_id: session }).map_err(|error| error.to_string())
}

/// Where a message belongs. Checks the syntax of the whole text.
///
/// # Errors
/// [`Malformed`] for what is not JSON, not an object, or neither an answer nor an event.
pub fn head(text: &str) -> Result<Head, Malformed> {
    let raw: RawHead = read(text)?;
    match (raw.id, raw.method, raw.error) {
        (Some(id), None, _) => Ok(Head::Answer { id }),
        (None, Some(method), None) => Ok(Head::Event { method, session: raw.session_id }),
        (None, None, Some(refusal)) => Ok(Head::Complaint(short(refusal))),
        _ => Err(Malformed("a message is neither an answer nor an event".to_owned())),
    }
}

/// What an answer says: the `result`, or the `error`.
///
/// # Errors
/// [`Malformed`] when it has neither or both.
pub fn outcome(text: &str) -> Result<Result<Value, Refusal>, Malformed> {
    let raw: RawOutcome = read(text)?;
    match (raw.result, raw.error) {
        (Some(result), None) => Ok(Ok(result)),
        (None, Some(refusal)) => Ok(Err(short(refusal))),
        _ => Err(Malformed("an answer has not one of result and error".to_owned())),
    }
}

/// The `params` of an event, null when it has none.
///
/// # Errors
/// [`Malformed`] when the text is no JSON object.
pub fn params(text: &str) -> Result<Value, Malformed> {
    read::<RawParams>(text).map(|raw| raw.params)
}

fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Malformed> {
    // serde reads a struct from an array, too; a DevTools message is always an object.
    if !text.trim_start().starts_with('{') {
        return Err(Malformed("a message is not a JSON object".to_owned()));
    }
    serde_json::from_str(text).map_err(|error| Malformed(quote(&error.to_string())))
}

fn short(refusal: Refusal) -> Refusal {
    Refusal { code: refusal.code, message: quote(&refusal.message) }
}

fn quote(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(QUOTE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn a_command_says_nothing_that_was_not_asked() {
        assert_eq!(command(7, "A.b", &Value::Null, None).unwrap(), r#"{"id":7,"method":"A.b"}"#);
        assert_eq!(
            command(8, "A.b", &json!({"c": 1}), Some("S")).unwrap(),
            r#"{"id":8,"method":"A.b","params":{"c":1},"sessionId":"S"}"#
        );
    }

    #[test]
    fn answers_events_and_complaints_are_told_apart() {
        assert_eq!(head(r#"{"id":1,"result":{}}"#), Ok(Head::Answer { id: 1 }));
        assert_eq!(
            head(r#"{"method":"A.b","params":{},"sessionId":"S"}"#),
            Ok(Head::Event { method: "A.b".into(), session: Some("S".into()) })
        );
        let refusal = Refusal { code: -32700, message: "JSON: bad".into() };
        assert_eq!(head(r#"{"error":{"code":-32700,"message":"JSON: bad"}}"#), Ok(Head::Complaint(refusal.clone())));
        assert_eq!(outcome(r#"{"id":1,"result":{"a":[1]}}"#), Ok(Ok(json!({"a": [1]}))));
        assert_eq!(outcome(r#"{"id":1,"error":{"code":-32700,"message":"JSON: bad","data":"x"}}"#), Ok(Err(refusal)));
        assert_eq!(params(r#"{"method":"A.b"}"#), Ok(Value::Null));
    }

    #[test]
    fn garbage_is_an_error_and_never_taken_for_an_answer() {
        let deep = format!(r#"{{"method":"A.b","params":{}}}"#, "[".repeat(100_000));
        let texts = [
            "",
            "null",
            "1",
            "\"x\"",
            "[1,null,null,null]",
            "{}",
            "{",
            r#"{"id":-1}"#,
            r#"{"id":1.5}"#,
            r#"{"id":"1"}"#,
            r#"{"id":18446744073709551616}"#,
            r#"{"id":1,"id":2}"#,
            r#"{"id":1,"method":"A.b"}"#,
            r#"{"method":7}"#,
            r#"{"method":"A.b","params":"#,
            r#"{"id":1} trailing"#,
            r#"{"error":7}"#,
            &deep,
        ];
        for text in texts {
            assert!(head(text).is_err(), "{}", &text[..text.len().min(60)]);
        }
        for text in [r#"{"id":1}"#, r#"{"id":1,"result":{},"error":{"code":1,"message":""}}"#, r#"{"id":1,"error":{}}"#]
        {
            assert!(outcome(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_long_complaint_cannot_fill_the_log() {
        let long = format!(r#"{{"error":{{"code":1,"message":"{}"}}}}"#, "x\\n".repeat(100_000));
        let Ok(Head::Complaint(refusal)) = head(&long) else { panic!("not a complaint") };
        assert_eq!(refusal.message.chars().count(), QUOTE);
        assert!(!refusal.message.contains('\n'));
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in ".{0,200}") {
            let _ = (head(&text), outcome(&text), params(&text));
        }

        #[test]
        fn no_object_makes_the_reader_panic(text in r#"\{"(id|method|params|result|error|sessionId)":[-0-9a-z{}\[\]",:.\\]{0,40}\}"#) {
            let _ = (head(&text), outcome(&text), params(&text));
        }
    }
}
