//! The counters and the state as Prometheus reads them (text format 0.0.4).
use super::{BOUNDS, Counts, Gauges};
use std::fmt::Write;

/// Returns all of it.
#[must_use]
pub(crate) fn exposition(counts: &Counts, gauges: &Gauges) -> String {
    let mut out = Page(String::new());
    out.head("requests_total", "counter", "HTTP requests by method and outcome.");
    for (method, outcome, count) in &counts.requests {
        out.line("requests_total", &[("method", method), ("outcome", outcome)], count);
    }
    out.head("answers_total", "counter", "OCSP answers by responseStatus, and where they came from.");
    for (status, path, count) in &counts.answers {
        out.line("answers_total", &[("status", status), ("path", path)], count);
    }
    out.single("signatures_total", "counter", "Answers signed.", counts.signatures);
    out.single("signature_failures_total", "counter", "Answers that a key did not sign.", counts.failures);
    let help = "Time from the first octet of a request to the last of its answer.";
    out.head("request_duration_seconds", "histogram", help);
    let mut sum = 0;
    let bounds = BOUNDS.iter().map(|bound| seconds(*bound, 1_000_000)).chain(["+Inf".to_owned()]);
    for (bound, count) in bounds.zip(&counts.times) {
        sum += count;
        out.line("request_duration_seconds_bucket", &[("le", &bound)], sum);
    }
    out.line("request_duration_seconds_sum", &[], seconds(counts.nanoseconds, 1_000_000_000));
    out.line("request_duration_seconds_count", &[], sum);
    out.single("ready", "gauge", "Whether the daemon can answer for every CA.", u8::from(gauges.is_ready));
    if let Some(time) = gauges.status_time {
        let help = "When the published status in use was known to be true.";
        out.single("status_timestamp_seconds", "gauge", help, time.0);
    }
    out.single("cache_octets", "gauge", "Octets of answers that are kept.", gauges.cache.0);
    out.single("cache_limit_octets", "gauge", "Bound of the octets of answers.", gauges.cache.1);
    out.single("cache_answers", "gauge", "Answers that are kept.", gauges.answers);
    let help = "Answers that are signed on threads of their own or wait for one.";
    out.single("signing_queue", "gauge", help, gauges.queue.0);
    out.single("signing_queue_limit", "gauge", "Bound of the answers that wait.", gauges.queue.1);
    if let Some(stored) = gauges.stored {
        let help = "Certificates that there are answers about in the file of answers.";
        out.single("stored_certificates", "gauge", help, stored);
        let help = "Earliest nextUpdate of the answers about certificates of a CA in the file of answers.";
        out.head("stored_next_update_timestamp_seconds", "gauge", help);
        for authority in &gauges.authorities {
            if let Some(end) = authority.answers_end {
                out.line("stored_next_update_timestamp_seconds", &[("ca", &authority.name)], end.0);
            }
        }
    }
    let help = "Latest end of the responder certificates of a CA.";
    out.head("responder_not_after_timestamp_seconds", "gauge", help);
    for authority in &gauges.authorities {
        if let Some(end) = authority.responder_ends {
            out.line("responder_not_after_timestamp_seconds", &[("ca", &authority.name)], end.0);
        }
    }
    out.head("crl_next_update_timestamp_seconds", "gauge", "nextUpdate of the CRL of a CA.");
    for authority in &gauges.authorities {
        if let Some(end) = authority.crl_ends {
            out.line("crl_next_update_timestamp_seconds", &[("ca", &authority.name)], end.0);
        }
    }
    out.0
}

/// Returns a fraction as a decimal number.
fn seconds(count: u64, in_one: u64) -> String {
    let (whole, rest) = (count.checked_div(in_one), count.checked_rem(in_one));
    let digits = in_one.to_string().len().saturating_sub(1);
    let text = format!("{}.{:0digits$}", whole.unwrap_or_default(), rest.unwrap_or_default());
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

struct Page(String);

impl Page {
    const PREFIX: &str = "genfic_ocspd_";

    fn head(&mut self, name: &str, kind: &str, help: &str) {
        // writing into memory does not fail
        let _ = write!(self.0, "# HELP {0}{name} {help}\n# TYPE {0}{name} {kind}\n", Self::PREFIX);
    }

    fn line(&mut self, name: &str, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        let labels: Vec<String> =
            labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.0, "{}{name}{labels} {value}", Self::PREFIX);
    }

    fn single(&mut self, name: &str, kind: &str, help: &str, value: impl std::fmt::Display) {
        self.head(name, kind, help);
        self.line(name, &[], value);
    }
}

/// Returns a value as it is written in quotes.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ocsp::metrics::gauges::AuthorityGauges;
    use crate::x509::UnixTime;

    #[test]
    fn the_page_is_as_the_text_format_has_it() {
        let counts = Counts {
            requests: vec![("POST", "answered", 3)],
            answers: vec![("successful", "kept", 2)],
            signatures: 1,
            failures: 0,
            times: (0..=12).collect(),
            nanoseconds: 1_500_000_000,
        };
        let gauges = Gauges {
            is_ready: true,
            status_time: Some(UnixTime(1000)),
            cache: (10, 20),
            authorities: vec![AuthorityGauges {
                name: "a\"b".into(),
                responder_ends: Some(UnixTime(7)),
                crl_ends: None,
                answers_end: Some(UnixTime(8)),
            }],
            stored: Some(4),
            ..Gauges::default()
        };
        let page = exposition(&counts, &gauges);
        for line in [
            "# TYPE genfic_ocspd_requests_total counter",
            "genfic_ocspd_requests_total{method=\"POST\",outcome=\"answered\"} 3",
            "genfic_ocspd_answers_total{status=\"successful\",path=\"kept\"} 2",
            "genfic_ocspd_request_duration_seconds_bucket{le=\"0.00005\"} 0",
            "genfic_ocspd_request_duration_seconds_bucket{le=\"10\"} 66",
            "genfic_ocspd_request_duration_seconds_bucket{le=\"+Inf\"} 78",
            "genfic_ocspd_request_duration_seconds_sum 1.5",
            "genfic_ocspd_request_duration_seconds_count 78",
            "genfic_ocspd_ready 1",
            "genfic_ocspd_status_timestamp_seconds 1000",
            "genfic_ocspd_cache_limit_octets 20",
            "genfic_ocspd_stored_certificates 4",
            "genfic_ocspd_stored_next_update_timestamp_seconds{ca=\"a\\\"b\"} 8",
            "genfic_ocspd_responder_not_after_timestamp_seconds{ca=\"a\\\"b\"} 7",
        ] {
            assert!(page.lines().any(|found| found == line), "{line} is not in\n{page}");
        }
        assert!(page.ends_with('\n') && !page.contains("\n\n"));
    }
}
