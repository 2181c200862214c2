//! Files that are not for us are refused, with the reason, and left as they were.

use std::fs;
use std::path::Path;

use heapsoak_store::{Reader, StoreError, Writer};

use crate::help::{by_hand, closed, create, feed, folder, names, write};

/// Opens for reading and for writing, and compares the folder before and after.
fn refused(path: &Path) -> StoreError {
    let folder = path.parent().unwrap();
    let files = || -> Vec<(String, Vec<u8>)> {
        names(folder).into_iter().map(|name| (name.clone(), fs::read(folder.join(name)).unwrap())).collect()
    };
    let before = files();
    let read = Reader::open(path).and_then(|reader| reader.info().map(drop)).unwrap_err();
    assert!(files() == before, "the reader changed the file or left something beside it");
    let write = Writer::open(path).unwrap_err();
    assert!(files() == before, "the writer changed the file or left something beside it");
    assert_eq!(read.to_string(), write.to_string());
    write
}

#[test]
fn another_programs_file_is_refused() {
    let (_folder, path) = folder();
    by_hand(&path, "CREATE TABLE t(x); PRAGMA application_id = 252006675");
    let error = refused(&path);
    assert!(matches!(&error, StoreError::Foreign { what, .. } if what.contains("252006675")), "{error}");
}

#[test]
fn another_programs_file_in_write_ahead_mode_is_refused_and_nothing_left_beside_it() {
    let (folder, path) = folder();
    by_hand(&path, "PRAGMA journal_mode = WAL; CREATE TABLE t(x)");
    assert_eq!(names(folder.path()), ["soak.db"]);
    assert!(matches!(refused(&path), StoreError::Foreign { .. }));
}

#[test]
fn what_is_no_database_is_refused() {
    let (_folder, path) = folder();
    for bytes in [&b""[..], b"time,heap\n1,2\n", &[0; 8192], b"SQLite format 3\0 but no more"] {
        write(&path, bytes);
        assert!(matches!(refused(&path), StoreError::Foreign { .. }));
    }
}

#[test]
fn a_newer_file_is_refused_and_both_versions_are_named() {
    let (_folder, path) = folder();
    closed(&path);
    by_hand(&path, "PRAGMA user_version = 7");
    let error = refused(&path);
    assert!(matches!(error, StoreError::Newer { found: 7, known: 1, .. }), "{error}");
    assert!(error.to_string().contains("has version 7 of the store and this heapsoak knows version 1"), "{error}");
}

#[test]
fn a_truncated_file_is_refused_in_either_mode() {
    let (folder, path) = folder();
    closed(&path);
    let single = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    let mut writer = create(&path);
    feed(&mut writer, 1, 60);
    writer.commit().unwrap();
    writer.checkpoint().unwrap();
    let wal = fs::read(&path).unwrap();
    drop(writer);
    for (bytes, kept) in [(&single, 4096), (&single, single.len() - 4096), (&wal, 4096), (&wal, wal.len() - 4096)] {
        for name in names(folder.path()) {
            fs::remove_file(folder.path().join(name)).unwrap();
        }
        write(&path, &bytes[..kept]);
        assert!(matches!(refused(&path), StoreError::Damaged { .. }), "{kept} of {}", bytes.len());
    }
}

#[test]
fn a_file_without_its_row_of_rows_is_refused() {
    let (_folder, path) = folder();
    for sql in [
        "DROP TABLE point",
        "ALTER TABLE point ADD COLUMN mine TEXT",
        "DELETE FROM store",
        "DELETE FROM source WHERE id = 0",
        "UPDATE archive SET rows = 1000000",
        "DROP TABLE point; CREATE VIEW point AS WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x FROM r) SELECT * FROM r",
    ] {
        closed(&path);
        by_hand(&path, sql);
        let error = refused(&path);
        assert!(matches!(error, StoreError::Damaged { .. }), "{sql}: {error}");
        fs::remove_file(&path).unwrap();
    }
}

#[test]
fn a_state_that_is_gone_is_refused_by_the_writer_and_no_hindrance_for_a_reader() {
    let (_folder, path) = folder();
    for sql in ["DELETE FROM cdp", "DELETE FROM pdp WHERE source = 1", "UPDATE cdp SET unknown_pdps = 7"] {
        closed(&path);
        by_hand(&path, sql);
        let before = fs::read(&path).unwrap();
        assert!(matches!(Writer::open(&path), Err(StoreError::Damaged { .. })), "{sql}");
        assert_eq!(fs::read(&path).unwrap(), before);
        let reader = Reader::open(&path).unwrap();
        assert!(reader.info().is_ok());
        assert_ne!(reader.verify().unwrap(), []);
        fs::remove_file(&path).unwrap();
    }
}

#[test]
fn nothing_at_the_path_is_absent() {
    let (folder, path) = folder();
    assert!(matches!(Reader::open(&path), Err(StoreError::Absent { .. })));
    assert!(matches!(Writer::open(&path), Err(StoreError::Absent { .. })));
    assert_eq!(names(folder.path()), [""; 0]);
}

#[test]
fn a_hostile_file_gives_errors_and_no_panic() {
    let (_folder, path) = folder();
    let hostile = "PRAGMA writable_schema = ON; PRAGMA ignore_check_constraints = ON;";
    for sql in [
        "UPDATE source SET name = 'a\"; DROP TABLE point; --' WHERE id = 0",
        "UPDATE source SET description = CAST(zeroblob(5000000) AS TEXT) WHERE id = 0",
        "UPDATE store SET last_us = -9223372036854775808, step_us = -1",
        "UPDATE store SET last_us = 9223372036854775807",
        "UPDATE archive SET rows = 9223372036854775807, pdps_per_row = 9223372036854775807",
        "UPDATE sqlite_schema SET sql = replace(sql, 'STRICT', '') WHERE name = 'source'",
        "UPDATE sqlite_schema SET rootpage = 1 WHERE name = 'store'",
        "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n LIMIT 5000) \
         INSERT INTO source SELECT i, 's' || i, 'GAUGE', 1, NULL, NULL, '', '', 0 FROM n",
        "CREATE TRIGGER t AFTER INSERT ON pdp BEGIN DELETE FROM point; END; UPDATE pdp SET crc = 0",
    ] {
        closed(&path);
        // Some of these SQLite itself refuses to make.
        let _ = rusqlite::Connection::open(&path).unwrap().execute_batch(&format!("{hostile} {sql}"));
        if let Ok(reader) = Reader::open(&path) {
            let _ = (reader.info(), reader.lastupdate(), reader.runs());
            let _ = reader.fetch(heapsoak_rrd::Cf::Average, crate::help::at(0), crate::help::at(60), 1);
            assert_ne!(reader.verify().unwrap(), [], "{sql}");
        }
        assert!(Writer::open(&path).is_err(), "{sql}");
        fs::remove_file(&path).unwrap();
    }
}
