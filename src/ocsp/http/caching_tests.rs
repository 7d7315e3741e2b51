use super::*;

const NOW: UnixTime = UnixTime(784_111_777);

fn life() -> Life {
    Life {
        this_update: NOW.plus(-300),
        produced_at: NOW,
        next_update: NOW.plus(86_400),
        refresh_at: NOW.plus(43_200),
        is_for_one: false,
    }
}

fn asking(name: HeaderName, value: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    put(&mut headers, name, value);
    headers
}

#[test]
fn dates_are_written_and_read_as_http_has_them() {
    assert_eq!(http_date(NOW), "Sun, 06 Nov 1994 08:49:37 GMT");
    for form in
        ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"]
    {
        assert_eq!(read_http_date(form), Some(NOW), "{form}");
    }
    assert_eq!(read_http_date("yesterday"), None);
}

#[test]
fn an_answer_is_fresh_until_there_is_a_newer_one_and_one_for_a_nonce_never() {
    // O9
    let headers_of = |life: &Life, now| {
        let mut headers = HeaderMap::new();
        CacheLifetime::of_answer(life, EntityTag::new("t"), now).put(&mut headers);
        headers
    };
    let headers = headers_of(&life(), NOW.plus(200));
    assert_eq!(headers[header::CACHE_CONTROL], "max-age=43000, public, no-transform, must-revalidate");
    assert_eq!(headers[header::EXPIRES], http_date(NOW.plus(86_400)));
    assert_eq!(headers[header::LAST_MODIFIED], http_date(NOW.plus(-300)));
    assert_eq!(headers[header::ETAG], "\"t\"");
    let headers = headers_of(&Life { is_for_one: true, ..life() }, NOW);
    assert_eq!(headers[header::CACHE_CONTROL], "max-age=0, public, no-transform, must-revalidate");
}

#[test]
fn a_client_that_has_the_answer_is_recognised_by_tag_or_date() {
    // O9
    let freshness = CacheLifetime::of_answer(&life(), EntityTag::new("t"), NOW);
    for tag in ["\"t\"", "W/\"t\"", "\"a\", \"t\"", "*"] {
        assert!(freshness.is_known_to(&asking(header::IF_NONE_MATCH, tag)), "{tag}");
    }
    assert!(!freshness.is_known_to(&asking(header::IF_NONE_MATCH, "\"u\"")));
    assert!(!freshness.is_known_to(&HeaderMap::new()));
    let date = http_date(NOW.plus(-300));
    let mut headers = asking(header::IF_MODIFIED_SINCE, &date);
    assert!(freshness.is_known_to(&headers));
    put(&mut headers, header::IF_NONE_MATCH, "\"u\"");
    assert!(!freshness.is_known_to(&headers), "the tag counts before the date");
}

fn file(modified: UnixTime) -> ServedFile {
    ServedFile {
        octets: [][..].into(),
        media_type: "application/pkix-crl",
        tag: "t".into(),
        modified,
        next_update: None,
        delta_number: None,
        list: None,
    }
}

#[test]
fn a_file_is_known_by_its_date_and_by_every_later_one_and_its_date_never_lies_in_the_future() {
    // O9
    let freshness = CacheLifetime::of_file(&file(NOW), NOW.plus(5));
    let known = |at: UnixTime| freshness.is_known_to(&asking(header::IF_MODIFIED_SINCE, &http_date(at)));
    assert!(!known(NOW.plus(-1)));
    assert!(known(NOW) && known(NOW.plus(1)) && known(NOW.plus(1000)));
    let mut twice = asking(header::IF_MODIFIED_SINCE, &http_date(NOW));
    twice.append(header::IF_MODIFIED_SINCE, http_date(NOW).parse().unwrap());
    assert!(!freshness.is_known_to(&twice), "two dates are none");
    let mut headers = HeaderMap::new();
    CacheLifetime::of_file(&file(NOW.plus(1000)), NOW).put(&mut headers);
    assert_eq!(headers[header::LAST_MODIFIED], http_date(NOW));
}

#[test]
fn a_part_is_sent_to_who_has_a_part_of_the_same_file() {
    let now = NOW.plus(5);
    let freshness = CacheLifetime::of_file(&file(NOW), now);
    let continues = |value: &str| freshness.continues(&asking(header::IF_RANGE, value), now);
    assert!(freshness.continues(&HeaderMap::new(), now));
    assert!(continues("\"t\"") && continues(&http_date(NOW)));
    assert!(!continues("\"u\"") && !continues("W/\"t\"") && !continues(&http_date(NOW.plus(1))));
    assert!(!freshness.continues(&asking(header::IF_RANGE, &http_date(NOW)), NOW), "it may change yet");
}

#[test]
fn a_date_alone_does_not_prolong_an_older_answer_from_the_same_status() {
    // O9
    let later = Life { produced_at: NOW.plus(50_000), next_update: NOW.plus(136_400), ..life() };
    let later = Life { refresh_at: NOW.plus(93_200), ..later };
    let freshness = CacheLifetime::of_answer(&later, EntityTag::new("t"), NOW.plus(50_000));
    let date = http_date(NOW.plus(-300));
    assert!(!freshness.is_known_to(&asking(header::IF_MODIFIED_SINCE, &date)));
}
