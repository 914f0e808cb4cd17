//! Tests of the secrets, their file and what is computed with them.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use proptest::prelude::*;

use super::*;
use crate::domain::ids::Seq;

fn keys() -> Keys {
    Keys::generate(&Entropy::system())
}

#[test]
fn saved_secrets_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let keys = keys();
    keys.save(folder.path()).unwrap();
    let rotated = keys.rotate_tokens(folder.path(), &Entropy::system(), Stamp(1));
    assert_eq!(rotated.unwrap(), 2);
    let mode = fs::metadata(Keys::file(folder.path()))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    let loaded = Keys::load(folder.path()).unwrap();
    assert_eq!(loaded.person_key(7), keys.person_key(7));
    assert_eq!(loaded.head_public_key(), keys.head_public_key());
    assert_eq!(loaded.booking_number(7), keys.booking_number(7));
    assert_eq!(loaded.token_current().id, 2);
    let sign = |keys: &Keys, id| keys.with_token_key(id, |key| key.key.of(b"place"));
    for id in [1, 2] {
        let (one, other) = (sign(&keys, id).unwrap(), sign(&loaded, id).unwrap());
        assert_eq!(one, other);
    }
    assert!(sign(&loaded, 3).is_none());
}

#[test]
fn a_file_that_others_can_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    keys().save(folder.path()).unwrap();
    for mode in [0o640, 0o604, 0o660, 0o644] {
        let file = Keys::file(folder.path());
        fs::set_permissions(file, fs::Permissions::from_mode(mode)).unwrap();
        let refused = Keys::load(folder.path()).unwrap_err();
        assert!(matches!(refused, KeysFault::Exposed { .. }));
        assert!(refused.to_string().contains("chmod 600"), "{refused}");
    }
}

#[test]
fn saving_never_loses_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let first = keys();
    first.save(folder.path()).unwrap();
    let refused = keys().save(folder.path());
    assert!(matches!(refused, Err(KeysFault::Exists(_))));
    let loaded = Keys::load(folder.path()).unwrap();
    assert_eq!(loaded.person_key(7), first.person_key(7));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    let at = |hours: i64| Stamp(1 + hours * 3600 * Stamp::SECOND);
    let rotate = |hours| first.rotate_tokens(folder.path(), &Entropy::system(), at(hours));
    rotate(0).unwrap();
    let refused = rotate(23).unwrap_err().to_string();
    assert!(
        refused.contains("23 hours ago") && refused.contains("2 hours later"),
        "{refused}"
    );
    assert_eq!(Keys::load(folder.path()).unwrap().token_current().id, 2);
    rotate(24).unwrap();
    assert_eq!(Keys::load(folder.path()).unwrap().token_current().id, 3);
}

#[test]
fn secrets_that_were_handed_over_stay_and_their_tokens_are_replaced_in_the_folder() {
    let (source, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let made = keys();
    made.save(source.path()).unwrap();
    let handed = Keys::file(source.path());
    // As systemd shows a file that one user may read by an access list.
    fs::set_permissions(&handed, fs::Permissions::from_mode(0o440)).unwrap();
    let before = fs::read(&handed).unwrap();
    let load = || Keys::load_from(folder.path(), Some(&handed));
    let first = load().unwrap();
    assert_eq!(first.head_public_key(), made.head_public_key());
    let rotated = first.rotate_tokens(folder.path(), &Entropy::system(), Stamp(5));
    assert_eq!(rotated.unwrap(), 2);
    assert_eq!(fs::read(&handed).unwrap(), before);
    assert!(!Keys::file(folder.path()).exists());
    let again = load().unwrap();
    assert_eq!(again.token_current().id, 2);
    assert_eq!(again.person_key(7), made.person_key(7));
    let sign = |keys: &Keys, id| keys.with_token_key(id, |key| key.key.of(b"place"));
    for id in [1, 2] {
        let (one, other) = (sign(&first, id).unwrap(), sign(&again, id).unwrap());
        assert_eq!(one, other);
    }
    // Secrets that come back into the folder have what was replaced, and replace it themselves.
    fs::copy(&handed, Keys::file(folder.path())).unwrap();
    fs::set_permissions(Keys::file(folder.path()), fs::Permissions::from_mode(0o600)).unwrap();
    let back = Keys::load(folder.path()).unwrap();
    assert_eq!(back.token_current().id, 2);
    let revoked = back.revoke_tokens(folder.path(), &Entropy::system(), Stamp(9));
    assert_eq!(revoked.unwrap(), 3);
    let back = Keys::load(folder.path()).unwrap();
    assert_eq!(back.token_current().id, 3);
    assert!(sign(&back, 2).is_none());
    // Other secrets do not sign with these keys.
    let other = tempfile::tempdir().unwrap();
    keys().save(other.path()).unwrap();
    let refused = Keys::load_from(folder.path(), Some(&Keys::file(other.path())));
    let refused = refused.unwrap_err().to_string();
    assert!(
        refused.contains("tokens.json") && refused.contains("other secrets"),
        "{refused}"
    );
    for mode in [0o444, 0o460, 0o640 | 0o020] {
        fs::set_permissions(&handed, fs::Permissions::from_mode(mode)).unwrap();
        assert!(matches!(load(), Err(KeysFault::Exposed { .. })));
    }
}

#[test]
fn a_malformed_file_is_named_without_its_content() {
    let folder = tempfile::tempdir().unwrap();
    let missing = Keys::load(folder.path()).unwrap_err().to_string();
    assert!(missing.contains("sumun init"), "{missing}");
    keys().save(folder.path()).unwrap();
    let file = Keys::file(folder.path());
    let text = fs::read_to_string(&file).unwrap();
    for broken in [
        String::new(),
        text.replace("\"form\": 1", "\"form\": 9"),
        text.replace("\"person\": \"", "\"person\": \"zz"),
        text.replace("\"head\": \"", "\"head\": \"00"),
        text.replace("\"form\": 1", "\"form\": 1, \"more\": 2"),
    ] {
        fs::write(&file, broken).unwrap();
        let refused = Keys::load(folder.path()).unwrap_err();
        assert!(matches!(refused, KeysFault::Malformed { .. }), "{refused}");
    }
}

#[test]
fn debug_shows_no_secret() {
    assert_eq!(format!("{:?}", keys()), "Keys(…)");
    assert_eq!(format!("{:?}", keys().token_current()), "TokenKey(1)");
}

/// Stored pseudonyms must mean the same for ever: computed once with Python's hmac module.
#[test]
fn the_person_key_is_as_documented() {
    let mut keys = keys();
    keys.person = MacKey::new(&[7; 32]);
    let message = [b"sumun person v1".as_slice(), &42_u64.to_be_bytes()].concat();
    let whole = keys.person.of(&message);
    assert_eq!(keys.person_key(42).0, whole[..16]);
    assert_eq!(
        keys.person_key(42).to_string(),
        "78c825fe9caaae9173cc99de2806bf09"
    );
}

#[test]
fn names_compare_after_nfc_and_without_spaces() {
    let keys = keys();
    let (person, personal) = (keys.person_key(1), keys.personal(0).unwrap());
    let tag = personal.name_tag(person, "김철수");
    // The same name in conjoining jamo, as a Mac writes it, and with spaces.
    let decomposed = "\u{1100}\u{1175}\u{11b7} \u{110e}\u{1165}\u{11af}\u{3000}\u{1109}\u{116e}";
    assert_eq!(personal.name_tag(person, decomposed), tag);
    assert_eq!(personal.name_tag(person, " 김 철수 "), tag);
    assert_ne!(personal.name_tag(person, "김철순"), tag);
    // A roster of before has the same tag of such a name, and another one of a name with capitals.
    assert_eq!(personal.former_name_tag(person, " 김 철수 "), None);
    let former = personal.former_name_tag(person, "O'Brien").unwrap();
    assert_eq!(
        personal.tag::<8>(b"sumun name v1", person, "O'Brien"),
        former
    );
    assert_ne!(personal.name_tag(person, "O'Brien"), former);
    assert_ne!(personal.name_tag(keys.person_key(2), "김철수"), tag);
}

#[test]
fn a_changed_phone_is_noticed_however_it_is_written() {
    let keys = keys();
    let (person, personal) = (keys.person_key(1), keys.personal(0).unwrap());
    let tag = personal.detail_tag(person, "010-1234-5678");
    assert_eq!(personal.detail_tag(person, "010 1234 5678"), tag);
    assert_ne!(personal.detail_tag(person, "010-1234-5679"), tag);
}

#[test]
fn heads_verify_only_as_signed() {
    let keys = keys();
    let signature = keys.sign_at(Seq(1), b"head");
    assert!(verify_head(&keys.head_public_key(), b"head", &signature));
    assert!(!verify_head(&keys.head_public_key(), b"other", &signature));
    let mut changed = signature;
    changed[20] ^= 1;
    assert!(!verify_head(&keys.head_public_key(), b"head", &changed));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn sealed_rows_open_for_their_person_alone(
        plaintext in prop::collection::vec(any::<u8>(), 0..200),
        at in any::<prop::sample::Index>(),
    ) {
        let (keys, entropy) = (keys(), Entropy::system());
        let person = keys.person_key(1);
        let sealed = keys.personal(0).unwrap().seal(&entropy, person, &plaintext);
        prop_assert_eq!(sealed.len(), plaintext.len() + SEAL_BYTES);
        prop_assert_eq!(keys.open(person, &sealed), Ok(plaintext));
        prop_assert_eq!(keys.open(keys.person_key(2), &sealed), Err(SealBroken));
        let mut changed = sealed.clone();
        changed[at.index(sealed.len())] ^= 1;
        prop_assert_eq!(keys.open(person, &changed), Err(SealBroken));
    }

    #[test]
    fn any_bytes_are_refused_not_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let keys = keys();
        prop_assert_eq!(keys.open(keys.person_key(1), &bytes), Err(SealBroken));
    }
}
