//! `verify` and `rebuild_views`: what agrees, what differs and where.

use std::fs;
use std::sync::Arc;

use store::Submit;
use store::embedded::{JOURNAL, OpenError, VerifyError, rebuild_views, verify};

use super::views::history;
use crate::bed::{Bed, Ground, close, done, dump, entries, made, tamper};

#[tokio::test]
async fn a_clean_folder_is_reported() {
    let bed = Bed::embedded();
    let ground = history(&bed).await;
    let report = verify(bed.path()).unwrap_or_else(|error| panic!("{error}"));
    // Three accounts of the owner's, the world and the money in transit.
    assert_eq!(report.accounts, 5);
    assert_eq!(report.transfers, 24);
    assert_eq!(report.views_batches, Some(report.batches));
    let rows = dump(bed.path());
    assert_eq!(rows["owner_pages"].len(), 1);
    assert_eq!(entries(bed.path()).len() as u64, report.entries);
    assert!(report.records >= report.batches);
    assert!(report.to_string().contains("sum 0"));
    let store = bed.open().await;
    assert_eq!(ground.transfers(&store).await.len(), report.transfers);
    close(store).await;
}

#[tokio::test]
async fn an_empty_folder_is_reported() {
    let bed = Bed::embedded();
    close(bed.open().await).await;
    let report = verify(bed.path()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((report.batches, report.accounts), (0, 0));
}

#[tokio::test]
async fn a_folder_that_is_none_is_unreadable() {
    let bed = Bed::embedded();
    let error = verify(&bed.file("nowhere")).expect_err("there is nothing");
    assert!(matches!(error, VerifyError::Unreadable(_)), "{error}");
}

#[tokio::test]
async fn verifying_changes_nothing() {
    let bed = Bed::embedded();
    history(&bed).await;
    let journal = bed.file(JOURNAL).join("00000001.tgj");
    let before = (dump(bed.path()), fs::read(&journal).expect("it is there"));
    verify(bed.path()).unwrap_or_else(|error| panic!("{error}"));
    let after = (dump(bed.path()), fs::read(&journal).expect("it is there"));
    assert!(before == after);
}

/// Changes the views by each statement and expects the difference to name what was changed.
#[tokio::test]
async fn a_change_to_the_views_is_found_and_named() {
    let pod = |bed: &Bed, ground: &Ground, sql: &str| {
        let account = ground.pod.raw().to_string();
        tamper(bed.path(), &sql.replace('$', &account));
        format!("account {account}")
    };
    let transfer = |bed: &Bed, sql: &str| {
        let connection = rusqlite::Connection::open(bed.file("views.sqlite")).expect("it is there");
        let id: i64 = connection
            .query_row(
                "SELECT min(id) FROM transfers WHERE status = 5",
                [],
                |row| row.get(0),
            )
            .expect("some have completed");
        tamper(bed.path(), &sql.replace('$', &id.to_string()));
        format!("transfer {id}")
    };
    let anything = |bed: &Bed, sql: &str, part: &str| {
        tamper(bed.path(), sql);
        part.to_owned()
    };
    // Replaces the text of the pod's first page.
    let entry = |bed: &Bed, ground: &Ground, text: &str| {
        let account = ground.pod.raw();
        let sql = format!("UPDATE entry_pages SET entries = {text} WHERE account = {account}");
        tamper(bed.path(), &sql);
        format!("account {account}")
    };
    let list = |bed: &Bed, change: &str| {
        tamper(bed.path(), &format!("UPDATE owner_pages SET {change}"));
        "does not add up".to_owned()
    };
    // Changes a byte of the first line.
    let line = |bed: &Bed, byte: usize, part: &str| {
        let views = rusqlite::Connection::open(bed.file("views.sqlite")).expect("it is there");
        let find = "SELECT lines FROM owner_lines";
        let lines: Vec<u8> = views
            .query_row(find, [], |row| row.get(0))
            .expect("one page");
        let mut lines = lines;
        lines[byte] ^= 1;
        views
            .execute("UPDATE owner_lines SET lines = ?1", [lines])
            .expect("a valid statement");
        part.to_owned()
    };
    type Change<'a> = Box<dyn Fn(&Bed, &Ground) -> String + 'a>;
    let changes: Vec<Change<'_>> = vec![
        Box::new(|b, g| {
            pod(
                b,
                g,
                "UPDATE accounts SET balance = balance + 1 WHERE id = $",
            )
        }),
        Box::new(|b, g| pod(b, g, "UPDATE accounts SET held = held + 1 WHERE id = $")),
        Box::new(|b, g| pod(b, g, "UPDATE accounts SET state = 2 WHERE id = $")),
        Box::new(|b, g| pod(b, g, "UPDATE accounts SET name = 'mine' WHERE id = $")),
        Box::new(|b, g| pod(b, g, "DELETE FROM accounts WHERE id = $")),
        Box::new(|b, g| pod(b, g, "DELETE FROM entry_pages WHERE account = $")),
        Box::new(|b, g| entry(b, g, "json_remove(entries, '$[1]')")),
        Box::new(|b, g| entry(b, g, "json_remove(entries, '$[#-1]')")),
        Box::new(|b, g| entry(b, g, "json_set(entries, '$[0][1]', 5)")),
        Box::new(|b, g| entry(b, g, "replace(entries, ',-', ',')")),
        Box::new(|b, g| {
            let balance = "json_extract(entries, '$[#-1][2]') + 5";
            let late = i64::MAX;
            let extra = format!("json_array(1, 5, {balance}, {late})");
            entry(b, g, &format!("json_insert(entries, '$[#]', {extra})"))
        }),
        Box::new(|b, g| {
            entry(b, g, "json_set(entries, '$[0][0]', 1)");
            "its entries differ".to_owned()
        }),
        Box::new(|b, g| {
            entry(b, g, "json_set(entries, '$[0][3]', 1)");
            "its entries differ".to_owned()
        }),
        Box::new(|b, g| {
            entry(b, g, "replace(entries, '],[', '], [')");
            "is wrong at byte".to_owned()
        }),
        Box::new(|b, g| {
            entry(b, g, "replace(entries, ',', ',0')");
            "is wrong at byte".to_owned()
        }),
        Box::new(|b, _| {
            let sql = "UPDATE entry_pages SET until_ms = until_ms + 1";
            anything(b, sql, "the time of page")
        }),
        Box::new(|b, g| {
            pod(
                b,
                g,
                "UPDATE entry_pages SET page = page + 1 WHERE account = $",
            )
        }),
        Box::new(|b, _| {
            let sql = "INSERT INTO entry_pages VALUES (77, 0, 0, '[[1,5,5,0]]')";
            anything(b, sql, "account 77")
        }),
        Box::new(|b, _| transfer(b, "UPDATE transfers SET status = 7 WHERE id = $")),
        Box::new(|b, _| transfer(b, "UPDATE transfers SET amount = amount * 2 WHERE id = $")),
        Box::new(|b, _| {
            transfer(b, "DELETE FROM transfers WHERE id = $");
            "1 transfers are not in the views".to_owned()
        }),
        Box::new(|b, _| {
            let sql = "INSERT INTO transfers SELECT 77, tenant, owner, source, destination, \
                       currency, amount, direction, origin, rail, rail_delay_ms, status, error, \
                       rule, execution, api_key, description, created_ms, updated_ms, \
                       completed_ms, profile, tag, scheduled_ms, fee, cancel_reason, card \
                       FROM transfers WHERE status = 5 LIMIT 1";
            anything(b, sql, "transfer 77 is only in the views")
        }),
        Box::new(|b, _| {
            let sql = "UPDATE transfers SET description = 'x' WHERE status = 4";
            anything(b, sql, "open transfer")
        }),
        Box::new(|b, _| anything(b, "DELETE FROM due", "work is not in the views")),
        Box::new(|b, _| {
            anything(
                b,
                "UPDATE due SET at_ms = at_ms + 1",
                "work is not in the views",
            )
        }),
        Box::new(|b, _| {
            anything(
                b,
                "INSERT INTO due SELECT tenant, 5, 1, 77 FROM due LIMIT 1",
                "pieces of work",
            )
        }),
        Box::new(|b, _| anything(b, "UPDATE holds SET amount = amount + 1", "hold ")),
        Box::new(|b, _| anything(b, "DELETE FROM holds", "hold ")),
        Box::new(|b, _| anything(b, "UPDATE tenants SET clock_offset_ms = 9", "tenant ")),
        Box::new(|b, _| anything(b, "UPDATE meta SET offset = offset - 1", "")),
        Box::new(|b, _| anything(b, "UPDATE owners SET name = 'nobody'", "owner ")),
        Box::new(|b, _| anything(b, "UPDATE transfers SET owner = 1", "transfer ")),
        Box::new(|b, _| {
            let sql = "UPDATE transfers SET completed_ms = completed_ms + 1 WHERE status = 5";
            anything(b, sql, "transfer ")
        }),
        // A field of the first transfer in its list: source, profile, execution, tag, direction,
        // origin, kinds of the ends, and those that the summary knows too.
        Box::new(|b, _| line(b, 24, "differs in the list")),
        Box::new(|b, _| line(b, 32, "differs in the list")),
        Box::new(|b, _| line(b, 40, "differs in the list")),
        Box::new(|b, _| line(b, 48, "differs in the list")),
        Box::new(|b, _| line(b, 56, "differs in the list")),
        Box::new(|b, _| line(b, 73, "differs in the list")),
        Box::new(|b, _| line(b, 74, "differs in the list")),
        Box::new(|b, _| line(b, 75, "differs in the list")),
        Box::new(|b, _| line(b, 0, "does not add up")),
        Box::new(|b, _| line(b, 8, "owner ")),
        Box::new(|b, _| line(b, 16, "owner ")),
        Box::new(|b, _| line(b, 72, "")),
        Box::new(|b, _| list(b, "transfers = transfers + 1")),
        Box::new(|b, _| list(b, "instruments = instruments + 1")),
        Box::new(|b, _| list(b, "instruments_before = 1")),
        Box::new(|b, _| {
            // Its lines are not found any more.
            list(b, "first_id = first_id - 1");
            "open transfer".to_owned()
        }),
        Box::new(|b, _| list(b, "last_id = last_id + 1")),
        Box::new(|b, _| list(b, "created_from_ms = created_from_ms - 1")),
        Box::new(|b, _| list(b, "created_to_ms = created_to_ms + 1")),
        Box::new(|b, _| list(b, "executed_from_ms = NULL")),
        Box::new(|b, _| list(b, "executed_to_ms = executed_to_ms + 1")),
        Box::new(|b, _| list(b, "marks = zeroblob(256)")),
        Box::new(|b, _| list(b, "page = 1")),
        Box::new(|b, _| {
            let sql = "UPDATE owner_lines SET lines = substr(lines, 1, length(lines) - 76)";
            anything(b, sql, "")
        }),
        Box::new(|b, _| {
            let sql = "UPDATE owner_lines SET lines = substr(lines, 2)";
            anything(b, sql, "")
        }),
        Box::new(|b, _| {
            let sql = "UPDATE owner_lines SET first_id = first_id + 1";
            anything(b, sql, "")
        }),
        Box::new(|b, _| {
            anything(
                b,
                "INSERT INTO owner_lines VALUES (77, x'00')",
                "pages of nobody",
            )
        }),
        Box::new(|b, _| {
            list(b, "statuses = zeroblob(18)");
            "open transfer".to_owned()
        }),
        Box::new(|b, _| {
            list(b, "owner = 77");
            "differs in the list".to_owned()
        }),
        Box::new(|b, _| anything(b, "DELETE FROM owner_pages", "open transfer")),
        Box::new(|b, _| {
            let sql = "UPDATE remembered_pages SET keys = zeroblob(length(keys))";
            anything(b, sql, "idempotency record")
        }),
        Box::new(|b, _| {
            let sql = "UPDATE remembered_pages SET answers = answers || x'00'";
            anything(b, sql, "")
        }),
        Box::new(|b, _| {
            let sql = "UPDATE remembered_pages SET page = page + 1";
            anything(b, sql, "idempotency record")
        }),
        Box::new(|b, _| anything(b, "DELETE FROM remembered_pages", "idempotency records are")),
        Box::new(|b, _| anything(b, "UPDATE api_keys SET permissions = '[]'", "API key ")),
        Box::new(|b, _| anything(b, "UPDATE api_keys SET revoked_ms = NULL", "API key ")),
        Box::new(|b, _| anything(b, "DELETE FROM api_keys", "API keys are missing")),
    ];
    for (index, change) in changes.iter().enumerate() {
        let bed = Bed::embedded();
        let ground = history(&bed).await;
        let named = change(&bed, &ground);
        let error = match verify(bed.path()) {
            Ok(report) => panic!("change {index} went unnoticed: {report}"),
            Err(error) => error,
        };
        let text = error.to_string();
        assert!(
            text.contains(&named),
            "change {index}: {text:?} lacks {named:?}"
        );
        if !named.is_empty() {
            assert!(
                matches!(error, VerifyError::Difference(_)),
                "change {index}: {text}"
            );
        }
        // The journal is the truth: made anew, the views agree again.
        rebuild_views(bed.path()).unwrap_or_else(|error| panic!("{error}"));
        verify(bed.path()).unwrap_or_else(|error| panic!("change {index}: {error}"));
    }
}

#[tokio::test]
async fn a_flipped_byte_of_the_journal_is_found() {
    let bed = Bed::embedded();
    history(&bed).await;
    let path = bed.file(JOURNAL).join("00000001.tgj");
    let good = fs::read(&path).expect("it is there");
    let places = [
        20,
        70,
        good.len() / 3,
        good.len() / 2,
        good.len() - 40,
        good.len() - 1,
    ];
    for place in places {
        let mut bad = good.clone();
        bad[place] ^= 0x10;
        fs::write(&path, &bad).expect("it can be written");
        let error = verify(bed.path()).expect_err("a bit was flipped");
        assert!(
            matches!(error, VerifyError::Journal(_)),
            "byte {place}: {error}"
        );
        let error = rebuild_views(bed.path());
        let lost_tail = place >= good.len() - 40;
        assert!(
            error.is_err() || lost_tail,
            "byte {place} of {}",
            good.len()
        );
        assert!(
            lost_tail || fs::read(&path).expect("it is there") == bad,
            "nothing is changed"
        );
    }
}

#[tokio::test]
async fn a_flipped_byte_stops_the_start() {
    let bed = Bed::embedded();
    history(&bed).await;
    let path = bed.file(JOURNAL).join("00000001.tgj");
    let mut bytes = fs::read(&path).expect("it is there");
    let place = bytes.len() / 2;
    bytes[place] ^= 1;
    fs::write(&path, bytes).expect("it can be written");
    let Err(error) = bed.try_open() else {
        panic!("opened over a damaged journal")
    };
    assert!(matches!(error, OpenError::Journal(_)), "{error}");
    let text = error.to_string();
    assert!(text.contains("00000001.tgj is damaged at byte"), "{text}");
    assert!(text.contains("restore"), "{text}");
}

#[tokio::test]
async fn a_journal_shorter_than_the_views_is_refused() {
    let bed = Bed::embedded();
    history(&bed).await;
    let path = bed.file(JOURNAL).join("00000001.tgj");
    fs::remove_file(&path).expect("it is there");
    let Err(error) = bed.try_open() else {
        panic!("opened with views of a journal that is gone")
    };
    let text = error.to_string();
    assert!(text.contains("was already seen"), "{text}");
    let error = verify(bed.path()).expect_err("the journal is gone");
    assert!(matches!(error, VerifyError::Journal(_)), "{error}");
}

#[tokio::test]
async fn missing_views_are_no_difference() {
    let bed = Bed::embedded();
    history(&bed).await;
    fs::remove_file(bed.file("views.sqlite")).expect("it is there");
    let report = verify(bed.path()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(report.views_batches, None);
    assert!(report.to_string().contains("no views to compare"));
}

#[tokio::test]
async fn rebuilt_views_have_the_same_rows() {
    let bed = Bed::embedded();
    history(&bed).await;
    let before = dump(bed.path());
    for table in [
        "holds",
        "due",
        "entry_pages",
        "remembered_pages",
        "owner_pages",
        "owner_lines",
    ] {
        assert!(!before[table].is_empty(), "{table} has nothing to compare");
    }
    let batches = rebuild_views(bed.path()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(batches, verify(bed.path()).expect("they agree").batches);
    let after = dump(bed.path());
    for (table, rows) in &before {
        assert_eq!(rows, &after[table], "{table}");
    }
}

#[tokio::test]
async fn a_journal_of_many_segments_verifies() {
    let mut bed = Bed::embedded();
    bed.segment_bytes = 1_000;
    history(&bed).await;
    let segments = fs::read_dir(bed.file(JOURNAL))
        .expect("it is there")
        .count();
    assert!(segments > 3, "{segments} segments");
    verify(bed.path()).unwrap_or_else(|error| panic!("{error}"));
    let before = dump(bed.path());
    rebuild_views(bed.path()).unwrap_or_else(|error| panic!("{error}"));
    assert!(dump(bed.path()) == before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn verifying_beside_an_open_store() {
    let bed = Bed::embedded();
    let store = bed.open().await;
    let ground = Ground::new(&store).await;
    done(&store, ground.paycheck(1_000_000)).await;
    let writing = {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            for _ in 0..300 {
                let command = ground.transfer(ground.pay, ground.bank, 1);
                let id = made(store.submit(Submit::command(command)).await);
                ground.status(&store, id).await;
            }
        })
    };
    let folder = bed.path().to_owned();
    let verified = tokio::task::spawn_blocking(move || {
        for _ in 0..10 {
            verify(&folder).unwrap_or_else(|error| panic!("{error}"));
        }
    });
    verified.await.expect("each agrees");
    writing.await.expect("nobody was disturbed");
    close(store).await;
    let report = verify(bed.path()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(report.transfers, 301);
}

#[tokio::test]
async fn a_folder_has_one_store() {
    let bed = Bed::embedded();
    let store = bed.open().await;
    let Err(error) = bed.try_open() else {
        panic!("opened twice")
    };
    assert!(matches!(error, OpenError::Locked { .. }), "{error}");
    let text = error.to_string();
    let folder = bed.path().display().to_string();
    assert!(text.contains(&folder), "{text}");
    assert!(
        text.contains("is in use by another tidegate process"),
        "{text}"
    );
    let error = rebuild_views(bed.path()).expect_err("the store is open");
    assert!(error.to_string().contains("is in use"), "{error}");
    close(store).await;
    close(bed.open().await).await;
}

#[tokio::test]
async fn a_store_that_is_dropped_gives_the_folder_free_and_keeps_what_it_answered() {
    let bed = Bed::embedded();
    let store = bed.open().await;
    let ground = Ground::new(&store).await;
    let id = made(store.submit(Submit::command(ground.paycheck(5))).await);
    drop(store);
    let store = bed.open().await;
    assert!(ground.transfers(&store).await.contains_key(&id));
    close(store).await;
    verify(bed.path()).unwrap_or_else(|error| panic!("{error}"));
}
