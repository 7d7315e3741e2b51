use super::*;

fn build(root: &mut Section) -> (Option<i64>, Vec<String>, Option<bool>) {
    let days = root.get_as(
        "days",
        |days: i64| {
            if days > 0 { Ok(days) } else { Err("must be at least 1".to_owned()) }
        },
    );
    let names = root.list_as("names", |name| {
        if name.is_empty() { Err("an empty name".to_owned()) } else { Ok(name.to_owned()) }
    });
    (days, names.unwrap_or_default(), root.section("inner", |inner| inner.get("flag")))
}

#[test]
fn keys_are_read_with_their_types() {
    let read = read("days = 3\nnames = ['a', 'b']\n[inner]\nflag = true\n", build);
    assert_eq!(read, Ok((Some(3), vec!["a".into(), "b".into()], Some(true))));
    assert_eq!(super::read("", build), Ok((None, Vec::new(), None)));
}

#[test]
fn every_mistake_is_told_with_its_line_and_key() {
    let text = "days = 0\nnames = [\n  'a',\n  '',\n  7,\n]\nother = 1\n[inner]\nflag = 'x'\nflog = true\n";
    let mistakes: Vec<String> = read(text, build).unwrap_err().iter().map(Mistake::to_string).collect();
    assert_eq!(
        mistakes,
        [
            "line 1: days: must be at least 1",
            "line 4: names: an empty name",
            "line 5: names: must hold only text in quotes",
            "line 7: other: is not known here; one of days, names, inner",
            "line 9: inner.flag: must be true or false",
            "line 10: inner.flog: is not known here; one of flag",
        ]
    );
}

#[test]
fn what_is_not_toml_is_refused_with_its_line() {
    let mistakes = read("days = 1\nnames = [\n", build).unwrap_err();
    assert!(mistakes[0].line >= Some(2), "{mistakes:?}");
    let twice = read("days = 1\ndays = 2\n", build).unwrap_err();
    assert_eq!(twice[0].to_string(), "line 2: days: duplicate key");
    assert!(read("inner = 3\n", build).unwrap_err()[0].message.contains("table"));
    assert!(read("names = 3\n", build).unwrap_err()[0].message.contains("list"));
    assert!(read("days = 99999999999999999999\n", build).is_err());
}
