//! `--watch`: what it waits for, what it says, how it ends, and that its picture is always whole.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::picture::decoded;
use crate::scene::{START_S, Scene, Watcher, said, wait_until};

const SMALL: [&str; 5] = ["--full-size", "--width", "240", "--height", "160"];

fn watch(scene: &Scene, words: &[&str]) -> Command {
    scene.grapher(&[&["--watch", "50ms"], &SMALL[..], words].concat())
}

/// A file that is replaced has another inode.
fn inode(scene: &Scene) -> Option<u64> {
    fs::metadata(scene.path("heap.png")).ok().map(|found| found.ino())
}

#[test]
fn a_store_that_comes_goes_and_comes_back_is_waited_for_and_each_said_once() {
    let scene = Scene::new();
    let mut watcher = Watcher::spawn(watch(&scene, &[]));
    watcher.says("waiting: ");
    assert_eq!(inode(&scene), None);

    scene.soaked("soak.db", 60);
    watcher.says("drawing soak.db to heap.png again");
    wait_until("a picture", || inode(&scene).is_some());

    fs::remove_file(scene.path("soak.db")).unwrap();
    watcher.says("soak.db does not exist");
    scene.write("soak.db", &b"garbage".repeat(1000));
    watcher.says("not a heapsoak store");
    decoded(&scene.read("heap.png"));

    fs::remove_file(scene.path("soak.db")).unwrap();
    watcher.says("soak.db does not exist");
    scene.soaked("soak.db", 90);
    watcher.says("drawing soak.db to heap.png again");
    let drawn = inode(&scene);
    wait_until("the next picture", || inode(&scene) != drawn);
    watcher.is_silent();

    watcher.signal("TERM");
    assert_eq!(watcher.status(), Some(0));
    assert_eq!(scene.names(), ["heap.png", "soak.db"]);
}

#[test]
fn ctrl_c_ends_the_watch_at_once_and_well() {
    let scene = Scene::new();
    scene.soaked("soak.db", 60);
    let mut watcher = Watcher::spawn(scene.grapher(&["--watch", "1h"]));
    watcher.says("drawing soak.db to heap.png every 1h");
    let begun = Instant::now();
    watcher.signal("INT");
    assert_eq!(watcher.status(), Some(0));
    assert!(begun.elapsed() < Duration::from_secs(5), "took {:?}", begun.elapsed());
    decoded(&scene.read("heap.png"));
}

#[test]
fn a_span_or_a_size_that_can_never_be_drawn_is_not_waited_for() {
    let scene = Scene::new();
    let text = said(&mut scene.grapher(&["--watch", "1h", "--width", "5"]));
    assert!(text.contains("width 5"), "{text}");
    let text = said(&mut scene.grapher(&["--watch", "1h", "--start", "end-1h", "--end", "start+1h"]));
    assert!(text.contains("refer to each other"), "{text}");
}

#[test]
fn a_span_that_stays_is_drawn_again_only_when_the_store_has_changed() {
    let scene = Scene::new();
    let mut writer = scene.create("soak.db");
    crate::scene::update(&mut writer, START_S, 1..=60);
    let start = START_S.to_string();
    let _watcher = Watcher::spawn(watch(&scene, &["--start", &start, "--end", "start+10m"]));
    wait_until("a picture", || inode(&scene).is_some());
    let drawn = inode(&scene);
    let begun = Instant::now();
    wait_until("some frames", || {
        assert_eq!(inode(&scene), drawn, "drawn again for nothing");
        begun.elapsed() > Duration::from_millis(500)
    });
    crate::scene::update(&mut writer, START_S, 61..=90);
    wait_until("the picture of the new rows", || inode(&scene) != drawn);
}

#[test]
fn a_span_that_moves_is_drawn_again_even_when_nothing_is_recorded() {
    let scene = Scene::new();
    scene.soaked("soak.db", 60);
    let _watcher = Watcher::spawn(watch(&scene, &[]));
    wait_until("a picture", || inode(&scene).is_some());
    let drawn = inode(&scene);
    wait_until("the next picture", || inode(&scene) != drawn);
}

#[test]
fn a_reader_that_polls_sees_whole_pictures_only() {
    let scene = Scene::new();
    scene.soaked("soak.db", 600);
    let mut command = scene.grapher(&["--watch", "1ms"]);
    command.args(SMALL);
    let _watcher = Watcher::spawn(command);
    wait_until("a picture", || inode(&scene).is_some());
    let mut seen = std::collections::HashSet::new();
    wait_until("twenty pictures", || {
        decoded(&scene.read("heap.png"));
        seen.extend(inode(&scene));
        seen.len() > 20
    });
}

#[test]
fn kills_at_any_moment_leave_a_whole_picture_and_at_most_one_temp_file() {
    const KILLS: u64 = 40;
    let scene = Scene::new();
    scene.soaked("soak.db", 60);
    for kill in 0..KILLS {
        let before = inode(&scene);
        let mut command = scene.grapher(&["--watch", "1ms"]);
        command.args(SMALL);
        let watcher = Watcher::spawn(command);
        wait_until("a new picture", || inode(&scene) != before);
        let begun = Instant::now();
        // Through a frame of the loop, a little later each time.
        wait_until("the moment of the kill", || begun.elapsed() > Duration::from_micros(kill * 700));
        drop(watcher);
        decoded(&scene.read("heap.png"));
        let litter = scene.names().len() - 2;
        assert!(litter <= 1, "after {kill} kills: {:?}", scene.names());
    }
}

#[test]
fn two_watchers_of_one_picture_do_not_disturb_each_other() {
    let scene = Scene::new();
    scene.soaked("soak.db", 60);
    let watchers = [(); 2].map(|()| Watcher::spawn(watch(&scene, &[])));
    for watcher in &watchers {
        watcher.says("drawing soak.db to heap.png every 50ms");
    }
    let begun = Instant::now();
    wait_until("a second of frames", || {
        decoded(&scene.read("heap.png"));
        begun.elapsed() > Duration::from_secs(1)
    });
    for mut watcher in watchers {
        watcher.is_silent();
        watcher.signal("TERM");
        assert_eq!(watcher.status(), Some(0));
    }
    assert_eq!(scene.names(), ["heap.png", "soak.db"]);
}
