//! Languages that an agency adds to its data folder.

use std::fs;

use super::client::Client;
use super::world::{CAMPAIGN, World, text};

fn page(client: &mut Client, path: &str) -> String {
    text(
        &client
            .call("GET", &format!("//{path}"), None, &[], None)
            .body,
    )
}

#[test]
fn a_whole_catalogue_is_served_and_one_that_lacks_something_is_left_out() {
    let world = World::new(1);
    let template = text(&world.run(&["languages", "template"]).stdout);
    let arabic = template
        .replace("\ndirection = ltr", "\ndirection = rtl")
        .replace("\nlanguage = English", "\nlanguage = العربية")
        .replace(
            "\nproblem-not-found = Not found",
            "\nproblem-not-found = غير موجود",
        );
    fs::create_dir(world.path("languages")).unwrap();
    fs::write(world.path("languages/ar.ftl"), &arabic).unwrap();
    let without = template.replace("\nskip = ", "\nskipp = ");
    fs::write(world.path("languages/vi.ftl"), without).unwrap();

    let file = world.path("languages/ar.ftl");
    world.ok(&["languages", "check", file.to_str().unwrap()]);
    let file = world.path("languages/vi.ftl");
    let checked = world.run(&["languages", "check", file.to_str().unwrap()]);
    assert_eq!(checked.status.code(), Some(1));
    let told = text(&checked.stdout);
    assert!(told.contains("lacks the message `skip`"), "{told}");
    let listed = world.run(&["languages", "list"]);
    assert_eq!(listed.status.code(), Some(1));
    let told = text(&listed.stdout);
    assert!(
        told.contains("ar  of the agency") && told.contains("vi  not used"),
        "{told}"
    );

    let server = world.serve();
    let mut client = server.client();
    let landing = page(&mut client, &format!("ar/{CAMPAIGN}"));
    assert!(
        landing.contains("<html lang=\"ar\" dir=\"rtl\">"),
        "{landing}"
    );
    for other in ["ko", "en"] {
        assert!(
            landing.contains(&format!("hreflang=\"{other}\"")),
            "{landing}"
        );
    }
    let english = page(&mut client, &format!("en/{CAMPAIGN}"));
    assert!(english.contains(">العربية</a>") && english.contains("dir=\"ltr\""));
    // Problems are told in it too, and a language that is not there is English or Korean.
    client.language = "ar";
    let missing = client.get("/nothing", None).is(404);
    assert_eq!(missing.json["title"], "غير موجود");
    let left_out = page(&mut client, &format!("vi/{CAMPAIGN}"));
    assert!(!left_out.contains("lang=\"vi\""), "{left_out}");
}
