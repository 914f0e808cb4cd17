//! Frames: what is written is read, and whatever else is read is a fault and no panic.

use proptest::prelude::*;

use super::*;
use crate::journal::copy::{Taker, Until};

fn frame() -> impl Strategy<Value = Frame> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..200);
    prop_oneof![
        (any::<u64>(), bytes()).prop_map(|(first, bytes)| Frame::Entries {
            first: Seq(first),
            bytes
        }),
        (any::<u64>(), bytes()).prop_map(|(number, bytes)| Frame::People { number, bytes }),
        (bytes(), any::<bool>())
            .prop_map(|(names, covers_left)| Frame::Roster { names, covers_left }),
        bytes().prop_map(Frame::Rows),
        (any::<u64>(), bytes()).prop_map(|(seq, signature)| Frame::Head(StoredHead {
            seq: Seq(seq),
            hash: Hash([7; 32]),
            stamp: Stamp(seq as i64),
            signature,
        })),
    ]
}

fn written(frames: &[Frame]) -> Vec<u8> {
    let mut bytes = Vec::new();
    frames
        .iter()
        .for_each(|frame| frame.write(&mut bytes).unwrap());
    bytes
}

fn read_all(mut bytes: &[u8]) -> Result<Vec<Frame>, CopyFault> {
    let mut frames = Vec::new();
    while !bytes.is_empty() {
        frames.push(Frame::read(&mut bytes)?);
    }
    Ok(frames)
}

proptest! {
    #[test]
    fn frames_are_read_as_they_were_written(frames in prop::collection::vec(frame(), 0..8)) {
        prop_assert_eq!(read_all(&written(&frames)).unwrap(), frames);
    }

    #[test]
    fn a_stream_that_is_cut_is_a_fault(
        frames in prop::collection::vec(frame(), 1..4),
        at in 1..1_000_usize,
    ) {
        let bytes = written(&frames);
        let cut = bytes.len() - 1 - at % bytes.len().min(5);
        let whole = read_all(&bytes[..cut]);
        prop_assert!(whole.is_err() || whole.unwrap().len() < frames.len());
    }

    #[test]
    fn no_bytes_make_a_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        kind in 0..7_usize,
    ) {
        let mut framed = vec![b"JHNPVEX"[kind]];
        framed.extend_from_slice(&(bytes.len() as u32).to_be_bytes());
        framed.extend_from_slice(&bytes);
        let _ = read_all(&bytes);
        if let Ok(frames) = read_all(&framed) {
            let folder = tempfile::tempdir().unwrap();
            let mut taker = Taker::create(&folder.path().join("copy"), Until::End).unwrap();
            for frame in frames {
                let _ = taker.take(frame);
            }
        }
    }
}
