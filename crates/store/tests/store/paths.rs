//! One writer for one file, and where that file is.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use heapsoak_rrd::Cf;
use heapsoak_store::{Existing, Guardian, Reader, StoreError, Writer};

use crate::help::{ARCHIVES, archives, at, by_hand, closed, create, feed, folder, gauges, known, names, second, write};

fn replace(path: &std::path::Path) -> Result<Writer, StoreError> {
    Writer::create(path, second(), &gauges(&["new"]), &archives(&ARCHIVES), at(0), Existing::Replace)
}

#[test]
fn a_second_writer_is_refused_and_told_who_is_the_first() {
    let (_folder, path) = folder();
    let mut writer = create(&path);
    for again in [Writer::open(&path), replace(&path)] {
        let error = again.unwrap_err();
        assert!(matches!(error, StoreError::Locked { pid: Some(pid), .. } if pid == std::process::id()), "{error}");
    }
    feed(&mut writer, 1, 9);
    writer.close().unwrap();
    drop(Writer::open(&path).unwrap());
    drop(replace(&path).unwrap());
}

#[test]
fn a_clean_end_leaves_one_private_file() {
    let (folder, path) = folder();
    let mut writer = create(&path);
    feed(&mut writer, 1, 9);
    writer.commit().unwrap();
    for file in names(folder.path()) {
        let mode = fs::metadata(folder.path().join(&file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    writer.close().unwrap();
    assert_eq!(names(folder.path()), ["soak.db"]);
    assert_eq!(
        &fs::read(&path).unwrap()[18..20],
        [1, 1],
        "the file is in write-ahead mode: it needs a writable folder"
    );
    let reader = Reader::open(&path).unwrap();
    assert_eq!(reader.info().unwrap().writer, None);
    assert_eq!(names(folder.path()), ["soak.db"]);
}

#[test]
fn a_reader_that_stays_open_does_not_hinder_the_end_and_sees_all() {
    let (_folder, path) = folder();
    let mut writer = create(&path);
    let reader = Reader::open(&path).unwrap();
    assert_eq!(reader.last().unwrap(), at(0));
    feed(&mut writer, 1, 9);
    writer.close().unwrap();
    assert_eq!(reader.last().unwrap(), at(9));
    drop(reader);
    Writer::open(&path).unwrap().close().unwrap();
}

#[test]
fn a_file_that_was_deleted_or_replaced_is_noticed_and_the_new_one_left_alone() {
    let (folder, path) = folder();
    let mut old = create(&path);
    feed(&mut old, 1, 9);
    old.commit().unwrap();
    let reader = Reader::open(&path).unwrap();
    assert!(old.check_path().is_ok() && reader.check_path().is_ok());
    fs::rename(&path, folder.path().join("moved.db")).unwrap();
    assert!(matches!(old.check_path(), Err(StoreError::Lost { .. })));
    let mut new = create(&path);
    feed(&mut new, 1, 30);
    new.commit().unwrap();
    assert!(matches!(old.check_path(), Err(StoreError::Replaced { .. })));
    assert!(matches!(reader.check_path(), Err(StoreError::Replaced { .. })));
    feed(&mut old, 10, 12);
    assert!(matches!(old.close(), Err(StoreError::Replaced { .. })));
    drop(reader);
    drop(new);
    // The new file still has its -wal, and the moved one has all that it was given.
    assert_eq!(Reader::open(&path).unwrap().last().unwrap(), at(30));
    assert_eq!(Reader::open(&folder.path().join("moved.db")).unwrap().last().unwrap(), at(12));
}

#[test]
fn what_exists_is_left_alone_unless_it_is_a_store() {
    let (folder, path) = folder();
    let refuse = || Writer::create(&path, second(), &gauges(&["new"]), &archives(&ARCHIVES), at(0), Existing::Refuse);
    write(&path, b"a letter");
    assert!(matches!(refuse(), Err(StoreError::Exists { .. })));
    assert!(matches!(replace(&path), Err(StoreError::Foreign { .. })));
    assert_eq!(fs::read(&path).unwrap(), b"a letter");
    fs::remove_file(&path).unwrap();
    by_hand(&path, "CREATE TABLE bookmarks(url)");
    assert!(matches!(replace(&path), Err(StoreError::Foreign { .. })));
    write(&path, b"");
    drop(replace(&path).unwrap());
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(matches!(replace(&path), Err(StoreError::NotAFile { .. })));
    assert!(matches!(Writer::open(&path), Err(StoreError::NotAFile { .. })));
    assert!(!names(folder.path()).iter().any(|name| name.starts_with(".heapsoak")));
}

#[test]
fn a_symbolic_link_is_followed_to_open_and_never_to_create() {
    let (folder, path) = folder();
    let (target, dangling) = (folder.path().join("real.db"), folder.path().join("dangling.db"));
    closed(&target);
    let bytes = fs::read(&target).unwrap();
    symlink(&target, &path).unwrap();
    symlink(folder.path().join("nothing"), &dangling).unwrap();
    for link in [&path, &dangling] {
        let new = Writer::create(link, second(), &gauges(&["a"]), &archives(&ARCHIVES), at(0), Existing::Refuse);
        let said = new.map(drop).unwrap_err();
        match link == &path {
            true => assert!(matches!(said, StoreError::Exists { .. }), "{said}"),
            false => assert!(said.to_string().contains("a symbolic link to nothing"), "{said}"),
        }
        assert!(matches!(replace(link), Err(StoreError::NotAFile { .. })));
    }
    assert_eq!(fs::read(&target).unwrap(), bytes);
    assert!(!folder.path().join("nothing").exists());
    let mut writer = Writer::open(&path).unwrap();
    assert!(matches!(Writer::open(&target), Err(StoreError::Locked { .. })), "two writers by two names");
    feed(&mut writer, 61, 70);
    writer.commit().unwrap();
    assert_eq!(Reader::open(&target).unwrap().last().unwrap(), at(70));
    assert_eq!(Reader::open(&path).unwrap().last().unwrap(), at(70));
    writer.close().unwrap();
    assert_eq!(names(folder.path()), ["dangling.db", "real.db", "soak.db"]);
}

#[test]
fn a_directory_that_is_not_there_is_what_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("absent/soak.db");
    let new = Writer::create(&path, second(), &gauges(&["a"]), &archives(&ARCHIVES), at(0), Existing::Refuse);
    assert!(matches!(new, Err(StoreError::NoDirectory { path }) if path.ends_with("absent")));
}

#[test]
fn what_an_older_store_left_beside_it_does_not_get_into_the_new_one() {
    let (folder, path) = folder();
    let mut killed = create(&path);
    feed(&mut killed, 1, 50);
    killed.commit().unwrap();
    let leftover = fs::read(folder.path().join("soak.db-wal")).unwrap();
    drop(killed);
    for existing in [Existing::Replace, Existing::Refuse] {
        if existing == Existing::Refuse {
            fs::remove_file(&path).unwrap();
        }
        write(&folder.path().join("soak.db-wal"), &leftover);
        let new = Writer::create(&path, second(), &gauges(&["new"]), &archives(&ARCHIVES), at(0), existing).unwrap();
        assert_eq!((new.last(), new.sources().len()), (at(0), 1));
        drop(new);
        let reader = Reader::open(&path).unwrap();
        assert_eq!((reader.last().unwrap(), reader.verify().unwrap()), (at(0), vec![]));
    }
}

#[test]
fn after_a_checkpoint_the_file_alone_holds_everything() {
    let (folder, path) = folder();
    let mut writer = create(&path);
    feed(&mut writer, 1, 40);
    writer.commit().unwrap();
    writer.checkpoint().unwrap();
    let copy = folder.path().join("copy.db");
    fs::copy(&path, &copy).unwrap();
    let reader = Reader::open(&copy).unwrap();
    assert_eq!(reader.last().unwrap(), at(40));
    assert_eq!(known(&reader.fetch(Cf::Average, at(0), at(38), 1).unwrap()), 26);
    assert_eq!(reader.verify().unwrap(), []);
}

#[test]
fn a_store_is_not_made_where_anybody_could_replace_it() {
    let (folder, path) = folder();
    let make = || Writer::create(&path, second(), &gauges(&["a"]), &archives(&ARCHIVES), at(0), Existing::Refuse);
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    assert!(matches!(make(), Err(StoreError::OpenToAll { .. })));
    assert_eq!(names(folder.path()), [""; 0]);
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o1777)).unwrap();
    make().unwrap().close().unwrap();
}

#[test]
fn names_that_mean_something_to_sqlite_are_just_names() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["file:soak.db?mode=memory", "a b%20#c.db", ":memory:", "\u{e9}\u{1f600}.db"] {
        let path = folder.path().join(name);
        closed(&path);
        assert!(path.is_file(), "{name}");
        assert_eq!(Reader::open(&path).unwrap().last().unwrap(), at(60), "{name}");
    }
    assert_eq!(names(folder.path()).len(), 4);
}

#[test]
fn a_log_that_was_deleted_is_noticed_and_what_is_in_it_can_still_be_written_back() {
    let (folder, path) = folder();
    let mut writer = create(&path);
    feed(&mut writer, 1, 30);
    writer.commit().unwrap();
    let log = folder.path().join("soak.db-wal");
    fs::remove_file(&log).unwrap();
    assert!(matches!(writer.check_path(), Err(StoreError::Lost { path }) if path == log));
    writer.checkpoint().unwrap();
    drop(writer);
    assert_eq!(Reader::open(&path).unwrap().last().unwrap(), at(30));
}

#[test]
fn what_a_killed_writer_noted_of_its_guardians_is_there_for_the_next() {
    let (_folder, path) = folder();
    let guardian = |pid| Guardian { pid, started: 7, boot: "b".to_owned(), folder: "/tmp/x".to_owned() };
    let mut killed = create(&path);
    assert_eq!(killed.left_guardians(), []);
    killed.set_guardians(vec![guardian(1), guardian(2)]);
    killed.set_guardians(vec![guardian(3)]);
    killed.commit().unwrap();
    drop(killed);
    let mut next = Writer::open(&path).unwrap();
    assert_eq!(next.left_guardians(), [guardian(3)]);
    next.set_guardians(Vec::new());
    next.close().unwrap();
    assert_eq!(Writer::open(&path).unwrap().left_guardians(), []);
    assert_eq!(Reader::open(&path).unwrap().verify().unwrap(), []);
}
