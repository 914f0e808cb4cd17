//! Who may propose and decide, and what a proposal goes through.

use super::*;
use crate::domain::staff::Bounds;

fn staff() -> StaffState {
    let mut staff = StaffState::default();
    for (name, role) in [
        ("admin", Role::Administrator),
        ("kim", Role::Operator),
        ("lee", Role::Approver),
        ("park", Role::Approver),
        ("seo", Role::Reporter),
    ] {
        let id = staff.next_id();
        staff
            .set(id, name, role, &Bounds::default(), true, Stamp(0))
            .unwrap();
    }
    staff
}

fn actor(name: &str) -> Actor {
    Actor::Staff {
        account: name.to_owned(),
        role: Role::Approver,
        for_person: None,
    }
}

fn propose(staff: &mut StaffState, by: &str, takes: u64) -> Found<u32> {
    let proposal = staff.next_proposal();
    staff.add_proposal_part(proposal, 0, "[campaign]\n")?;
    staff.add_proposal_part(proposal, 1, "id = 'a'\n")?;
    let sha = sha256(b"[campaign]\nid = 'a'\n");
    staff.propose(
        &actor(by),
        proposal,
        2,
        sha,
        &Proposal::Campaign,
        "August",
        takes,
        Stamp(1),
    )?;
    Ok(proposal)
}

fn approve(staff: &mut StaffState, by: &str, proposal: u32, typed: u64) -> Found<()> {
    let now = Stamp(2);
    staff.decide_proposal(&actor(by), proposal, Decision::Approved, typed, "good", now)
}

#[test]
fn one_account_is_one_pair_of_eyes() {
    let mut staff = staff();
    let proposal = propose(&mut staff, "lee", 0).unwrap();
    assert_eq!(
        approve(&mut staff, "lee", proposal, 0),
        Err(ProposalFault::SameEyes)
    );
    // It can't take another name, and no other account can take its own.
    let lee = staff.named("lee").unwrap().0;
    let (role, bounds) = (Role::Approver, Bounds::default());
    assert!(
        staff
            .set(lee, "lee2", role, &bounds, true, Stamp(1))
            .is_err()
    );
    assert_eq!(approve(&mut staff, "park", proposal, 0), Ok(()));
    assert_eq!(
        approve(&mut staff, "park", proposal, 0),
        Err(ProposalFault::Decided)
    );
}

#[test]
fn who_is_not_an_approver_or_ended_approves_nothing() {
    let mut staff = staff();
    let proposal = propose(&mut staff, "kim", 0).unwrap();
    for (name, role) in [
        ("admin", Role::Administrator),
        ("kim", Role::Operator),
        ("seo", Role::Reporter),
    ] {
        assert_eq!(
            approve(&mut staff, name, proposal, 0),
            Err(ProposalFault::Role(role))
        );
    }
    assert_eq!(
        propose(&mut staff, "seo", 0),
        Err(ProposalFault::Role(Role::Reporter))
    );
    let park = staff.named("park").unwrap().0;
    staff
        .set(
            park,
            "park",
            Role::Approver,
            &Bounds::default(),
            false,
            Stamp(1),
        )
        .unwrap();
    assert_eq!(
        approve(&mut staff, "park", proposal, 0),
        Err(ProposalFault::NoAccount)
    );
    let system = staff.may_decide_proposal(&Actor::System, proposal, Decision::Approved, 0);
    assert_eq!(system, Err(ProposalFault::NoAccount));
}

#[test]
fn taking_from_people_needs_their_number_typed() {
    let mut staff = staff();
    let proposal = propose(&mut staff, "kim", 142).unwrap();
    let typed = Err(ProposalFault::Typed { expected: 142 });
    assert_eq!(approve(&mut staff, "lee", proposal, 0), typed);
    assert_eq!(approve(&mut staff, "lee", proposal, 141), typed);
    assert_eq!(approve(&mut staff, "lee", proposal, 142), Ok(()));
    staff.end_proposal(proposal, true, "version 2").unwrap();
    assert_eq!(
        staff.end_proposal(proposal, true, "again"),
        Err(ProposalFault::NotApproved)
    );
    assert!(staff.proposals[&proposal].text.is_empty());
}

#[test]
fn only_the_whole_text_that_was_read_is_proposed() {
    let mut staff = staff();
    let number = staff.next_proposal();
    staff.add_proposal_part(number, 0, "a").unwrap();
    assert_eq!(
        staff.add_proposal_part(number, 2, "c"),
        Err(ProposalFault::Part(2))
    );
    let mut other = |parts, text: &[u8]| {
        let kim = actor("kim");
        let sha = sha256(text);
        let what = Proposal::Campaign;
        staff.propose(&kim, number, parts, sha, &what, "r", 0, Stamp(0))
    };
    assert_eq!(other(2, b"a"), Err(ProposalFault::Part(2)));
    assert_eq!(other(1, b"b"), Err(ProposalFault::Part(1)));
    assert_eq!(
        staff.add_proposal_part(number + 1, 0, "a"),
        Err(ProposalFault::Number(number + 1))
    );
}
