use super::*;
use crate::domain::organization::rules::RuleSettings;

const ISSUER: &str = "https://tenant.example/";

fn rules(settings: RuleSettings) -> Rules {
    Rules::new(&settings).unwrap()
}

fn merging(pairs: &[(&str, &str)]) -> RuleSettings {
    let owned = |(from, to): &(&str, &str)| ((*from).to_owned(), (*to).to_owned());
    RuleSettings { same_organization: pairs.iter().map(owned).collect(), ..Default::default() }
}

fn trusting(items: &[&str]) -> RuleSettings {
    let trust_unverified_email = items.iter().map(|item| (*item).to_owned()).collect();
    RuleSettings { trust_unverified_email, ..RuleSettings::default() }
}

fn profile(email: &str, email_verified: Option<bool>) -> Profile {
    let email = Some(email.to_owned()).filter(|email| !email.is_empty());
    Profile { email, email_verified, ..Profile::default() }
}

fn resolved(rules: &Rules, subject: &str, profile: &Profile) -> Result<Organization, Lack> {
    let told = Told { upstream_issuer: ISSUER, upstream_subject: subject, profile };
    rules.resolve(told)
}

/// The key of a verified address's organization, or what there is instead.
fn key_of(rules: &Rules, email: &str) -> String {
    match resolved(rules, "auth0|1", &profile(email, Some(true))) {
        Ok(organization) => organization.key,
        Err(lack) => lack.name().to_owned(),
    }
}

#[test]
fn an_address_names_the_organization_that_registered_its_domain() {
    let rules = Rules::default();
    for (email, key) in [
        ("a@example.com", "domain:example.com"),
        ("a@EXAMPLE.com", "domain:example.com"),
        ("a@example.com.", "domain:example.com"),
        ("a+tag@example.com", "domain:example.com"),
        ("a@mail.example.com", "domain:example.com"),
        ("a@x.y.z.example.com", "domain:example.com"),
        ("a@example.co.uk", "domain:example.co.uk"),
        ("a@dept.example.co.uk", "domain:example.co.uk"),
        ("a@example.com.au", "domain:example.com.au"),
        ("a@cs.example.ac.jp", "domain:example.ac.jp"),
        ("a@example.co.jp", "domain:example.co.jp"),
        ("a@example.com.br", "domain:example.com.br"),
        ("a@example.gov.uk", "domain:example.gov.uk"),
        ("a@students.ethz.ch", "domain:ethz.ch"),
        ("a@us.ibm.com", "domain:ibm.com"),
        ("a@example.io", "domain:example.io"),
        ("a@example.dev", "domain:example.dev"),
        ("a@live.example.com", "domain:example.com"),
        ("a@gmail.example.com", "domain:example.com"),
        // Whoever has a name below a private suffix is one by themself.
        ("a@alice.github.io", "domain:alice.github.io"),
        ("a@bob.github.io", "domain:bob.github.io"),
        ("a@acme.uk.com", "domain:acme.uk.com"),
        ("a@github.io", "unknown"),
        ("a@co.uk", "unknown"),
        // Both spellings of one name.
        ("a@münchen.de", "domain:xn--mnchen-3ya.de"),
        ("a@xn--mnchen-3ya.de", "domain:xn--mnchen-3ya.de"),
        ("a@stadt.MÜNCHEN.de", "domain:xn--mnchen-3ya.de"),
        ("a@почта.пример.рф", "domain:xn--e1afmkfd.xn--p1ai"),
        // Names that are nobody's in particular.
        ("a@corp.local", "unknown"),
        ("a@example.internal", "unknown"),
        ("a@localhost", "unknown"),
        ("a@192.0.2.1", "unknown"),
        ("a@[192.0.2.1]", "unknown"),
        ("nonsense", "unknown"),
        ("@example.com", "unknown"),
        ("", "unknown"),
        // Free and disposable ones, in whatever country.
        ("a@gmail.com", "free_mail"),
        ("a@GoogleMail.com", "free_mail"),
        ("a@yahoo.co.uk", "free_mail"),
        ("a@yahoo.com.au", "free_mail"),
        ("a@hotmail.fr", "free_mail"),
        ("a@outlook.de", "free_mail"),
        ("a@gmx.at", "free_mail"),
        ("a@proton.me", "free_mail"),
        ("a@mail.gmail.com", "free_mail"),
        ("a@qq.com", "free_mail"),
        ("a@mailinator.com", "disposable"),
        ("a@sub.mailinator.com", "disposable"),
        ("a@guerrillamail.com", "disposable"),
    ] {
        assert_eq!(key_of(&rules, email), key, "{email}");
    }
}

#[test]
fn how_sure_it_is_depends_on_who_verified_the_address() {
    use Confidence::{High, Low, Medium};
    let connections = ["samlp|acme", "waad|", "google-apps"];
    for (items, subject, verified, confidence) in [
        (&[][..], "auth0|1", Some(true), High),
        (&[], "auth0|1", None, Low),
        (&[], "samlp|acme|1", None, Low),
        (&[], "auth0|1", Some(false), Low),
        (&["false"], "auth0|1", None, Low),
        (&["true"], "auth0|1", None, Medium),
        (&["true"], "auth0|1", Some(false), Medium),
        (&["true"], "auth0|1", Some(true), High),
        (&connections, "samlp|acme|1", None, Medium),
        (&connections, "samlp|acme|1", Some(false), Medium),
        (&connections, "samlp|acme|1", Some(true), High),
        (&connections, "samlp|acme-evil|1", None, Low),
        (&connections, "samlp|other|1", None, Low),
        (&connections, "waad|x", None, Medium),
        (&connections, "google-apps|a@example.com", None, Medium),
        (&connections, "google-oauth2|1", None, Low),
        (&connections, "auth0|samlp|acme|1", None, Low),
        (&connections, "samlp|acme", None, Low),
    ] {
        let rules = rules(trusting(items));
        let organization = resolved(&rules, subject, &profile("a@example.com", verified)).unwrap();
        assert_eq!(organization.source, Source::EmailDomain);
        assert_eq!(organization.confidence, confidence, "{items:?} {subject} {verified:?}");
    }
}

#[test]
fn what_the_provider_claims_comes_first() {
    let rules = rules(merging(&[("org:org_9", "example.org")]));
    let claim = |org_id: Option<&str>, org_name: Option<&str>| {
        let (org_id, org_name) = (org_id.map(str::to_owned), org_name.map(str::to_owned));
        let profile = Profile { org_id, org_name, ..profile("a@gmail.com", None) };
        resolved(&rules, "auth0|1", &profile)
    };
    for (org_id, org_name, key, name, is_named) in [
        (Some("org_1"), Some("Acme"), "provider:https://tenant.example/|org_1", "Acme", true),
        (Some("org_1"), None, "provider:https://tenant.example/|org_1", "org_1", false),
        (None, Some("Acme"), "provider-name:https://tenant.example/|acme", "Acme", true),
        (
            None,
            Some(" ACME  Inc"),
            "provider-name:https://tenant.example/|acme inc",
            " ACME  Inc",
            true,
        ),
        (Some("org_9"), Some("Nine"), "domain:example.org", "example.org", true),
    ] {
        let told = claim(org_id, org_name).unwrap();
        assert_eq!((told.key.as_str(), told.name.as_str(), told.is_named), (key, name, is_named));
        assert_eq!((told.source, told.confidence), (Source::Provider, Confidence::High));
    }
    assert_eq!(claim(None, None), Err(Lack::FreeMail));
}

#[test]
fn companies_with_several_domains_are_one() {
    let rules = rules(merging(&[
        ("example.net", "example.com"),
        ("example.co.uk", "example.com"),
        ("münchen.de", "Example.COM."),
        ("xn--mnchen-3ya.de", "example.com"),
    ]));
    for email in [
        "a@example.com",
        "a@example.net",
        "a@mail.example.net",
        "a@example.co.uk",
        "a@xn--mnchen-3ya.de",
    ] {
        assert_eq!(key_of(&rules, email), "domain:example.com", "{email}");
    }
    assert_eq!(key_of(&rules, "a@example.org"), "domain:example.org");
}

#[test]
fn a_table_that_cannot_be_meant_is_refused_by_name() {
    let message = |settings: RuleSettings| Rules::new(&settings).unwrap_err().to_string();
    for (pairs, part) in [
        (
            &[("ibm.com", "sap.com"), ("sap.com", "dell.com")][..],
            "ibm.com leads to sap.com, and that on to d",
        ),
        (&[("ibm.com", "sap.com"), ("sap.com", "ibm.com")], "ring"),
        (&[("ibm.com", "ibm.com")], "ring"),
        (&[("ibm.com", "sap.com"), ("sap.com", "dell.com"), ("dell.com", "sap.com")], "ring"),
        (&[("org:o", "sap.com"), ("sap.com", "dell.com")], "write o = dell.com"),
        (&[("ibm.com", "sap.com"), ("IBM.com", "dell.com")], "both sap.com and dell.com"),
        (&[("mail.ibm.com", "sap.com")], "mail.ibm.com counts as ibm.com: write that"),
        (&[("ibm.com", "mail.sap.com")], "mail.sap.com counts as sap.com: write that"),
        (&[("gmail.com", "sap.com")], "free or disposable"),
        (&[("ibm.com", "yahoo.co.uk")], "free or disposable"),
        (&[("co.uk", "sap.com")], "suffix"),
        (&[("github.io", "sap.com")], "suffix"),
        (&[("a", "sap.com")], "\"a\" is not a domain"),
        (&[("ibm.com", "")], "\"\" is not a domain"),
        (&[("org:", "sap.com")], "names no org_id"),
    ] {
        let message = message(merging(pairs));
        assert!(message.starts_with("same_organization: "), "{message}");
        assert!(message.contains(part), "{pairs:?}: {message}");
    }
    for items in [&["true", "samlp|acme"][..], &["|acme"], &["samlp|a b"]] {
        let message = message(trusting(items));
        assert!(message.starts_with("trust_unverified_email: "), "{message}");
    }
    let free = |domain: &str| RuleSettings {
        free_mail_domains: vec![domain.into()],
        work_mail_domains: vec!["isp.example.com".into()],
        ..RuleSettings::default()
    };
    assert!(message(free("nonsense")).starts_with("free_mail_domains: "));
    assert!(message(free("ISP.example.com")).starts_with("work_mail_domains: "));
}

#[test]
fn an_operator_knows_better_than_the_list() {
    let rules = rules(RuleSettings {
        free_mail_domains: vec!["example.net".into()],
        work_mail_domains: vec!["sky.com".into(), "staff.example.net".into(), "yopmail.com".into()],
        ..RuleSettings::default()
    });
    for (email, key) in [
        ("a@sky.com", "domain:sky.com"),
        ("a@mail.sky.com", "domain:sky.com"),
        ("a@yopmail.com", "domain:yopmail.com"),
        ("a@example.net", "free_mail"),
        ("a@mail.example.net", "free_mail"),
        ("a@staff.example.net", "domain:example.net"),
    ] {
        assert_eq!(key_of(&rules, email), key, "{email}");
    }
    assert_eq!(key_of(&Rules::default(), "a@sky.com"), "free_mail");
}

#[test]
fn a_work_address_is_judged_by_the_same_lists() {
    let check = |rules: &Rules, email: &str, verified| {
        let profile = profile(email, verified);
        rules.check_work_email(Told {
            upstream_issuer: ISSUER,
            upstream_subject: "samlp|acme|1",
            profile: &profile,
        })
    };
    let usual = Rules::default();
    for email in ["a@gmail.com", "a@yahoo.co.uk", "a@gmx.net", "a@mailinator.com", "a@proton.me"] {
        assert_eq!(check(&usual, email, None), Err(NoWorkEmail::PersonalProvider), "{email}");
    }
    // A missing flag passes, and so does a domain of which nobody knows whose it is.
    for email in ["a@example.com", "a@sub.example.co.uk", "a@münchen.de", "a@corp.local"] {
        assert_eq!(check(&usual, email, None), Ok(()), "{email}");
    }
    assert_eq!(check(&usual, "a@example.com", Some(true)), Ok(()));
    assert_eq!(check(&usual, "a@example.com", Some(false)), Err(NoWorkEmail::Unverified));
    assert_eq!(check(&usual, "a@gmail.com", Some(false)), Err(NoWorkEmail::Unverified));
    assert_eq!(check(&usual, "", Some(true)), Err(NoWorkEmail::NoAddress));
    assert_eq!(check(&usual, "nonsense", Some(true)), Err(NoWorkEmail::NoAddress));
    let trusting = rules(trusting(&["samlp|acme"]));
    assert_eq!(check(&trusting, "a@example.com", Some(false)), Ok(()));
    assert_eq!(check(&trusting, "a@gmail.com", Some(false)), Err(NoWorkEmail::PersonalProvider));
}

#[test]
fn names_in_rows_are_read_back() {
    for source in [Source::Provider, Source::EmailDomain] {
        assert_eq!(Source::parse(source.name()), Some(source));
    }
    for confidence in [Confidence::Low, Confidence::Medium, Confidence::High] {
        assert_eq!(Confidence::parse(confidence.name()), Some(confidence));
    }
    for lack in [Lack::FreeMail, Lack::Disposable, Lack::Unknown] {
        assert_eq!(Lack::parse(lack.name()), Some(lack));
    }
}
