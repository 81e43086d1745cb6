//! `ExtraInfo`: what an operator adds to every `info.json` (`IIIF_EXTRA_INFO`): services, a logo, rights.

use serde_json::{Map, Value};

/// What only the server knows, and nobody may say in its place.
const OURS: [&str; 17] = [
    "id",
    "@id",
    "type",
    "@type",
    "protocol",
    "profile",
    "width",
    "height",
    "maxWidth",
    "maxHeight",
    "maxArea",
    "sizes",
    "tiles",
    "preferredFormats",
    "extraQualities",
    "extraFormats",
    "extraFeatures",
];

/// Properties of every description, checked when the server starts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExtraInfo(Map<String, Value>);

impl ExtraInfo {
    /// Reads a JSON object, or as with iipsrv the members of one without its braces.
    ///
    /// # Errors
    /// What is wrong: no JSON, or a property that the server tells itself.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let object = if text.starts_with('{') { text.to_owned() } else { format!("{{{text}}}") };
        let members: Map<String, Value> =
            serde_json::from_str(&object).map_err(|error| format!("a JSON object ({error})"))?;
        match members.keys().find(|name| OURS.contains(&name.as_str())) {
            Some(name) => Err(format!("properties beside {name}, which the server tells itself")),
            None => Ok(Self(members)),
        }
    }

    /// Whether nothing is added.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds the properties to a description: contexts before its own, services behind them; of all else
    /// what is said here counts.
    pub fn add_to(&self, document: &mut Map<String, Value>) {
        for (name, value) in &self.0 {
            let before = document.remove(name);
            let value = match (name.as_str(), before) {
                ("@context", Some(own)) => joined(value.clone(), own),
                ("service", Some(own)) => joined(own, value.clone()),
                _ => value.clone(),
            };
            document.insert(name.clone(), value);
        }
    }
}

/// Two values, each perhaps a list, as one list.
fn joined(first: Value, second: Value) -> Value {
    let list = |value| match value {
        Value::Array(values) => values,
        value => vec![value],
    };
    let second = list(second);
    let mut all: Vec<Value> =
        list(first).into_iter().filter(|value| !second.contains(value)).collect();
    all.extend(second);
    Value::Array(all)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn added(text: &str, document: Value) -> Value {
        let Value::Object(mut members) = document else { panic!("{document}") };
        ExtraInfo::parse(text).unwrap().add_to(&mut members);
        Value::Object(members)
    }

    #[test]
    fn properties_are_added_and_lists_joined() {
        let own = json!({"@context": "image", "id": "x", "service": [{"id": "a"}]});
        assert_eq!(
            added(r#""logo": "l", "service": {"id": "b"}, "@context": ["auth", "image"]"#, own),
            json!({
                "id": "x", "logo": "l", "service": [{"id": "a"}, {"id": "b"}],
                "@context": ["auth", "image"],
            })
        );
        assert_eq!(added(r#"{"rights": "y"}"#, json!({"rights": "x"})), json!({"rights": "y"}));
        assert!(ExtraInfo::parse(" ").unwrap().is_empty());
    }

    #[test]
    fn what_the_server_tells_itself_and_what_is_no_json_is_refused() {
        for text in [r#"{"width": 5}"#, r#""profile": "level2""#, "[1]", "{", r#""a""#, "x"] {
            let error = ExtraInfo::parse(text).unwrap_err();
            assert!(error.contains("JSON object") || error.contains("itself"), "{text}: {error}");
        }
    }
}
