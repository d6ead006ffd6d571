//! The exchanges of the standards, both sides against each other, and bytes that are no messages.

use proptest::prelude::*;

use super::message::{decoded, encoded};
use super::*;

/// The exchange of RFC 7677, section 3.
#[test]
fn it_says_what_the_standard_says() {
    let mechanism = Mechanism::Sha256;
    let (client_nonce, server_nonce) = ("rOprNGfwEbeRWgbNEkqO", "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0");
    let salt = decoded("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
    let said = |message: &[u8]| String::from_utf8(message.to_vec()).unwrap();

    let client = Client::new(mechanism, "user", "pencil", client_nonce);
    let first = client.first();
    assert_eq!(said(&first), "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
    let parsed = ClientFirst::parse(&first).unwrap();
    assert_eq!(parsed.user(), "user");
    let (challenge, answer) = parsed.challenge(mechanism, server_nonce, &salt);
    assert_eq!(
        said(&answer),
        "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
    );
    let (second, expected) = client.answer(&answer).unwrap();
    assert_eq!(
        said(&second),
        "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
    );
    let last = challenge.check(&second, &Keys::of(mechanism, "pencil", &salt)).unwrap();
    assert_eq!(said(&last), "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
    assert_eq!(expected.check(&last), Ok(()));
}

/// What a login comes to, with these passwords on both sides.
fn login(mechanism: Mechanism, user: &str, given: &str, kept: Option<&str>) -> Result<(), ScramError> {
    let client = Client::new(mechanism, user, given, "client");
    let first = ClientFirst::parse(&client.first())?;
    assert_eq!(first.user(), user);
    let salt = mechanism.salt(b"secret", user);
    let (challenge, answer) = first.challenge(mechanism, "server", &salt);
    let (second, expected) = client.answer(&answer)?;
    let keys = kept.map_or_else(|| Keys::of_none(mechanism), |kept| Keys::of(mechanism, kept, &salt));
    expected.check(&challenge.check(&second, &keys)?)
}

#[test]
fn who_knows_the_password_is_let_in_and_no_other() {
    for mechanism in Mechanism::ALL {
        assert_eq!(Mechanism::of_name(mechanism.name()), Some(mechanism));
        assert_eq!(login(mechanism, "ada", "se,cr=et", Some("se,cr=et")), Ok(()));
        assert_eq!(login(mechanism, "a,d=a=2C", "é", Some("é")), Ok(()));
        assert_eq!(login(mechanism, "ada", "secret", Some("Secret")), Err(ScramError::WrongProof));
        assert_eq!(login(mechanism, "ada", "", None), Err(ScramError::WrongProof));
    }
}

fn first(message: &str) -> Result<String, ScramError> {
    ClientFirst::parse(message.as_bytes()).map(|first| first.user().to_owned())
}

#[test]
fn a_first_message_has_one_form() {
    for (message, user) in [
        ("n,,n=ada,r=x", "ada"),
        ("y,,n=ada,r=x", "ada"),
        ("n,a=ada,n=ada,r=x", "ada"),
        ("n,,n=a=2Cd=3Da,r=x", "a,d=a"),
        ("n,,n=ada,r=x,some=extension", "ada"),
    ] {
        assert_eq!(first(message).as_deref(), Ok(user), "{message}");
    }
    assert_eq!(first("n,a=eve,n=ada,r=x"), Err(ScramError::OtherUser));
    for message in [
        "",
        "n",
        "n,",
        "n,,",
        "n,,n",
        "n,,n=",
        "n,,n=ada",
        "n,,n=ada,",
        "n,,n=ada,r",
        "n,,n=ada,r=",
        "n,x,n=ada,r=x",
        "p=tls-unique,,n=ada,r=x",
        "n,,m=1,n=ada,r=x",
        "n,,r=x,n=ada",
        "n,,n=a=,r=x",
        "n,,n=a=2,r=x",
        "n,,n=a=2c,r=x",
        "n,,n=a=é,r=x",
        "n,,n=ada,r=a b",
        "n,,n=ada,r=é",
        "x,,n=ada,r=x",
    ] {
        assert_eq!(first(message), Err(ScramError::Malformed), "{message}");
    }
}

/// A challenge, and a second message that is right.
fn challenged() -> (Challenge, String, Keys) {
    let mechanism = Mechanism::Sha256;
    let client = Client::new(mechanism, "ada", "secret", "client");
    let (challenge, answer) =
        ClientFirst::parse(&client.first()).unwrap().challenge(mechanism, "server", b"salt");
    let (second, _) = client.answer(&answer).unwrap();
    (challenge, String::from_utf8(second).unwrap(), Keys::of(mechanism, "secret", b"salt"))
}

#[test]
fn a_second_message_belongs_to_its_first() {
    let (challenge, second, keys) = challenged();
    assert!(challenge.check(second.as_bytes(), &keys).is_ok());
    let check = |message: &str| challenge.check(message.as_bytes(), &keys).unwrap_err();
    assert_eq!(check(&second.replace("server", "serves")), ScramError::WrongNonce);
    assert_eq!(check(&second.replace("r=client", "r=cliext")), ScramError::WrongProof, "all is signed");
    assert_eq!(check(&second.replace("biws", "eSws")), ScramError::Malformed, "that was another header");
    assert_eq!(check(&second.replace(",p=", ",x=1,p=")), ScramError::WrongProof);
    let cut = second.rsplit_once(",p=").unwrap().0;
    for proof in ["", "AAAA", &encoded(&[0; 31]), &encoded(&[0; 32]), &encoded(&[0; 64])] {
        assert_eq!(check(&format!("{cut},p={proof}")), ScramError::WrongProof, "{proof}");
    }
    for message in ["", ",p=", "c=biws,p=", "c,r,p=", cut, "r=clientserver,c=biws,p=AAAA"] {
        assert_eq!(check(message), ScramError::Malformed, "{message}");
    }
}

/// librdkafka before 2.6.1 says its own nonce twice, and Kafka lets it in.
#[test]
fn a_nonce_with_more_before_it_is_taken_if_it_is_signed() {
    let (challenge, second, keys) = challenged();
    let without_proof = second.rsplit_once(",p=").unwrap().0.replace("r=client", "r=clientclient");
    let mechanism = Mechanism::Sha256;
    let client_key = mechanism.client_key(&mechanism.salted("secret", b"salt", ITERATIONS));
    let said = format!("{},{without_proof}", challenge.said);
    let proof = keys::xor(&client_key, &mechanism.hmac(&keys.stored, said.as_bytes()));
    let second = format!("{without_proof},p={}", encoded(&proof));
    assert!(challenge.check(second.as_bytes(), &keys).is_ok());
}

#[test]
fn a_client_believes_no_broker_that_does_not_know_the_password() {
    let client = Client::new(Mechanism::Sha512, "ada", "secret", "client");
    let answer = |message: &str| client.answer(message.as_bytes()).map(drop);
    assert_eq!(answer("r=clientserver,s=c2FsdA==,i=4096"), Ok(()));
    assert_eq!(answer("r=client,s=c2FsdA==,i=4096"), Err(ScramError::WrongNonce));
    assert_eq!(answer("r=other,s=c2FsdA==,i=4096"), Err(ScramError::WrongNonce));
    assert_eq!(answer("r=clientserver,s=c2FsdA==,i=1"), Err(ScramError::Iterations(1)));
    assert_eq!(answer("r=clientserver,s=c2FsdA==,i=4000000000"), Err(ScramError::Iterations(4_000_000_000)));
    for message in
        ["", "r=clientserver", "r=clientserver,s=!,i=4096", "r=clientserver,s=,i=-1", "e=other-error"]
    {
        assert_eq!(answer(message), Err(ScramError::Malformed), "{message}");
    }
    let (_, expected) = client.answer(b"r=clientserver,s=c2FsdA==,i=4096").unwrap();
    assert_eq!(expected.check(b"v=AAAA"), Err(ScramError::WrongSignature));
    assert_eq!(expected.check(b"e=other-error"), Err(ScramError::Malformed));
    let shown = format!("{client:?} {expected:?} {:?}", Keys::of_none(Mechanism::Sha256));
    assert_eq!(shown, "Client { mechanism: Sha512, .. } Expected { .. } Keys { .. }");
}

proptest! {
    /// Any bytes, and what is nearly a message: an error, never a panic.
    #[test]
    fn no_bytes_are_a_panic(bytes in any::<Vec<u8>>(), odd in "[nyparscivm=,2CD3éA/+]{0,40}") {
        let (challenge, _, keys) = challenged_cheaply();
        let (client, expected) = (Client::new(Mechanism::Sha256, "a", "b", "n"), Expected { signature: vec![0; 32] });
        for message in [&bytes[..], odd.as_bytes(), format!("n,,n=a,{odd}").as_bytes(), format!("c=biws,r=x,p={odd}").as_bytes()] {
            let _ = ClientFirst::parse(message).map(|first| first.challenge(Mechanism::Sha256, "x", b"s"));
            prop_assert!(challenge.check(message, &keys).is_err());
            prop_assert!(expected.check(message).is_err());
            // Of what is right about these a hash of thousands of rounds would be made.
            if !message.windows(3).any(|part| part == b",i=") {
                prop_assert!(client.answer(message).is_err());
            }
        }
    }

    /// A message of either side with a byte of it changed, added or cut off.
    #[test]
    fn no_mutation_is_a_panic_or_lets_anybody_in(at in 0..80_usize, byte in any::<u8>(), how in 0..3) {
        let (challenge, second, keys) = challenged_cheaply();
        let mut bytes = second.into_bytes();
        let at = at % bytes.len();
        match how {
            0 => bytes[at] = byte,
            1 => bytes.insert(at, byte),
            _ => bytes.truncate(at),
        }
        prop_assert!(challenge.check(&bytes, &keys).is_err());
        let mut first = b"n,a=ada,n=ada,r=client".to_vec();
        let at = at % first.len();
        first[at] = byte;
        let _ = ClientFirst::parse(&first);
    }
}

/// A challenge whose keys are of none, so that no password need be hashed, and a message of the
/// right form.
fn challenged_cheaply() -> (Challenge, String, Keys) {
    let mechanism = Mechanism::Sha256;
    let (challenge, _) =
        ClientFirst::parse(b"n,,n=ada,r=client").unwrap().challenge(mechanism, "server", b"salt");
    let second = format!("c=biws,r=clientserver,p={}", encoded(&[7; 32]));
    (challenge, second, Keys::of_none(mechanism))
}
