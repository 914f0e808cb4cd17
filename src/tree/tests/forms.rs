//! Notes, checkpoints, cosignatures and proofs as text: what is written is read, what was changed
//! is found.

use proptest::prelude::*;

use crate::crypto::SignKey;
use crate::domain::entry::Hash;
use crate::tree::checkpoint::{Checkpoint, CheckpointFault, Signed};
use crate::tree::cosignature::{cosign, cosigned_s};
use crate::tree::note::{Kind, Note, NoteFault, VerifierKey};
use crate::tree::text::{Continuation, Inclusion, ProofFault};
use crate::tree::{default_origin, leaf};

const ORIGIN: &str = "book.example/2021";

fn key(kind: Kind, name: &str) -> (SignKey, VerifierKey) {
    let secret = SignKey::from_pkcs8(&SignKey::generate()).unwrap();
    let public = VerifierKey::new(name, kind, secret.public()).unwrap();
    (secret, public)
}

fn signed() -> (VerifierKey, Signed) {
    let (secret, public) = key(Kind::Ed25519, ORIGIN);
    let checkpoint = Checkpoint {
        origin: ORIGIN.to_owned(),
        size: 1,
        root: leaf(b"entry"),
    };
    let signed = Signed::sign(checkpoint, &public, |text| secret.sign(text));
    (public, signed)
}

/// The key and the note of the specification of Go's checksum database, whose form it is.
#[test]
fn a_note_that_others_signed_is_read() {
    let key = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    let note = "If you think cryptography is the answer to your problem,\n\
                then you don't know what your problem is.\n\n\
                \u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2\
                pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
    let parsed: VerifierKey = key.parse().unwrap();
    assert_eq!(parsed.to_string(), key);
    let read: Note = note.parse().unwrap();
    assert_eq!(read.check(&parsed), Ok(()));
    assert_eq!(read.to_string(), note);
    let changed: Note = note.replace("answer", "cause").parse().unwrap();
    let told = changed.check(&parsed);
    assert_eq!(told, Err(NoteFault::Signature("PeterNeumann".to_owned())));
}

#[test]
fn a_checkpoint_is_opened_by_its_own_key_alone() {
    let (public, signed) = signed();
    let note = signed.note.to_string();
    assert_eq!(Signed::open(&note, &public), Ok(signed));
    let (_, another) = key(Kind::Ed25519, ORIGIN);
    let told = Signed::open(&note, &another).unwrap_err();
    let not_signed = NoteFault::NotSigned(ORIGIN.to_owned());
    assert_eq!(told, CheckpointFault::Note(not_signed));
    let renamed = VerifierKey::new("other.example", Kind::Ed25519, public.key).unwrap();
    let told = Signed::open(&note, &renamed).unwrap_err();
    assert!(matches!(told, CheckpointFault::Origin { .. }), "{told}");
}

#[test]
fn a_changed_byte_of_a_checkpoint_is_found_wherever_it_is() {
    let (public, signed) = signed();
    let note = signed.note.to_string();
    for at in 0..note.len() {
        for bit in [1, 0x20] {
            let mut bytes = note.clone().into_bytes();
            bytes[at] ^= bit;
            let opened = String::from_utf8(bytes).ok();
            let opened = opened.and_then(|text| Signed::open(&text, &public).ok());
            assert_eq!(opened, None, "byte {at}, bit {bit}");
        }
        if let Some(cut) = note.get(..at) {
            assert!(Signed::open(cut, &public).is_err(), "cut at {at}");
        }
    }
}

#[test]
fn what_is_no_checkpoint_is_refused() {
    for text in [
        "",
        "\n",
        "a\n1\n",
        "a\n01\nAAAA\n",
        "a\n1\nAAAA\n",
        "a\n-1\n",
        "\n1\nx\n",
        "a\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU\n",
        "a\n+1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        "a\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        "a\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\nmore\n",
    ] {
        assert!(text.parse::<Checkpoint>().is_err(), "{text:?}");
    }
    let longer = "a\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\nan extension\n";
    assert_eq!(longer.parse::<Checkpoint>().unwrap().size, 1);
}

#[test]
fn a_witness_says_when_and_a_changed_time_is_found() {
    let (log, mut signed) = signed();
    let (secret, witness) = key(Kind::Cosignature, "witness.example/1");
    let sign = |text: &[u8]| secret.sign(text);
    assert!(matches!(
        cosigned_s(&signed.note, &witness),
        Err(NoteFault::NotSigned(_))
    ));
    let line = cosign(&signed.note.text, 1_626_692_400, &witness, sign);
    signed.note.signatures.push(line);
    let read: Note = signed.note.to_string().parse().unwrap();
    assert_eq!(cosigned_s(&read, &witness), Ok(1_626_692_400));
    // The record's own signature still counts beside it.
    assert_eq!(read.check(&log), Ok(()));
    for at in 0..read.signatures[1].bytes.len() {
        let mut changed = read.clone();
        changed.signatures[1].bytes[at] ^= 1;
        assert!(cosigned_s(&changed, &witness).is_err(), "byte {at}");
    }
    let as_plain = VerifierKey::new(witness.name(), Kind::Ed25519, witness.key).unwrap();
    assert!(
        read.check(&as_plain).is_err(),
        "another kind of signature is another key"
    );
}

#[test]
fn keys_that_were_changed_or_have_names_that_none_has_are_refused() {
    let (_, public) = key(Kind::Ed25519, ORIGIN);
    let text = public.to_string();
    assert_eq!(text.parse(), Ok(public.clone()));
    assert_eq!(format!(" {text}\n").parse(), Ok(public));
    for at in 0..text.len() {
        let mut bytes = text.clone().into_bytes();
        bytes[at] ^= 1;
        let read = String::from_utf8(bytes).unwrap().parse::<VerifierKey>();
        assert!(read.is_err(), "byte {at}: {read:?}");
    }
    for name in ["", "two words", "a+b", "a\u{3000}b", "a\nb"] {
        assert!(
            VerifierKey::new(name, Kind::Ed25519, [0; 32]).is_err(),
            "{name:?}"
        );
    }
    let own = default_origin(&[0xAB; 32]);
    assert_eq!(own, "sumun.internal/abababababababab");
}

#[test]
fn a_proof_is_read_as_it_is_written_and_a_changed_byte_proves_nothing() {
    let (public, signed) = signed();
    let proof = Inclusion {
        extra: Some(b"entry".to_vec()),
        index: 0,
        hashes: Vec::new(),
        note: signed.note.to_string(),
    };
    let text = proof.to_string();
    assert!(text.starts_with("c2sp.org/tlog-proof@v1\nextra ZW50cnk=\nindex 0\n\nbook.example"));
    assert_eq!(text.parse(), Ok(proof.clone()));
    let proves = |text: &str| {
        let proof = text.parse::<Inclusion>()?;
        let entry = proof.extra.clone().unwrap_or_default();
        proof.check(&leaf(&entry), &public)
    };
    assert_eq!(proves(&text), Ok(signed));
    for at in 0..text.len() {
        let mut bytes = text.clone().into_bytes();
        bytes[at] ^= 1;
        if let Ok(changed) = String::from_utf8(bytes) {
            assert!(proves(&changed).is_err(), "byte {at}");
        }
    }
    let told = proof.check(&leaf(b"another"), &public).unwrap_err();
    assert_eq!(told, ProofFault::Root);
}

#[test]
fn notes_and_proofs_have_an_end() {
    let (public, signed) = signed();
    let mut note = signed.note.clone();
    let other = VerifierKey::new("other", Kind::Ed25519, [1; 32]).unwrap();
    while note.signatures.len() < 64 {
        note.signatures.push(other.signature(&[0; 64]));
    }
    let most = note.to_string();
    assert_eq!(
        Signed::open(&most, &public).unwrap().checkpoint,
        signed.checkpoint
    );
    let longer = most + &other.signature(&[0; 64]).to_string();
    assert!(longer.parse::<Note>().is_err(), "65 signatures");
    let long = "x".repeat(256 << 10) + &signed.note.to_string();
    assert!(long.parse::<Note>().is_err(), "a long text");
    let proof = |hashes: usize| {
        let hashes = vec![Hash([0; 32]); hashes];
        let (extra, note) = (None, signed.note.to_string());
        let index = 0;
        Inclusion {
            extra,
            index,
            hashes,
            note,
        }
        .to_string()
        .parse::<Inclusion>()
    };
    assert!(proof(128).is_ok() && proof(129).is_err());
}

proptest! {
    /// Whatever is read as a proof is written again as the same text: it has one form.
    #[test]
    fn proofs_have_one_form(
        index in any::<u64>(),
        hashes in proptest::collection::vec(any::<[u8; 32]>(), 0..70),
        extra in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..300)),
    ) {
        let note = signed().1.note.to_string();
        let hashes: Vec<Hash> = hashes.into_iter().map(Hash).collect();
        let proof = Inclusion { extra, index, hashes: hashes.clone(), note: note.clone() };
        prop_assert_eq!(proof.to_string().parse(), Ok(proof));
        let continued = Continuation { old: index, hashes, note };
        prop_assert_eq!(continued.to_string().parse(), Ok(continued));
    }

    /// No text makes a reader panic.
    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,80}(\n\\PC{0,40}){0,6}\n\n— \\PC{0,40}\n") {
        let _ = text.parse::<Note>();
        let _ = text.parse::<Inclusion>();
        let _ = text.parse::<Continuation>();
        let _ = text.parse::<VerifierKey>();
        let _ = Signed::unchecked(&text);
    }
}
