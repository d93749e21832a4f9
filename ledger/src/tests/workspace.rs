use super::samples::id;
use crate::{
    spec::given,
    workspace::{Command, Profile, Rejection, Workspace},
};
use events::vocab::event::WorkspaceProfileSaved;

fn save(profile: Profile, stored: Option<Profile>) -> Command {
    Command::SaveProfile { merchant: id(60), profile, stored }
}

fn profile() -> Profile {
    Profile {
        merchant_name: Some("Example Merchant".into()),
        address_lines: vec!["1 Main Street".into(), "12345 Town".into()],
        support_email: Some("help@example.com".into()),
        website: Some("https://example.com".into()),
        accent_hex: Some("#1d4ed8".into()),
        ..Profile::default()
    }
}

#[test]
fn a_profile_is_sealed_whole_and_the_same_one_again_is_no_event() {
    let mut blanks = profile();
    blanks.merchant_name = Some("  Example Merchant ".into());
    blanks.address_lines.push(" ".into());
    blanks.accent_hex = Some("#1D4ED8".into());
    let facts = given::<Workspace>([]).when(save(blanks.clone(), None)).facts();
    assert_eq!(facts[0].event, WorkspaceProfileSaved { subject_id: id(60) }.into());
    let (subject, sealed) = facts[0].personal.clone().unwrap();
    assert_eq!(subject, id(60));
    let stored = Profile::from_json(sealed.metadata.as_deref().unwrap()).unwrap();
    assert_eq!(stored, profile());
    let saved = given::<Workspace>([facts[0].event.clone()]);
    saved.when(save(blanks, Some(stored.clone()))).nothing();
    assert_eq!(saved.when(save(Profile::default(), Some(stored))).events().len(), 1, "an empty profile clears it");
    given::<Workspace>([]).when(save(Profile::default(), None)).nothing();
}

#[test]
fn every_field_of_a_profile_has_its_rule() {
    let refused = |mend: fn(&mut Profile), named: &str| {
        let mut bad = profile();
        mend(&mut bad);
        match bad.checked() {
            Err(Rejection::InvalidField { field, .. }) => assert_eq!(field, named),
            Ok(_) => panic!("{named} is taken"),
        }
    };
    refused(|p| p.merchant_name = Some("x".repeat(121)), "merchant_name");
    refused(|p| p.legal_name = Some("two\nlines".into()), "legal_name");
    refused(|p| p.address_lines = vec!["line".into(); 9], "address_lines");
    refused(|p| p.address_lines = vec!["x".repeat(121)], "address_lines");
    refused(|p| p.tax_id = Some("x".repeat(61)), "tax_id");
    for email in ["help", "help@example", "he lp@example.com", "@example.com", "a@b@c.d"] {
        let bad = Profile { support_email: Some(email.into()), ..profile() };
        assert_eq!(bad.checked().map_err(|why| why.to_string()), Err("support_email: is an e-mail address".into()), "{email}");
    }
    refused(|p| p.website = Some("javascript:alert(1)".into()), "website");
    refused(|p| p.logo_url = Some("data:image/png;base64,AAAA".into()), "logo_url");
    refused(|p| p.accent_hex = Some("blue".into()), "accent_hex");
}
