use super::*;
use crate::signing::Secret;
use crate::x509::UnixTime;
use proptest::prelude::*;

fn numbers(threshold: u8, count: u8) -> Numbers {
    Numbers::new(threshold, count).unwrap()
}

fn text_of(share: &Share) -> String {
    lines_of_share(share).iter().map(|line| format!("{line}\n")).collect()
}

fn combined(shares: &[&Share]) -> Option<Secret> {
    let mut combination = Combination::default();
    for share in shares {
        combination.add((*share).clone()).unwrap();
    }
    combination.passphrase()
}

/// Shares that were given the threshold 2 by somebody who has two of a threshold of three.
fn of_two(share: &Share) -> Share {
    let mut octets = *share.to_octets().first_chunk::<{ share::OCTETS }>().unwrap();
    octets[1] = 2;
    let digest = crate::x509::sha256(&octets[..42]);
    octets[42..].copy_from_slice(&digest[..8]);
    Share::from_octets(&octets).unwrap()
}

#[test]
fn each_of_the_ten_triples_of_three_of_five_restores_and_no_pair_does() {
    // G6
    let (passphrase, shares) = split(numbers(3, 5)).unwrap();
    assert_eq!((passphrase.len(), shares.len()), (64, 5));
    let mut triples = 0;
    for a in 0..5 {
        for b in a + 1..5 {
            assert_eq!(combined(&[&shares[a], &shares[b]]), None);
            let forced = combined(&[&of_two(&shares[b]), &of_two(&shares[a])]).unwrap();
            assert_ne!(forced, passphrase, "two shares, whatever they say of themselves");
            for c in b + 1..5 {
                triples += 1;
                assert_eq!(combined(&[&shares[a], &shares[b], &shares[c]]), Some(passphrase.clone()));
                assert_eq!(combined(&[&shares[c], &shares[a], &shares[b]]), Some(passphrase.clone()));
            }
        }
    }
    assert_eq!(triples, 10);
    assert_eq!(combined(&shares.iter().collect::<Vec<_>>()), Some(passphrase));
}

#[test]
fn a_foreign_share_a_repeated_one_and_one_that_was_forged_are_told_at_once() {
    // G6
    let (passphrase, shares) = split(numbers(2, 3)).unwrap();
    let (_, others) = split(numbers(2, 3)).unwrap();
    let set = ShareSet::new("genfic", &shares, b"file", UnixTime(0)).unwrap();
    for known in [None, Some(set.clone())] {
        let mut combination = Combination::of(known.clone());
        assert_eq!(combination.add(shares[2].clone()), Ok(1));
        assert_eq!(combination.add(shares[2].clone()), Err(NotTaken::Repeated(3)));
        let foreign = combination.add(others[0].clone());
        assert_eq!(
            foreign,
            Err(NotTaken::Foreign { index: 1, found: others[0].set(), wanted: shares[0].set() })
        );
        let locked = shares[0].locked(&Secret::new("mine".into())).unwrap();
        assert_eq!(combination.add(locked), Err(NotTaken::Locked(1)));
        assert!(combination.passphrase().is_none());
        assert_eq!(combination.add(shares[0].clone()), Ok(0));
        assert_eq!(combination.passphrase(), Some(passphrase.clone()));
    }
    let mut octets = *shares[0].to_octets().first_chunk::<{ share::OCTETS }>().unwrap();
    octets[20] ^= 1;
    let digest = crate::x509::sha256(&octets[..42]);
    octets[42..].copy_from_slice(&digest[..8]);
    let forged = Share::from_octets(&octets).unwrap();
    assert_eq!(Combination::of(Some(set)).add(forged), Err(NotTaken::NotOnRecord(1)));
}

#[test]
fn a_share_opens_with_the_passphrase_of_its_custodian_alone() {
    let (_, shares) = split(numbers(2, 2)).unwrap();
    let secret = |text: &str| Secret::new(text.into());
    let locked = shares[0].locked(&secret("mine")).unwrap();
    assert!(locked.is_locked() && *locked.value() != *shares[0].value());
    let Ok(Block::Share(read)) = read_block(&text_of(&locked)) else { panic!("not read") };
    assert_eq!(read.unlocked(&secret("mine")).unwrap(), shares[0]);
    assert_eq!(read.unlocked(&secret("yours")), Err(WrongPassphrase));
    assert_eq!(shares[0].unlocked(&secret("none")).unwrap(), shares[0]);
    assert!(!format!("{:?}", shares[0]).contains(&format!("{:?}", shares[0].value())));
}

#[test]
fn the_record_beside_the_key_comes_back_as_it_was_and_has_nothing_of_a_share() {
    let (_, shares) = split(numbers(3, 5)).unwrap();
    let set = ShareSet::new("genfic", &shares, b"file", UnixTime(1_800_000_000)).unwrap();
    let text = set.to_string();
    assert_eq!(ShareSet::parse(&text).unwrap(), set);
    assert!(set.is_of(b"file") && !set.is_of(b"another"));
    for share in &shares {
        assert!(set.has(share));
        assert!(!text.contains(&base16ct::lower::encode_string(&share.value()[..4])));
    }
    for (from, to, told) in [
        ("version = 1", "version = 2", "later version"),
        ("threshold = 3", "threshold = 6", "6 of 5 shares"),
        ("shares = 5", "shares = 4", "as many as there are shares"),
        ("key =", "kei =", "kei"),
    ] {
        let error = ShareSet::parse(&text.replace(from, to)).unwrap_err().to_string();
        assert!(error.contains(told), "{error}");
    }
}

#[test]
fn a_share_that_is_mistyped_is_told_with_its_line_and_may_be_typed_again() {
    // G6
    let (_, shares) = split(numbers(2, 3)).unwrap();
    let lines: Vec<String> = lines_of_share(&shares[1]).iter().map(ToString::to_string).collect();
    assert_eq!(lines.len(), 5);
    let mut reader = BlockReader::default();
    assert_eq!(reader.push("# share 2 of 3"), Ok(None));
    assert_eq!(reader.push(&lines[0]), Ok(None));
    assert_eq!(reader.lines(), Some(5));
    let typed = &lines[1];
    let last = typed.chars().last().unwrap();
    let wrong = format!("{}{}", &typed[..typed.len() - 1], if last == '7' { '8' } else { '7' });
    let fault = reader.push(&wrong).unwrap_err();
    assert!(fault.to_string().starts_with("line 2: character 20 is wrong: `"), "{fault}");
    for line in &lines[1..4] {
        assert_eq!(reader.push(line), Ok(None));
    }
    assert_eq!(reader.push(&lines[4]), Ok(Some(Block::Share(shares[1].clone()))));
    // lines of two shares of one set, each right
    let mut mixed = lines_of_share(&shares[0]);
    mixed[2] = lines_of_share(&shares[1])[2].clone();
    let mixed: String = mixed.iter().map(|line| format!("{line}\n")).collect();
    assert!(matches!(read_block(&mixed), Err(BlockFault::Whole(_))));
    assert_eq!(read_block(&lines[..4].join("\n")), Err(BlockFault::Short(5)));
    assert_eq!(read_block(""), Err(BlockFault::Short(1)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn as_many_shares_as_are_needed_restore_whichever_they_are(
        (threshold, count, order) in (2..=12_u8).prop_flat_map(|count| {
            (2..=count, Just(count), Just((0..usize::from(count)).collect::<Vec<_>>()).prop_shuffle())
        })
    ) {
        let (passphrase, shares) = split(numbers(threshold, count)).unwrap();
        let chosen: Vec<&Share> =
            order.iter().take(usize::from(threshold)).map(|at| &shares[*at]).collect();
        prop_assert_eq!(combined(&chosen), Some(passphrase));
        prop_assert_eq!(combined(&chosen[1..]), None);
    }

    #[test]
    fn a_key_file_of_any_contents_comes_back_from_its_lines(
        file in prop::collection::vec(any::<u8>(), 0..700)
    ) {
        let text: String = lines_of_key(&file).unwrap().iter().map(|line| format!("{line}\r\n")).collect();
        prop_assert_eq!(read_block(&text), Ok(Block::Key(file)));
    }

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>(), line in "[0-9A-Z ]{20,30}") {
        let _ = read_block(&text);
        let _ = read_block(&format!("{line}\n{line}"));
    }
}
