//! Audit records as text and as JSON.
use super::{AuditEvent, AuditRecord, Outcome};
use base16ct::lower::encode_string as hex;
use serde_json::{Map, Value, json};

impl AuditEvent {
    /// Returns the details on one line: `profile=user subject="CN=a b"`. Values with special characters are quoted,
    /// so that nothing in them can look like another detail or another line.
    #[must_use]
    pub fn details_text(&self) -> String {
        let parts: Vec<String> =
            self.details.iter().map(|(name, value)| format!("{}={}", plain(name), plain(value))).collect();
        parts.join(" ")
    }
}

impl AuditRecord {
    /// Returns `sequence`, `time`, `user`, `on_behalf_of`, `process`, `action`, `object`, `outcome` (`done` or
    /// `refused`), `code` of a refusal, `details` as an object, and `previous` and `digest` in hexadecimal.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let event = &self.event;
        let (outcome, code) = match &event.outcome {
            Outcome::Done => ("done", None),
            Outcome::Refused(code) => ("refused", Some(code)),
        };
        let details: Map<String, Value> =
            event.details.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect();
        json!({
            "sequence": self.sequence,
            "time": event.at.to_string(),
            "user": event.actor.user,
            "on_behalf_of": event.actor.on_behalf_of,
            "process": event.actor.process,
            "action": event.action,
            "object": event.object,
            "outcome": outcome,
            "code": code,
            "details": details,
            "previous": hex(&self.previous),
            "digest": hex(&self.digest),
        })
    }
}

fn plain(text: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_.,:;/@+*()[]#%!?&~".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) { text.to_owned() } else { format!("{text:?}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Actor, Chain};
    use crate::x509::UnixTime;

    fn event() -> AuditEvent {
        AuditEvent {
            at: UnixTime(0),
            actor: Actor { user: "genfic-ca".into(), on_behalf_of: Some("alice".into()), process: 4 },
            action: "sign".into(),
            object: "genfic-user".into(),
            outcome: Outcome::Refused("policy.weak-key".into()),
            details: vec![("subject".into(), "CN=a\nb=\"c\"".into()), ("bits".into(), "1024".into())],
        }
    }

    #[test]
    fn a_value_cannot_pose_as_another_detail_or_line() {
        assert_eq!(event().details_text(), r#"subject="CN=a\nb=\"c\"" bits=1024"#);
    }

    #[test]
    fn a_record_in_json_says_who_what_when_and_how_it_ended() {
        // G15
        let json = Chain::default().append(event()).to_json();
        assert_eq!(json["time"], "1970-01-01T00:00:00Z");
        assert_eq!((&json["user"], &json["on_behalf_of"]), (&json!("genfic-ca"), &json!("alice")));
        assert_eq!((&json["outcome"], &json["code"]), (&json!("refused"), &json!("policy.weak-key")));
        assert_eq!(json["details"]["bits"], "1024");
        assert_eq!(json["digest"].as_str().unwrap().len(), 64);
    }
}
