use super::*;

fn sessions() -> Sessions {
    Sessions {
        hasher: KeyHasher::new([7; 32]),
        live: RwLock::default(),
        gates: (0..GATES).map(|_| tokio::sync::Mutex::default()).collect(),
    }
}

const NEW: NewSession = NewSession {
    kind: Kind::Access,
    tenant: TenantId::new(1),
    owner: OwnerId::new(2),
    identity: IdentityKind::Corporate,
    user: 3,
    credentials: Credentials::User,
};

/// Begins a session of a user and gives its token.
fn begin(sessions: &Sessions, user: u64, entropy: u8, now: Millis) -> String {
    let token = sessions.token(&[entropy; 32]);
    let session = sessions.draft(NewSession { user, ..NEW }, &token, now);
    sessions.insert(session, u64::from(entropy) + 100);
    token.text
}

#[test]
fn a_session_lives_five_minutes_from_its_last_use() {
    let sessions = sessions();
    let token = begin(&sessions, 3, 1, Millis(0));
    assert_eq!(token.len(), TOKEN_CHARS);
    let found = |at: i64| sessions.find(&token, Millis(at)).is_some();
    assert!(found(LIFE_MS - 1));
    assert!(found(2 * LIFE_MS - 2), "each use counts");
    assert!(!found(3 * LIFE_MS - 2));
    // Neither does a clock that was set back bring it back to an earlier use.
    assert!(found(0));
    assert!(!found(3 * LIFE_MS - 2));
}

#[test]
fn only_the_very_token_finds_its_session() {
    let sessions = sessions();
    let token = begin(&sessions, 3, 1, Millis(0));
    let find = |text: &str| sessions.find(text, Millis(0)).is_some();
    assert!(find(&token));
    for index in 0..token.len() {
        let mut bytes = token.clone().into_bytes();
        bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes).expect("ASCII");
        assert!(!find(&changed), "{index}");
    }
    // The last character carries two bits too many: only one spelling is taken.
    let last = token.as_bytes()[TOKEN_CHARS - 1];
    let twin = format!("{}{}", &token[..TOKEN_CHARS - 1], char::from(last + 1));
    let stranger = begin(&sessions, 3, 2, Millis(0));
    let other_alphabet = token.replace(['_', '-'], "+");
    for wrong in [
        "",
        &token[1..],
        &format!("{token}A"),
        &format!("{token}="),
        &twin,
        "é".repeat(21).as_str(),
        &format!(" {}", &token[1..]),
    ] {
        assert!(!find(wrong), "{wrong:?}");
    }
    assert!(find(&stranger));
    assert_eq!(find(&other_alphabet), other_alphabet == token);
    // Under another server secret it is nobody's.
    let elsewhere = Sessions {
        hasher: KeyHasher::new([8; 32]),
        ..self::sessions()
    };
    assert_ne!(elsewhere.hash(&token), sessions.hash(&token));
}

#[test]
fn the_last_use_is_noted_once_in_half_a_minute() {
    let sessions = sessions();
    let token = begin(&sessions, 3, 1, Millis(0));
    let session = sessions.find(&token, Millis(10)).expect("live");
    assert!(!session.note(Millis(SAVE_MS - 1)));
    assert!(session.note(Millis(SAVE_MS)));
    assert!(!session.note(Millis(SAVE_MS)), "somebody else writes it");
    assert!(session.note(Millis(2 * SAVE_MS)));
    let written: SessionFacts =
        serde_json::from_str(&session.begin().body.expect("a body")).expect("JSON");
    assert_eq!(written.used_at_ms, 10);
}

#[test]
fn a_user_has_only_so_many() {
    let sessions = sessions();
    let mut tokens = Vec::new();
    for entropy in 0..SESSIONS_MAX as u8 {
        assert!(sessions.make_room(NEW.tenant, 3, Millis(0)).is_empty());
        tokens.push(begin(&sessions, 3, entropy, Millis(0)));
    }
    begin(&sessions, 4, 200, Millis(0));
    let gone = sessions.make_room(NEW.tenant, 3, Millis(0));
    assert_eq!(gone.len(), 1);
    assert_eq!(gone[0].end().id, PutId::Known(100), "the oldest");
    assert!(sessions.find(&tokens[0], Millis(0)).is_none());
    assert!(sessions.find(&tokens[1], Millis(0)).is_some());
    assert_eq!(sessions.of_user(NEW.tenant, 3).len(), SESSIONS_MAX - 1);
    assert_eq!(sessions.of_user(NEW.tenant, 4).len(), 1);
    assert!(sessions.make_room(NEW.tenant, 4, Millis(0)).is_empty());
}

#[test]
fn expired_sessions_are_swept_a_few_at_a_time() {
    let sessions = sessions();
    for entropy in 0..20 {
        begin(&sessions, u64::from(entropy), entropy, Millis(0));
    }
    let used = begin(&sessions, 50, 50, Millis(0));
    let late = Millis(LIFE_MS);
    sessions.find(&used, Millis(1)).expect("live");
    let mut swept = 0;
    for _ in 0..5 {
        let gone = sessions.make_room(NEW.tenant, 99, late);
        assert!(gone.len() <= SWEEP);
        swept += gone.len();
    }
    assert_eq!(swept, 20);
    assert!(sessions.find(&used, late).is_some());
    let live = sessions.read();
    assert_eq!(
        (live.by_hash.len(), live.by_user.len(), live.turn.len()),
        (1, 1, 1)
    );
}

#[test]
fn what_ended_is_forgotten() {
    let sessions = sessions();
    let token = begin(&sessions, 3, 1, Millis(0));
    let other = begin(&sessions, 3, 2, Millis(0));
    let session = sessions.find(&token, Millis(0)).expect("live");
    sessions.remove(&[session]);
    assert!(sessions.find(&token, Millis(0)).is_none());
    assert!(sessions.find(&other, Millis(0)).is_some());
    assert!(sessions.make_room(NEW.tenant, 9, Millis(0)).is_empty());
    assert_eq!(sessions.read().turn.len(), 1);
}
