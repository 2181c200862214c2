//! A folder for each test, the programs in it, and what they recorded.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

pub(crate) const BEGIN: u64 = 1_700_000_000;

pub(crate) struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    #[expect(clippy::disallowed_methods, reason = "a test makes the file that the program is to find")]
    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn rrdtool(&self, words: &[&str]) -> String {
        self.ran("rrdtool".as_ref(), words)
    }

    pub(crate) fn recorder(&self, words: &[&str]) -> String {
        self.ran(&recorder(), words)
    }

    pub(crate) fn grapher(&self, words: &[&str]) -> String {
        self.ran(&grapher(), words)
    }

    /// A program in the folder, in UTC.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.folder.path()).env("TZ", "UTC").env_remove("HEAPSOAK_LOG");
        command
    }

    /// What it printed; it must succeed.
    #[track_caller]
    fn ran(&self, program: &Path, words: &[&str]) -> String {
        let Output { status, stdout, stderr } = self.command(program).args(words).output().unwrap();
        assert!(status.success(), "{program:?} {words:?}: {status}: {}", String::from_utf8_lossy(&stderr));
        String::from_utf8(stdout).unwrap()
    }

    /// What `recorder import` said on stderr, and its status; `stdin` is what it is given.
    pub(crate) fn import(&self, words: &[&str], stdin: &str) -> (String, i32) {
        let mut command = self.command(&recorder());
        command.arg("import").args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // It may end before it has read all.
        drop(child.stdin.take().unwrap().write_all(stdin.as_bytes()));
        let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
        assert!(stdout.is_empty(), "printed {}", String::from_utf8_lossy(&stdout));
        (String::from_utf8(stderr).unwrap(), status.code().unwrap())
    }

    /// Gives both programs the same updates; the databases are `t.rrd` and the store `db`.
    pub(crate) fn update(&self, db: &str, updates: &[String]) {
        for some in updates.chunks(500) {
            let some: Vec<&str> = some.iter().map(String::as_str).collect();
            self.rrdtool(&[&["update", "t.rrd"], some.as_slice()].concat());
            self.recorder(&[&["update", "--db", db], some.as_slice()].concat());
        }
    }

    /// All rows that both answer for all archives must be the same, to `tolerance`.
    pub(crate) fn compare(&self, db: &str, end: u64, tolerance: f64) {
        let mut known = 0;
        for (cf, row_s) in ROWS {
            for start in [BEGIN - 50, end - 20 * row_s] {
                let words = [cf, "--start", &start.to_string(), "--end", &end.to_string()].map(str::to_owned);
                let words: Vec<&str> = words.iter().map(String::as_str).collect();
                let row = row_s.to_string();
                let theirs = rows(&self.rrdtool(&[&["fetch", "t.rrd"], words.as_slice(), &["-r", &row]].concat()));
                let ours =
                    rows(&self.grapher(&[&["fetch", "--db", db], words.as_slice(), &["--resolution", &row]].concat()));
                known += same(&ours, &theirs, tolerance, &format!("{cf} {row_s} from {start}"));
            }
        }
        assert!(known > 1000, "only {known} known values were compared");
    }
}

pub(crate) fn recorder() -> PathBuf {
    env!("CARGO_BIN_EXE_recorder").into()
}

/// Built beside the recorder when the whole workspace is.
pub(crate) fn grapher() -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_recorder")).with_file_name("grapher");
    assert!(path.exists(), "{} is not built: run the tests of the whole workspace", path.display());
    path
}

/// All types, limits and functions, as both programs take them.
pub(crate) const DEFINITIONS: [&str; 12] = [
    "DS:heap_used:GAUGE:2:0:U",
    "DS:heap_total:GAUGE:5:0:60000000",
    "DS:count:COUNTER:3:U:100000",
    "DS:change:DERIVE:3:-1000:U",
    "DS:decimal:DCOUNTER:3:U:U",
    "DS:drift:DDERIVE:3:U:U",
    "DS:since:ABSOLUTE:3:U:U",
    "RRA:AVERAGE:0.5:1:500",
    "RRA:AVERAGE:0.5:3:2400",
    "RRA:MIN:0.3:7:100",
    "RRA:MAX:0.5:10:40",
    "RRA:LAST:0.9:60:20",
];

/// The archives of [`DEFINITIONS`]: function and seconds of a row.
const ROWS: [(&str, u64); 5] = [("AVERAGE", 1), ("AVERAGE", 3), ("MIN", 7), ("MAX", 10), ("LAST", 60)];

/// `time:value:…` for each second of a recorded series that has a sample, one in forty of them unknown.
pub(crate) fn updates(series: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/series").join(format!("{series}.csv"));
    let text = std::fs::read_to_string(path).unwrap();
    let mut updates: Vec<String> = Vec::new();
    let mut last = BEGIN;
    for (index, line) in text.lines().skip(1).enumerate() {
        let fields: Vec<&str> = line.split(',').collect();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few hundred seconds")]
        let time = BEGIN + 1 + fields[0].parse::<f64>().unwrap().round() as u64;
        if time > last {
            let (used, count) = (if index % 40 == 7 { "U" } else { fields[1] }, fields[fields.len() - 1]);
            let whole = count.split('.').next().unwrap();
            updates.push(format!("{time}:{used}:{}:{whole}:{whole}:{count}:{count}:{whole}", fields[2]));
            last = time;
        }
    }
    updates
}

pub(crate) fn time_of(update: &str) -> u64 {
    update.split(':').next().unwrap().parse().unwrap()
}

type Rows = Vec<(String, Vec<f64>)>;

/// The rows of `fetch` as both print them: a line of names, an empty line, `time: value value …`.
pub(crate) fn rows(text: &str) -> Rows {
    // glibc prints the sign of a NaN, which means nothing.
    let value = |text: &str| if text.ends_with("nan") { f64::NAN } else { text.parse().unwrap() };
    let row = |(time, values): (&str, &str)| (time.trim().to_owned(), values.split_whitespace().map(value).collect());
    text.lines().filter_map(|line| line.split_once(": ")).map(row).collect()
}

/// How many known values were compared.
#[track_caller]
pub(crate) fn same(ours: &Rows, theirs: &Rows, tolerance: f64, what: &str) -> usize {
    assert!(!theirs.is_empty(), "{what}: no rows");
    assert_eq!(ours.len(), theirs.len(), "{what}");
    let mut known = 0;
    for (our, their) in ours.iter().zip(theirs) {
        assert_eq!(our.0, their.0, "{what}");
        assert_eq!(our.1.len(), their.1.len(), "{what}");
        for (a, b) in our.1.iter().zip(&their.1) {
            let equal = (a.is_nan() && b.is_nan()) || a == b || (a - b).abs() <= tolerance * b.abs().max(1.0);
            assert!(equal, "{what} at {}: {a} is not {b}", our.0);
            known += usize::from(!a.is_nan());
        }
    }
    known
}
