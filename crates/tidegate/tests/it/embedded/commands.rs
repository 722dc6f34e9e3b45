//! Commands about the embedded engine's files.

use crate::cli::Desk;
use crate::process::Place;

#[test]
fn views_are_rebuilt_offline_and_not_under_a_server() {
    let desk = Desk::at(Place::embedded());
    let Desk {
        place,
        process,
        pay,
        ..
    } = desk;
    let said = place.fails(1, &["views", "rebuild"]);
    assert!(said.contains("in use"), "{said}");
    assert_eq!(process.terminate().code(), Some(0));
    let before = place.verify();
    std::fs::remove_file(place.data().join("views.sqlite")).expect("they were there");
    assert!(place.verify().contains("no views to compare"));
    let line = place.ok(&["views", "rebuild"]);
    assert!(line.starts_with("rebuilt: "), "{line}");
    assert_eq!(place.verify(), before);
    let _process = place.serve(&[]);
    assert_eq!(place.json(&["account", "show", &pay])["balance"], 500_000);
}

#[test]
fn verify_names_what_it_has_compared_and_makes_nothing() {
    let Desk { place, process, .. } = Desk::at(Place::embedded());
    assert_eq!(process.terminate().code(), Some(0));
    let offline = place.verify();
    assert!(offline.contains("journal, state and views"), "{offline}");
    let said = place.fails(1, &["verify", "--data-dir", "nowhere"]);
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(
        !place.path().join("nowhere").exists(),
        "verify makes nothing"
    );
}
