use super::*;

const CERTIFICATES: [Column; 6] = [
    Column::serial("CERT"),
    Column::state("STATUS"),
    Column::times("UNTIL"),
    Column::text("PROFILE").leaves(2),
    Column::text("SUBJECT"),
    Column::text("NAMES").leaves(1),
];

fn rows(rows: &[[&str; 6]]) -> Vec<Vec<String>> {
    rows.iter().map(|row| cells(&CERTIFICATES, &row.map(str::to_owned))).collect()
}

fn drawn(rows: &[Vec<String>], limit: Option<usize>) -> Vec<String> {
    let layout = Layout::of(&CERTIFICATES, rows, limit);
    let lines = std::iter::once(layout.heading()).chain(rows.iter().map(|row| layout.row(row)));
    lines.chain(layout.left_out()).collect()
}

fn two() -> Vec<Vec<String>> {
    rows(&[
        [
            "genfic-user/4f1a2b3c4d5e6f708192a3b4c5d6e7f809",
            "valid",
            "2027-01-31T10:20:30Z",
            "user",
            "CN=Bea Example,O=Gentoo Fictional\\, Inc.,C=BE",
            "email:bea@genfic.example",
        ],
        ["genfic-user/4f1a2b3c4dffffff8192a3b4c5d6e7f809", "revoked", "not known", "user", "CN=x", ""],
    ])
}

#[test]
fn without_a_limit_everything_is_on_one_line() {
    assert_eq!(
        drawn(&two(), None),
        [
            "CERT                                            STATUS   UNTIL              PROFILE  SUBJECT                                        NAMES",
            "genfic-user/4f1a2b3c4d5e6f708192a3b4c5d6e7f809  valid    2027-01-31T10:20Z  user     CN=Bea Example,O=Gentoo Fictional\\, Inc.,C=BE  email:bea@genfic.example",
            "genfic-user/4f1a2b3c4dffffff8192a3b4c5d6e7f809  revoked  not known          user     CN=x",
        ]
    );
}

#[test]
fn at_eighty_columns_serial_numbers_are_told_apart_days_stand_for_times_and_names_leave() {
    assert_eq!(
        drawn(&two(), Some(80)),
        [
            "CERT                     STATUS   UNTIL       PROFILE  SUBJECT",
            "genfic-user/4f1a2b3c4d5  valid    2027-01-31  user     CN=Bea Example,O=Gentoo…",
            "genfic-user/4f1a2b3c4df  revoked  not known   user     CN=x",
            "(--wide shows NAMES too)",
        ]
    );
}

#[test]
fn no_line_is_wider_than_the_terminal_and_no_column_leaves_that_has_room() {
    for limit in 80..200 {
        let lines = drawn(&two(), Some(limit));
        let widest = lines.iter().map(|line| line.width()).max().unwrap();
        assert!(widest <= limit, "{limit}: {lines:#?}");
    }
    let has = |limit, heading| drawn(&two(), Some(limit))[0].contains(heading);
    assert!(has(80, "PROFILE") && !has(80, "NAMES"));
    assert!(has(110, "NAMES") && !has(70, "PROFILE"));
}

#[test]
fn wide_and_combining_characters_are_as_wide_as_they_are_shown() {
    let columns = [Column::text("NAME"), Column::whole("KEY")];
    let rows: Vec<Vec<String>> = [["日本", "a"], ["e\u{301}te\u{301}", "b"]]
        .iter()
        .map(|row| cells(&columns, &row.map(str::to_owned)))
        .collect();
    let layout = Layout::of(&columns, &rows, None);
    assert_eq!(layout.heading(), "NAME  KEY");
    assert_eq!(layout.row(&rows[0]), "日本  a");
    assert_eq!(layout.row(&rows[1]), "e\u{301}te\u{301}   b");
}

#[test]
fn text_is_cut_after_a_word_and_within_one_only_where_it_alone_is_too_long() {
    assert_eq!(cut("CN=Bea Example,O=Gentoo", 20), "CN=Bea Example…");
    assert_eq!(cut("CN=Bea Example,O=Gentoo", 15), "CN=Bea Example…");
    assert_eq!(cut("CN=w03443ad.genfic.example", 12), "CN=w03443ad…");
    assert_eq!(cut("日本日本", 6), "日本…");
    assert_eq!(cut("short", 5), "short");
}

#[test]
fn serial_numbers_that_are_short_and_what_is_no_serial_number_stay_whole() {
    let serial = Column::serial("CERT");
    for (cell, short) in [
        ("ca/0123456789ab", "ca/01234567"),
        ("0123456789ab", "01234567"),
        ("ca/0123456789ab +2", "ca/01234567 +2"),
        ("ca/01", "ca/01"),
        ("ca/not known yet", "ca/not known yet"),
    ] {
        assert_eq!(shortened(cell, serial, Brief { digits: Some(8), days: true }), short);
        assert_eq!(shortened(cell, serial, Brief::default()), cell);
    }
}

#[test]
fn times_lose_their_seconds_and_other_text_stays() {
    assert_eq!(to_the_minute("12 until 2027-01-31T10:20:30Z, é"), "12 until 2027-01-31T10:20Z, é");
    assert_eq!(to_the_minute("2027-01-31T10:20:3Z"), "2027-01-31T10:20:3Z");
}

#[test]
fn a_cell_with_control_characters_is_measured_as_it_is_written() {
    let columns = [Column::text("NAME"), Column::whole("KEY")];
    let row = cells(&columns, &["a\u{1b}[31mb\u{202e}".to_owned(), "k".to_owned()]);
    let layout = Layout::of(&columns, std::slice::from_ref(&row), None);
    assert_eq!(layout.row(&row), r"a\u{1b}[31mb\u{202e}  k");
}

const ACTS: [Column; 6] = [
    Column::whole("SEQ").leaves(2),
    Column::moments("TIME"),
    Column::whole("ACTION"),
    Column::object("OBJECT"),
    Column::state("OUTCOME"),
    Column::text("DETAILS").leaves(1),
];

#[test]
fn a_long_object_gives_way_and_no_outcome_leaves_for_it() {
    let long = format!("/home/amber/{}.req", "a".repeat(150));
    let act = |object: &str, outcome: &str| {
        let row =
            ["7-12", "2027-01-31T10:20:30Z", "create-request", object, outcome, "subject=CN=x and more"];
        cells(&ACTS, &row.map(str::to_owned))
    };
    let serial = "genfic-system/4f1a2b3c4d5e6f708192a3b4c5d6e7f809 +2";
    let rows = [act(serial, "done"), act(&long, "refused certificate.not-found")];
    for limit in 60..200 {
        let layout = Layout::of(&ACTS, &rows, Some(limit));
        let lines = [layout.heading(), layout.row(&rows[0]), layout.row(&rows[1])];
        assert!(lines.iter().all(|line| line.width() <= limit), "{limit}: {lines:#?}");
        assert!(lines[0].contains("OUTCOME") && lines[1].contains("done"), "{limit}: {lines:#?}");
        assert!(lines[2].contains("refused c") && lines[2].contains("/home/"), "{limit}: {lines:#?}");
        assert!(lines[1].contains("genfic-s") || limit < 65, "{limit}: {lines:#?}");
    }
    let layout = Layout::of(&ACTS, &rows, None);
    assert!(layout.row(&rows[1]).contains(&long));
}

#[test]
fn a_subject_keeps_its_last_parts() {
    let name = "C=BE, O=Gentoo Fictional\\, Inc., CN=genfic-user";
    for (width, shown) in [
        (47, name),
        (46, "…, O=Gentoo Fictional\\, Inc., CN=genfic-user"),
        (42, "…, CN=genfic-user"),
        (17, "…, CN=genfic-user"),
        (16, "…, CN=genfic-us…"),
        (7, "C=BE…"),
    ] {
        assert_eq!(cut_before(name, width), shown, "{width}");
    }
    assert_eq!(cut_before("CN=w03443ad.genfic.example", 12), "CN=w03443ad…");
    for width in 1..60 {
        assert!(cut_before(name, width).width() <= width, "{width}");
    }
}

#[test]
fn rows_that_come_later_are_whole_where_there_is_no_limit() {
    let row = |object: &str| {
        cells(&ACTS, &["1", "", "sign", object, "done", &"long ".repeat(9)].map(str::to_owned))
    };
    let layout =
        Layout::of(&ACTS, &[cells(&ACTS, &["1", "", "sign", "a", "done", ""].map(str::to_owned))], None);
    assert!(layout.row(&row("longer")).contains(&"long ".repeat(8)));
}
