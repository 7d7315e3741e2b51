use super::*;
use proptest::prelude::*;

fn read(text: &str) -> Result<TokenUri, InvalidTokenUri> {
    text.parse()
}

#[test]
fn the_examples_of_rfc_7512_are_read_as_far_as_they_are_about_keys() {
    for text in [
        "pkcs11:",
        "pkcs11:object=my-pubkey;type=public",
        "pkcs11:object=my-key;type=private?pin-source=file:/etc/token",
        "pkcs11:token=The%20Software%20PKCS%2311%20Softtoken;manufacturer=Snake%20Oil,%20Inc.;model=1.0;\
         object=my-key;type=private?pin-source=file:/etc/token",
        "pkcs11:slot-description=Sun%20Metaslot",
        "pkcs11:library-manufacturer=Snake%20Oil,%20Inc.;library-description=Soft%20Token%20Library;\
         library-version=1.23",
        "pkcs11:token=Software%20PKCS%2311%20softtoken;manufacturer=Snake%20Oil,%20Inc.?pin-source=/a",
        "pkcs11:?pin-source=file:/etc/token_pin&module-path=/usr/lib/libmypkcs11.so.1",
        "pkcs11:object=my-sign-key;type=private?pin-source=file%3A%2Fetc%2Ftoken",
    ] {
        assert!(read(text).is_ok(), "{text}: {:?}", read(text));
    }
    assert_eq!(read("pkcs11:object=my-certificate;type=cert;id=%69"), Err(InvalidTokenUri::NotAKey));
    assert_eq!(read("pkcs11:object=a?pin-value=the-pin"), Err(InvalidTokenUri::PinValue));
    assert_eq!(read("pkcs11:object=a?pin-source=%7C/usr/bin/pinomatic"), Err(InvalidTokenUri::PinSource));
}

#[test]
fn a_pin_in_a_uri_is_refused_and_never_repeated() {
    // K2
    for text in [
        "pkcs11:token=a?pin-value=s3cret",
        "pkcs11:token=a?pin-source=s3cret",
        "pkcs11:token=a;pin-value=s3cret",
        "pkcs11:s3cret?pin-value=s3cret",
        "pkcs11:token=a?pin-source=prompt&pin=s3cret",
    ] {
        let error = read(text).unwrap_err();
        let problem = Problem::from(error.clone());
        assert!(!format!("{error} {error:?} {problem:?}").contains("s3cret"), "{text}");
    }
}

#[test]
fn what_is_misspelt_or_there_twice_is_refused_rather_than_left_out() {
    for text in [
        "pkcs11",
        "PKCS11:token=a",
        "pkcs11:tokne=a",
        "pkcs11:token",
        "pkcs11:token=a;token=b",
        "pkcs11:object=",
        "pkcs11:object=%0",
        "pkcs11:object=%zz",
        "pkcs11:object=a b",
        "pkcs11:object=%ff",
        "pkcs11:object=a%00b",
        "pkcs11:slot-id=x",
        "pkcs11:token=a?module-name=softhsm",
    ] {
        assert!(read(text).is_err(), "{text}");
    }
}

#[test]
fn what_goes_on_record_names_the_object_and_no_source_of_a_pin() {
    let uri = read("pkcs11:token=Office?pin-source=/etc/pin").unwrap();
    assert_eq!(uri.for_key("root").to_string(), "pkcs11:token=Office;object=root");
    let uri = read("pkcs11:object=mine;token=Office").unwrap();
    assert_eq!(uri.for_key("root").to_string(), "pkcs11:token=Office;object=mine");
    assert!(uri.names_a_token() && !read("pkcs11:object=mine").unwrap().names_a_token());
}

struct Found;

impl Described for Found {
    fn text(&self, attribute: &str) -> Option<String> {
        ["token", "serial"].contains(&attribute).then(|| format!("a {attribute}"))
    }
}

#[test]
fn a_token_is_the_one_meant_when_all_that_is_said_of_it_holds() {
    for (text, is_meant) in [
        ("pkcs11:", true),
        ("pkcs11:token=a%20token", true),
        ("pkcs11:token=a%20token;serial=a%20serial;object=x", true),
        ("pkcs11:token=a%20token;serial=b", false),
        ("pkcs11:token=A%20token", false),
        ("pkcs11:model=m", false),
    ] {
        assert_eq!(read(text).unwrap().describes(&Found), is_meant, "{text}");
    }
}

fn any_uri() -> impl Strategy<Value = TokenUri> {
    let word = || proptest::option::of("[^\0]{1,20}");
    let matched = proptest::array::uniform9(word());
    let module = proptest::option::of("/[^\0]{0,20}");
    let pin = proptest::option::of("/[a-z0-9 /%;&?]{1,20}");
    let id = proptest::option::of(proptest::collection::vec(any::<u8>(), 1..20));
    (matched, word(), id, any::<Option<u64>>(), module, pin).prop_map(
        |(matched, object, id, slot, module, pin)| TokenUri {
            object,
            id,
            matched,
            slot,
            module: module.map(PathBuf::from),
            pin: pin.map(|path| SecretSpec::File(path.into())),
        },
    )
}

proptest! {
    #[test]
    fn a_uri_that_is_written_is_read_as_the_same(uri in any_uri()) {
        let text = uri.to_string();
        prop_assert!(text.is_ascii() && !text.contains(char::is_whitespace), "{text}");
        prop_assert_eq!(read(&text), Ok(uri));
    }

    #[test]
    fn no_text_does_harm_and_what_is_read_is_read_again_from_what_is_written(
        text in "(pkcs11:)?[a-z0-9;=%?&/:-]{0,60}|\\PC{0,60}",
    ) {
        if let Ok(uri) = read(&text) {
            prop_assert_eq!(read(&uri.to_string()), Ok(uri));
        }
    }

    #[test]
    fn attributes_in_any_order_make_the_same_uri(order in Just(vec![
        "token=a", "serial=1", "object=b", "id=%01", "slot-id=3", "model=m",
    ]).prop_shuffle()) {
        let text = format!("pkcs11:{}", order.join(";"));
        let usual = "pkcs11:token=a;serial=1;model=m;slot-id=3;object=b;id=%01";
        prop_assert_eq!(read(&text).unwrap().to_string(), usual);
    }
}
